"""The backtest page: one self-contained HTML file about one backtest, including plotly's script."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from automation.system import files
from desk.backtest.analysis.robustness import DEFINITION
from desk.backtest.analysis.rolling import WINDOW
from desk.backtest.output import tables, wording
from desk.backtest.output.figures import figures
from desk.backtest.output.traces import Figure
from desk.backtest.output.trades_csv import COLUMNS, trade_rows
from desk.backtest.report import Report
from desk.backtest.result import BENCHMARK
from desk.html_templates import template_environment

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

    drawn = figures(report)
    template = _environment().get_template("backtest.html")
    return template.render(
        report=report,
        result=report.result,
        benchmark=BENCHMARK,
        window=WINDOW,
        figures=drawn,
        drawdowns=report.result.curve.deepest(MAX_DRAWDOWNS),
        heat=[(curve.name, curve.years()) for curve in report.curves],
        robustness_definition=DEFINITION,
        plotly=get_plotlyjs(),
        data=embeddable_json(_data(report, drawn)),
    )


def heat_style(value: float | None) -> str:
    """Return the style of a month's cell: how strongly it is tinted with the good or the bad colour."""
    if value is None:
        return ""
    strength = min(abs(value) / _STRONGEST, 1.0)
    return f"--heat: var(--{'good' if value >= 0 else 'bad'}); --strength: {100 * strength * 0.6:.0f}%"


def embeddable_json(value: object) -> str:
    """Return JSON that is safe inside a script element: it contains no `<` that could end the element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _data(report: Report, drawn: Mapping[str, Figure]) -> Mapping[str, Any]:
    """Return what the script draws: charts, and the trades by day with the columns of the CSV file.

    Most traces have the same dates. Each list of x values is stored once, and a trace names it by its number.
    """
    axes: list[list[object]] = []
    numbers: dict[tuple[object, ...], int] = {}
    shared: dict[str, Figure] = {}
    for name, figure in drawn.items():
        traces = []
        for trace in figure["traces"]:
            number = numbers.setdefault(tuple(trace["x"]), len(axes))
            if number == len(axes):
                axes.append(trace["x"])
            traces.append({**trace, "x": number})
        shared[name] = {"traces": traces, "layout": figure["layout"]}
    return {"axes": axes, "figures": shared, "columns": COLUMNS, "trades": list(trade_rows(report.result))}


@cache
def _environment() -> Environment:
    environment = template_environment()
    environment.filters.update(
        percent=wording.percent,
        signed_percent=wording.signed_percent,
        heat=heat_style,
        capitalise=lambda text: f"{text[:1].upper()}{text[1:]}",
        statistic=lambda value, name: wording.statistic(name, value),
    )
    environment.globals.update(months=wording.MONTHS, tables=tables, wording=wording)
    return environment
