"""Tokens of the language: brackets, strings and words; blanks, commas and comments lie between them."""

import re
from collections.abc import Iterator
from itertools import islice

_BETWEEN = r"(?:[\s,\ufeff]++|;[^\n]*+)*+"
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_WORD = r'[^\s,\ufeff()\[\]{}";]++'

# One token a match, in group 1; at the end of the text it is empty, and of a string that never ends it is the quote.
TOKEN = re.compile(rf'{_BETWEEN}([()\[\]{{}}]|{_STRING}|{_WORD}|"|\Z)', re.DOTALL)

CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
OPENER_OF = {closer: opener for opener, closer in CLOSER_OF.items()}
END = ""
UNENDED_STRING = '"'


def item_offset(text: str, start: int, path: tuple[int, ...]) -> int:
    """Where an item begins: that at a position (0 is the first) of the bracket opened at start, and so on inside it.

    Only errors need it, so it reads the text again instead of burdening every token with its place.
    """
    for position in path:
        start = next(islice(_child_offsets(text, start), position, None))
    return start


def _child_offsets(text: str, start: int) -> Iterator[int]:
    """Where the items of a bracket begin; after the last one, what there is beyond."""
    depth = 0
    for match in TOKEN.finditer(text, start + 1):
        token = match[1]
        if depth == 0:
            yield match.start(1)
        depth += (token in CLOSER_OF) - (token in OPENER_OF)
