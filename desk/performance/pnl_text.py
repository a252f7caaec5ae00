"""The figures as tables for people."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from automation.system import console
from desk.performance.live_books import LiveBooks
from desk.performance.report import Report
from the_alchemiser.shared import formats
from the_alchemiser.shared.performance.figures import Breakdown, Figures, days, period
from the_alchemiser.shared.performance.rows import ACCOUNT

_OWNERS = ("owner", "P&L", "return", "realised", "unrealised", "value", "exposure", "turnover", "wins", "slippage")
_DAYS = ("date", "equity", "deposits", "P&L", "return", "exposure", "turnover", "slippage", "fees", "notes")
_SHOWN_DAYS = 30
_DASH = "-"


def show(report: Report) -> None:
    """Print the total, what each owner contributed, where the P&L comes from, the days, and the reconciliation."""
    owner = report.strategy or ACCOUNT
    total = period(report.history, owner, since=report.since)
    if total is None:
        console.result(_nothing(report))
    else:
        console.results(_headline(total))
        _show_owners(report)
        if total.breakdown is not None:
            _show_breakdown(total.breakdown)
        _show_days(report, owner)
    if report.books is not None:
        console.result()
        console.results(reconciliation_lines(report.books))


def reconciliation_lines(books: LiveBooks) -> Sequence[str]:
    """Return what moved the equity since the last run, and whether books and broker agree."""
    moves = ", ".join(f"{name} {formats.signed_money(amount)}" for name, amount in books.moves.items())
    row = f"last run {books.row.trading_date}: equity {formats.money(books.row.equity)}"
    verdict = "differ" if books.differences else "equal"
    if books.live.is_moving and not books.differences:
        verdict = "cash and shares are equal; prices moved while they were read"
    return (f"{row}; since then {moves or 'no move'}", f"{equities(books)}: {verdict}")


def equities(books: LiveBooks) -> str:
    """Return both equities: `books $101,234.56, broker $101,234.56`."""
    return f"books {formats.money(books.equity)}, broker {formats.money(books.broker_equity)}"


def _nothing(report: Report) -> str:
    if report.since is not None:
        return f"no run has completed since {report.since}"
    return "there are no figures yet: they begin with the first run that completes"


def _headline(total: Figures) -> Iterable[str]:
    start = f"from the end of {total.opened}" if total.opened else "from the first run"
    yield f"{total.owner}, {start} through {total.through}"
    yield f"  equity    {formats.money(total.opening_equity)} -> {formats.money(total.closing_equity)}"
    yield f"  deposits  {formats.signed_money(total.deposits)}"
    yield f"  P&L       {formats.signed_money(total.pnl)} ({_return(total)} {_kind(total)})"
    yield ""


def _kind(total: Figures) -> str:
    return "time-weighted" if total.owner == ACCOUNT else "of the account's capital, time-weighted"


def _show_owners(report: Report) -> None:
    owners = (report.strategy,) if report.strategy else (*report.history.names, ACCOUNT)
    rows = (period(report.history, owner, since=report.since) for owner in owners)
    console.table(_OWNERS, [_owner_row(row, row.owner) for row in rows if row is not None], right=_OWNERS[1:])


def _owner_row(figures: Figures, name: str) -> tuple[str, ...]:
    wins = f"{figures.winning_lots}/{figures.closed_lots}" if figures.closed_lots else _DASH
    return (
        name,
        formats.signed_money(figures.pnl),
        _return(figures),
        _signed(figures.realised),
        _signed(figures.unrealised),
        formats.money(figures.market_value),
        _percent(figures.exposure),
        formats.money(figures.turnover),
        wins if figures.win_rate is None else f"{wins} {formats.percent(figures.win_rate, places=0)}",
        formats.signed_money(figures.slippage),
    )


def _show_breakdown(breakdown: Breakdown) -> None:
    console.result()
    parts = {
        "strategies": breakdown.strategies,
        "unattributed": breakdown.unattributed,
        "fees": breakdown.fees,
        "dividends": breakdown.dividends,
        "interest": breakdown.interest,
        **breakdown.other,
        "rounding": breakdown.rounding,
        "unexplained": breakdown.unexplained,
    }
    shown = {name: amount for name, amount in parts.items() if amount or name in {"strategies", "unexplained"}}
    console.table(
        ("where the P&L comes from", "USD"),
        [(name, formats.signed_money(amount)) for name, amount in shown.items()],
        right=("USD",),
    )


def _show_days(report: Report, owner: str) -> None:
    every = days(report.history, owner, since=report.since)
    shown = every if report.since else every[-_SHOWN_DAYS:]
    console.result()
    if owner == ACCOUNT:
        console.table(_DAYS, [_day_row(day) for day in shown], right=_DAYS[1:-1])
    else:
        columns = ("date", *_OWNERS[1:])
        console.table(columns, [_owner_row(day, day.through.isoformat()) for day in shown], right=columns[1:])
    if len(shown) < len(every):
        console.result(f"{len(every) - len(shown)} earlier days: --since {every[0].through} shows them")


def _day_row(day: Figures) -> tuple[str, ...]:
    return (
        day.through.isoformat(),
        formats.money(day.closing_equity),
        formats.signed_money(day.deposits) if day.deposits else _DASH,
        formats.signed_money(day.pnl),
        _return(day),
        _percent(day.exposure),
        formats.money(day.turnover),
        formats.signed_money(day.slippage),
        formats.signed_money(day.breakdown.fees) if day.breakdown and day.breakdown.fees else _DASH,
        "; ".join(_notes(day)),
    )


def _notes(day: Figures) -> Iterable[str]:
    breakdown = day.breakdown
    if breakdown is None:
        return
    named = {"dividends": breakdown.dividends, "interest": breakdown.interest, **breakdown.other}
    named["unexplained"] = breakdown.unexplained
    for name, amount in named.items():
        if round(amount, 2):
            yield f"{name} {formats.signed_money(amount)}"


def _return(figures: Figures) -> str:
    change = figures.time_weighted_return
    return _DASH if change is None else formats.signed_percent(change)


def _percent(fraction: Decimal | None) -> str:
    return _DASH if fraction is None else formats.percent(fraction, places=1)


def _signed(amount: Decimal | None) -> str:
    return _DASH if amount is None else formats.signed_money(amount)
