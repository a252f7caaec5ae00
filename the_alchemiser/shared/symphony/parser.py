"""Text to tree, in one pass and without recursion.

Strategies repeat themselves: the text of a form read before is recognised as a whole, and skipped. What is left is read
token by token. A bracket form is known by its kind and its items, raw tokens and the numbers of the forms inside it, so
that the checks run once for every distinct form of the file.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from the_alchemiser.shared.symphony.errors import SymphonyError
from the_alchemiser.shared.symphony.forms import Definition, Form, FormError, Item, NodeForm, Part, describe
from the_alchemiser.shared.symphony.layout import Layout
from the_alchemiser.shared.symphony.operators import build
from the_alchemiser.shared.symphony.tokens import CLOSER_OF, END, OPENER_OF, TOKEN, UNENDED_STRING, item_offset
from the_alchemiser.shared.symphony.tree import Node, Symphony

_TOP = ""
# Bounds on the recognising of whole forms, without which a hostile file would take quadratic time.
_LONGEST_TEXT = 4096
_LONGEST_HEAD = 256
_CANDIDATES = 6


def parse(text: str, *, source: str = "<string>") -> Symphony:
    """Read one strategy file.

    Args:
        text: the whole file.
        source: its name, for error messages.

    Raises:
        SymphonyError: brackets, operators, arity, types or values are not those of the grammar.
    """
    with _collector_paused():
        layout = Layout(text, source)
        forms = _Forms(layout)
        return forms.symphony(_read(layout.text, forms), source)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing here makes cycles; looking for them takes half of the time of a file with many distinct nodes."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read(text: str, forms: "_Forms") -> list[Item]:
    """The items outside all brackets."""
    known = _KnownTexts(text)
    token_at = TOKEN.match
    open_forms: list[tuple[list[Item], int]] = []
    items: list[Item] = [_TOP]
    start = position = 0
    while match := token_at(text, position):
        token = match[1]
        position = match.end()
        if token in CLOSER_OF:
            if found := known.at(position - 1):
                number, position = found
                items.append(number)
            else:
                open_forms.append((items, start))
                items = [CLOSER_OF[token]]
                start = position - 1
        elif token in OPENER_OF:
            if items[0] != token:
                raise forms.mismatch(token, position - 1, expected=items[0], opened=start)
            number = forms.number(items, start)
            known.add(start, position, number)
            items, start = open_forms.pop()
            items.append(number)
        elif token == END:
            break
        elif token == UNENDED_STRING:
            raise forms.error(position - 1, 'found a string that never ends, expected a closing "')
        else:
            items.append(token)
    if open_forms:
        raise forms.unclosed(items[0], start)
    return items[1:]


class _KnownTexts:
    """Forms in round brackets by their text: whatever begins with such a text begins with that form."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._by_head: dict[str, list[tuple[int, int, int]]] = {}

    def at(self, start: int) -> tuple[int, int] | None:
        """The number of the form that begins here, and where it ends."""
        for begin, end, number in self._by_head.get(self._head(start), ()):
            if self._text.startswith(self._text[begin:end], start):
                return number, start + end - begin
        return None

    def add(self, start: int, end: int, number: int) -> None:
        """Remember a form, in place of the oldest of those that begin likewise."""
        if end - start > _LONGEST_TEXT or not (head := self._head(start)):
            return
        alike = self._by_head.setdefault(head, [])
        alike.insert(0, (start, end, number))
        del alike[_CANDIDATES:]

    def _head(self, start: int) -> str:
        """The text through its first closing bracket; empty when that is far."""
        return self._text[start : self._text.find(")", start, start + _LONGEST_HEAD) + 1]


class _Forms:
    """The distinct forms of one file, and the nodes among them."""

    def __init__(self, layout: Layout) -> None:
        self.error = layout.error
        self._layout = layout
        self._numbers: dict[tuple[Item, ...], int] = {}
        self._parts: list[Part] = []
        self._nodes: list[Node] = []
        self._index: dict[Node, int] = {}

    def number(self, items: list[Item], start: int) -> int:
        """The number of the form of these items, the first of which is its closing bracket."""
        key = tuple(items)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._parts)
            self._parts.append(self._part(key, start))
        return number

    def symphony(self, items: list[Item], source: str) -> Symphony:
        """The strategy, when these are all items outside brackets."""
        if not items:
            raise self._outside(0, "found an empty file, expected (defsymphony …)")
        first = self._parts[items[0]] if isinstance(items[0], int) else items[0]
        if not isinstance(first, Definition):
            raise self._outside(0, f"found {describe(first)}, expected (defsymphony …)")
        if len(items) > 1:
            raise self._outside(1, "found more after (defsymphony …), expected the end of the file")
        return Symphony(first.name, first.asset_class, first.rebalance, tuple(self._nodes), source)

    def mismatch(self, found: str, offset: int, *, expected: Item, opened: int) -> SymphonyError:
        if expected == _TOP:
            return self.error(offset, f"found {found}, but no bracket is open here")
        place = self._layout.place(opened)
        bracket = f"the {OPENER_OF[str(expected)]} of line {place.line}, column {place.column}"
        return self.error(offset, f"found {found}, expected {expected} to close {bracket}")

    def unclosed(self, expected: Item, opened: int) -> SymphonyError:
        opener = OPENER_OF[str(expected)]
        return self.error(opened, f"found the end of the file, expected {expected} to close this {opener}")

    def _part(self, key: tuple[Item, ...], start: int) -> Part:
        items = [self._parts[item] if isinstance(item, int) else item for item in key]
        try:
            part = build(Form(str(key[0]), items[1:], lambda: self._layout.place(start)))
        except FormError as error:
            raise self.error(item_offset(self._layout.text, start, error.path), str(error)) from None
        return part if isinstance(part, Part) else self._intern(part)

    def _intern(self, node: Node) -> NodeForm:
        index = self._index.setdefault(node, len(self._nodes))
        if index == len(self._nodes):
            self._nodes.append(node)
        return NodeForm(index, node)

    def _outside(self, position: int, message: str) -> SymphonyError:
        return self.error(item_offset(self._layout.text, -1, (position,)), message)
