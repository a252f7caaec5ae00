"""Planted faults: make the next requests fail in a chosen way, to test clients."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.exchange.orders import PLAIN, Script
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.routing import is_data_path

Kind = Literal[
    "refuse",
    "commit_then_504",
    "latency",
    "hang",
    "partial_fill",
    "rest",
    "fill_in_parts",
    "fill_later",
    "hold",
    "done_for_day",
    "reject_later",
    "odd_status",
    "cancel_ignored",
    "cancel_slowly",
    "replace_slowly",
]
_OF_NEW_ORDERS = frozenset(
    {
        "commit_then_504",
        "partial_fill",
        "rest",
        "fill_in_parts",
        "fill_later",
        "hold",
        "done_for_day",
        "reject_later",
        "odd_status",
    }
)
_OF_CANCELS = frozenset({"cancel_ignored", "cancel_slowly"})
_ORDERS = "/v2/orders"

_REFUSALS: dict[int, tuple[int, str]] = {
    429: (42910000, "rate limit exceeded"),
    500: (50010000, "internal server error occurred"),
    503: (50310000, "service unavailable"),
    504: (50410000, "request timed out"),
}


class Fault(BaseModel):
    """One kind of misbehaviour, for the next `times` requests that match. Seconds of orders are exchange time.

    Kinds, for any request: `refuse` answers `status` (with `code`, `message` and `facts`) and does nothing; `latency`
    waits `seconds` first; `hang` never answers and does nothing.

    For new orders: `commit_then_504` takes the order but answers 504; `partial_fill` fills it only up to `fraction`;
    `rest` does not fill it; `fill_in_parts` fills it in `parts`, `seconds` apart; `fill_later` fills it after
    `seconds`; `hold` keeps it in the status held for `seconds`; `done_for_day` fills it up to `fraction` and is then
    done for the day; `reject_later` accepts it and rejects it after `seconds`; `odd_status` reports it as
    `status_name` for `seconds`.

    For cancels: `cancel_ignored` answers 204 without effect; `cancel_slowly` leaves the order in pending_cancel for
    `seconds`. For changes: `replace_slowly` leaves the old order in pending_replace for `seconds`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    times: int = Field(default=1, ge=1)
    method: Literal["GET", "POST", "PATCH", "DELETE"] | None = None
    path: str = Field(default="/v", description="the prefix of the request's path")
    symbol: str | None = Field(default=None, description="the symbol that a request or its order names")
    status: int = Field(default=500, ge=400, le=599)
    code: int | None = None
    message: str | None = None
    facts: dict[str, object] = Field(default={}, description="further fields of a refusal's body")
    seconds: float = Field(default=1.0, ge=0)
    fraction: Decimal = Field(default=Decimal("0.5"), ge=0, lt=1)
    parts: int = Field(default=2, ge=2)
    status_name: str = Field(default="under_observation", min_length=1)

    def matches(self, method: str, path: str, symbol: str) -> bool:
        return (
            self._concerns(method, path)
            and self.method in {None, method}
            and path.startswith(self.path)
            and (self.symbol is None or self.symbol.upper() in symbol.upper().split(","))
        )

    def _concerns(self, method: str, path: str) -> bool:
        if self.kind in _OF_NEW_ORDERS:
            return (method, path) == ("POST", _ORDERS)
        if self.kind in _OF_CANCELS:
            return method == "DELETE" and path.startswith(_ORDERS)
        return self.kind != "replace_slowly" or method == "PATCH"


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """The combined effect of the matching faults on one request."""

    delay_s: float = 0.0
    hangs: bool = False
    refusal: Refusal | None = None
    loses_answer: bool = False
    ignores_cancel: bool = False
    pending_s: float = 0.0
    script: Script = PLAIN


NONE = Misbehaviour()


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
        if not self.planted:
            return NONE
        first_of_kind: dict[str, int] = {}
        for index, fault in enumerate(self.planted):
            if fault.matches(method, path, symbol):
                first_of_kind.setdefault(fault.kind, index)

        faults = {kind: self.planted[index] for kind, index in first_of_kind.items()}
        # Remove the last fault first, so that the remaining indexes stay valid.
        for index in sorted(first_of_kind.values(), reverse=True):
            self._use_up(index)
        return _combined(faults, is_data=is_data_path(path))

    def _use_up(self, index: int) -> None:
        fault = self.planted[index]
        remaining = [] if fault.times == 1 else [fault.model_copy(update={"times": fault.times - 1})]
        self.planted[index : index + 1] = remaining


def _combined(faults: Mapping[str, Fault], *, is_data: bool) -> Misbehaviour:
    if not faults:
        return NONE
    refused = faults.get("refuse")
    return Misbehaviour(
        delay_s=_seconds(faults, "latency"),
        hangs="hang" in faults,
        refusal=None if refused is None else _refusal(refused, is_data=is_data),
        loses_answer="commit_then_504" in faults,
        ignores_cancel="cancel_ignored" in faults,
        pending_s=_seconds(faults, "cancel_slowly") + _seconds(faults, "replace_slowly"),
        script=_script(faults),
    )


def _script(faults: Mapping[str, Fault]) -> Script:
    fractions = [fault.fraction for kind, fault in faults.items() if kind in {"partial_fill", "done_for_day"}]
    parts, odd = faults.get("fill_in_parts"), faults.get("odd_status")
    script = Script(
        fill_fraction=Decimal(0) if "rest" in faults else min(fractions, default=Decimal(1)),
        parts=1 if parts is None else parts.parts,
        every_s=0.0 if parts is None else parts.seconds,
        delay_s=max(_seconds(faults, kind) for kind in ("fill_later", "hold", "reject_later")),
        held="hold" in faults,
        is_rejected="reject_later" in faults,
        is_done_for_day="done_for_day" in faults,
        alias=None if odd is None else odd.status_name,
        alias_s=0.0 if odd is None else odd.seconds,
    )
    return PLAIN if script == PLAIN else script


def _seconds(faults: Mapping[str, Fault], kind: str) -> float:
    fault = faults.get(kind)
    return 0.0 if fault is None else fault.seconds


def _refusal(fault: Fault, *, is_data: bool) -> Refusal:
    usual = refusal_of(fault.status, is_data=is_data)
    code = usual.code if fault.code is None else fault.code
    return Refusal(fault.status, code, fault.message or str(usual), fault.facts)


def refusal_of(status: int, *, is_data: bool = False) -> Refusal:
    """Return the broker's answer with a status; the data API sends no code."""
    code, message = _REFUSALS.get(status, (status * 100_000 + 10_000, HTTPStatus(status).phrase.lower()))
    if is_data:
        return Refusal(status, None, "too many requests." if status == 429 else message)
    return Refusal(status, code, message)
