"""Take entries out of a list or a mapping in a YAML text, and add entries to it: block and flow style. Pure."""

from collections.abc import Iterator, Sequence

from automation.authoring import text_edits
from automation.authoring.text_edits import Edit
from automation.authoring.yaml_trees import Node

type Span = tuple[int, int]


def spans(node: Node) -> tuple[Span, ...]:
    """Return the characters of each item of a list, or of each key with its value."""
    if node.items:
        return tuple((item.start, item.end) for item in node.items)
    return tuple((key.start, value.end) for key, value in node.entries)


def removals(text: str, node: Node, dropped: Sequence[int]) -> Iterator[Edit]:
    """Yield the edits that take entries out of a list or a mapping; at least one entry must stay.

    Args:
        dropped: the numbers of the entries, from 0.
    """
    places = spans(node)
    if not node.is_flow:
        yield from (_without_lines(text, places[number]) for number in dropped)
        return
    first_kept = next(number for number in range(len(places)) if number not in dropped)
    for number in dropped:
        is_leading = number < first_kept
        start = places[number][0] if is_leading else places[number - 1][1]
        yield Edit(start, places[number + 1][0] if is_leading else places[number][1])


def addition(text: str, node: Node, number: int, entry: str) -> Edit:
    """Return the edit that adds an entry behind another one.

    Args:
        number: the entry in front, from 0.
        entry: its text, without dash or comma.
    """
    start, end = spans(node)[number]
    if node.is_flow:
        return Edit(end, end, f", {entry}")
    position = text_edits.line_end(text, end)
    line = text_edits.line_start(text, start)
    newline = text_edits.newline_of(text)
    full = text[line:start] + entry
    if position == len(text) and not text.endswith("\n"):
        return Edit(position, position, newline + full)
    return Edit(position, position, full + newline)


def _without_lines(text: str, span: Span) -> Edit:
    """Remove the lines of an entry, with the comment directly above it."""
    start = text_edits.line_start(text, span[0])
    while start and text[text_edits.line_start(text, start - 1) : start].lstrip().startswith("#"):
        start = text_edits.line_start(text, start - 1)
    return Edit(start, text_edits.line_end(text, span[1]))
