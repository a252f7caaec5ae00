"""Print sizes over time for people: a bar per release that changed an artifact, and what made it grow."""

from collections.abc import Sequence

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.sizing import history, units
from automation.sizing.changes import PartChange
from automation.sizing.history import Growth, History, Run, Series, SeriesKind
from automation.system import console

BAR_WIDTH = 30
SHOWN_CAUSES = 3
_FILLED, _EMPTY, _LIMIT = "█", "·", "│"
_COLUMNS = ("release", "tag", "unzipped", "change", "used", "chart")
_LIMITS = {
    SeriesKind.LAYER: "today's budget",
    SeriesKind.FUNCTION: "today's budget",
    SeriesKind.MOUNTED: f"AWS's limit of {LAMBDA_LIMIT_BYTES:,} bytes",
}


def show(sizes: History) -> None:
    """Print one table per kind of series, then what grew, then the notes."""
    for kind in SeriesKind:
        selected = [series for series in sizes.series if series.kind is kind]
        if selected:
            _table(kind, selected, sizes)
    console.results(growth_lines(sizes))
    for note in sizes.notes:
        console.result(f"note: {note}", style="dim")


def growth_lines(sizes: History) -> list[str]:
    """Return one line per growth, or one that says that nothing grew."""
    growths = sizes.growths
    if not growths:
        return [f"nothing grew by {threshold_text()} in a release"]
    return [f"grew by {threshold_text()}:", *(growth_text(growth, sizes) for growth in growths)]


def threshold_text() -> str:
    """Return from which growth on a release is named."""
    return f"{100 * history.GREW_SHARE:g} % and {units.format_bytes(history.GREW_BYTES)} or more"


def growth_text(growth: Growth, sizes: History) -> str:
    """Return what grew, in which release, and through what.

    Such as `Numbers 98.10 MB -> 112.40 MB in r7 (v1.3): numpy 2.4.1 -> 2.5.5 +9.20 MB, pandas 3.0 new +5.10 MB`.
    """
    series = growth.series
    layers = " with layers" if series.kind is SeriesKind.MOUNTED else ""
    before, after = units.format_bytes(growth.before.bytes), units.format_bytes(growth.after.bytes)
    causes = [cause_text(part) for part in growth.parts[:SHOWN_CAUSES]]
    more = len(growth.parts) - SHOWN_CAUSES
    causes += [f"{more} more"] if more > 0 else []
    label = f"{sizes.label(series)}{layers}"
    return f"{label} {before} -> {after} in {growth.after.release.label}: {', '.join(causes)}"


def cause_text(change: PartChange) -> str:
    """Return what happened to one distribution, such as `numpy 2.4.1 -> 2.5.5 +9.20 MB`."""
    if change.before is None and change.after is not None:
        return f"{change.after.label} new {units.format_change(change.bytes)}"
    return " ".join(text for text in (change.name, change.versions, units.format_change(change.bytes)) if text)


def bar(count: int, series: Series, *, width: int = BAR_WIDTH) -> str:
    """Draw a size as text, with a line where the limit of its series is."""
    filled = round(width * count / series.scale_bytes)
    cells = _FILLED * filled + _EMPTY * (width - filled)
    if series.limit_bytes is None:
        return cells
    limit = round(width * series.limit_bytes / series.scale_bytes)
    return cells[:limit] + _LIMIT + cells[limit:]


def _table(kind: SeriesKind, selected: Sequence[Series], sizes: History) -> None:
    rows: list[tuple[str, ...]] = []
    for series in selected:
        rows += _rows(series, sizes)
    console.table((str(kind), *_COLUMNS), rows, right=_COLUMNS[2:5])
    console.result(f"{_LIMIT} is {_LIMITS[kind]}")
    console.result()


def _rows(series: Series, sizes: History) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    before: Run | None = None
    for run in history.runs_of(series):
        name = "" if before else sizes.label(series)
        rows.append((name, *_cells(run, before, series)))
        before = run
    removed_in = sizes.removed_in(series)
    return [*rows, ("", removed_in, "", "removed", "", "", "")] if removed_in else rows


def _cells(run: Run, before: Run | None, series: Series) -> tuple[str, ...]:
    change = units.format_change(run.bytes - before.bytes) if before else ""
    used = units.format_percent(run.bytes, series.limit_bytes)
    return run.releases, run.tags, units.format_bytes(run.bytes), change, used, bar(run.bytes, series)
