"""The page: one HTML file about one backtest, plotly's script in it, that needs nothing but itself."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from automation.system import files
from desk.backtest import wording
from desk.backtest.document import DRAWDOWNS
from desk.backtest.figures import figures
from desk.backtest.result import BENCHMARK, TURNOVER_DEFINITION, Result
from desk.backtest.statistics import DEFINITIONS
from the_alchemiser.shared import formats

# A month this good or bad has the strongest colour of the table.
_STRONGEST = 0.08


def write_page(result: Result, path: Path) -> Path:
    """Write the page, whole or not at all.

    Returns:
        The path of the file, absolute.
    """
    files.write_atomically(path, render(result))
    return path.resolve()


def render(result: Result) -> str:
    """The page as text; the same result gives the same page."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - reads 5 MB

    return (
        _templates()
        .get_template("backtest.html")
        .render(
            result=result,
            benchmark=BENCHMARK,
            statistics=_statistics(result),
            turnover_definition=TURNOVER_DEFINITION,
            drawdowns=result.curve.deepest(DRAWDOWNS),
            heat=[(curve.name, curve.years()) for curve in (result.curve, result.benchmark) if curve is not None],
            plotly=get_plotlyjs(),
            data=_embedded({"figures": figures(result), "trades": _trades(result)}),
        )
    )


def heat(value: float | None) -> str:
    """The style of a month's cell: how much of the good or the bad colour is mixed in."""
    if value is None:
        return ""
    strength = min(abs(value) / _STRONGEST, 1.0)
    return f"--heat: var(--{'good' if value >= 0 else 'bad'}); --strength: {100 * strength * 0.6:.0f}%"


def _statistics(result: Result) -> Sequence[tuple[str, str, str, str]]:
    """Title, strategy, benchmark and definition of each."""
    mine = asdict(result.curve.statistics)
    theirs = {} if result.benchmark is None else asdict(result.benchmark.statistics)
    return [
        (title, wording.statistic(name, mine[name]), _other(name, theirs), DEFINITIONS[name])
        for name, title in wording.TITLES.items()
    ]


def _other(name: str, theirs: Mapping[str, Any]) -> str:
    return wording.statistic(name, theirs[name]) if theirs else ""


def _trades(result: Result) -> list[list[str]]:
    """A row a trade, made or refused, as the table shows them, the newest first."""
    made = [
        (one.day, one.symbol, one.side.value, formats.shares(one.quantity), formats.price(one.price),
         formats.money(one.cash), one.reason)
        for one in result.trades
    ]  # fmt: skip
    refused = [
        (one.day, one.symbol, one.side.value, formats.shares(one.quantity), "", "refused",
         f"{formats.words(one.reason)}: {one.detail}")
        for one in result.refused
    ]  # fmt: skip
    rows = sorted([*made, *refused], key=lambda row: row[0], reverse=True)
    return [[day.isoformat(), *rest] for day, *rest in rows]


def _embedded(value: object) -> str:
    """JSON that may stand in a script element: nothing in it can end the element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        money=formats.money,
        plural=formats.plural,
        percent=wording.percent,
        signed_percent=wording.signed_percent,
        heat=heat,
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
