"""Render sizes over time as one self-contained HTML page: what grew, a chart per series, and the releases."""

from html import escape
from pathlib import Path
from string import Template

from automation.sizing import history, history_text, markup, units
from automation.sizing.history import History, Point, Series, SeriesKind
from automation.system import files

_HERE = Path(__file__).parent
_WIDTH, _HEIGHT = 360, 120
_HEAD, _FOOT = 2, 16  # room for the line at the top, and for the names of the releases
_BAR_SHARE = 0.7
_MAX_LABELS = 12
_LIMITS = {SeriesKind.LAYER: "budget", SeriesKind.FUNCTION: "budget", SeriesKind.MOUNTED: "AWS's limit"}


def write(sizes: History, path: Path) -> None:
    """Write the page atomically."""
    files.write_atomically(path, render(sizes))


def render(sizes: History) -> str:
    """Render the page; the same sizes give the same page."""
    style, frame = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "history.html"))
    return Template(frame).substitute(
        style=style,
        environment=escape(sizes.environment),
        grew=markup.section("grew", "What grew", _grew(sizes)),
        charts=markup.section("charts", "Charts", _charts(sizes)),
        releases=markup.section("releases", "Releases", _releases(sizes)),
        notes=markup.section("notes", "Notes", _list(sizes.notes)) if sizes.notes else "",
    )


def _grew(sizes: History) -> str:
    lines = [history_text.growth_text(growth, sizes) for growth in sizes.growths]
    if not lines:
        return f"<p>Nothing grew by {history_text.threshold_text()} in a release.</p>"
    return f'<p class="soft">By {history_text.threshold_text()} in one release.</p>{_list(lines)}'


def _list(lines: list[str] | tuple[str, ...]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def _charts(sizes: History) -> str:
    figures = "".join(_figure(series, sizes) for series in sizes.series)
    hint = "The dashed line is the limit. Point at a bar for its release and bytes; another colour marks what grew."
    return f'<p class="soft">{hint}</p><div class="charts">{figures}</div>'


def _figure(series: Series, sizes: History) -> str:
    newest = series.points[-1]
    detail = units.format_bytes(newest.bytes)
    if series.limit_bytes is not None:
        used = units.format_percent(newest.bytes, series.limit_bytes)
        detail += f", {used} of {_LIMITS[series.kind]} {units.format_bytes(series.limit_bytes)}"
    removed_in = sizes.removed_in(series)
    detail += f", removed in {removed_in}" if removed_in else ""
    caption = f"{escape(sizes.label(series))}<small>{series.kind}: {escape(detail)}</small>"
    return f"<figure><figcaption>{caption}</figcaption>{_svg(series, sizes)}</figure>"


def _svg(series: Series, sizes: History) -> str:
    """Draw a bar per release of the environment, so that the same release is at the same place in every chart."""
    grown = {growth.after.release.name for growth in history.growths_of(series)}
    points = {point.release.name: point for point in series.points}
    step = _WIDTH / len(sizes.releases)
    bars = ""
    for position, release in enumerate(sizes.releases):
        if point := points.get(release.name):
            bars += _bar(point, series, left=position * step, width=step * _BAR_SHARE, grew=release.name in grown)
        if len(sizes.releases) <= _MAX_LABELS:
            bars += (
                f'<text x="{(position + _BAR_SHARE / 2) * step:.1f}" y="{_HEIGHT + 12}">{escape(release.name)}</text>'
            )

    label = f"{sizes.label(series)}, {series.kind}: {units.format_bytes(series.points[-1].bytes)} in the newest release"
    view = f'viewBox="0 {-_HEAD} {_WIDTH} {_HEAD + _HEIGHT + _FOOT}" role="img" aria-label="{escape(label)}"'
    return f"<svg {view}>{bars}{_limit(series)}</svg>"


def _bar(point: Point, series: Series, *, left: float, width: float, grew: bool) -> str:
    height = _HEIGHT * point.bytes / series.scale_bytes
    is_over = series.limit_bytes is not None and point.bytes > series.limit_bytes
    style = "over" if is_over else "grew" if grew else ""
    title = f"{point.release.label}: {units.format_bytes(point.bytes)} ({point.bytes:,} bytes)"
    box = f'x="{left:.1f}" y="{_HEIGHT - height:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect class="{style}" {box}><title>{escape(title)}</title></rect>'


def _limit(series: Series) -> str:
    if series.limit_bytes is None:
        return ""
    top = _HEIGHT * (1 - series.limit_bytes / series.scale_bytes)
    return f'<line x1="0" x2="{_WIDTH}" y1="{top:.1f}" y2="{top:.1f}"></line>'


def _releases(sizes: History) -> str:
    rows = [_release_row(position, sizes) for position in range(len(sizes.releases))]
    columns = ("Release", "Tags", "When", "Commit", "Layers", "Functions")
    return markup.table(columns, reversed(rows), text_columns=4)


def _release_row(position: int, sizes: History) -> str:
    release = sizes.releases[position]
    totals = dict.fromkeys(SeriesKind, 0)
    for series in sizes.series:
        totals[series.kind] += sum(point.bytes for point in series.points if point.release is release)
    when = release.created_at[:16].replace("T", " ")
    layers, functions = totals[SeriesKind.LAYER], totals[SeriesKind.FUNCTION]
    cells = (release.name, release.tag_text, when, release.commit[:12], markup.number(layers), markup.number(functions))
    return markup.row(cells)
