"""Tokens of the language: brackets, strings and words, separated by blanks, commas and comments."""

import re
from collections.abc import Iterator
from itertools import islice

_SEPARATORS = r"(?:[\s,\ufeff]++|;[^\n]*+)*+"
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_WORD = r'[^\s,\ufeff()\[\]{}";]++'

# Each match holds one token in group 1: an empty one at the end of the text, a lone quote for an unterminated string.
TOKEN = re.compile(rf'{_SEPARATORS}([()\[\]{{}}]|{_STRING}|{_WORD}|"|\Z)', re.DOTALL)

_ATOM = rf"(?:{_STRING}|{_WORD})"
_SETTINGS = rf"\{{(?:{_SEPARATORS}{_ATOM})*+{_SEPARATORS}\}}"
_INNER = rf"\((?:{_SEPARATORS}(?:{_ATOM}|{_SETTINGS}))*+{_SEPARATORS}\)"
_CONDITION = rf"\((?:{_SEPARATORS}(?:{_ATOM}|{_SETTINGS}|{_INNER}))*+{_SEPARATORS}\)"
_FLAT = rf"\((?:{_SEPARATORS}(?:{_ATOM}|{_SETTINGS}|{_CONDITION}))*+{_SEPARATORS}[)\[]"

# Each match holds one item in the group of its kind: first of all flat text, which is a form without blocks, such as an
# asset or a condition, or the start of a form up to the bracket of its first block. Flat text is at most four brackets
# deep, so no text is scanned more often than that.
ITEM = re.compile(rf'{_SEPARATORS}(?:({_FLAT})|({_ATOM})|(\()|([\[{{])|([)\]}}])|("|\Z))', re.DOTALL)
FLAT, ATOM, FORM, OPENER, CLOSER = range(1, 6)

CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
OPENER_OF = {closer: opener for opener, closer in CLOSER_OF.items()}


def item_offset(text: str, start: int, path: tuple[int, ...]) -> int:
    """Return the offset of a nested item.

    Only errors need it, so it scans the text again rather than have the parser keep the offset of every token.

    Args:
        start: offset of the opening bracket.
        path: position of the item in that bracket (0 is the first), then of the item inside it, and so on.
    """
    for position in path:
        start = next(islice(_child_offsets(text, start), position, None))
    return start


def _child_offsets(text: str, start: int) -> Iterator[int]:
    """Yield the offset of each item of a bracket, then the offset of its closing bracket and of what follows."""
    depth = 0
    for match in TOKEN.finditer(text, start + 1):
        token = match[1]
        if depth == 0:
            yield match.start(1)
        depth += (token in CLOSER_OF) - (token in OPENER_OF)
