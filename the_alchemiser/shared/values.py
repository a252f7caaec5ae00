"""The values that everything else in `shared` is built from. This module imports nothing of `shared`."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints

WHOLE_SHARE = Decimal(1)
FRACTIONAL_SHARE = Decimal("0.000001")  # the smallest part of a share that an order may ask for
LEDGER_SHARE = Decimal("0.000000001")  # the smallest part of a share that the broker and the ledger count

SYMBOL_PATTERN = r"^[A-Z][A-Z0-9.]*$"
Symbol = Annotated[str, StringConstraints(pattern=SYMBOL_PATTERN)]
Weights = Mapping[Symbol, Decimal]


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_utc)]


class Side(StrEnum):
    """The direction of a trade, and of the phase it belongs to: a run sells first, then buys."""

    BUY = "BUY"
    SELL = "SELL"


class Clock(NamedTuple):
    """The broker's clock: the only source of business time and of the trading date."""

    timestamp: datetime
    is_open: bool
    next_open: datetime
    next_close: datetime


class Session(NamedTuple):
    """One trading day of the exchange; open and close are in New York time, and half days close early."""

    date: date
    open: datetime
    close: datetime


class Value(BaseModel):
    """A frozen value. Its constructor refuses unknown fields; `read` ignores them."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    @classmethod
    def read(cls, content: object) -> Self:
        """Return the value in a message or a stored item, which an earlier or a later release may have written.

        Fields that this release does not know are ignored, in nested values too.

        Raises:
            ValidationError: a field that this release needs is missing, or has the wrong form.
        """
        return cls.model_validate(content, extra="ignore")


class Refusal(Value):
    """Why something was not done.

    Attributes:
        reason: a short snake_case code that never changes its spelling.
        detail: one sentence for people.
    """

    reason: str
    detail: str
