"""Tokens of the language: brackets, strings, words and comments; blanks and commas lie between them."""

import re

# Possessive throughout: no input makes it go back, and it stays linear.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_PLAIN = r'[^()\[\]{}";]++'
_TOKEN = rf"""[()\[\]{{}}]|{_STRING}|[^\s,\ufeff()\[\]{{}}";]++|;[^\n]*+|\""""
_SMALL_FORM = rf"\((?:{_PLAIN}|{_STRING}|\{{(?:{_PLAIN})?+\}})*+\)"
_FORM = rf"\((?:{_PLAIN}|{_STRING}|\{{(?:{_PLAIN})?+\}}|{_SMALL_FORM})*+\)"

TOKEN = re.compile(_TOKEN, re.DOTALL)
# Assets and conditions as one token each: a file repeats few of them many times.
FORM_OR_TOKEN = re.compile(rf"{_FORM}|{_TOKEN}", re.DOTALL)

CLOSER_OF = {"(": ")", "[": "]", "{": "}"}
OPENER_OF = {closer: opener for opener, closer in CLOSER_OF.items()}
UNENDED_STRING = '"'
COMMENT = ";"


def item_offset(text: str, start: int, position: int) -> int:
    """Where the item at a position (0 is the first) of the bracket opened at start begins.

    Only errors need it, so it reads the text again instead of burdening every token with its place.
    """
    depth = 0
    count = 0
    for match in TOKEN.finditer(text, start + 1):
        token = match[0]
        if token[0] == COMMENT:
            continue
        if token in OPENER_OF:
            depth -= 1
        elif depth == 0:
            if count == position:
                return match.start()
            count += 1
        if token in CLOSER_OF:
            depth += 1
        if depth < 0:
            break
    return max(start, 0)
