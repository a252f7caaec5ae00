"""Geometry of the report's charts: numbers in, positions on a canvas out. The templates draw; nothing here does."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from desk.report_model import SignalLine, Step
from the_alchemiser.shared import formats

WIDTH = 960.0
_SLIVER = 3.0  # pixels of the canvas: the narrowest segment one can still point at


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar; colour is the number of a series."""

    x: float
    width: float
    colour: int
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart."""

    name: str
    y: float
    segments: tuple[Segment, ...]
    end: float
    value: str


@dataclass(frozen=True, slots=True)
class Bars:
    """A stacked horizontal bar chart."""

    height: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis and its text."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a curve and what it says."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class Curve:
    """A line over days; `base` is where its area ends below."""

    points: tuple[Point, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    base: float

    @property
    def line(self) -> str:
        """The SVG path of the line."""
        return "M" + "L".join(f"{point.x:.1f},{point.y:.1f}" for point in self.points)

    @property
    def area(self) -> str:
        """The SVG path of what lies below the line."""
        return f"{self.line}L{self.points[-1].x:.1f},{self.base:.1f}L{self.points[0].x:.1f},{self.base:.1f}Z"


def signal_bars(lines: Sequence[SignalLine], strategies: Sequence[str]) -> Bars:
    """One bar a symbol, its pieces the strategies' parts; the largest weight fills the canvas."""
    left, right, pitch = 76.0, 84.0, 34.0
    largest = max((line.weight for line in lines), default=Decimal(1))
    scale = (WIDTH - left - right) / float(largest)
    bars = []
    for row, line in enumerate(lines):
        x, segments = left, []
        for name, part in line.parts:
            width = float(part) * scale
            title = f"{line.symbol}: {formats.percent(part)} from {name}"
            label = formats.percent(part, places=1) if width > 52 and len(line.parts) > 1 else ""
            segments.append(Segment(x, width, strategies.index(name), label, title))
            x += width
        bars.append(Bar(line.symbol, row * pitch + 4, tuple(segments), x, formats.percent(line.weight)))
    return Bars(len(lines) * pitch, tuple(bars))


def timeline(steps: Sequence[Step]) -> tuple[Segment, ...]:
    """The run as one bar, a piece a step, as long as it lasted."""
    lasting = [(number, step, step.lasts_ms) for number, step in enumerate(steps) if step.lasts_ms is not None]
    total = sum(ms for *_, ms in lasting) or 1
    room = WIDTH - _SLIVER * len(lasting)
    segments, x = [], 0.0
    for number, step, ms in lasting:
        width = _SLIVER + room * ms / total
        label = step.name if width > 9 * len(step.name) + 12 else ""
        segments.append(Segment(x, width, number, label, f"{step.name}: {ms:,} ms"))
        x += width
    return tuple(segments)


def equity_curve(days: Sequence[tuple[date, Decimal]], *, before: Decimal) -> Curve:
    """Equity at the end of each day, beginning with what there was before the first; at least one day."""
    left, top, bottom, height = 92.0, 14.0, 30.0, 280.0
    values = [before, *(equity for _, equity in days)]
    steps = _round_steps(float(min(values)), float(max(values)))
    low, high = steps[0], steps[-1]
    base = height - bottom

    def down(value: float) -> float:
        return base - (value - low) / (high - low) * (base - top)

    def along(number: int) -> float:
        return left + (WIDTH - left - 16) * number / max(len(values) - 1, 1)

    titles = ["before", *(day.isoformat() for day, _ in days)]
    points = tuple(
        Point(along(number), down(float(value)), f"{title}: {formats.money(value)}")
        for number, (title, value) in enumerate(zip(titles, values, strict=True))
    )
    shown = sorted({0, len(days) // 2, len(days)})
    across = tuple(Tick(along(number), titles[number]) for number in shown)
    up = tuple(Tick(down(value), f"${value:,.0f}") for value in steps)
    return Curve(points, across, up, base)


def _round_steps(low: float, high: float) -> list[float]:
    """Four to seven round values that enclose both."""
    span = max(high - low, abs(high) * 0.001, 1.0)
    magnitude = 10.0 ** math.floor(math.log10(span / 4))
    step = max(next(magnitude * factor for factor in (1, 2, 5, 10) if span / (magnitude * factor) <= 5), 1.0)
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    return [step * number for number in range(first, last + 1)]
