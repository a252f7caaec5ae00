"""The trading-day report: one self-contained HTML file about one or more trading days."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment

from automation.system import files
from desk import charts
from desk.html_templates import template_environment
from desk.report_model import ReportDay, build_report_day
from the_alchemiser.shared import formats

if TYPE_CHECKING:
    from sandbox.evidence import DayEvidence


def write_report(evidence: "DayEvidence | Sequence[DayEvidence]", path: Path) -> Path:
    """Write the report atomically.

    Args:
        evidence: one day, or at least one day in ascending order.

    Returns:
        The absolute path of the file.

    Raises:
        ValueError: there is no day.
    """
    days = tuple(evidence) if isinstance(evidence, Sequence) else (evidence,)
    files.write_atomically(path, render(days))
    return path.resolve()


def render(evidences: "Sequence[DayEvidence]") -> str:
    """Return the report as HTML; the same evidence gives the same HTML.

    Raises:
        ValueError: there is no day.
    """
    if not evidences:
        raise ValueError("a report needs at least one day")

    days = tuple(build_report_day(evidence) for evidence in evidences)
    curve = charts.equity_curve(
        [(day.evidence.trading_date, day.evidence.equity_after) for day in days], before=days[0].evidence.equity_before
    )
    return _environment().get_template("report.html").render(days=days, curve=curve, title=_title(days))


def _title(days: Sequence[ReportDay]) -> str:
    first, last = days[0].evidence.trading_date, days[-1].evidence.trading_date
    if len(days) == 1:
        return formats.long_date(first)
    return f"{formats.plural(len(days), 'trading day')}, {first.day} {first:%B %Y} to {last.day} {last:%B %Y}"


def add_report_vocabulary(environment: Environment) -> None:
    """Add to an environment of templates what those of the day report use: its charts."""
    environment.globals.update(canvas_width=charts.WIDTH, signal_bars=charts.signal_bars, timeline=charts.timeline)


@cache
def _environment() -> Environment:
    environment = template_environment()
    add_report_vocabulary(environment)
    return environment
