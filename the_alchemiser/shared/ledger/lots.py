"""FIFO lots: when shares were bought, at what price, and the gain when they were sold. Nothing is rounded but splits.

A sale closes the oldest lots first. A sale of more shares than are held opens a short lot, which the next purchase
closes. A strategy should not sell short, but the rounding of attribution can leave it one step short, and the sums must
be right in this case too.

A split changes the shares and the price of every open lot before the first fill of its ex-date, and leaves their cost.
An owner's shares are then rounded down to 9 places, as at the broker. Gains that were realised before stay as they are.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time
from decimal import ROUND_DOWN, Decimal

from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind, CorporateActions
from the_alchemiser.shared.ledger.attribution import attribute
from the_alchemiser.shared.ledger.ledger import LedgerEntry, session_date
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import LEDGER_SHARE, WHOLE_SHARE

NO_ACTIONS = CorporateActions()
_ZERO = Decimal(0)


class AttributedFill(Frozen):
    """One strategy's part of a fill: signed shares, negative for a sale; price in USD per share."""

    symbol: str
    filled_at: datetime
    quantity: Decimal
    price: Decimal


class Lot(Frozen):
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


class RealisedGain(Frozen):
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


class LotBook(Frozen):
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


def holdings(
    entries: Iterable[LedgerEntry], actions: CorporateActions = NO_ACTIONS
) -> Mapping[str, Mapping[str, Decimal]]:
    """Return the shares that each strategy owns after these fills: `{strategy: {symbol: shares}}`, without zeros.

    Args:
        actions: that have taken effect; see CorporateActions.until.
    """
    fills = attributed_fills(entries, actions)
    return {strategy: match_lots(parts, actions).holdings() for strategy, parts in fills.items()}


def attributed_fills(
    entries: Iterable[LedgerEntry], actions: CorporateActions = NO_ACTIONS
) -> Mapping[str, tuple[AttributedFill, ...]]:
    """Return the fills of each strategy, ordered by time. Shares that crossed between strategies are fills of both.

    Where a split left a fraction of a share that the account cannot keep, the fraction is a sale at the split's price.

    Args:
        actions: that have taken effect; see CorporateActions.until.
    """
    fills: dict[str, list[AttributedFill]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: (entry.filled_at, entry.symbol, entry.order_id, entry.fill)):
        for strategy, quantity in entry.attribution.items():
            fills[strategy].append(AttributedFill(entry.symbol, entry.filled_at, quantity, entry.price))

    for split in sorted(actions.actions, key=lambda action: action.ex_date):
        if split.kind is CorporateActionKind.SPLIT and split.cash:
            for strategy, sale in _cash_in_lieu(fills, split, actions).items():
                fills[strategy] = sorted((*fills[strategy], sale), key=lambda fill: fill.filled_at)
    return {strategy: tuple(parts) for strategy, parts in fills.items()}


def match_lots(fills: Iterable[AttributedFill], actions: CorporateActions = NO_ACTIONS) -> LotBook:
    """Match the fills of one owner, first in, first out.

    Args:
        fills: in their order.
        actions: that have taken effect; see CorporateActions.until.

    Returns:
        Lots and gains with two properties. The quantities of the lots sum to those of the fills, in today's shares. At
        any prices, the realised plus the unrealised gain is the market value minus the net amount paid.
    """
    lots: dict[str, deque[Lot]] = defaultdict(deque)
    pending = {symbol: deque(actions.splits(symbol)) for symbol in {action.symbol for action in actions.actions}}
    realised: list[RealisedGain] = []

    for fill in fills:
        splits = pending.get(fill.symbol, deque())
        while splits and splits[0].ex_date <= session_date(fill.filled_at):
            lots[fill.symbol] = _split(lots[fill.symbol], splits.popleft())
        realised.extend(_close(lots[fill.symbol], fill))

    still_open: list[Lot] = []
    for symbol in sorted(lots):
        for split in pending.get(symbol, ()):
            lots[symbol] = _split(lots[symbol], split)
        still_open.extend(lots[symbol])
    return LotBook(tuple(still_open), tuple(realised))


def _split(lots: deque[Lot], split: CorporateAction) -> deque[Lot]:
    """Return the lots after the split, each at its old cost.

    Running totals are rounded, not lots, so that the lots sum to the rounded total. A lot of which nothing remains is
    dropped with its cost: less than a billionth of a share.
    """
    after: deque[Lot] = deque()
    old_total = new_total = _ZERO
    for lot in lots:
        old_total += lot.quantity
        rounded = after_split(old_total, split)
        quantity, new_total = rounded - new_total, rounded
        if quantity:
            after.append(lot.changed(quantity=quantity, price=lot.cost / quantity))
    return after


def after_split(shares: Decimal, split: CorporateAction) -> Decimal:
    """Return how many shares these are after the split, rounded down to what the broker and the ledger count."""
    return (shares * split.new_rate / split.old_rate).quantize(LEDGER_SHARE, ROUND_DOWN)


def _cash_in_lieu(
    fills: Mapping[str, Iterable[AttributedFill]], split: CorporateAction, actions: CorporateActions
) -> Mapping[str, AttributedFill]:
    """Return the sale of the fraction that the split leaves of all shares together, by owner.

    The owners share it in proportion to what they hold.
    """
    before = CorporateActions(
        tuple(earlier for earlier in actions.splits(split.symbol) if earlier.ex_date < split.ex_date)
    )
    held: dict[str, Decimal] = {}
    for owner, parts in fills.items():
        earlier_fills = (
            fill for fill in parts if fill.symbol == split.symbol and session_date(fill.filled_at) < split.ex_date
        )
        held[owner] = after_split(match_lots(earlier_fills, before).holdings().get(split.symbol, _ZERO), split)

    total = sum(held.values(), _ZERO)
    fraction = total - total.quantize(WHOLE_SHARE, ROUND_DOWN)
    if fraction <= 0:
        return {}

    longs = {owner: -shares for owner, shares in held.items() if shares > 0}
    sales = attribute(-fraction, before=_ZERO, ordered=-fraction, deltas=longs)
    at = datetime.combine(split.ex_date, time(), UTC)  # before the first fill of the ex-date
    return {owner: AttributedFill(split.symbol, at, quantity, split.cash) for owner, quantity in sales.items()}


def _close(lots: deque[Lot], fill: AttributedFill) -> list[RealisedGain]:
    """Close the oldest lots of the opposite sign with the fill. The rest of the fill opens a lot."""
    left = fill.quantity
    gains: list[RealisedGain] = []

    while left and lots and lots[0].quantity * left < 0:
        lot = lots.popleft()
        closed = lot.quantity if abs(lot.quantity) <= abs(left) else -left
        gains.append(RealisedGain(lot.symbol, lot.opened_at, fill.filled_at, closed, lot.price, fill.price))
        if closed != lot.quantity:
            lots.appendleft(lot.changed(quantity=lot.quantity - closed))
        left += closed

    if left:
        lots.append(Lot(fill.symbol, fill.filled_at, left, fill.price))
    return gains
