"""The books: what the account must hold, and how that differs from what the broker shows. Pure.

The books begin with what the account held before the first run. Each check adds the splits and the fills of our orders
since the check before, and compares. A check without a difference, or whose difference a person accepted, is the base
of the next one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

from the_alchemiser.shared import formats
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.ledger.ledger import LedgerEntry, session_date
from the_alchemiser.shared.ledger.lots import after_split
from the_alchemiser.shared.messaging.messages import BooksDiffer, Difference, envelope
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.runs import Run, day_of
from the_alchemiser.shared.values import WHOLE_SHARE, Session, Side, UtcDatetime, Value

ROUNDING = Decimal("0.00000001")
"""Shares by which a split may be rounded otherwise at the broker: some units of the ledger."""
SUBJECT = "books"
_ZERO = Decimal(0)
_TRADE = re.compile(r"-\d{4}-\d\d-\d\d(-r\d+)?-(BUY|SELL)-.+-\d+")


class CheckState(StrEnum):
    """`OPENED` before the first run; then AGREED, or DIFFERS until a later look agrees or a person accepts."""

    OPENED = "OPENED"
    AGREED = "AGREED"
    DIFFERS = "DIFFERS"
    ACCEPTED = "ACCEPTED"


class BooksCheck(Value):
    """The check of one trading day.

    Attributes:
        checked_at: business time, UTC.
        holdings: shares by symbol, as the broker spells it: what the next check starts from. While the check differs,
            they are those that it started from itself; otherwise they are what the account held.
        held_at: when the account held that; business time, UTC.
        runs: the runs of that date whose fills the holdings contain.
        account: the number of the account that held them.
        accepted_by: who accepted the differences; empty unless a person did.
    """

    trading_date: date
    state: CheckState
    checked_at: UtcDatetime
    holdings: Mapping[str, Decimal]
    held_at: UtcDatetime
    account: str
    runs: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    accepted_by: str = ""

    @property
    def differs(self) -> bool:
        """Return whether the difference still stands: no run starts then."""
        return self.state is CheckState.DIFFERS

    @property
    def held_on(self) -> date:
        """Return the date in New York on which the account held the holdings."""
        return market_date(self.held_at)

    def includes(self, run: Run) -> bool:
        """Return whether the holdings contain the fills of the run."""
        return run.trading_date < self.held_on or run.run_id in self.runs


class Expected(Frozen):
    """The shares that the account must hold of one symbol.

    Attributes:
        kept: when the account keeps the fractions of shares that splits leave.
        paid: when it got cash for them.
        rounding: by how much a split may be rounded otherwise.
    """

    kept: Decimal
    paid: Decimal
    rounding: Decimal = _ZERO

    def is_met_by(self, shares: Decimal) -> bool:
        """Return whether an account with these shares agrees with the books."""
        return any(abs(shares - expected) <= self.rounding for expected in (self.kept, self.paid))


class Evidence(Frozen):
    """What may explain a difference.

    Attributes:
        orders: all orders of the account since the base of the check.
        recorded: the broker's ids of those that the ledger has.
        split: the symbols with a split since then.
        account: a clause about the account when the books are those of another one; otherwise empty.
    """

    orders: Sequence[Order]
    recorded: Set[str]
    split: Set[str]
    account: str = ""


def expected_holdings(
    base: BooksCheck, fills: Iterable[LedgerEntry], actions: CorporateActions, *, through: date
) -> Mapping[str, Expected]:
    """Return what the account must hold by symbol: the base with the splits and the fills since it.

    Args:
        fills: of the runs that the base does not include.
        through: the last day whose splits have taken effect.
    """
    by_symbol: dict[str, list[LedgerEntry]] = defaultdict(list)
    for fill in sorted(fills, key=lambda fill: fill.filled_at):
        by_symbol[fill.symbol].append(fill)
    return {
        symbol: _expected(base, symbol, by_symbol.get(symbol, ()), actions, through)
        for symbol in base.holdings.keys() | by_symbol.keys()
    }


def _expected(
    base: BooksCheck, symbol: str, fills: Sequence[LedgerEntry], actions: CorporateActions, through: date
) -> Expected:
    splits = [split for split in actions.splits(symbol) if base.held_on < split.ex_date <= through]
    rounding = ROUNDING if splits else _ZERO
    kept = paid = base.holdings.get(symbol, _ZERO)

    for fill in fills:
        while splits and splits[0].ex_date <= session_date(fill.filled_at):
            split = splits.pop(0)
            kept, paid = after_split(kept, split), _whole(after_split(paid, split))
        kept, paid = kept + _signed(fill), paid + _signed(fill)
    for split in splits:
        kept, paid = after_split(kept, split), _whole(after_split(paid, split))
    return Expected(kept, paid, rounding)


def _whole(shares: Decimal) -> Decimal:
    return shares.quantize(WHOLE_SHARE, ROUND_DOWN)


def _signed(fill: LedgerEntry) -> Decimal:
    return fill.quantity if fill.side is Side.BUY else -fill.quantity


def compare(
    expected: Mapping[str, Expected], held: Mapping[str, Decimal], open_orders: Iterable[Order], *, stage: str
) -> tuple[Difference, ...]:
    """Return the differences, holdings first, by symbol; empty when broker and books agree.

    Args:
        held: shares by symbol, as the broker reports them.
        open_orders: at a moment at which no run waits for an order.
    """
    nothing = Expected(_ZERO, _ZERO)
    holdings = [
        Difference(symbol=symbol, broker=held.get(symbol, _ZERO), books=expected.get(symbol, nothing).kept)
        for symbol in sorted(expected.keys() | held.keys())
        if not expected.get(symbol, nothing).is_met_by(held.get(symbol, _ZERO))
    ]
    orders = [
        Difference(kind="order", symbol=order.symbol, broker=_to_fill(order), books=_ZERO, order=order.client_order_id)
        for order in sorted(open_orders, key=lambda order: (order.symbol, order.client_order_id))
        if not order.is_done and is_ours(order, stage=stage)
    ]
    return (*holdings, *orders)


def is_ours(order: Order, *, stage: str) -> bool:
    """Return whether the client order id is that of a trade of this stage."""
    name, _, rest = order.client_order_id.partition("-")
    return name == stage and _TRADE.fullmatch(f"-{rest}") is not None


def _to_fill(order: Order) -> Decimal:
    shares = (order.quantity or _ZERO) - order.filled_quantity
    return shares if order.side is Side.BUY else -shares


def explain(differences: Sequence[Difference], evidence: Evidence, *, stage: str) -> tuple[Difference, ...]:
    """Return the differences with their likely causes, and our fills of these symbols that the ledger does not have."""
    symbols = {difference.symbol for difference in differences if difference.kind == "holding"}
    missing = [
        Difference(kind="fill", symbol=order.symbol, broker=_filled(order), books=_ZERO, order=order.client_order_id)
        for order in evidence.orders
        if order.symbol in symbols and order.filled_quantity and _is_missing(order, evidence, stage)
    ]
    explained = [
        difference.changed(cause="; ".join(_causes(difference.symbol, evidence, stage)))
        if difference.kind == "holding"
        else difference
        for difference in differences
    ]
    return (*explained, *missing)


def _causes(symbol: str, evidence: Evidence, stage: str) -> Iterator[str]:
    filled = [order for order in evidence.orders if order.symbol == symbol and order.filled_quantity]
    by_hand = [order for order in filled if order.id not in evidence.recorded and not is_ours(order, stage=stage)]
    if evidence.account:
        yield evidence.account
    if any(_is_missing(order, evidence, stage) for order in filled):
        yield "the ledger lacks a fill"
    if by_hand:
        trades = (f"{order.side.value} {formats.shares(order.filled_quantity)}" for order in by_hand)
        yield f"ordered by hand: {', '.join(trades)}"
    if symbol in evidence.split:
        yield "the symbol has had a split"


def _is_missing(order: Order, evidence: Evidence, stage: str) -> bool:
    return is_ours(order, stage=stage) and order.id not in evidence.recorded


def _filled(order: Order) -> Decimal:
    return order.filled_quantity if order.side is Side.BUY else -order.filled_quantity


def awaited_splits(
    actions: CorporateActions, held: Iterable[str], session: Session | None, now: datetime
) -> tuple[str, ...]:
    """Return the held symbols that split today, before today's open: the broker books that at any moment until then.

    A difference must not be accepted meanwhile: nobody can say whether the holdings are those from after the split.

    Args:
        session: today's; None on a day without one.
        now: the broker's time.
    """
    if session is None or now >= session.open:
        return ()
    return tuple(
        symbol for symbol in sorted(held) if any(split.ex_date == session.date for split in actions.splits(symbol))
    )


def books_differ(check: BooksCheck, *, stage: str) -> BooksDiffer:
    """Return the message about a check that differs: one per day, with the same content each time."""
    return BooksDiffer(
        **envelope(BooksDiffer, day_of(stage, check.trading_date), SUBJECT, occurred_at=check.checked_at),
        trading_date=check.trading_date,
        account=check.account,
        differences=check.differences,
    )


def describe(difference: Difference) -> str:
    """Return the difference as a clause: `SPY: the broker shows 12 shares, the books say 10`."""
    shares = shares_text(difference.broker)
    match difference.kind:
        case "order":
            return f"{difference.symbol}: the order {difference.order} for {shares} is open"
        case "fill":
            return f"{difference.symbol}: the order {difference.order} filled {shares} that the ledger lacks"
        case _:
            books = formats.shares(difference.books)
            return f"{difference.symbol}: the broker shows {shares}, the books say {books}"


def shares_text(shares: Decimal) -> str:
    """Return a number of shares with the noun: `1 share`, `12.5 shares`."""
    return f"{formats.shares(shares)} {'share' if abs(shares) == 1 else 'shares'}"
