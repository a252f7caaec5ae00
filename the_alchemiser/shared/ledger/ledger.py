"""The ledger: one entry per fill, attributed to strategies. Readers compute what a strategy owns from its fills."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Protocol

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Side

UNATTRIBUTED = "unattributed"
"""The owner of shares that belong to no strategy: held before the first run, or traded by hand."""


class LedgerEntry(Frozen):
    """One fill.

    Attributes:
        fill: number of the fill within its order. An order is recorded once, when it is final, as fill "1".
        quantity: shares, positive; `side` gives the direction.
        price: USD per share.
        cash: change of cash in USD, to the cent; negative for a buy.
        planning_price: USD per share that the plan was made with; entries of earlier releases do not have it.
        attribution: signed shares per strategy. Their sum is exactly the signed quantity. Opposite signs mean that
            shares crossed between strategies at this price.
    """

    symbol: str
    filled_at: datetime
    order_id: str
    fill: str
    client_order_id: str
    trade_id: str
    run_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    cash: Decimal
    attribution: Mapping[str, Decimal]
    planning_price: Decimal | None = None


class Ledger(Protocol):
    """A permanent record of fills."""

    def record(self, entry: LedgerEntry) -> bool:
        """Record the fill; return False when it was already recorded. Idempotent."""
        ...

    def entries_of(self, symbol: str) -> tuple[LedgerEntry, ...]:
        """Return every fill of a symbol, ordered by time; strongly consistent."""
        ...

    def entries_of_run(self, run_id: str) -> tuple[LedgerEntry, ...]:
        """Return every fill of a run, ordered by time; eventually consistent."""
        ...


def session_date(moment: datetime) -> date:
    """Return the date of the session that a time in trading hours lies in."""
    # A session lies within one UTC day: it opens at 13:30 at the earliest and closes at 21:00 at the latest.
    return moment.astimezone(UTC).date()
