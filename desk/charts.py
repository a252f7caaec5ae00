"""Geometry of the report's charts: turn numbers into positions on a canvas. The templates draw them. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from desk.report_model import SignalLine, Step
from the_alchemiser.shared import formats

WIDTH = 960.0
_SLIVER = 3.0  # canvas pixels: the narrowest segment that a pointer can still hit


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar; colour is the index of its series."""

    x: float
    width: float
    colour: int
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a bar chart; `end` is the x position where its last segment ends."""

    name: str
    y: float
    segments: tuple[Segment, ...]
    end: float
    value: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """A stacked horizontal bar chart."""

    height: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis and its label."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a line chart and its tooltip."""

    x: float
    y: float
    title: str


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line over days with the ticks of both axes; `base` is the y position of the bottom of its area.

    Attributes:
        benchmark: the points of a second line on the same axes; empty without one.
    """

    points: tuple[Point, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    base: float
    benchmark: tuple[Point, ...] = ()

    @property
    def line(self) -> str:
        """Return the SVG path of the line."""
        return _path(self.points)

    @property
    def benchmark_line(self) -> str:
        """Return the SVG path of the second line."""
        return _path(self.benchmark)

    @property
    def area(self) -> str:
        """Return the SVG path of the area below the line."""
        return f"{self.line}L{self.points[-1].x:.1f},{self.base:.1f}L{self.points[0].x:.1f},{self.base:.1f}Z"


def signal_bars(lines: Sequence[SignalLine], strategies: Sequence[str]) -> BarChart:
    """Return one bar per symbol with one segment per strategy; the largest weight fills the canvas."""
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

    return BarChart(len(lines) * pitch, tuple(bars))


def timeline(steps: Sequence[Step]) -> tuple[Segment, ...]:
    """Return the run as one bar, with one segment per step as wide as the step was long."""
    finished = [(number, step, step.lasts_ms) for number, step in enumerate(steps) if step.lasts_ms is not None]
    total_ms = sum(ms for *_, ms in finished) or 1
    free_width = WIDTH - _SLIVER * len(finished)

    segments, x = [], 0.0
    for number, step, ms in finished:
        width = _SLIVER + free_width * ms / total_ms
        label = step.name if width > 9 * len(step.name) + 12 else ""
        segments.append(Segment(x, width, number, label, f"{step.name}: {ms:,} ms"))
        x += width

    return tuple(segments)


def equity_curve(
    days: Sequence[tuple[date, Decimal]],
    *,
    before: Decimal,
    start: str = "before",
    benchmark: Sequence[tuple[date, Decimal]] = (),
) -> LineChart:
    """Return the equity at the end of each day, starting with the equity before the first.

    Args:
        days: each date with its equity in USD; at least one.
        before: equity in USD before the first day.
        start: what the label of that equity is.
        benchmark: dates of the same days, or `start` as a date, with what to compare with in USD.
    """
    left, top, bottom, height = 92.0, 14.0, 30.0, 280.0
    values = [before, *(equity for _, equity in days)]
    compared = [value for _, value in benchmark]
    steps = _round_steps(float(min(values + compared)), float(max(values + compared)))
    low, high = steps[0], steps[-1]
    base = height - bottom

    def y_of(value: float) -> float:
        return base - (value - low) / (high - low) * (base - top)

    def x_of(number: int) -> float:
        return left + (WIDTH - left - 16) * number / max(len(values) - 1, 1)

    titles = [start, *(day.isoformat() for day, _ in days)]
    points = tuple(
        Point(x_of(number), y_of(float(value)), f"{title}: {formats.money(value)}")
        for number, (title, value) in enumerate(zip(titles, values, strict=True))
    )
    numbers = {title: number for number, title in enumerate(titles)}
    second = tuple(
        Point(x_of(numbers[day.isoformat()]), y_of(float(value)), f"{day}: {formats.money(value)}")
        for day, value in benchmark
    )
    labelled = sorted({0, len(days) // 2, len(days)})
    across = tuple(Tick(x_of(number), titles[number]) for number in labelled)
    up = tuple(Tick(y_of(value), f"${value:,.0f}") for value in steps)
    return LineChart(points, across, up, base, second)


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join(f"{point.x:.1f},{point.y:.1f}" for point in points)


def _round_steps(low: float, high: float) -> list[float]:
    """Return four to seven round values that enclose both."""
    span = max(high - low, abs(high) * 0.001, 1.0)
    magnitude = 10.0 ** math.floor(math.log10(span / 4))
    step = max(next(magnitude * factor for factor in (1, 2, 5, 10) if span / (magnitude * factor) <= 5), 1.0)
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    return [step * number for number in range(first, last + 1)]
