"""The account as it must be now, from the last run's row and everything since, beside what the broker shows. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from the_alchemiser.shared import formats
from the_alchemiser.shared.books.checks import BooksCheck, CheckState, Expected, describe, expected_holdings
from the_alchemiser.shared.broker.models import Account, Activity, Position
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.exchange_time import market_date
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import Difference
from the_alchemiser.shared.performance.activities import ActivityTotals, activity_totals
from the_alchemiser.shared.performance.rows import Performance

_ZERO = Decimal(0)
_NOTHING = Expected(_ZERO, _ZERO)


@dataclass(frozen=True, slots=True)
class Since:
    """What has happened since the last run.

    Attributes:
        fills: that the ledger has, of orders that became final after the run had completed.
        activities: that reached the account after that.
    """

    fills: Sequence[LedgerEntry]
    activities: Sequence[Activity]
    actions: CorporateActions


@dataclass(frozen=True, slots=True)
class Live:
    """What the broker shows at one moment; while prices move, the account is a little later than the positions."""

    at: datetime
    account: Account
    positions: Sequence[Position]
    is_moving: bool = False


@dataclass(frozen=True, slots=True)
class LiveBooks:
    """Books and broker beside each other, in USD.

    Attributes:
        row: the account after the last run.
        cash, value: what the books say: the cash, and the holdings at the broker's prices.
        activities: what has reached the account since the last run.
        differences: where books and broker differ, a sentence each.
    """

    row: Performance
    live: Live
    cash: Decimal
    value: Decimal
    activities: ActivityTotals
    differences: tuple[str, ...]

    @property
    def equity(self) -> Decimal:
        """Return the equity according to the books, to the cent."""
        return (self.cash + self.value).quantize(formats.CENT, ROUND_HALF_UP)

    @property
    def broker_equity(self) -> Decimal:
        return self.live.account.equity

    @property
    def moves(self) -> Mapping[str, Decimal]:
        """Return what changed the equity since the last run, by name; without zeros."""
        known = {
            "deposits": self.activities.deposits,
            "fees": self.activities.fees,
            "dividends": self.activities.dividends,
            "interest": self.activities.interest,
            **self.activities.other,
        }
        prices = self.equity - self.row.equity - sum(known.values(), _ZERO)
        return {name: amount for name, amount in {**known, "prices": prices}.items() if amount}


def compare_live(row: Performance, since: Since, live: Live) -> LiveBooks:
    """Carry the account's row of the last run forward to now, and compare it with the broker.

    Args:
        row: the account's, with its cash and holdings.
    """
    activities = [activity for activity in since.activities if not activity.is_canceled]
    cash = (row.cash or _ZERO) + sum((fill.cash for fill in since.fills), _ZERO)
    cash += sum((activity.net_amount for activity in activities), _ZERO)
    expected = _expected(row, since, live)
    held = {position.symbol: position for position in live.positions if position.current_price is not None}

    return LiveBooks(
        row=row,
        live=live,
        cash=cash,
        value=sum((_value(expected.get(symbol, _NOTHING), position) for symbol, position in held.items()), _ZERO),
        activities=activity_totals(activities, until=live.at),
        differences=(*_cash_differences(cash, live), *_holding_differences(expected, held)),
    )


def _expected(row: Performance, since: Since, live: Live) -> Mapping[str, Expected]:
    base = BooksCheck(
        trading_date=row.trading_date,
        state=CheckState.AGREED,
        checked_at=row.completed_at,
        holdings=dict(row.holdings),
        held_at=row.completed_at,
        account=live.account.number,
    )
    return expected_holdings(base, since.fills, since.actions, through=market_date(live.at))


def _value(expected: Expected, position: Position) -> Decimal:
    """Return what the books' shares are worth; as the broker rounds it where both have the same shares."""
    if position.market_value is not None and expected.is_met_by(position.quantity):
        return position.market_value
    return (expected.kept * (position.current_price or _ZERO)).quantize(formats.CENT, ROUND_HALF_UP)


def _cash_differences(cash: Decimal, live: Live) -> Iterator[str]:
    account = live.account
    if account.cash != cash:
        by = formats.signed_money(account.cash - cash)
        yield f"cash: the broker has {formats.money(account.cash)}, the books say {formats.money(cash)} ({by})"

    values = (position.market_value for position in live.positions if position.market_value is not None)
    total = (account.cash + sum(values, _ZERO)).quantize(formats.CENT, ROUND_HALF_UP)
    if account.equity != total and not live.is_moving:
        parts = f"its cash and positions are {formats.money(total)}"
        yield f"equity: the broker says {formats.money(account.equity)}, but {parts}"


def _holding_differences(expected: Mapping[str, Expected], held: Mapping[str, Position]) -> Iterable[str]:
    for symbol in sorted(expected.keys() | held.keys()):
        shares = held[symbol].quantity if symbol in held else _ZERO
        books = expected.get(symbol, _NOTHING)
        if not books.is_met_by(shares):
            yield describe(Difference(symbol=symbol, broker=shares, books=books.kept))
