"""Planted faults: make the next requests fail in a chosen way, to test clients."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.exchange.refusals import Refusal

_REFUSALS: dict[int, tuple[int, str]] = {
    429: (42910000, "rate limit exceeded"),
    500: (50010000, "internal server error occurred"),
    503: (50310000, "service unavailable"),
    504: (50410000, "request timed out"),
}


class Fault(BaseModel):
    """One kind of misbehaviour, for the next `times` requests that match.

    Kinds: `refuse` answers `status` and does nothing; `commit_then_504` takes the order but answers 504; `latency`
    waits `seconds` first; `hang` never answers and does nothing; `partial_fill` fills an order only up to `fraction`;
    `rest` does not fill it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["refuse", "commit_then_504", "latency", "hang", "partial_fill", "rest"]
    times: int = Field(default=1, ge=1)
    method: Literal["GET", "POST", "PATCH", "DELETE"] | None = None
    path: str = Field(default="/v2/", description="the prefix of the request's path")
    symbol: str | None = Field(default=None, description="the symbol that an order or query names")
    status: Literal[429, 500, 503, 504] = 500
    seconds: float = Field(default=1.0, ge=0)
    fraction: Decimal = Field(default=Decimal("0.5"), gt=0, lt=1)

    def matches(self, method: str, path: str, symbol: str) -> bool:
        if self.kind in {"commit_then_504", "partial_fill", "rest"} and (method, path) != ("POST", "/v2/orders"):
            return False
        return (
            self.method in {None, method}
            and path.startswith(self.path)
            and (self.symbol is None or self.symbol.upper() in symbol.upper().split(","))
        )


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """The combined effect of the matching faults on one request."""

    delay_s: float = 0.0
    hangs: bool = False
    refusal: Refusal | None = None
    loses_answer: bool = False
    fill_fraction: Decimal = Decimal(1)


@dataclass(slots=True)
class FaultPlan:
    """The faults still to apply, in the order they were planted; only in memory, so a restart clears them."""

    planted: list[Fault] = field(default_factory=list)

    def plant(self, fault: Fault) -> None:
        self.planted.append(fault)

    def clear(self) -> None:
        self.planted.clear()

    def take(self, method: str, path: str, symbol: str) -> Misbehaviour:
        """Use the first matching fault of each kind once, and return their combined effect."""
        first_of_kind: dict[str, int] = {}
        for index, fault in enumerate(self.planted):
            if fault.matches(method, path, symbol):
                first_of_kind.setdefault(fault.kind, index)

        faults = [self.planted[index] for index in first_of_kind.values()]
        # Remove the last fault first, so that the remaining indexes stay valid.
        for index in sorted(first_of_kind.values(), reverse=True):
            self._use_up(index)
        return _combined(faults, is_data=path.startswith("/v2/stocks"))

    def _use_up(self, index: int) -> None:
        fault = self.planted[index]
        remaining = [] if fault.times == 1 else [fault.model_copy(update={"times": fault.times - 1})]
        self.planted[index : index + 1] = remaining


def _combined(faults: list[Fault], *, is_data: bool) -> Misbehaviour:
    refused = next((fault for fault in faults if fault.kind == "refuse"), None)
    fractions = [Decimal(0) if fault.kind == "rest" else fault.fraction for fault in faults if _limits_fill(fault)]
    return Misbehaviour(
        delay_s=sum(fault.seconds for fault in faults if fault.kind == "latency"),
        hangs=any(fault.kind == "hang" for fault in faults),
        refusal=None if refused is None else refusal_of(refused.status, is_data=is_data),
        loses_answer=any(fault.kind == "commit_then_504" for fault in faults),
        fill_fraction=min(fractions, default=Decimal(1)),
    )


def _limits_fill(fault: Fault) -> bool:
    return fault.kind in {"partial_fill", "rest"}


def refusal_of(status: int, *, is_data: bool = False) -> Refusal:
    """Return the broker's answer when it fails itself; the data API sends no code."""
    code, message = _REFUSALS[status]
    if is_data:
        return Refusal(status, None, "too many requests." if status == 429 else message)
    return Refusal(status, code, message)
