"""Figures of a day or a period, derived from the rows of the Performance table. Pure.

A period goes from the moment of one row to the moment of another: from the end of a run to the end of a later run. A
day is the period between two rows that follow each other. So a day without a row, because its run failed or none was
started, belongs to the next row's day.

Money that reached the account during a day counts from the start of that day. So the return of a day is its P&L
divided by the equity before plus the day's net deposits, and the time-weighted return of a period compounds its days.
What a strategy contributes is its own P&L divided by the same capital of the account: the contributions of all owners
and the account's own items (fees, dividends, interest, rounding) add up to the account's return of the day.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import pairwise

from the_alchemiser.shared.performance.rows import ACCOUNT, AccountTotals, Performance
from the_alchemiser.shared.records import Frozen

_ZERO = Decimal(0)
_ONE = Decimal(1)


class Breakdown(Frozen):
    """Where the account's P&L of a period comes from, in USD. The parts add up to the P&L exactly.

    Attributes:
        strategies: P&L of all strategies together.
        unattributed: P&L of the shares that belong to no strategy.
        fees: negative when they were charged.
        other: net amounts of further activities, by the broker's name of their type; without zeros.
        rounding: from the broker's rounding to cents.
        unexplained: what remains; anything but zero deserves a look.
    """

    strategies: Decimal
    unattributed: Decimal
    fees: Decimal
    dividends: Decimal
    interest: Decimal
    other: Mapping[str, Decimal]
    rounding: Decimal
    unexplained: Decimal


class Figures(Frozen):
    """What one owner did in a period; money in USD. `opening_equity + deposits + P&L of the account = closing_equity`.

    Attributes:
        owner: name of a strategy, UNATTRIBUTED or ACCOUNT.
        opened: trading date of the row from which the period starts; None for the opening before the first run.
        through: trading date of the row with which the period ends.
        opening_equity, closing_equity, deposits: of the account, also for a strategy; deposits less withdrawals.
        pnl: gain or loss, realised and unrealised; for the account after fees, with dividends and interest.
        time_weighted_return: fraction; for a strategy what it contributed. None when a day had no positive capital.
        market_value, exposure: at the end; exposure is a fraction of equity, None unless the equity is positive.
        realised: gains from lots closed in the period; None for unattributed shares.
        unrealised: gains if every holding were sold at the end, since their purchase; None for unattributed shares.
        turnover: value of the purchases and sales of the period.
        slippage: what fills cost more than at the prices of their plans; negative when less.
        closed_lots, winning_lots: lots closed in the period, and those of them with a gain.
        breakdown: of the account; None for the other owners.
    """

    owner: str
    opened: date | None
    through: date
    opening_equity: Decimal
    closing_equity: Decimal
    deposits: Decimal
    pnl: Decimal
    time_weighted_return: Decimal | None
    market_value: Decimal
    exposure: Decimal | None
    realised: Decimal | None
    unrealised: Decimal | None
    turnover: Decimal
    slippage: Decimal
    closed_lots: int
    winning_lots: int
    breakdown: Breakdown | None = None

    @property
    def win_rate(self) -> Decimal | None:
        """Return the fraction of closed lots that had a gain; None when no lot was closed."""
        return Decimal(self.winning_lots) / self.closed_lots if self.closed_lots else None

    @property
    def turnover_rate(self) -> Decimal | None:
        """Return turnover as a multiple of the closing equity; None unless that is positive."""
        return self.turnover / self.closing_equity if self.closing_equity > 0 else None


class _Point(Frozen):
    """An owner at one moment; totals since the first run. `gain` rises by the P&L of each period."""

    day: date | None
    equity: Decimal
    totals: AccountTotals
    gain: Decimal
    row: Performance


class History(Frozen):
    """The rows of all owners. Days without a row of the account are days without figures.

    Attributes:
        account: the account's rows that have totals, ascending.
        owners: the rows of the others, by name and trading date.
    """

    account: tuple[Performance, ...]
    owners: Mapping[str, Mapping[date, Performance]]

    @classmethod
    def of(cls, rows: Iterable[Performance]) -> "History":
        """Return the history in these rows, in any order; rows of releases without totals are left out."""
        account: dict[date, Performance] = {}
        owners: dict[str, dict[date, Performance]] = {}
        for row in rows:
            if row.strategy != ACCOUNT and row.proceeds is not None:
                owners.setdefault(row.strategy, {})[row.trading_date] = row
            elif row.account is not None:
                account[row.trading_date] = row
        return cls(tuple(account[day] for day in sorted(account)), owners)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the owners other than the account, by name."""
        return tuple(sorted(self.owners))


def period(history: History, owner: str = ACCOUNT, *, since: date | None = None) -> Figures | None:
    """Return the figures of the days from `since` on, of all days by default; None without such a day.

    Args:
        since: the first trading date that counts; the period starts from the row before it.
    """
    points = _points_since(history, owner, since)
    return _figures(owner, points) if len(points) > 1 else None


def days(history: History, owner: str = ACCOUNT, *, since: date | None = None) -> tuple[Figures, ...]:
    """Return the figures of each day from `since` on, ascending; a day goes from one row of the account to the next."""
    return tuple(_figures(owner, pair) for pair in pairwise(_points_since(history, owner, since)))


def growth(history: History, owner: str = ACCOUNT, *, since: date | None = None) -> tuple[tuple[date, Decimal], ...]:
    """Return what 1 USD at the start has become after each day by the time-weighted return; without undefined days."""
    value = _ONE
    series: list[tuple[date, Decimal]] = []
    for day in days(history, owner, since=since):
        if day.time_weighted_return is not None:
            value *= _ONE + day.time_weighted_return
            series.append((day.through, value))
    return tuple(series)


def _points_since(history: History, owner: str, since: date | None) -> tuple[_Point, ...]:
    points = _points(history, owner)
    if since is None:
        return points
    first = next((index for index, point in enumerate(points) if point.day and point.day >= since), len(points))
    return points[max(first - 1, 0) :]


def _points(history: History, owner: str) -> tuple[_Point, ...]:
    """Return the owner at the moment of each row of the account, and before the first run if that is known."""
    points: list[_Point] = []
    for account in history.account:
        totals = account.account
        if totals is None:
            continue
        if owner == ACCOUNT:
            row, gain = account, account.equity - totals.deposits
        else:
            row = history.owners.get(owner, {}).get(account.trading_date, _without_trades(account, owner))
            gain = row.market_value + (row.proceeds or _ZERO)
        points.append(_Point(account.trading_date, account.equity, totals, gain, row))

    if points and points[0].totals.opening_equity is not None:
        points.insert(0, _opening(points[0], owner))
    return tuple(points)


def _without_trades(account: Performance, owner: str) -> Performance:
    """Return the row of an owner that had none yet when the account's row was written."""
    nothing: dict[str, Decimal] = dict.fromkeys(
        ("market_value", "cost", "realised", "unrealised", "proceeds", "turnover", "slippage"), _ZERO
    )
    return account.changed(
        strategy=owner, cash=None, holdings={}, unmarked=(), account=None, closed_lots=0, winning_lots=0, **nothing
    )


def _opening(first: _Point, owner: str) -> _Point:
    """Return the owner before the first run: nothing was traded, and shares of no strategy had their later value."""
    equity = first.totals.opening_equity or _ZERO
    totals = first.totals.changed(strategies=_ZERO, rounding=_ZERO)
    before = _without_trades(first.row, owner)
    if owner == ACCOUNT:
        return _Point(None, equity, totals, equity - totals.deposits, before)
    gain = _ZERO if first.row.cost is not None else first.gain
    return _Point(None, equity, totals, gain, before)


def _figures(owner: str, points: Sequence[_Point]) -> Figures:
    first, last = points[0], points[-1]
    deposits = last.totals.deposits - first.totals.deposits
    pnl = last.gain - first.gain

    return Figures(
        owner=owner,
        opened=first.day,
        through=last.row.trading_date,
        opening_equity=first.equity,
        closing_equity=last.equity,
        deposits=deposits,
        pnl=pnl,
        time_weighted_return=_compounded(points),
        market_value=last.row.market_value,
        exposure=last.row.exposure,
        realised=_difference(first.row.realised, last.row.realised),
        unrealised=last.row.unrealised,
        turnover=_difference(first.row.turnover, last.row.turnover) or _ZERO,
        slippage=_difference(first.row.slippage, last.row.slippage) or _ZERO,
        closed_lots=(last.row.closed_lots or 0) - (first.row.closed_lots or 0),
        winning_lots=(last.row.winning_lots or 0) - (first.row.winning_lots or 0),
        breakdown=_breakdown(first.totals, last.totals, pnl) if owner == ACCOUNT else None,
    )


def _compounded(points: Sequence[_Point]) -> Decimal | None:
    value = _ONE
    for before, after in pairwise(points):
        capital = before.equity + after.totals.deposits - before.totals.deposits
        if capital <= 0:
            return None
        value *= _ONE + (after.gain - before.gain) / capital
    return value - _ONE


def _breakdown(first: AccountTotals, last: AccountTotals, pnl: Decimal) -> Breakdown:
    other = {
        kind: last.other.get(kind, _ZERO) - first.other.get(kind, _ZERO) for kind in sorted({*first.other, *last.other})
    }
    known = Breakdown(
        strategies=last.strategies - first.strategies,
        unattributed=last.unattributed - first.unattributed,
        fees=last.fees - first.fees,
        dividends=last.dividends - first.dividends,
        interest=last.interest - first.interest,
        other={kind: amount for kind, amount in other.items() if amount},
        rounding=last.rounding - first.rounding,
        unexplained=_ZERO,
    )

    explained = known.strategies + known.unattributed + known.fees + known.dividends + known.interest + known.rounding
    return known.changed(unexplained=pnl - explained - sum(known.other.values(), _ZERO))


def _difference(first: Decimal | None, last: Decimal | None) -> Decimal | None:
    return None if first is None or last is None else last - first
