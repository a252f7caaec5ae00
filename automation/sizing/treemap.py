"""Lay out nested rectangles whose areas are bytes, as close to squares as possible.

Source: Bruls, Huizing, van Wijk, Squarified Treemaps (2000).
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TreemapNode:
    """A box of the treemap, and the boxes inside it.

    Attributes:
        description: its name and numbers in one sentence.
        style: the CSS class of its colour; a distribution has the same one in every artifact.
    """

    name: str
    description: str
    bytes: int
    style: str = ""
    children: tuple["TreemapNode", ...] = ()


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle inside its parent, in fractions of the parent's width and height, all in [0, 1]."""

    left: float
    top: float
    width: float
    height: float


def squarify(sizes: Sequence[int], *, aspect: float) -> tuple[Rectangle, ...]:
    """Fill an area with one rectangle per size.

    Args:
        sizes: positive, in any order; descending order gives the best shapes.
        aspect: the width of the area divided by its height.

    Returns:
        The rectangles in the order of the sizes; each area is the share of its size in the sum.
    """
    scale = aspect / sum(sizes) if sizes else 0.0
    areas = [size * scale for size in sizes]
    rectangles: list[Rectangle] = []
    left, top, width, height = 0.0, 0.0, aspect, 1.0
    start = 0

    while start < len(areas):
        end = _row_end(areas, start, min(width, height))
        row = areas[start:end]
        depth = sum(row) / min(width, height)
        if width >= height:
            rectangles += _column(row, left, top, depth)
            left, width = left + depth, max(width - depth, 1e-12)
        else:
            rectangles += _line(row, left, top, depth)
            top, height = top + depth, max(height - depth, 1e-12)
        start = end

    return tuple(Rectangle(box.left / aspect, box.top, box.width / aspect, box.height) for box in rectangles)


def _row_end(areas: Sequence[float], start: int, side: float) -> int:
    """Extend a row as long as its worst shape does not get worse; return the index after its last area."""
    end = start + 1
    while end < len(areas) and _worst(areas[start : end + 1], side) <= _worst(areas[start:end], side):
        end += 1
    return end


def _worst(row: Sequence[float], side: float) -> float:
    total = sum(row)
    return max(max(side**2 * area / total**2, total**2 / (side**2 * area)) for area in row)


def _column(row: Sequence[float], left: float, top: float, width: float) -> list[Rectangle]:
    rectangles = []
    for area in row:
        rectangles.append(Rectangle(left, top, width, area / width))
        top += area / width
    return rectangles


def _line(row: Sequence[float], left: float, top: float, height: float) -> list[Rectangle]:
    rectangles = []
    for area in row:
        rectangles.append(Rectangle(left, top, area / height, height))
        left += area / height
    return rectangles
