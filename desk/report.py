"""The report: one HTML file about one trading day or several, that needs nothing but itself."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from automation.system import files
from desk import charts
from desk.report_model import Day, day_of
from the_alchemiser.shared import formats

if TYPE_CHECKING:
    from sandbox.evidence import DayEvidence


def write_report(evidence: "DayEvidence | Sequence[DayEvidence]", path: Path) -> Path:
    """Write the page, whole or not at all.

    Args:
        evidence: a day, or several in ascending order; at least one.

    Returns:
        The path of the file, absolute.
    """
    days = tuple(evidence) if isinstance(evidence, Sequence) else (evidence,)
    files.write_atomically(path, render(days))
    return path.resolve()


def render(evidences: "Sequence[DayEvidence]") -> str:
    """The page as text; the same evidence gives the same page.

    Raises:
        ValueError: there is no day.
    """
    if not evidences:
        raise ValueError("a report needs at least one day")
    days = tuple(day_of(evidence) for evidence in evidences)
    curve = charts.equity_curve(
        [(day.evidence.trading_date, day.evidence.equity_after) for day in days], before=days[0].evidence.equity_before
    )
    return _templates().get_template("report.html").render(days=days, curve=curve, title=_title(days))


def _title(days: Sequence[Day]) -> str:
    first, last = days[0].evidence.trading_date, days[-1].evidence.trading_date
    if len(days) == 1:
        return formats.long_date(first)
    return f"{formats.plural(len(days), 'trading day')}, {first.day} {first:%B %Y} to {last.day} {last:%B %Y}"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("money", "signed_money", "percent", "change", "price", "shares", "long_date", "plural", "words")
    environment.filters.update({name: getattr(formats, name) for name in names})
    environment.globals.update(canvas_width=charts.WIDTH, signal_bars=charts.signal_bars, timeline=charts.timeline)
    return environment
