"""FIFO lots: what was bought when and for how much, and what parting with it gained. Exact: nothing is rounded.

The oldest shares go first. Who sells more than there is opens a short lot, which the next purchase closes; a
strategy is not meant to, but attribution may leave it a rounding step short, and sums must hold all the same.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from the_alchemiser.shared.ledger.ledger import LedgerEntry

_ZERO = Decimal(0)


class AttributedFill(NamedTuple):
    """One strategy's part of a fill: signed shares, negative for a sale, and USD a share."""

    symbol: str
    filled_at: datetime
    quantity: Decimal
    price: Decimal


class Lot(NamedTuple):
    """Shares opened together and still there: signed, negative when short; price in USD a share."""

    symbol: str
    opened_at: datetime
    quantity: Decimal
    price: Decimal

    @property
    def cost(self) -> Decimal:
        """USD paid for what is there; negative when short."""
        return self.quantity * self.price

    def gain_at(self, price: Decimal) -> Decimal:
        """USD gained if the lot were closed at that price."""
        return self.quantity * (price - self.price)


class RealisedGain(NamedTuple):
    """Shares that were opened and closed: signed as the lot they came from; prices in USD a share."""

    symbol: str
    opened_at: datetime
    closed_at: datetime
    quantity: Decimal
    opened_price: Decimal
    closed_price: Decimal

    @property
    def gain(self) -> Decimal:
        """USD gained; negative for a loss."""
        return self.quantity * (self.closed_price - self.opened_price)


class LotBook(NamedTuple):
    """What a series of fills left behind: open lots by symbol, oldest first, and gains in the order they fell."""

    open: tuple[Lot, ...]
    realised: tuple[RealisedGain, ...]

    @property
    def gain(self) -> Decimal:
        """USD realised."""
        return sum((realised.gain for realised in self.realised), _ZERO)

    @property
    def cost(self) -> Decimal:
        """USD paid for what is still there."""
        return sum((lot.cost for lot in self.open), _ZERO)

    def holdings(self) -> Mapping[str, Decimal]:
        """Shares by symbol; no zeros."""
        held: dict[str, Decimal] = defaultdict(Decimal)
        for lot in self.open:
            held[lot.symbol] += lot.quantity
        return dict(held)

    def unrealised(self, prices: Mapping[str, Decimal]) -> Decimal:
        """USD gained if everything were closed at these prices; one for every symbol held."""
        return sum((lot.gain_at(prices[lot.symbol]) for lot in self.open), _ZERO)


def attributed_fills(entries: Iterable[LedgerEntry]) -> Mapping[str, tuple[AttributedFill, ...]]:
    """The ledger as each strategy sees it: its fills, by time. What crossed between two is a fill of both."""
    fills: dict[str, list[AttributedFill]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.filled_at, entry.symbol, entry.order_id, entry.fill)):
        for strategy, quantity in entry.attribution.items():
            fills[strategy].append(AttributedFill(entry.symbol, entry.filled_at, quantity, entry.price))
    return {strategy: tuple(parts) for strategy, parts in fills.items()}


def match_lots(fills: Iterable[AttributedFill]) -> LotBook:
    """Match one owner's fills, in the order given, first in, first out.

    Returns:
        Lots and gains such that the lots' quantities sum to the fills', and that gains realised and unrealised
        at any prices equal the market value at these prices less what was paid, net.
    """
    lots: dict[str, deque[Lot]] = defaultdict(deque)
    realised: list[RealisedGain] = []
    for fill in fills:
        realised.extend(_close(lots[fill.symbol], fill))
    still_open = (lot for symbol in sorted(lots) for lot in lots[symbol])
    return LotBook(tuple(still_open), tuple(realised))


def _close(lots: deque[Lot], fill: AttributedFill) -> list[RealisedGain]:
    """Close the oldest lots of the other sign with the fill; what is left of it opens a lot."""
    left = fill.quantity
    gains: list[RealisedGain] = []
    while left and lots and lots[0].quantity * left < 0:
        lot = lots.popleft()
        closed = lot.quantity if abs(lot.quantity) <= abs(left) else -left
        gains.append(RealisedGain(lot.symbol, lot.opened_at, fill.filled_at, closed, lot.price, fill.price))
        if closed != lot.quantity:
            lots.appendleft(lot._replace(quantity=lot.quantity - closed))
        left += closed
    if left:
        lots.append(Lot(fill.symbol, fill.filled_at, left, fill.price))
    return gains
