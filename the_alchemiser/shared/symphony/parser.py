"""Parse text into a tree, in one pass and without recursion.

Strategy files are repetitive. The parser skips the text of a form that it has read before and reads the rest token by
token. It identifies a bracket form by its kind and its items (raw tokens, and the numbers of the forms inside it), so
the checks run once per distinct form.
"""

from the_alchemiser.shared.symphony.collector import collector_paused
from the_alchemiser.shared.symphony.errors import SymphonyError
from the_alchemiser.shared.symphony.forms import Definition, Form, FormError, Item, NodeForm, Part, describe
from the_alchemiser.shared.symphony.layout import Layout
from the_alchemiser.shared.symphony.operators import build
from the_alchemiser.shared.symphony.tokens import CLOSER_OF, END, OPENER_OF, TOKEN, UNTERMINATED_STRING, item_offset
from the_alchemiser.shared.symphony.tree import Node, Symphony

_TOP = ""
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
    with collector_paused():
        layout = Layout(text, source)
        forms = _Forms(layout)
        return forms.symphony(_read(layout.text, forms), source)


def _read(text: str, forms: "_Forms") -> list[Item]:
    """Read all tokens and return the items outside all brackets."""
    known = _KnownTexts(text)
    token_at = TOKEN.match
    open_forms: list[tuple[list[Item], int]] = []
    items: list[Item] = [_TOP]
    start = position = 0
    while match := token_at(text, position):
        token = match[1]
        position = match.end()
        if token in CLOSER_OF:
            if known_form := known.at(position - 1):
                number, position = known_form
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
        elif token == UNTERMINATED_STRING:
            raise forms.error(position - 1, 'found an unterminated string, expected a closing "')
        else:
            items.append(token)
    if open_forms:
        raise forms.unclosed(items[0], start)
    return items[1:]


class _KnownTexts:
    """The forms read so far, by their text: wherever the same text occurs again, it is the same form."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._by_head: dict[str, list[tuple[int, int, int]]] = {}

    def at(self, start: int) -> tuple[int, int] | None:
        """Return the number of the known form that starts here and the offset of its end; None if there is none."""
        for begin, end, number in self._by_head.get(self._head(start), ()):
            if self._text.startswith(self._text[begin:end], start):
                return number, start + end - begin
        return None

    def add(self, start: int, end: int, number: int) -> None:
        """Remember a form; it replaces the oldest of the forms with the same head."""
        if end - start > _LONGEST_TEXT or not (head := self._head(start)):
            return
        same_head = self._by_head.setdefault(head, [])
        same_head.insert(0, (start, end, number))
        del same_head[_CANDIDATES:]

    def _head(self, start: int) -> str:
        """Return the text through its first closing bracket; empty if that bracket is too far away."""
        return self._text[start : self._text.find(")", start, start + _LONGEST_HEAD) + 1]


class _Forms:
    """The distinct forms of one file, numbered, and the distinct nodes among them."""

    def __init__(self, layout: Layout) -> None:
        self.error = layout.error
        self._layout = layout
        self._numbers: dict[tuple[Item, ...], int] = {}
        self._parts: list[Part] = []
        self._nodes: list[Node] = []
        self._index: dict[Node, int] = {}

    def number(self, items: list[Item], start: int) -> int:
        """Return the number of the form with these items, the first of which is its closing bracket."""
        key = tuple(items)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._parts)
            self._parts.append(self._part(key, start))
        return number

    def symphony(self, items: list[Item], source: str) -> Symphony:
        """Return the strategy, given all items outside brackets."""
        if not items:
            raise self._outside(0, "found an empty file, expected (defsymphony …)")
        first = self._parts[items[0]] if isinstance(items[0], int) else items[0]
        if not isinstance(first, Definition):
            raise self._outside(0, f"found {describe(first)}, expected (defsymphony …)")
        if len(items) > 1:
            raise self._outside(1, "found text after (defsymphony …), expected the end of the file")
        return Symphony(first.name, first.asset_class, first.rebalance, tuple(self._nodes), source)

    def mismatch(self, closer: str, offset: int, *, expected: Item, opened: int) -> SymphonyError:
        if expected == _TOP:
            return self.error(offset, f"found {closer}, but no bracket is open here")
        place = self._layout.place(opened)
        bracket = f"the {OPENER_OF[str(expected)]} of line {place.line}, column {place.column}"
        return self.error(offset, f"found {closer}, expected {expected} to close {bracket}")

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
