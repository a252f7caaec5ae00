"""FIFO lots: when shares were bought, at what price, and the gain when they were sold. Exact: nothing is rounded.

A sale closes the oldest lots first. A sale of more shares than are held opens a short lot, which the next purchase
closes. A strategy should not sell short, but the rounding of attribution can leave it one step short, and the sums must
be right in this case too.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from the_alchemiser.shared.ledger.ledger import LedgerEntry

_ZERO = Decimal(0)


class AttributedFill(NamedTuple):
    """One strategy's part of a fill: signed shares, negative for a sale; price in USD per share."""

    symbol: str
    filled_at: datetime
    quantity: Decimal
    price: Decimal


class Lot(NamedTuple):
    """Shares opened by one fill and not closed yet: signed, negative when short; price in USD per share."""

    symbol: str
    opened_at: datetime
    quantity: Decimal
    price: Decimal

    @property
    def cost(self) -> Decimal:
        """Return what was paid for these shares, in USD; negative when short."""
        return self.quantity * self.price

    def gain_at(self, price: Decimal) -> Decimal:
        """Return the gain of closing the lot at this price, in USD."""
        return self.quantity * (price - self.price)


class RealisedGain(NamedTuple):
    """Shares that were opened and closed again: signed like their lot; prices in USD per share."""

    symbol: str
    opened_at: datetime
    closed_at: datetime
    quantity: Decimal
    opened_price: Decimal
    closed_price: Decimal

    @property
    def gain(self) -> Decimal:
        """Return the gain in USD; negative for a loss."""
        return self.quantity * (self.closed_price - self.opened_price)


class LotBook(NamedTuple):
    """The result of matching fills: open lots by symbol, oldest first, and realised gains in order of the fills."""

    open: tuple[Lot, ...]
    realised: tuple[RealisedGain, ...]

    @property
    def gain(self) -> Decimal:
        """Return the sum of the realised gains, in USD."""
        return sum((realised.gain for realised in self.realised), _ZERO)

    @property
    def cost(self) -> Decimal:
        """Return what was paid for the open lots, in USD."""
        return sum((lot.cost for lot in self.open), _ZERO)

    def holdings(self) -> Mapping[str, Decimal]:
        """Return the shares held by symbol, without zeros."""
        held: dict[str, Decimal] = defaultdict(Decimal)
        for lot in self.open:
            held[lot.symbol] += lot.quantity
        return dict(held)

    def unrealised(self, prices: Mapping[str, Decimal]) -> Decimal:
        """Return the gain of closing every open lot, in USD.

        Args:
            prices: USD per share, for every symbol held.

        Raises:
            KeyError: a symbol that is held has no price.
        """
        return sum((lot.gain_at(prices[lot.symbol]) for lot in self.open), _ZERO)


def attributed_fills(entries: Iterable[LedgerEntry]) -> Mapping[str, tuple[AttributedFill, ...]]:
    """Return the fills of each strategy, ordered by time. Shares that crossed between strategies are fills of both."""
    fills: dict[str, list[AttributedFill]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.filled_at, entry.symbol, entry.order_id, entry.fill)):
        for strategy, quantity in entry.attribution.items():
            fills[strategy].append(AttributedFill(entry.symbol, entry.filled_at, quantity, entry.price))
    return {strategy: tuple(parts) for strategy, parts in fills.items()}


def match_lots(fills: Iterable[AttributedFill]) -> LotBook:
    """Match the fills of one owner in their order, first in, first out.

    Returns:
        Lots and gains with two properties. The quantities of the lots sum to those of the fills. At any prices, the
        realised plus the unrealised gain is the market value minus the net amount paid.
    """
    lots: dict[str, deque[Lot]] = defaultdict(deque)
    realised: list[RealisedGain] = []
    for fill in fills:
        realised.extend(_close(lots[fill.symbol], fill))

    still_open: list[Lot] = []
    for symbol in sorted(lots):
        still_open.extend(lots[symbol])
    return LotBook(tuple(still_open), tuple(realised))


def _close(lots: deque[Lot], fill: AttributedFill) -> list[RealisedGain]:
    """Close the oldest lots of the opposite sign with the fill. The rest of the fill opens a lot."""
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
