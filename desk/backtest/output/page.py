"""The backtest page: one self-contained HTML file about one backtest, including plotly's script."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path

from jinja2 import Environment

from automation.system import files
from desk.backtest.output import wording
from desk.backtest.output.figures import figures
from desk.backtest.report import Report
from desk.backtest.result import BENCHMARK, TURNOVER_DEFINITION, Result
from desk.backtest.simulate import RefusedTrade, Trade
from desk.backtest.statistics import DEFINITIONS
from desk.html_templates import template_environment
from the_alchemiser.shared import formats

MAX_DRAWDOWNS = 10
# A monthly return of this size or larger gets the strongest colour of the table.
_STRONGEST = 0.08


def write_page(report: Report, path: Path) -> Path:
    """Write the page atomically.

    Returns:
        The absolute path of the file.
    """
    files.write_atomically(path, render(report))
    return path.resolve()


def render(report: Report) -> str:
    """Return the page as HTML; the same report gives the same HTML."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - reads 5 MB

    result = report.result
    template = _environment().get_template("backtest.html")
    return template.render(
        result=result,
        benchmark=BENCHMARK,
        statistics=_statistics(result),
        turnover_definition=TURNOVER_DEFINITION,
        drawdowns=result.curve.deepest(MAX_DRAWDOWNS),
        heat=[(curve.name, curve.years()) for curve in (result.curve, result.benchmark) if curve is not None],
        plotly=get_plotlyjs(),
        data=_embeddable_json({"figures": figures(result), "trades": _trade_rows(result)}),
    )


def heat_style(value: float | None) -> str:
    """Return the style of a month's cell: how strongly it is tinted with the good or the bad colour."""
    if value is None:
        return ""
    strength = min(abs(value) / _STRONGEST, 1.0)
    return f"--heat: var(--{'good' if value >= 0 else 'bad'}); --strength: {100 * strength * 0.6:.0f}%"


def _statistics(result: Result) -> Iterator[tuple[str, str, str, str]]:
    """Yield title, strategy's value, benchmark's value and definition of each statistic."""
    strategy = asdict(result.curve.statistics)
    benchmark = {} if result.benchmark is None else asdict(result.benchmark.statistics)
    for name, title in wording.TITLES.items():
        compared = wording.statistic(name, benchmark[name]) if benchmark else ""
        yield title, wording.statistic(name, strategy[name]), compared, DEFINITIONS[name]


def _trade_rows(result: Result) -> list[Sequence[str]]:
    """Return one table row per filled or refused trade, the newest first."""
    rows = [_filled_row(trade) for trade in result.trades] + [_refused_row(trade) for trade in result.refused]
    return sorted(rows, key=lambda row: row[0], reverse=True)


def _filled_row(trade: Trade) -> Sequence[str]:
    quantity, price, cash = formats.shares(trade.quantity), formats.price(trade.price), formats.money(trade.cash)
    return (trade.day.isoformat(), trade.symbol, trade.side.value, quantity, price, cash, trade.reason)


def _refused_row(trade: RefusedTrade) -> Sequence[str]:
    quantity, reason = formats.shares(trade.quantity), f"{formats.words(trade.reason)}: {trade.detail}"
    return (trade.day.isoformat(), trade.symbol, trade.side.value, quantity, "", "refused", reason)


def _embeddable_json(value: object) -> str:
    """Return JSON that is safe inside a script element: it contains no `<` that could end the element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


@cache
def _environment() -> Environment:
    environment = template_environment()
    environment.filters.update(
        money=formats.money,
        plural=formats.plural,
        percent=wording.percent,
        signed_percent=wording.signed_percent,
        heat=heat_style,
        statistic=lambda value, name: wording.statistic(name, value),
    )
    environment.globals.update(
        months=wording.MONTHS,
        heading=wording.heading,
        title=wording.title,
        subtitle=wording.subtitle,
        turnover=wording.turnover,
    )
    return environment
