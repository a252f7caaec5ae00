"""Build the part that each form of the language stands for, and check its arity, types and values.

The parser calls this when it reads a closing bracket. The form's items are raw tokens and parts that were built before.
"""

import math
from collections.abc import Callable
from functools import lru_cache

from the_alchemiser.shared.symphony.forms import (
    BlockForm,
    Definition,
    Form,
    FormError,
    Part,
    Resolved,
    Selection,
    Settings,
    Unimplemented,
    count_in,
    describe,
    number_in,
    settings_in,
    unescaped,
    value_path,
    wrong_setting,
)
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Comparison,
    Compound,
    Condition,
    CurrentPrice,
    Empty,
    Filter,
    Frequency,
    Group,
    If,
    Indicator,
    IndicatorKind,
    IndicatorOf,
    Junction,
    Node,
    Predicate,
    Rebalance,
    Select,
    Threshold,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
    window_keys,
)

_WEIGHT_TOLERANCE = 1e-6
_UNSUPPORTED = ("macd", "moving-average-convergence-divergence", "bollinger")
# Reading, comparing and evaluating a condition recurses into its parts.
DEEPEST_CONDITION = 100


def build(form: Form) -> Part | Node:
    """Build the part that a form stands for.

    Raises:
        FormError: the form has no known operator, or wrong items.
    """
    if form.closer == "]":
        return _block(form)
    if form.closer == "}":
        return _settings(form)
    if not form.items:
        raise FormError("found (), expected an operator after the bracket")
    head = form.items[0]
    if isinstance(head, Unimplemented):
        return _indicator(Form(form.closer, (head.kind.value, *form.items[1:]), form.locate))
    builder = _BUILDERS.get(head) if isinstance(head, str) else None
    if builder is None:
        raise _unknown_operator(head)
    return builder(form)


def _unknown_operator(head: Resolved) -> FormError:
    shown = describe(head)
    if isinstance(head, str) and any(name in head.lower() for name in _UNSUPPORTED):
        return FormError(f"found {head}; MACD and Bollinger bands are not supported", 0)
    return FormError(f"found {shown}, expected an operator{_suggestion(head)}", 0)


def _suggestion(head: Resolved) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only needed for invalid files

    shown = describe(head)
    near = get_close_matches(shown.lower(), _BUILDERS, n=1) if isinstance(head, str) else []
    return f"; the nearest is {near[0]}" if near else f": one of {', '.join(_BUILDERS)}"


def _block(form: Form) -> BlockForm:
    if not form.items:
        raise FormError("found an empty block, expected at least one node")
    return BlockForm(tuple([form.node(position) for position in range(len(form.items))]))


def _settings(form: Form) -> Settings:
    entries = []

    for position in range(0, len(form.items), 2):
        key = form.items[position]
        if not isinstance(key, str) or not key.startswith(":"):
            raise form.expected(position, "a keyword")
        if position + 1 == len(form.items):
            raise FormError(f"found {describe(key)} without a value", position)
        value = form.items[position + 1]
        if not isinstance(value, str):
            raise form.expected(position + 1, f"the value of {describe(key)}")
        entries.append((key[1:], value))

    return Settings(tuple(entries))


def _defsymphony(form: Form) -> Definition:
    form.arity(4, '(defsymphony "NAME" {:asset-class "EQUITIES", :rebalance-frequency :daily} NODE)')

    name = form.string(1, "the name of the strategy in quotes")
    rule = "rebalance-threshold" if _has_key(form.items[2], "rebalance-threshold") else "rebalance-frequency"
    usage = "{:asset-class STRING, :rebalance-frequency KEYWORD | :rebalance-threshold NUMBER}"
    settings = settings_in(form.items[2], 2, keys=("asset-class", rule), expected=usage)
    form.node(3)

    if not settings["asset-class"].startswith('"'):
        raise wrong_setting(settings, "asset-class", "the asset class in quotes", position=2)
    asset_class = unescaped(settings["asset-class"], *value_path(settings, "asset-class", 2))
    return Definition(name, asset_class, _rebalance(settings, rule))


def _has_key(item: Resolved, key: str) -> bool:
    return isinstance(item, Settings) and any(name == key for name, _ in item.entries)


def _rebalance(settings: dict[str, str], rule: str) -> Rebalance:
    value = settings[rule]
    if rule == "rebalance-threshold":
        points = number_in(value)
        if points is None or not 0 < points < 1:
            raise wrong_setting(settings, rule, "weight points above 0 and below 1", position=2)
        return Threshold(points)
    known = {f":{frequency}": frequency for frequency in Frequency}
    if value not in known:
        raise wrong_setting(settings, rule, f"one of {', '.join(known)}", position=2)
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

    children = tuple(form.node(position + 1) for position in positions)
    total = math.fsum(fractions)
    if abs(total - 1) > _WEIGHT_TOLERANCE:
        fix = "; give the rest to (empty) to keep it in cash" if total < 1 else ""
        raise FormError(f"found weights that sum to {total:.9g}, expected 1{fix}")
    return WeightSpecified(fractions, children, form.locate())


def _weight_inverse_volatility(form: Form) -> Node:
    form.arity(3, "(weight-inverse-volatility WINDOW [NODE …])")
    return WeightInverseVolatility(form.count(1, "a window"), form.block(2), form.locate())


def _group(form: Form) -> Node:
    form.arity(3, "(group NAME [NODE …])")
    return Group(form.string(1, "the group's name in quotes"), form.block(2), form.locate())


def _if(form: Form) -> Node:
    form.arity(4, "(if CONDITION [NODE …] [NODE …])")
    return If(form.condition(1), form.block(2), form.block(3), form.locate())


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


def _empty(form: Form) -> Node:
    form.arity(1, "(empty)")
    return Empty(form.locate())


def _current_price(form: Form) -> CurrentPrice:
    form.arity(2, "(current-price SYMBOL)")
    return CurrentPrice(form.symbol(1))


def _selection(form: Form) -> Selection:
    form.arity(2, "(OP N)")
    return Selection(Select(str(form.items[0])), form.count(1, "a number of candidates"))


def _condition(form: Form) -> Condition:
    form.arity(3, "(OP VALUE VALUE)")
    return Condition(_COMPARISONS[str(form.items[0])], form.value(1), form.value(2))


def _compound(form: Form) -> Compound:
    head = str(form.items[0])
    if len(form.items) == 1:
        raise FormError(f"found ({head}) without a condition, expected ({head} CONDITION …)")
    parts = tuple([form.condition(position) for position in range(1, len(form.items))])
    if max(map(nesting_of, parts)) == DEEPEST_CONDITION:
        raise FormError(f"found conditions nested more than {DEEPEST_CONDITION} deep, expected at most that many")
    return Compound(_JUNCTIONS[head], parts)


def nesting_of(predicate: Predicate) -> int:
    """Return how many compound conditions are inside each other; 0 for a comparison."""
    return 0 if isinstance(predicate, Condition) else 1 + max(map(nesting_of, predicate.parts))


def _indicator(form: Form) -> Indicator | IndicatorOf:
    kind = str(form.items[0])
    has_symbol = len(form.items) > 1 and isinstance(form.items[1], str)
    position = 2 if has_symbol else 1
    form.arity(position + 1, f"(OP SYMBOL {_WINDOWS[kind]})" if has_symbol else f"(OP {_WINDOWS[kind]})")
    indicator = _with_windows(kind, form.items[position], position)
    return IndicatorOf(indicator, form.symbol(1)) if has_symbol else indicator


@lru_cache(4096)
def _with_windows(kind: str, item: Resolved, position: int) -> Indicator:
    keys = window_keys(IndicatorKind(kind))
    settings = settings_in(item, position, keys=keys, expected=_WINDOWS[kind])

    windows = []
    for key in keys:
        window = count_in(settings[key])
        if window is None:
            raise wrong_setting(settings, key, "a whole number of at least 1", position=position)
        windows.append(window)

    return Indicator(IndicatorKind(kind), tuple(windows))


def _unimplemented(form: Form) -> Unimplemented:
    form.arity(2, "(unimplemented :INDICATOR)")
    known = {f":{kind}": kind for kind in (IndicatorKind.PPO, IndicatorKind.PPO_SIGNAL)}
    name = form.items[1]
    if not isinstance(name, str) or name not in known:
        raise FormError(f"found {describe(name)}, expected an indicator that is supported here: {', '.join(known)}", 1)
    return Unimplemented(known[name])


def _window_usage(kind: IndicatorKind) -> str:
    return "{" + " ".join(f":{key} N" for key in window_keys(kind)) + "}"


_JUNCTIONS = {"any": Junction.ANY, "or": Junction.ANY, "all": Junction.ALL, "and": Junction.ALL}
_COMPARISONS = {comparison.value: comparison for comparison in Comparison}
_WINDOWS = {kind.value: _window_usage(kind) for kind in IndicatorKind}
_BUILDERS: dict[str, Callable[[Form], Part | Node]] = {
    "defsymphony": _defsymphony,
    "asset": _asset,
    "empty": _empty,
    "weight-equal": _weight_equal,
    "weight-specified": _weight_specified,
    "weight-inverse-volatility": _weight_inverse_volatility,
    "group": _group,
    "if": _if,
    "filter": _filter,
    "current-price": _current_price,
    "unimplemented": _unimplemented,
    **{select.value: _selection for select in Select},
    **{comparison.value: _condition for comparison in Comparison},
    **dict.fromkeys(_JUNCTIONS, _compound),
    **{kind.value: _indicator for kind in IndicatorKind},
}
