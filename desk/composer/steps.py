"""Convert the step tree of an export into a strategy, from the leaves to the root."""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import chain

from desk.composer.conditions import RANKING, convert_condition, convert_indicator
from desk.composer.elements import Element, Opened, Reading, fold, shown
from the_alchemiser.shared.symphony import Symphony
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Block,
    Empty,
    Filter,
    Frequency,
    Group,
    If,
    Node,
    Rebalance,
    Select,
    Threshold,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
)

_EQUITIES = "EQUITIES"
_CORRIDOR = "rebalance-corridor-width"
_ELSE = "is-else-condition?"
_WEIGHT_TOLERANCE = 1e-6
_SELECTS = {"top": Select.TOP, "bottom": Select.BOTTOM}
_REBALANCES: Mapping[str, Frequency | None] = {**{str(frequency): frequency for frequency in Frequency}, "none": None}
_UNSUPPORTED = {
    "wt-marketcap": "weights by market value need market values, and the bars have none",
    "if-child": "an if-child belongs directly into an if",
    "root": "a root belongs at the top of the tree",
}
_WEIGHT_KEYS = frozenset({"num", "den"})
# Every key of the public exports: those that are read, then those that only the editor and the listings use.
_KNOWN_KEYS = frozenset(
    {
        "step", "name", "description", "children", "weight", "ticker", "rebalance", "rebalance-corridor-width",
        "asset_class", "condition", "comparator", "is-else-condition?", "lhs-fn", "lhs-fn-params", "lhs-window-days",
        "lhs-val", "rhs-fn", "rhs-fn-params", "rhs-window-days", "rhs-val", "rhs-fixed-value?", "sort-by?",
        "sort-by-fn", "sort-by-fn-params", "sort-by-window-days", "select?", "select-fn", "select-n", "window-days",
        "id", "asset_classes", "children-count", "collapsed?", "collapsed-specified-weight?", "color",
        "dollar_volume", "exchange", "has_marketcap", "hashtag", "price", "sparkgraph_url",
        "suppress-incomplete-warnings?", "suppress_incomplete_warnings", "tags", "weight-method",
    }
)  # fmt: skip


def convert(reading: Reading, root: Element, *, name: str) -> Symphony | None:
    """Convert the root of a step tree; None if `reading` has findings.

    Args:
        name: the name of a strategy whose export has none.
    """
    reading.note_unknown_keys(root, _KNOWN_KEYS)
    conversion = _Conversion(reading)
    title = reading.text(root, "name", "a text") if root.get("name") else name
    rebalance = _rebalance(reading, root)
    asset_class = root.get("asset_class")
    if asset_class is not None and asset_class.value != _EQUITIES:
        reading.refuse(asset_class, f"found {shown(asset_class.value)}, expected {shown(_EQUITIES)}")

    top = _children(reading, root)
    if len(top) > 1:
        reading.refuse(root, f"found {len(top)} children, expected one")
    for child in top:
        fold(child, conversion.opened)
    if reading.findings or title is None or rebalance is None:
        return None
    return Symphony(title, _EQUITIES, rebalance, tuple(conversion.nodes))


def _rebalance(reading: Reading, root: Element) -> Rebalance | None:
    frequency = reading.choice(root, "rebalance", _REBALANCES)
    corridor = root.get(_CORRIDOR)
    # Public tools write a width of 0 beside a frequency: no corridor.
    if frequency is not None and corridor is not None and corridor.value not in (0, ""):
        reading.refuse(corridor, f"found a corridor with rebalance {frequency}, expected rebalance none")
    rebalance = root.get("rebalance")
    if rebalance is None or rebalance.value != "none":
        return frequency

    points = reading.number(root, _CORRIDOR, "the width of the corridor, because rebalance is none")
    if points is not None and not 0 < points < 1:
        reading.refuse(root, f"found {_CORRIDOR} {points}, expected a fraction above 0 and below 1")
        return None
    return None if points is None else Threshold(float(points))


def _children(reading: Reading, node: Element) -> tuple[Element, ...]:
    return reading.listed(node, "children", "one step")


class _Conversion:
    """The distinct nodes of a tree, in the order in which a strategy file completes them."""

    def __init__(self, reading: Reading) -> None:
        self.nodes: list[Node] = []
        self._reading = reading
        self._index: dict[Node, int] = {}

    def opened(self, node: Element) -> Opened[int]:
        """Return the parts of a step, and how to build its node from them."""
        step = node.value.get("step") if isinstance(node.value, dict) else None
        if isinstance(step, str) and step in _STEPS:
            self._reading.note_unknown_keys(node, _KNOWN_KEYS)
            children, make = _STEPS[step](self._reading, node)
            return Opened(children, None if make is None else lambda block: self._intern(make(block)))

        known = f"expected one of {', '.join(_STEPS)}"
        if not isinstance(step, str):
            what = "an object without a step" if isinstance(node.value, dict) else shown(node.value)
            self._reading.refuse(node, f"found {what}, {known}")
        elif step in _UNSUPPORTED:
            self._reading.refuse(node, f"found the step {step}: {_UNSUPPORTED[step]}")
        else:
            self._reading.refuse(node, f"found the step {shown(step)}, which is not supported; {known}")
        inner = node.get("children")
        return Opened(inner.items() if inner else (), None)

    def _intern(self, node: Node) -> int:
        index = self._index.setdefault(node, len(self.nodes))
        if index == len(self.nodes):
            self.nodes.append(node)
        return index


_Make = Callable[[Block], Node] | None
_Step = tuple[Sequence[Element], _Make]


def _asset(reading: Reading, node: Element) -> _Step:
    symbol = reading.symbol(node, "ticker")
    name = reading.text(node, "name", "a text") if node.get("name") else None
    _expect_no_children(reading, node)
    return (), None if symbol is None else lambda _: Asset(symbol, name)


def _empty(reading: Reading, node: Element) -> _Step:
    _expect_no_children(reading, node)
    return (), lambda _: Empty()


def _expect_no_children(reading: Reading, node: Element) -> None:
    children = node.get("children")
    if children is not None and children.value != []:
        reading.refuse(children, f"found children of the step {node.value['step']}, expected none")


def _weight_equal(reading: Reading, node: Element) -> _Step:
    return _children(reading, node), WeightEqual


def _weight_specified(reading: Reading, node: Element) -> _Step:
    children = _children(reading, node)
    fractions = tuple(_fraction(reading, child) for child in children)
    complete = tuple(fraction for fraction in fractions if fraction is not None)
    if len(complete) < len(fractions) or not complete:
        return children, None
    total = math.fsum(complete)
    if abs(total - 1) > _WEIGHT_TOLERANCE:
        reading.refuse(node, f"found weights that sum to {total:.9g}, expected 1")
        return children, None
    return children, lambda block: WeightSpecified(complete, block)


def _fraction(reading: Reading, child: Element) -> float | None:
    weight = reading.required(child, "weight", 'a weight such as {"num": 60, "den": 100}')
    if weight is None:
        return None
    reading.note_unknown_keys(weight, _WEIGHT_KEYS)
    numerator = reading.number(weight, "num")
    denominator = reading.number(weight, "den")
    if numerator is None or denominator is None:
        return None
    if numerator < 0 or denominator <= 0:
        reading.refuse(weight, f"found the weight {numerator}/{denominator}, expected at least 0 of a positive number")
        return None
    return float(Decimal(numerator) / Decimal(denominator))


def _weight_inverse_volatility(reading: Reading, node: Element) -> _Step:
    window = reading.count(node, "window-days", "a window in days")
    make = None if window is None else lambda block: WeightInverseVolatility(window, block)
    return _children(reading, node), make


def _group(reading: Reading, node: Element) -> _Step:
    name = reading.text(node, "name", "a text") if node.get("name") else ""
    return _children(reading, node), None if name is None else lambda block: Group(name, block)


def _filter(reading: Reading, node: Element) -> _Step:
    indicator = convert_indicator(reading, node, RANKING)
    select = reading.choice(node, "select-fn", _SELECTS)
    count = reading.count(node, "select-n", "a number of candidates")
    _refuse_if_off(reading, node, "sort-by?")
    _refuse_if_off(reading, node, "select?")
    children = _children(reading, node)
    if indicator is None or select is None or count is None:
        return children, None
    return children, lambda block: Filter(indicator, select, count, block)


def _refuse_if_off(reading: Reading, node: Element, key: str) -> None:
    if reading.flag(node, key) is False:
        reading.refuse(node, f"found {key} false, expected true")


def _if(reading: Reading, node: Element) -> _Step:
    branches = [child for child in _children(reading, node) if _is_branch(reading, child)]
    is_else = [reading.flag(branch, _ELSE) or False for branch in branches]
    then = [branch for branch, otherwise in zip(branches, is_else, strict=True) if not otherwise]
    others = [branch for branch, otherwise in zip(branches, is_else, strict=True) if otherwise]
    conditions = [convert_condition(reading, branch) for branch in then]
    bodies = [_children(reading, branch) for branch in (*then, *others)]
    parts = tuple(chain.from_iterable(bodies))

    if (len(then), len(others)) != (1, 1):
        branch_counts = f"{len(then)} branches with a condition and {len(others)} with {_ELSE} true"
        reading.refuse(node, f"found {branch_counts}, expected one of each")
        return parts, None
    (condition,), middle = conditions, len(bodies[0])
    return parts, None if condition is None else lambda block: If(condition, block[:middle], block[middle:])


def _is_branch(reading: Reading, child: Element) -> bool:
    step = child.get("step")
    if step is not None and step.value == "if-child":
        reading.note_unknown_keys(child, _KNOWN_KEYS)
        return True
    reading.refuse(child, f"found {shown(child.value if step is None else step.value)}, expected the step if-child")
    return False


_STEPS: Mapping[str, Callable[[Reading, Element], _Step]] = {
    "asset": _asset,
    "empty": _empty,
    "wt-cash-equal": _weight_equal,
    "wt-cash-specified": _weight_specified,
    "wt-inverse-vol": _weight_inverse_volatility,
    "group": _group,
    "if": _if,
    "filter": _filter,
}
