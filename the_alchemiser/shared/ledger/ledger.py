"""The ledger: one entry a fill, with its attribution; what a strategy owns is computed from the fills on read."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

from the_alchemiser.shared.messaging.messages import Side

UNATTRIBUTED = "unattributed"
"""Stands for a strategy where shares belong to none: held before the first run, or moved by hand."""


class LedgerEntry(NamedTuple):
    """One fill.

    Attributes:
        fill: distinguishes the fills of one order; an order is entered once it is final, as fill "1".
        quantity: shares, positive; side says the direction.
        price: USD a share.
        cash: USD that moved, signed, to the cent: negative for a buy.
        attribution: signed shares a strategy; they sum to the signed quantity exactly. Opposite signs are
            shares that crossed between strategies at this price.
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
    """Where fills are kept, for ever."""

    def record(self, entry: LedgerEntry) -> bool:
        """Put the entry, unless that fill is recorded; False when it was."""
        ...

    def entries_of(self, symbol: str) -> tuple[LedgerEntry, ...]:
        """Every fill of a symbol, by time; strongly consistent."""
        ...

    def entries_of_run(self, run_id: str) -> tuple[LedgerEntry, ...]:
        """Every fill of a run, by time; eventually consistent."""
        ...


def holdings(entries: Iterable[LedgerEntry]) -> Mapping[str, Mapping[str, Decimal]]:
    """Shares each strategy owns by these fills: `{strategy: {symbol: shares}}`, zeros left out."""
    owned: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for entry in entries:
        for strategy, quantity in entry.attribution.items():
            owned[strategy][entry.symbol] += quantity
    return {
        strategy: {symbol: quantity for symbol, quantity in symbols.items() if quantity}
        for strategy, symbols in owned.items()
    }
