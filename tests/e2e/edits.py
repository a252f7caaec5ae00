"""Edits of a file's text, as tests make them in templates and modules. Each fails when it changes nothing."""

import re
from collections.abc import Callable

type Edit = Callable[[str], str]


def appended(line: str) -> Edit:
    """Add a line at the end."""
    return lambda text: f"{text}{line}\n"


def replaced(old: str, new: str) -> Edit:
    """Replace a text that occurs once."""

    def edit(text: str) -> str:
        assert text.count(old) == 1, f"{text.count(old)} times {old!r}"
        return text.replace(old, new)

    return edit


def within(logical_id: str, old: str, new: str) -> Edit:
    """Replace a text that occurs once in the block of a resource."""

    def edit(text: str) -> str:
        block = _block(text, logical_id)
        return text.replace(block, replaced(old, new)(block))

    return edit


def without(logical_id: str) -> Edit:
    """Remove a resource."""
    return lambda text: text.replace(_block(text, logical_id), "")


def renamed(old: str, new: str) -> Edit:
    """Give a resource another logical id, and change what refers to it."""

    def edit(text: str) -> str:
        return re.sub(
            rf"^  {old}:$|(?<=!Ref ){old}$|(?<=!GetAtt ){old}(?=\.)",
            lambda m: m[0].replace(old, new),
            text,
            flags=re.MULTILINE,
        )

    return edit


def _block(text: str, logical_id: str) -> str:
    block = re.search(rf"^  {logical_id}:\n(?:(?:    .*)?\n)+", text, re.MULTILINE)
    assert block is not None, logical_id
    return block[0]
