"""Text to tree, in one pass and without recursion.

A bracket form is known by its kind and its items: raw tokens, and numbers of the forms inside it. A form met before is
looked up, not built again, so the checks below run once for every distinct form of the file.
"""

import re
from bisect import bisect_right

from the_alchemiser.shared.symphony.errors import SymphonyError, error_at
from the_alchemiser.shared.symphony.forms import Definition, Form, FormError, Item, NodeForm, Part, build, describe
from the_alchemiser.shared.symphony.tokens import (
    CLOSER_OF,
    COMMENT,
    FORM_OR_TOKEN,
    OPENER_OF,
    TOKEN,
    UNENDED_STRING,
    item_offset,
)
from the_alchemiser.shared.symphony.tree import Node, Place, Symphony

_TOP = ""


def parse(text: str, *, source: str = "<string>") -> Symphony:
    """Read one strategy file.

    Args:
        text: the whole file.
        source: its name, for error messages.

    Raises:
        SymphonyError: brackets, operators, arity, types or values are not those of the grammar.
    """
    forms = _Forms(text, source)
    return forms.symphony(_Reader(text, forms).read(FORM_OR_TOKEN, 0, len(text)))


class _Reader:
    """Brackets to forms, each distinct one once."""

    def __init__(self, text: str, forms: "_Forms") -> None:
        self._text = text
        self._forms = forms
        self._known: dict[tuple[Item, ...], int] = {}
        self._known_texts: dict[str, int] = {}

    def read(self, pattern: re.Pattern[str], begin: int, end: int) -> list[Item]:
        """The items outside all brackets of a stretch of the text."""
        open_forms: list[tuple[list[Item], int]] = []
        items: list[Item] = [_TOP]
        start = begin
        texts = self._known_texts
        for match in pattern.finditer(self._text, begin, end):
            token = match[0]
            if token in texts:
                items.append(texts[token])
            elif token in CLOSER_OF:
                open_forms.append((items, start))
                items = [CLOSER_OF[token]]
                start = match.start()
            elif token in OPENER_OF:
                number = self._close(items, token, start, match.start())
                items, start = open_forms.pop()
                items.append(number)
            elif token[0] == "(":
                items += self.read(TOKEN, match.start(), match.end())[:1]
                texts[token] = int(items[-1])
            elif token == UNENDED_STRING:
                raise self._forms.error(match.start(), 'found a string that never ends, expected a closing "')
            elif token[0] != COMMENT:
                items.append(token)
        if open_forms:
            opener = OPENER_OF[str(items[0])]
            raise self._forms.error(start, f"found the end of the file, expected {items[0]} to close this {opener}")
        return items[1:]

    def _close(self, items: list[Item], token: str, start: int, offset: int) -> int:
        if items[0] != token:
            raise self._forms.mismatch(token, offset, expected=items[0], opened=start)
        key = tuple(items)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = self._forms.add(key, start)
        return number


class _Forms:
    """The distinct forms of one file, and the nodes among them."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self._text = text
        self._line_starts: list[int] = []
        self._parts: list[Part] = []
        self._nodes: list[Node] = []
        self._index: dict[Node, int] = {}

    def add(self, key: tuple[Item, ...], start: int) -> int:
        items = tuple(self._parts[item] if isinstance(item, int) else item for item in key[1:])
        try:
            part = build(Form(str(key[0]), items, lambda: self._place(start)))
        except FormError as error:
            offset = start if error.position is None else item_offset(self._text, start, error.position)
            raise self.error(offset, str(error)) from None
        self._parts.append(part if isinstance(part, Part) else self._intern(part))
        return len(self._parts) - 1

    def symphony(self, items: list[Item]) -> Symphony:
        """The strategy, when these are all items outside brackets."""
        if not items:
            raise self._outside(0, "found an empty file, expected (defsymphony …)")
        first = self._parts[items[0]] if isinstance(items[0], int) else items[0]
        if not isinstance(first, Definition):
            raise self._outside(0, f"found {describe(first)}, expected (defsymphony …)")
        if len(items) > 1:
            raise self._outside(1, "found more after (defsymphony …), expected the end of the file")
        return Symphony(first.name, first.asset_class, first.rebalance, tuple(self._nodes), self.source)

    def mismatch(self, found: str, offset: int, *, expected: Item, opened: int) -> SymphonyError:
        if expected == _TOP:
            message = f"found {found}, but no bracket is open here"
        else:
            place = self._place(opened)
            opener = OPENER_OF[str(expected)]
            message = (
                f"found {found}, expected {expected} to close the {opener} of line {place.line}, column {place.column}"
            )
        return self.error(offset, message)

    def error(self, offset: int, message: str) -> SymphonyError:
        return error_at(self._text, offset, message, source=self.source)

    def _intern(self, node: Node) -> NodeForm:
        index = self._index.setdefault(node, len(self._nodes))
        if index == len(self._nodes):
            self._nodes.append(node)
        return NodeForm(index, node)

    def _outside(self, position: int, message: str) -> SymphonyError:
        return self.error(item_offset(self._text, -1, position), message)

    def _place(self, offset: int) -> Place:
        if not self._line_starts:
            self._line_starts = [0, *(at + 1 for at, character in enumerate(self._text) if character == "\n")]
        line = bisect_right(self._line_starts, offset)
        return Place(line, offset - self._line_starts[line - 1] + 1)
