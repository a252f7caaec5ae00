"""Nested rectangles whose areas are bytes, as near to squares as can be.

Source: Bruls, Huizing, van Wijk, Squarified Treemaps (2000).
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """Something that has a size, and what it is made of.

    Attributes:
        told: its name and numbers in one sentence.
        style: the class of its colour; the same distribution has the same one everywhere.
    """

    name: str
    told: str
    bytes: int
    style: str = ""
    children: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A place in the unit square of its parent's area; all four in [0, 1]."""

    left: float
    top: float
    width: float
    height: float


def squarify(sizes: Sequence[int], *, aspect: float) -> tuple[Rectangle, ...]:
    """Fill an area with one rectangle a size.

    Args:
        sizes: positive, in any order; descending gives the best shapes.
        aspect: width over height of the area.

    Returns:
        The rectangles in the order of the sizes; their areas are their shares of the sum.
    """
    scale = aspect / sum(sizes) if sizes else 0.0
    areas = [size * scale for size in sizes]
    made: list[Rectangle] = []
    left, top, width, height = 0.0, 0.0, aspect, 1.0
    start = 0
    while start < len(areas):
        end = _row_end(areas, start, min(width, height))
        row = areas[start:end]
        depth = sum(row) / min(width, height)
        if width >= height:
            made += _column(row, left, top, depth)
            left, width = left + depth, max(width - depth, 1e-12)
        else:
            made += _line(row, left, top, depth)
            top, height = top + depth, max(height - depth, 1e-12)
        start = end
    return tuple(Rectangle(one.left / aspect, one.top, one.width / aspect, one.height) for one in made)


def _row_end(areas: Sequence[float], start: int, side: float) -> int:
    """How far a row goes on: as long as its worst shape does not get worse."""
    end = start + 1
    while end < len(areas) and _worst(areas[start : end + 1], side) <= _worst(areas[start:end], side):
        end += 1
    return end


def _worst(row: Sequence[float], side: float) -> float:
    total = sum(row)
    return max(max(side**2 * one / total**2, total**2 / (side**2 * one)) for one in row)


def _column(row: Sequence[float], left: float, top: float, width: float) -> list[Rectangle]:
    made = []
    for area in row:
        made.append(Rectangle(left, top, width, area / width))
        top += area / width
    return made


def _line(row: Sequence[float], left: float, top: float, height: float) -> list[Rectangle]:
    made = []
    for area in row:
        made.append(Rectangle(left, top, area / height, height))
        left += area / height
    return made
