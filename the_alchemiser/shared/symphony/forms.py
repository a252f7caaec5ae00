"""What each bracket form of the language means: arity, types and values are checked here, once.

A form is built when its closing bracket is read, from raw tokens and from the parts built before it.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from the_alchemiser.shared.symphony.symbols import canonical_symbol
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Block,
    Comparison,
    Condition,
    CurrentPrice,
    Filter,
    Frequency,
    Group,
    If,
    Indicator,
    IndicatorKind,
    IndicatorOf,
    Node,
    Number,
    Place,
    Rebalance,
    Select,
    Threshold,
    Value,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
    window_keys,
)

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_INTEGER = re.compile(r"[+-]?\d{1,9}")
_WEIGHT_TOLERANCE = 1e-6
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class NodeForm:
    """A node, by its index in the tree."""

    index: int
    node: Node


@dataclass(frozen=True, slots=True)
class BlockForm:
    """`[NODE …]`."""

    children: Block


@dataclass(frozen=True, slots=True)
class Settings:
    """`{:key value …}`, values as written."""

    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Selection:
    """`(select-top n)`."""

    select: Select
    count: int


@dataclass(frozen=True, slots=True)
class Definition:
    """`(defsymphony …)` but for its nodes."""

    name: str
    asset_class: str
    rebalance: Rebalance


Part = NodeForm | BlockForm | Settings | Selection | Definition | Condition | Indicator | IndicatorOf | CurrentPrice
Item = str | int
Resolved = str | Part


class FormError(Exception):
    """What is wrong in a form; position is that of the item at fault (0 is the first), None for the form itself."""

    def __init__(self, message: str, position: int | None = None) -> None:
        self.position = position
        super().__init__(message)


def describe(item: Resolved) -> str:
    """An item in the words of an error message."""
    if isinstance(item, str):
        return item if len(item) <= _SHOWN else item[:_SHOWN] + "…"
    if isinstance(item, NodeForm):
        return f"a node ({_operator(item.node)})"
    names: dict[type, str] = {
        BlockForm: "a block [ ]",
        Settings: "settings { }",
        Selection: "a selection",
        Definition: "(defsymphony …)",
        Condition: "a condition",
        Indicator: "an indicator without a symbol",
        IndicatorOf: "an indicator of a symbol",
        CurrentPrice: "a price",
    }
    return names[type(item)]


@dataclass(frozen=True, slots=True)
class Form:
    """One bracket form with its items; every accessor takes the item's position and checks its type."""

    closer: str
    items: tuple[Resolved, ...]
    locate: Callable[[], Place]

    def arity(self, count: int, usage: str) -> None:
        if len(self.items) > count:
            raise FormError(f"found {describe(self.items[count])}, expected the end of {usage}", count)
        if len(self.items) < count:
            raise FormError(f"found {len(self.items) - 1} arguments, expected {count - 1}: {usage}")

    def expected(self, position: int, what: str) -> FormError:
        return FormError(f"found {describe(self.items[position])}, expected {what}", position)

    def string(self, position: int, what: str) -> str:
        item = self.items[position]
        if not isinstance(item, str) or not item.startswith('"'):
            raise self.expected(position, what)
        return self._unescaped(item, position)

    def symbol(self, position: int) -> str:
        text = self.string(position, "a symbol in quotes")
        try:
            return canonical_symbol(text)
        except ValueError:
            raise self.expected(position, "the symbol of an equity") from None

    def number(self, position: int, what: str) -> float:
        item = self.items[position]
        if not isinstance(item, str) or not _NUMBER.fullmatch(item) or not math.isfinite(float(item)):
            raise self.expected(position, what)
        return float(item)

    def count(self, position: int, what: str) -> int:
        item = self.items[position]
        if not isinstance(item, str) or not _INTEGER.fullmatch(item) or int(item) < 1:
            raise self.expected(position, f"{what}, a whole number of at least 1")
        return int(item)

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
        if isinstance(item, CurrentPrice | IndicatorOf):
            return item
        return Number(self.number(position, "a number, (current-price SYMBOL) or (INDICATOR SYMBOL {…})"))

    def settings(self, position: int, *, keys: tuple[str, ...], what: str) -> dict[str, str]:
        """Exactly these keys, each once."""
        item = self.items[position]
        if not isinstance(item, Settings):
            raise self.expected(position, what)
        names = [key for key, _ in item.entries]
        if sorted(names) != sorted(keys):
            found = " ".join(f":{name}" for name in names) or "no setting"
            raise FormError(f"found {found}, expected {what}", position)
        return dict(item.entries)

    def _unescaped(self, raw: str, position: int) -> str:
        if "\\" not in raw:
            return raw[1:-1]
        try:
            return str(json.loads(raw, strict=False))
        except ValueError:
            raise FormError(f"found a string with an unknown escape: {describe(raw)}", position) from None


def build(form: Form) -> Part | Node:
    """The part that a form means."""
    if form.closer == "]":
        return _block(form)
    if form.closer == "}":
        return _settings(form)
    if not form.items:
        raise FormError("found (), expected an operator after the bracket")
    head = form.items[0]
    builder = _BUILDERS.get(head) if isinstance(head, str) else None
    if builder is None:
        raise FormError(f"found {describe(head)}, expected an operator: {_nearest(head)}", 0)
    return builder(form)


def _block(form: Form) -> BlockForm:
    if not form.items:
        raise FormError("found an empty block, expected at least one node")
    return BlockForm(tuple(form.node(position) for position in range(len(form.items))))


def _settings(form: Form) -> Settings:
    entries = []
    for position in range(0, len(form.items), 2):
        key = form.items[position]
        if not isinstance(key, str) or not key.startswith(":"):
            raise form.expected(position, "a keyword")
        if position + 1 == len(form.items):
            raise FormError(f"found {key} without a value", position)
        value = form.items[position + 1]
        if not isinstance(value, str):
            raise form.expected(position + 1, f"the value of {key}")
        entries.append((key[1:], value))
    return Settings(tuple(entries))


def _defsymphony(form: Form) -> Definition:
    form.arity(4, '(defsymphony "NAME" {:asset-class "EQUITIES", :rebalance-frequency :daily} NODE)')
    name = form.string(1, "the name of the strategy in quotes")
    rule = "rebalance-threshold" if _has_key(form.items[2], "rebalance-threshold") else "rebalance-frequency"
    usage = "{:asset-class STRING, :rebalance-frequency KEYWORD | :rebalance-threshold NUMBER}"
    settings = form.settings(2, keys=("asset-class", rule), what=usage)
    form.node(3)
    asset_class = settings["asset-class"]
    if not asset_class.startswith('"'):
        raise FormError(f"found {describe(asset_class)}, expected the asset class in quotes", 2)
    return Definition(name, str(json.loads(asset_class, strict=False)), _rebalance(rule, settings[rule]))


def _has_key(item: Resolved, key: str) -> bool:
    return isinstance(item, Settings) and any(name == key for name, _ in item.entries)


def _rebalance(rule: str, value: str) -> Rebalance:
    if rule == "rebalance-threshold":
        if not _NUMBER.fullmatch(value) or not 0 < float(value) < 1:
            raise FormError(f"found :{rule} {describe(value)}, expected weight points above 0 and below 1", 2)
        return Threshold(float(value))
    known = {f":{frequency}": frequency for frequency in Frequency}
    if value not in known:
        raise FormError(f"found :{rule} {describe(value)}, expected one of {', '.join(known)}", 2)
    return known[value]


def _weight_equal(form: Form) -> Node:
    form.arity(2, "(weight-equal [NODE …])")
    return WeightEqual(form.block(1), form.locate())


def _weight_specified(form: Form) -> Node:
    if len(form.items) < 3 or len(form.items) % 2 == 0:
        raise FormError("found an unpaired weight or no weight, expected (weight-specified NUMBER NODE …)")
    positions = range(1, len(form.items), 2)
    fractions = tuple(form.number(position, "a weight") for position in positions)
    negative = next((position for position in positions if fractions[position // 2] < 0), None)
    if negative is not None:
        raise form.expected(negative, "a weight of at least 0")
    total = math.fsum(fractions)
    if abs(total - 1) > _WEIGHT_TOLERANCE:
        raise FormError(f"found weights that sum to {total:.9g}, expected 1")
    return WeightSpecified(fractions, tuple(form.node(position + 1) for position in positions), form.locate())


def _weight_inverse_volatility(form: Form) -> Node:
    form.arity(3, "(weight-inverse-volatility WINDOW [NODE …])")
    return WeightInverseVolatility(form.count(1, "a window"), form.block(2), form.locate())


def _group(form: Form) -> Node:
    form.arity(3, "(group NAME [NODE …])")
    return Group(form.string(1, "the group's name in quotes"), form.block(2), form.locate())


def _if(form: Form) -> Node:
    form.arity(4, "(if (COMPARISON VALUE VALUE) [NODE …] [NODE …])")
    condition = form.items[1]
    if not isinstance(condition, Condition):
        raise form.expected(1, "a condition (COMPARISON VALUE VALUE)")
    return If(condition, form.block(2), form.block(3), form.locate())


def _filter(form: Form) -> Node:
    form.arity(4, "(filter (INDICATOR {…}) (select-top N) [NODE …])")
    indicator, selection = form.items[1], form.items[2]
    if not isinstance(indicator, Indicator):
        raise form.expected(1, "an indicator without a symbol, (INDICATOR {:window N})")
    if not isinstance(selection, Selection):
        raise form.expected(2, "(select-top N) or (select-bottom N)")
    return Filter(indicator, selection.select, selection.count, form.block(3), form.locate())


def _asset(form: Form) -> Node:
    form.arity(3, "(asset SYMBOL NAME|nil)")
    name = None if form.items[2] == "nil" else form.string(2, "the asset's name in quotes, or nil")
    return Asset(form.symbol(1), name, form.locate())


def _current_price(form: Form) -> CurrentPrice:
    form.arity(2, "(current-price SYMBOL)")
    return CurrentPrice(form.symbol(1))


def _selection(form: Form) -> Selection:
    form.arity(2, f"({form.items[0]} N)")
    return Selection(Select(str(form.items[0])), form.count(1, "how many to take"))


def _condition(form: Form) -> Condition:
    form.arity(3, f"({form.items[0]} VALUE VALUE)")
    return Condition(Comparison(str(form.items[0])), form.value(1), form.value(2))


def _indicator(form: Form) -> Indicator | IndicatorOf:
    kind = IndicatorKind(str(form.items[0]))
    keys = window_keys(kind)
    usage = "{" + " ".join(f":{key} N" for key in keys) + "}"
    has_symbol = len(form.items) > 1 and isinstance(form.items[1], str)
    position = 2 if has_symbol else 1
    form.arity(position + 1, f"({kind} {'SYMBOL ' if has_symbol else ''}{usage})")
    settings = form.settings(position, keys=keys, what=usage)
    windows = []
    for key in keys:
        if not _INTEGER.fullmatch(settings[key]) or int(settings[key]) < 1:
            found = f"found :{key} {describe(settings[key])}"
            raise FormError(f"{found}, expected a whole number of at least 1", position)
        windows.append(int(settings[key]))
    indicator = Indicator(kind, tuple(windows))
    return IndicatorOf(indicator, form.symbol(1)) if has_symbol else indicator


_NODES: dict[str, tuple[type, Callable[[Form], Part | Node]]] = {
    "asset": (Asset, _asset),
    "weight-equal": (WeightEqual, _weight_equal),
    "weight-specified": (WeightSpecified, _weight_specified),
    "weight-inverse-volatility": (WeightInverseVolatility, _weight_inverse_volatility),
    "group": (Group, _group),
    "if": (If, _if),
    "filter": (Filter, _filter),
}
_BUILDERS: dict[str, Callable[[Form], Part | Node]] = {
    "defsymphony": _defsymphony,
    "current-price": _current_price,
    **{name: builder for name, (_, builder) in _NODES.items()},
    **{select.value: _selection for select in Select},
    **{comparison.value: _condition for comparison in Comparison},
    **{kind.value: _indicator for kind in IndicatorKind},
}


def _operator(node: Node) -> str:
    return next(name for name, (kind, _) in _NODES.items() if isinstance(node, kind))


def _nearest(head: Resolved) -> str:
    return ", ".join(_NODES) if not isinstance(head, str) else f"one of {', '.join(_BUILDERS)}"
