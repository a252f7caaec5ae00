"""The figures as JSON for programs. Pure.

Amounts are strings, so that no digit is lost. Later releases only add fields.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from desk.performance.live_books import LiveBooks
from desk.performance.report import Report
from the_alchemiser.shared.performance.figures import Breakdown, Figures, days, period
from the_alchemiser.shared.performance.rows import ACCOUNT


def as_json(report: Report) -> Mapping[str, Any]:
    """Return the report: `total`, `owners`, `days` of the account or the only strategy, and `reconciliation`."""
    history, since = report.history, report.since
    owner = report.strategy or ACCOUNT
    total = period(history, owner, since=since)
    owners = () if report.strategy else history.names
    every = (period(history, name, since=since) for name in owners)
    return {
        "environment": report.environment,
        "owner": owner,
        "total": None if total is None else _figures(total),
        "owners": [_figures(figures) for figures in every if figures is not None],
        "days": [_figures(day) for day in days(history, owner, since=since)],
        "reconciliation": None if report.books is None else _books(report.books),
    }


def _figures(figures: Figures) -> Mapping[str, Any]:
    return {
        "owner": figures.owner,
        "opened": figures.opened and figures.opened.isoformat(),
        "through": figures.through.isoformat(),
        "opening_equity": _text(figures.opening_equity),
        "closing_equity": _text(figures.closing_equity),
        "deposits": _text(figures.deposits),
        "pnl": _text(figures.pnl),
        "time_weighted_return": _text(figures.time_weighted_return),
        "market_value": _text(figures.market_value),
        "exposure": _text(figures.exposure),
        "realised": _text(figures.realised),
        "unrealised": _text(figures.unrealised),
        "turnover": _text(figures.turnover),
        "turnover_rate": _text(figures.turnover_rate),
        "slippage": _text(figures.slippage),
        "closed_lots": figures.closed_lots,
        "winning_lots": figures.winning_lots,
        "win_rate": _text(figures.win_rate),
        "breakdown": None if figures.breakdown is None else _breakdown(figures.breakdown),
    }


def _breakdown(breakdown: Breakdown) -> Mapping[str, Any]:
    return {
        "strategies": _text(breakdown.strategies),
        "unattributed": _text(breakdown.unattributed),
        "fees": _text(breakdown.fees),
        "dividends": _text(breakdown.dividends),
        "interest": _text(breakdown.interest),
        "other": {name: _text(amount) for name, amount in breakdown.other.items()},
        "rounding": _text(breakdown.rounding),
        "unexplained": _text(breakdown.unexplained),
    }


def _books(books: LiveBooks) -> Mapping[str, Any]:
    return {
        "last_run": books.row.run_id,
        "last_equity": _text(books.row.equity),
        "moves": {name: _text(amount) for name, amount in books.moves.items()},
        "at": books.live.at.isoformat(),
        "books_equity": _text(books.equity),
        "broker_equity": _text(books.broker_equity),
        "books_cash": _text(books.cash),
        "broker_cash": _text(books.live.account.cash),
        "equal": not books.differences,
        "prices_moved": books.live.is_moving,
        "differences": list(books.differences),
    }


def _text(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")
