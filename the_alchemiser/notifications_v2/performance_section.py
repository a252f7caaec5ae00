"""The P&L of a run's day, month, year and of all days, and what each strategy contributed. Pure."""

from collections.abc import Mapping
from decimal import Decimal

from the_alchemiser.shared.formats import long_date, money, signed_money, signed_percent
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.mail_format.blocks import Block, Heading, Paragraph, Table
from the_alchemiser.shared.messaging.messages import RunCompleted
from the_alchemiser.shared.performance.figures import Breakdown, Figures, History, period
from the_alchemiser.shared.records import Frozen

_ZERO = Decimal(0)
_NO_STRATEGY = "Shares of no strategy"


class Result(Frozen):
    """The account's figures after a run.

    Attributes:
        periods: the day, month to date, year to date and all days, by the name that readers see.
        owners: P&L of the day and of all days of each strategy, and of the shares of no strategy.
    """

    periods: Mapping[str, Figures]
    owners: Mapping[str, tuple[Figures, Figures]]

    @property
    def day(self) -> Figures:
        return self.periods["Day"]

    @property
    def all_days(self) -> Figures:
        return self.periods["Since start"]


def result_of(run: RunCompleted, history: History | None) -> Result | None:
    """Return the figures of a run; None when its day cannot be compared with anything before it."""
    if history is None:
        return None
    today = run.trading_date
    starts = {
        "Day": today,
        "Month to date": today.replace(day=1),
        "Year to date": today.replace(month=1, day=1),
        "Since start": None,
    }
    periods = {name: figures for name, since in starts.items() if (figures := period(history, since=since))}
    if "Day" not in periods:
        return None

    owners: dict[str, tuple[Figures, Figures]] = {}
    for owner in history.names:
        day, all_days = period(history, owner, since=today), period(history, owner)
        if day and all_days:
            owners[owner] = (day, all_days)
    return Result(periods, owners)


def pnl_of(figures: Figures) -> str:
    """Return a P&L with its return: `+$12.00 (+0.01%)`."""
    rate = figures.time_weighted_return
    return signed_money(figures.pnl) if rate is None else f"{signed_money(figures.pnl)} ({signed_percent(rate)})"


def performance_blocks(result: Result, *, stage: str) -> tuple[Block, ...]:
    """Return the sections about P&L and contributions."""
    return (
        Heading("Profit and loss"),
        _periods(result, stage),
        Paragraph(_explanation(result.day), is_remark=True),
        Heading("Contribution of each strategy"),
        _contributions(result, stage),
    )


def _periods(result: Result, stage: str) -> Table:
    rows = tuple(
        (name, signed_money(figures.pnl), _rate(figures), _deposits(figures.deposits))
        for name, figures in result.periods.items()
    )
    return Table(("Period", "P&L", "Return", "Deposits"), rows, "period", f"`inv pnl --env {stage}`")


def _rate(figures: Figures) -> str:
    rate = figures.time_weighted_return
    return "unknown" if rate is None else signed_percent(rate)


def _deposits(usd: Decimal) -> str:
    return signed_money(usd) if usd else "none"


def _explanation(day: Figures) -> str:
    since = f"the run of {long_date(day.opened)}" if day.opened else "the time before the first run"
    start = f"The day's P&L counts from {since}, when equity was {money(day.opening_equity)}."
    moved = ""
    if day.deposits:
        verb = "deposited" if day.deposits > 0 else "withdrawn"
        moved = f" Since then {money(abs(day.deposits))} was {verb}."
    return f"{start}{moved} Returns are time-weighted: deposits and withdrawals do not count as gains or losses."


def _contributions(result: Result, stage: str) -> Table:
    best_first = sorted(result.owners.items(), key=lambda item: (-item[1][0].pnl, item[0]))
    owners = tuple(
        (
            _NO_STRATEGY if owner == UNATTRIBUTED else owner,
            money(day.market_value),
            signed_money(day.pnl),
            signed_money(all_days.pnl),
        )
        for owner, (day, all_days) in best_first
    )
    day, all_days = result.day, result.all_days
    return Table(
        ("Strategy", "Value", "Day", "Since start"),
        (*owners, *_account_items(day, all_days)),
        "line",
        f"`inv pnl --env {stage}`",
        total=("Account", money(day.market_value), signed_money(day.pnl), signed_money(all_days.pnl)),
    )


def _account_items(day: Figures, all_days: Figures) -> tuple[tuple[str, ...], ...]:
    """Return the parts of the account's P&L that belong to no owner, without those that are zero."""
    today, ever = _items(day.breakdown), _items(all_days.breakdown)
    names = [name for name in {**ever, **today} if ever.get(name) or today.get(name)]
    return tuple(
        (name, "", signed_money(today.get(name, _ZERO)), signed_money(ever.get(name, _ZERO))) for name in names
    )


def _items(breakdown: Breakdown | None) -> Mapping[str, Decimal]:
    if breakdown is None:
        return {}
    return {
        "Fees": breakdown.fees,
        "Dividends": breakdown.dividends,
        "Interest": breakdown.interest,
        **{f"Other: {kind}": amount for kind, amount in breakdown.other.items()},
        "Rounding by the broker": breakdown.rounding,
        "Unexplained": breakdown.unexplained,
    }
