"""Parse text into a tree, in one pass and without recursion.

Strategy files are repetitive. The parser skips the text of a form that it has read before, splits flat text into tokens
at once, and reads the rest item by item. It identifies a bracket form by its kind and its items (raw tokens, and what
stands for the forms inside it), so the checks run once per distinct form.
"""

import re

from the_alchemiser.shared.symphony.collector import collector_paused
from the_alchemiser.shared.symphony.errors import SymphonyError
from the_alchemiser.shared.symphony.forms import (
    BlockForm,
    Definition,
    Form,
    FormError,
    Item,
    NodeForm,
    Part,
    Resolved,
    describe,
)
from the_alchemiser.shared.symphony.frozen_record import PlacedRecord
from the_alchemiser.shared.symphony.layout import Layout
from the_alchemiser.shared.symphony.operators import build
from the_alchemiser.shared.symphony.tokens import (
    ATOM,
    CLOSER,
    CLOSER_OF,
    FLAT,
    FORM,
    ITEM,
    OPENER,
    OPENER_OF,
    TOKEN,
    item_offset,
)
from the_alchemiser.shared.symphony.tree import Node, Symphony

_TOP = ""
_JSON = re.compile(r'[\s\ufeff]*[{\[]\s*["{\[\]}]')
# Limits on recognising whole forms; without them a hostile file would take quadratic time.
_LONGEST_TEXT = 4096
_LONGEST_HEAD = 256
_CANDIDATES = 6


def parse(text: str, *, source: str = "<string>") -> Symphony:
    """Parse one strategy file.

    Args:
        text: the content of the whole file.
        source: the file name shown in error messages.

    Raises:
        SymphonyError: the text does not follow the grammar (brackets, operators, arity, types or values).
    """
    if _JSON.match(text):
        raise _json_error(source)
    with collector_paused():
        layout = Layout(text, source)
        forms = _Forms(layout)
        return forms.symphony(_read(layout.text, forms), source)


def _json_error(source: str) -> SymphonyError:
    import shlex  # noqa: PLC0415 - only needed for invalid files

    fix = f"if it is an export of Composer, run inv strategies.import {shlex.quote(source)}"
    return SymphonyError("found JSON, expected (defsymphony …)", source, 1, 1, fix=fix)


def _read(text: str, forms: "_Forms") -> list[Item]:
    """Read all tokens and return the items outside all brackets."""
    known = _KnownTexts(text, forms)
    item_at = ITEM.match
    open_forms: list[tuple[list[Item], int]] = []
    items: list[Item] = [_TOP]
    start, position, token = 0, 0, ""
    while match := item_at(text, position):
        kind = match.lastindex or 0
        token = match[kind]
        position = match.end()
        if kind == ATOM:
            items.append(token)
        elif kind == FLAT and token[-1] == ")":
            items.append(known.flat_form(token, position))
        elif kind <= FORM and (known_form := known.at(match.start(kind))):
            item, position = known_form
            items.append(item)
        elif kind <= OPENER:
            open_forms.append((items, start))
            start = match.start(kind)
            items = [CLOSER_OF[token[0]]]
            if kind == FLAT:
                open_forms.append((known.items_before_block(token, start), start))
                start, items = position - 1, ["]"]
        elif kind == CLOSER:
            while token in OPENER_OF:
                item = forms.closed(token, items, start, position)
                if text[start] == "(":
                    known.add(start, position, item)
                items, start = open_forms.pop()
                items.append(item)
                token = text[position : position + 1]
                position += token in OPENER_OF
        else:
            break
    forms.require_end(token, position, items[0], start)
    return items[1:]


class _KnownTexts:
    """The forms read so far, by their text: wherever the same text occurs again, it is the same form."""

    def __init__(self, text: str, forms: "_Forms") -> None:
        self._text = text
        self._forms = forms
        self._flat: dict[str, Item] = {}
        self._before_block: dict[str, list[Item]] = {}
        self._by_head: dict[str, list[tuple[int, int, Item]]] = {}

    def flat_form(self, form: str, end: int) -> Item:
        """Return the item that stands for a flat form."""
        item = self._flat.get(form)
        if item is None:
            start = end - len(form)
            items = self._forms.flat_items(start, end - 1)
            item = self._flat[form] = self._forms.closed(")", items, start, end)
        return item

    def items_before_block(self, opening: str, start: int) -> list[Item]:
        """Return the items of a form before its first block."""
        items = self._before_block.get(opening)
        if items is None:
            items = self._before_block[opening] = self._forms.flat_items(start, start + len(opening) - 1)
        return items.copy()

    def at(self, start: int) -> tuple[Item, int] | None:
        """Return the item of the known form that starts here and the offset of its end; None if there is none."""
        for begin, end, item in self._by_head.get(self._head(start), ()):
            if self._text.startswith(self._text[begin:end], start):
                return item, start + end - begin
        return None

    def add(self, start: int, end: int, item: Item) -> None:
        """Remember a form, which replaces the oldest of the forms with the same head."""
        if end - start <= _LONGEST_TEXT and (head := self._head(start)):
            same_head = self._by_head.setdefault(head, [])
            same_head.insert(0, (start, end, item))
            del same_head[_CANDIDATES:]

    def _head(self, start: int) -> str:
        """Return the text through its first closing bracket; empty if that bracket is too far away."""
        return self._text[start : self._text.find(")", start, start + _LONGEST_HEAD) + 1]


class _Forms:
    """The distinct forms of one file, and the distinct nodes among them.

    A form is an item of the form around it: a block as the tuple of its nodes, a node as its index in the tree, and any
    other form as a negative number.
    """

    def __init__(self, layout: Layout) -> None:
        self.error = layout.error
        self._layout = layout
        self._items: dict[tuple[Item, ...], Item] = {}
        self._parts: list[Part] = []
        self._nodes: list[Node] = []
        self._index: dict[object, int] = {}

    def closed(self, closer: str, items: list[Item], start: int, end: int) -> Item:
        """Return the item that stands for the form with these items, the first of which is its closing bracket."""
        if items[0] != closer:
            raise self._mismatch(closer, end - 1, expected=items[0], opened=start)
        key = tuple(items)
        item = self._items.get(key)
        if item is None:
            item = self._items[key] = _nodes_of_block(key) or self._built(key, start, ())
        return item

    def flat_items(self, start: int, end: int) -> list[Item]:
        """Return the items of a form from its opening bracket on, its own closing bracket first; none is a block."""
        open_forms: list[list[Item]] = []
        items: list[Item] = [")"]
        for token in TOKEN.findall(self._layout.text, start + 1, end):
            if token in CLOSER_OF:
                open_forms.append(items)
                items = [CLOSER_OF[token]]
            elif token in OPENER_OF:
                key = tuple(items)
                item = self._items.get(key)
                if item is None:
                    path = tuple([len(around) - 1 for around in open_forms])
                    item = self._items[key] = self._built(key, start, path)
                items = open_forms.pop()
                items.append(item)
            elif token:
                items.append(token)
        return items

    def require_end(self, token: str, position: int, expected: Item, opened: int) -> None:
        """Raise unless the text was read to its end, and nothing is open there."""
        if token:
            raise self.error(position - 1, 'found an unterminated string, expected a closing "')
        if expected != _TOP:
            opener = OPENER_OF[str(expected)]
            raise self.error(opened, f"found the end of the file, expected {expected} to close this {opener}")

    def symphony(self, items: list[Item], source: str) -> Symphony:
        """Return the strategy, given all items outside brackets."""
        if not items:
            raise self._outside(0, "found an empty file, expected (defsymphony …)")
        first = self._resolved(items[0])
        if not isinstance(first, Definition):
            raise self._outside(0, f"found {describe(first)}, expected (defsymphony …)")
        if len(items) > 1:
            raise self._outside(1, "found text after (defsymphony …), expected the end of the file")
        return Symphony(first.name, first.asset_class, first.rebalance, tuple(self._nodes), source)

    def _mismatch(self, closer: str, offset: int, *, expected: Item, opened: int) -> SymphonyError:
        if expected == _TOP:
            return self.error(offset, f"found {closer}, but no bracket is open here")
        place = self._layout.place(opened)
        bracket = f"the {OPENER_OF[str(expected)]} of line {place.line}, column {place.column}"
        return self.error(offset, f"found {closer}, expected {expected} to close {bracket}")

    def _built(self, key: tuple[Item, ...], start: int, path: tuple[int, ...]) -> Item:
        items = [item if isinstance(item, str) else self._resolved(item) for item in key[1:]]
        form = Form(str(key[0]), items, lambda: self._layout.place(self._at(start, path)))
        try:
            part = build(form)
        except FormError as error:
            raise self.error(self._at(start, path + error.path), str(error)) from None
        if isinstance(part, BlockForm):
            return part.children
        if isinstance(part, PlacedRecord):
            index = self._index.setdefault(part.compared(part), len(self._nodes))
            if index == len(self._nodes):
                self._nodes.append(part)
            return index
        self._parts.append(part)
        return -len(self._parts)

    def _resolved(self, item: Item) -> Resolved:
        if isinstance(item, str):
            return item
        if isinstance(item, tuple):
            return BlockForm(item)
        return NodeForm(item, self._nodes[item]) if item >= 0 else self._parts[~item]

    def _at(self, start: int, path: tuple[int, ...]) -> int:
        return item_offset(self._layout.text, start, path)

    def _outside(self, position: int, message: str) -> SymphonyError:
        return self.error(self._at(-1, (position,)), message)


def _nodes_of_block(key: tuple[Item, ...]) -> tuple[int, ...]:
    """Return the nodes of a valid block without building its form; empty for any other form."""
    if key[0] != "]":
        return ()
    nodes = [item for item in key[1:] if isinstance(item, int) and item >= 0]
    return tuple(nodes) if len(nodes) == len(key) - 1 else ()
