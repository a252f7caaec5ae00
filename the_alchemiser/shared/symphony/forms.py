"""Bracket forms with typed access to their items, and the parts that forms are built into."""

import json
import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from the_alchemiser.shared.symphony.frozen_record import Record
from the_alchemiser.shared.symphony.symbols import canonical_symbol
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Block,
    Compound,
    Condition,
    CurrentPrice,
    Empty,
    Filter,
    Group,
    If,
    Indicator,
    IndicatorKind,
    IndicatorOf,
    Node,
    Number,
    Place,
    Predicate,
    Rebalance,
    Select,
    Value,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
)

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_LONGEST_SHOWN = 40


class NodeForm(Record, frozen=True):
    """A node and its index in the tree."""

    index: int
    node: Node


class BlockForm(Record, frozen=True):
    """`[NODE …]`."""

    children: Block


class Settings(Record, frozen=True):
    """`{:key value …}`, values as written."""

    entries: tuple[tuple[str, str], ...]


class Selection(Record, frozen=True):
    """`(select-top n)`."""

    select: Select
    count: int


class Definition(Record, frozen=True):
    """`(defsymphony …)` without its nodes."""

    name: str
    asset_class: str
    rebalance: Rebalance


class Unimplemented(Record, frozen=True):
    """`(unimplemented :INDICATOR)`: Composer's text export writes it in place of an indicator's name."""

    kind: IndicatorKind


Part = (
    NodeForm
    | BlockForm
    | Settings
    | Selection
    | Definition
    | Unimplemented
    | Condition
    | Compound
    | Indicator
    | IndicatorOf
    | CurrentPrice
)
Item = str | int | Block
Resolved = str | Part

_DESCRIPTIONS: dict[type, str] = {
    BlockForm: "a block [ ]",
    Settings: "settings { }",
    Selection: "a selection",
    Definition: "(defsymphony …)",
    Unimplemented: "(unimplemented …)",
    Condition: "a condition",
    Compound: "a condition",
    Indicator: "an indicator without a symbol",
    IndicatorOf: "an indicator of a symbol",
    CurrentPrice: "a price",
}
_OPERATORS: dict[type, str] = {
    Asset: "asset",
    Empty: "empty",
    WeightEqual: "weight-equal",
    WeightSpecified: "weight-specified",
    WeightInverseVolatility: "weight-inverse-volatility",
    Group: "group",
    If: "if",
    Filter: "filter",
}


class FormError(Exception):
    """A form is invalid.

    Attributes:
        path: position of the invalid item (0 is the first), then of the one inside it; empty for the whole form.
    """

    def __init__(self, message: str, *path: int) -> None:
        self.path = path
        super().__init__(message)


def describe(item: Resolved) -> str:
    """Describe an item for an error message."""
    if isinstance(item, str):
        return item if len(item) <= _LONGEST_SHOWN else item[:_LONGEST_SHOWN] + "…"
    return f"a node ({_OPERATORS[type(item.node)]})" if isinstance(item, NodeForm) else _DESCRIPTIONS[type(item)]


@lru_cache(4096)
def number_in(text: str) -> float | None:
    """Return the finite number that a token spells, or None."""
    return float(text) if _NUMBER.fullmatch(text) and math.isfinite(float(text)) else None


@lru_cache(4096)
def count_in(text: str) -> int | None:
    """Return the whole number of at least 1 that a token spells, or None."""
    return int(text) if _INTEGER.fullmatch(text) and int(text) >= 1 else None


class Form:
    """One bracket form with its items. Every accessor takes an item's position and raises FormError on a wrong type."""

    __slots__ = ("closer", "items", "locate")

    def __init__(self, closer: str, items: Sequence[Resolved], locate: Callable[[], Place]) -> None:
        self.closer = closer
        self.items = items
        self.locate = locate

    def arity(self, count: int, usage: str) -> None:
        """Raise unless the form has this many items; its operator replaces the OP of the usage."""
        if len(self.items) == count:
            return
        usage = usage.replace("OP", str(self.items[0]))
        if len(self.items) > count:
            raise FormError(f"found {describe(self.items[count])}, expected the end of {usage}", count)
        from the_alchemiser.shared.formats import plural  # noqa: PLC0415 - only needed for invalid files

        raise FormError(f"found {plural(len(self.items) - 1, 'argument')}, expected {count - 1}: {usage}")

    def expected(self, position: int, expected: str) -> FormError:
        return FormError(f"found {describe(self.items[position])}, expected {expected}", position)

    def string(self, position: int, expected: str) -> str:
        item = self.items[position]
        if not isinstance(item, str) or not item.startswith('"'):
            raise self.expected(position, expected)
        return unescaped(item, position)

    def symbol(self, position: int) -> str:
        text = self.string(position, "a symbol in quotes")
        try:
            return canonical_symbol(text)
        except ValueError:
            raise self.expected(position, "an equity symbol") from None

    def number(self, position: int, expected: str) -> float:
        item = self.items[position]
        number = number_in(item) if isinstance(item, str) else None
        if number is None:
            raise self.expected(position, expected)
        return number

    def count(self, position: int, expected: str) -> int:
        item = self.items[position]
        count = count_in(item) if isinstance(item, str) else None
        if count is None:
            raise self.expected(position, f"{expected}, a whole number of at least 1")
        return count

    def node(self, position: int) -> int:
        item = self.items[position]
        if not isinstance(item, NodeForm):
            raise self.expected(position, "a node")
        return item.index

    def block(self, position: int) -> Block:
        item = self.items[position]
        if not isinstance(item, BlockForm):
            raise self.expected(position, "a block [NODE …]")
        return item.children

    def value(self, position: int) -> Value:
        item = self.items[position]
        if isinstance(item, (IndicatorOf, CurrentPrice)):
            return item
        return Number(self.number(position, "a number, (current-price SYMBOL) or (INDICATOR SYMBOL {…})"))

    def condition(self, position: int) -> Predicate:
        item = self.items[position]
        if not isinstance(item, (Condition, Compound)):
            raise self.expected(position, "a condition: (COMPARISON VALUE VALUE), (any …) or (all …)")
        return item


def settings_in(item: Resolved, position: int, *, keys: tuple[str, ...], expected: str) -> dict[str, str]:
    """Return the settings that an item holds, in the order of the file; they must be exactly these keys, each once.

    Args:
        position: that of the item in its form.
    """
    if not isinstance(item, Settings):
        raise FormError(f"found {describe(item)}, expected {expected}", position)
    names = [key for key, _ in item.entries]
    if sorted(names) != sorted(keys):
        written = " ".join(f":{name}" for name in names) or "no settings"
        raise FormError(f"found {written}, expected {expected}", position)
    return dict(item.entries)


def value_path(settings: dict[str, str], key: str, position: int) -> tuple[int, int]:
    """Return the path to the value of a key in the settings at this position of their form."""
    return position, 2 * list(settings).index(key) + 1


def wrong_setting(settings: dict[str, str], key: str, expected: str, *, position: int) -> FormError:
    """Return an error at the value of a key in the settings at this position of their form."""
    message = f"found :{key} {describe(settings[key])}, expected {expected}"
    return FormError(message, *value_path(settings, key, position))


def unescaped(raw: str, *path: int) -> str:
    """Return the text of a string token, without quotes and escapes.

    Raises:
        FormError: the string contains an unknown escape; the error points to `path`.
    """
    if "\\" not in raw:
        return raw[1:-1]
    try:
        text = str(json.loads(raw, strict=False))
        text.encode()
    except ValueError:
        raise FormError(f"found a string with an unknown escape: {describe(raw)}", *path) from None
    return text
