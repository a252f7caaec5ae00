"""Write a strategy as Composer exports it, in the older and in the newer spelling, for tests of the import."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from the_alchemiser.shared.symphony import Symphony
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Comparison,
    Condition,
    CurrentPrice,
    Empty,
    Filter,
    Group,
    If,
    Indicator,
    IndicatorKind,
    Node,
    Number,
    Predicate,
    Rebalance,
    Select,
    Threshold,
    Value,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
    window_keys,
)

Json = dict[str, Any]
FUNCTIONS = {
    IndicatorKind.RSI: "relative-strength-index",
    IndicatorKind.STDEV_RETURN: "standard-deviation-return",
    IndicatorKind.STDEV_PRICE: "standard-deviation-price",
}
COMPARATORS = {
    Comparison.GREATER: "gt",
    Comparison.GREATER_OR_EQUAL: "gte",
    Comparison.LESS: "lt",
    Comparison.LESS_OR_EQUAL: "lte",
    Comparison.EQUAL: "eq",
}
CLUTTER: Sequence[Json] = ({}, {"collapsed?": False}, {"suppress_incomplete_warnings": True}, {"weight": None})


def asset(ticker: str, **more: Any) -> Json:
    return {"step": "asset", "ticker": ticker, **more}


def equal(*children: Json) -> Json:
    return {"step": "wt-cash-equal", "children": list(children)}


def root(*children: Json, **more: Any) -> Json:
    return {"step": "root", "name": "Mine", "description": "", "rebalance": "daily", "children": list(children), **more}


def branch(condition: Mapping[str, Any], *children: Json) -> Json:
    return {"step": "if-child", "is-else-condition?": False, **condition, "children": list(children)}


def otherwise(*children: Json) -> Json:
    return {"step": "if-child", "is-else-condition?": True, "children": list(children)}


def either(condition: Mapping[str, Any], then: Json, other: Json) -> Json:
    return {"step": "if", "children": [branch(condition, then), otherwise(other)]}


def rsi_above(**more: Any) -> Json:
    return {
        "lhs-fn": "relative-strength-index", "lhs-fn-params": {"window": 10}, "lhs-val": "SPY", "comparator": "gt",
        "rhs-fixed-value?": True, "rhs-val": "80", **more,
    }  # fmt: skip


def export_of(symphony: Symphony, seed: int) -> Json:
    """Return the step tree of a strategy; the seed chooses among the spellings that public exports use."""
    return _Writer(symphony, Random(seed)).root()  # noqa: S311 - nothing secret


class _Writer:
    def __init__(self, symphony: Symphony, chance: Random) -> None:
        self._symphony = symphony
        self._chance = chance

    def root(self) -> Json:
        written: list[Json] = []
        for node in self._symphony.nodes:
            step = self._step(node, written)
            written.append({**step, "id": f"id-{len(written)}", **self._chance.choice(CLUTTER)})
        top = {"step": "root", "name": self._symphony.name, "description": "", "asset_class": "EQUITIES"}
        return {**top, **_rebalance(self._symphony.rebalance), "children": [written[-1]]}

    def _step(self, node: Node, written: Sequence[Json]) -> Json:
        match node:
            case Asset():
                name = {} if node.name is None else {"name": node.name}
                return asset(self._ticker(node.symbol), exchange="XNAS", **name)
            case Empty():
                return {"step": "empty"}
            case WeightEqual():
                return equal(*_picked(written, node.children))
            case WeightSpecified():
                return {"step": "wt-cash-specified", "children": self._weighted(node, written)}
            case WeightInverseVolatility():
                days = self._spelt(node.window)
                return {"step": "wt-inverse-vol", "window-days": days, "children": _picked(written, node.children)}
            case Group():
                return {"step": "group", "name": node.name, "children": _picked(written, node.body)}
            case If():
                return self._if(node, written)
            case Filter():
                return self._filter(node, written)

    def _weighted(self, node: WeightSpecified, written: Sequence[Json]) -> list[Json]:
        children = _picked(written, node.children)
        pairs = zip(children, node.fractions, strict=True)
        return [{**child, "weight": {"num": self._spelt(part), "den": self._spelt(1)}} for child, part in pairs]

    def _filter(self, node: Filter, written: Sequence[Json]) -> Json:
        return {
            "step": "filter",
            **self._function("sort-by", node.indicator),
            "select?": True,
            "select-fn": "top" if node.select is Select.TOP else "bottom",
            "select-n": self._spelt(node.count),
            "children": _picked(written, node.candidates),
        }

    def _if(self, node: If, written: Sequence[Json]) -> Json:
        then = branch(self._condition(node.condition), *_picked(written, node.then))
        branches = [then, otherwise(*_picked(written, node.otherwise))]
        if self._chance.random() < 0.3:
            branches.reverse()
        return {"step": "if", "children": branches}

    def _condition(self, predicate: Predicate) -> Json:
        is_number = isinstance(predicate, Condition) and isinstance(predicate.left, Number)
        if isinstance(predicate, Condition) and not is_number and self._chance.random() < 0.6:
            return self._flat_condition(predicate)
        # What the editor keeps beside the block is not what the strategy does.
        return {"condition": self._block(predicate), **rsi_above(**{"lhs-val": "OLD"})}

    def _flat_condition(self, condition: Condition) -> Json:
        flat = {**self._flat("lhs", condition.left), **self._flat("rhs", condition.right)}
        flat["comparator"] = COMPARATORS[condition.comparison]
        if not isinstance(condition.right, Number):
            return flat if self._chance.random() < 0.5 else {**flat, "rhs-fixed-value?": False}
        return {**flat, "rhs-fixed-value?": True, **self._chance.choice(({}, {"rhs-fn": "moving-average-price"}))}

    def _block(self, predicate: Predicate) -> Json:
        if not isinstance(predicate, Condition):
            parts = list(map(self._block, predicate.parts))
            return {"condition-type": "compound", "operator": str(predicate.junction), "conditions": parts}
        left, right = self._operand(predicate.left), self._operand(predicate.right)
        block = {"condition-type": "binary", "lhs": left, "comparator": COMPARATORS[predicate.comparison], "rhs": right}
        if "ticker" in left and self._chance.random() < 0.3:
            block |= {"condition-type": "binary-compound", "operator": "any", "tickers": [left["ticker"]]}
            block["lhs"] = {**left, "ticker": "%"}
        return block

    def _operand(self, value: Value) -> Json:
        match value:
            case Number():
                return {"constant": value.value}
            case CurrentPrice():
                return {"fn": "current-price", "ticker": self._ticker(value.symbol), "params": {}}
            case _:
                parameters = self._parameters(value.indicator)
                return {
                    "fn": _function(value.indicator), "ticker": self._ticker(value.symbol), "params": parameters
                }  # fmt: skip

    def _flat(self, side: str, value: Value) -> Json:
        match value:
            case Number():
                return {f"{side}-val": self._spelt(value.value)}
            case CurrentPrice():
                return {f"{side}-fn": "current-price", f"{side}-val": self._ticker(value.symbol)}
            case _:
                return {**self._function(side, value.indicator), f"{side}-val": self._ticker(value.symbol)}

    def _function(self, side: str, indicator: Indicator) -> Json:
        function = {f"{side}-fn": _function(indicator)}
        if len(indicator.windows) == 1 and self._chance.random() < 0.5:
            return {**function, f"{side}-window-days": self._spelt(indicator.windows[0])}
        return {**function, f"{side}-fn-params": self._parameters(indicator)}

    def _parameters(self, indicator: Indicator) -> Json:
        return dict(zip(window_keys(indicator.kind), map(self._spelt, indicator.windows), strict=True))

    def _spelt(self, number: float) -> object:
        return str(number) if self._chance.random() < 0.5 else number

    def _ticker(self, symbol: str) -> str:
        return self._chance.choice((symbol, f"EQUITIES::{symbol.replace('.', '/')}//USD"))


def _picked(written: Sequence[Json], children: Sequence[int]) -> list[Json]:
    return [written[child] for child in children]


def _function(indicator: Indicator) -> str:
    return FUNCTIONS.get(indicator.kind, str(indicator.kind))


def _rebalance(rebalance: Rebalance) -> Json:
    if isinstance(rebalance, Threshold):
        return {"rebalance": "none", "rebalance-corridor-width": rebalance.points}
    return {"rebalance": str(rebalance), "rebalance-corridor-width": None}
