"""The ledger: one entry per fill, attributed to strategies. Readers compute what a strategy owns from its fills."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from the_alchemiser.shared.values import Side

UNATTRIBUTED = "unattributed"
"""The owner of shares that belong to no strategy: held before the first run, or traded by hand."""


class LedgerEntry(NamedTuple):
    """One fill.

    Attributes:
        fill: number of the fill within its order. An order is recorded once, when it is final, as fill "1".
        quantity: shares, positive; `side` gives the direction.
        price: USD per share.
        cash: change of cash in USD, to the cent; negative for a buy.
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


def holdings(entries: Iterable[LedgerEntry]) -> Mapping[str, Mapping[str, Decimal]]:
    """Return the shares that each strategy owns after these fills: `{strategy: {symbol: shares}}`, without zeros."""
    owned: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for entry in entries:
        for strategy, quantity in entry.attribution.items():
            owned[strategy][entry.symbol] += quantity

    return {strategy: _without_zeros(shares) for strategy, shares in owned.items()}


def _without_zeros(shares: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    return {symbol: quantity for symbol, quantity in shares.items() if quantity}
