"""Text of any origin, made safe for the subject and both parts of a mail."""

from collections.abc import Mapping

_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
# A line break in a subject would begin another header; a change of direction would show `$001` as `$100`.
_UNSAFE: Mapping[int, str] = dict.fromkeys(_CONTROLS, " ") | dict.fromkeys(_DIRECTIONS, "")


def printable(text: str) -> str:
    """Return the text in one line: without control characters, without changes of direction, and valid as UTF-8."""
    return text.encode("utf-8", "replace").decode().translate(_UNSAFE)


def cut(text: str, most: int) -> str:
    """Return the text with at most so many characters; one that is longer ends in an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
