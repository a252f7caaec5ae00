"""Conditions and indicators of exports, in the older and in the newer spelling."""

from typing import Any

import pytest

from desk.composer.conditions import RANKING, convert_condition, convert_indicator
from desk.composer.elements import Element, Reading
from tests.desk.composer.exports import Json, rsi_above
from the_alchemiser.shared.symphony.tree import (
    Comparison,
    Compound,
    Condition,
    CurrentPrice,
    Indicator,
    IndicatorKind,
    IndicatorOf,
    Junction,
    Number,
    Predicate,
)

RSI = Indicator(IndicatorKind.RSI, (10,))
OVERBOUGHT = Condition(Comparison.GREATER, IndicatorOf(RSI, "SPY"), Number(80.0))
SIDE = {"fn": "relative-strength-index", "ticker": "SPY", "params": {"window": 10}}
BINARY = {"condition-type": "binary", "lhs": SIDE, "comparator": "gt", "rhs": {"constant": 80}}


def converted(branch: Json) -> Predicate:
    reading = Reading()
    condition = convert_condition(reading, Element(branch))
    assert (reading.findings, reading.remarks) == ([], [])
    assert condition is not None
    return condition


def faults(branch: Json) -> list[tuple[str, str]]:
    reading = Reading()
    convert_condition(reading, Element(branch))
    return [(finding.where, finding.what) for finding in reading.findings]


def each(*tickers: str, operator: str = "any") -> Json:
    lhs = {**SIDE, "ticker": "%"}
    return {**BINARY, "condition-type": "binary-compound", "operator": operator, "tickers": list(tickers), "lhs": lhs}


def several(*conditions: Any, operator: str = "all") -> Json:
    return {"condition-type": "compound", "operator": operator, "conditions": list(conditions)}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"rhs-val": 80},
        {"lhs-fn-params": {"window": "10"}},
        {"lhs-fn-params": None, "lhs-window-days": "10"},
        {"lhs-fn-params": {}, "lhs-window-days": 10},
        {"lhs-window-days": 10, "rhs-window-days": "3"},
        {"lhs-window-days": "", "rhs-window-days": ""},
        {"lhs-val": "EQUITIES::SPY//USD"},
        {"rhs-fn": "moving-average-price", "rhs-fn-params": {"window": 200}},
        {"rhs-fixed-value?": None},
    ],
)
def test_convert_condition_with_a_number_in_every_spelling(more: Json) -> None:
    assert converted(rsi_above(**more)) == OVERBOUGHT


@pytest.mark.parametrize("flag", [{}, {"rhs-fixed-value?": False}, {"rhs-fixed-value?": None}])
def test_convert_condition_of_two_indicators(flag: Json) -> None:
    branch = {
        "lhs-fn": "current-price", "lhs-val": "SPY", "comparator": "lte", "rhs-fn": "moving-average-price",
        "rhs-val": "QQQ", "rhs-window-days": "200", **flag,
    }  # fmt: skip

    average = IndicatorOf(Indicator(IndicatorKind.MOVING_AVERAGE_PRICE, (200,)), "QQQ")
    assert converted(branch) == Condition(Comparison.LESS_OR_EQUAL, CurrentPrice("SPY"), average)


@pytest.mark.parametrize(
    ("comparator", "comparison"), [("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<="), ("eq", "=")]
)
def test_convert_condition_comparator(comparator: str, comparison: str) -> None:
    assert converted(rsi_above(comparator=comparator)) == Condition(
        Comparison(comparison), IndicatorOf(RSI, "SPY"), OVERBOUGHT.right
    )


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        ("relative-strength-index", "rsi"),
        ("cumulative-return", "cumulative-return"),
        ("moving-average-price", "moving-average-price"),
        ("moving-average-return", "moving-average-return"),
        ("exponential-moving-average-price", "exponential-moving-average-price"),
        ("standard-deviation-return", "stdev-return"),
        ("standard-deviation-price", "stdev-price"),
        ("max-drawdown", "max-drawdown"),
    ],
)
def test_convert_indicator_with_one_window(function: str, kind: str) -> None:
    node = {"sort-by-fn": function, "sort-by-window-days": "21"}

    assert convert_indicator(Reading(), Element(node), RANKING) == Indicator(IndicatorKind(kind), (21,))


def test_convert_indicator_with_several_windows() -> None:
    parameters = {"long-window": 26, "smooth-window": "9", "short-window": 12}
    node: Json = {"sort-by-fn": "percentage-price-oscillator-signal", "sort-by-fn-params": parameters}
    assert convert_indicator(Reading(), Element(node), RANKING) == Indicator(IndicatorKind.PPO_SIGNAL, (12, 26, 9))

    del parameters["smooth-window"]
    node["sort-by-fn"] = "percentage-price-oscillator"
    assert convert_indicator(Reading(), Element(node), RANKING) == Indicator(IndicatorKind.PPO, (12, 26))


def test_convert_condition_block_rules_over_the_keys_beside_it() -> None:
    assert converted({**rsi_above(**{"lhs-val": "OLD"}), "condition": BINARY}) == OVERBOUGHT


@pytest.mark.parametrize("operator", ["any", "all"])
def test_convert_condition_of_one_ticker_is_a_comparison(operator: str) -> None:
    assert converted({"condition": each("EQUITIES::SPY//USD", operator=operator)}) == OVERBOUGHT


def test_convert_condition_each_ticker_stands_on_the_side_that_asks_for_it() -> None:
    block = {**each("SPY"), "rhs": {**SIDE, "ticker": "QQQ"}}

    pair = IndicatorOf(RSI, "SPY"), IndicatorOf(RSI, "QQQ")
    assert converted({"condition": block}) == Condition(Comparison.GREATER, *pair)


@pytest.mark.parametrize(
    ("more", "where", "what"),
    [
        ({"comparator": "neq"}, "$.comparator", 'found "neq", which is not supported; expected one of gt, gte'),
        ({"lhs-fn": 5}, "$.lhs-fn", "found 5, expected the name of an indicator"),
        ({"lhs-fn": None}, "$", "lhs-fn is missing, expected the name of an indicator"),
        ({"lhs-val": "CRYPTO::BTC//USD"}, "$.lhs-val", 'found "CRYPTO::BTC//USD"'),
        ({"lhs-val": "%"}, "$.lhs-val", 'found "%"'),
        ({"rhs-val": "SPY"}, "$.rhs-val", 'found "SPY", expected a number'),
        ({"rhs-val": None}, "$", "rhs-val is missing, expected a number"),
        ({"rhs-fixed-value?": "yes"}, "$.rhs-fixed-value?", 'found "yes", expected true or false'),
        ({"lhs-fn-params": None}, "$", 'lhs-fn-params is missing, expected {"window": N}'),
        ({"lhs-fn-params": None, "lhs-window-days": ""}, "$", 'lhs-fn-params is missing, expected {"window": N}'),
        ({"lhs-fn-params": {}}, "$.lhs-fn-params", "window is missing, expected a window in days"),
        ({"lhs-fn-params": 10}, "$.lhs-fn-params", "window is missing, expected a window in days"),
        ({"lhs-fn-params": {"window": 0}}, "$.lhs-fn-params.window", "found 0, expected a window in days"),
        ({"lhs-fn-params": {"window": 10, "k": 2}}, "$.lhs-fn-params", 'found the parameter "k", expected window'),
        ({"lhs-fn-params": None, "lhs-window-days": "x"}, "$.lhs-window-days", 'found "x", expected a window in days'),
    ],
)  # fmt: skip
def test_convert_condition_wrong_part_is_named_by_its_path(more: Json, where: str, what: str) -> None:
    ((place, message),) = faults(rsi_above(**more))

    assert place == where
    assert message.startswith(what)


@pytest.mark.parametrize(
    "function",
    [
        "moving-average-convergence-divergence",
        "moving-average-convergence-divergence-signal",
        "upper-bollinger",
        "lower-bollinger",
        "rsi",
    ],
)
def test_convert_condition_indicator_of_no_known_kind_is_named(function: str) -> None:
    ((where, what),) = faults(rsi_above(**{"lhs-fn": function}))

    assert where == "$.lhs-fn"
    assert what.startswith(f'found "{function}", which is not supported; expected one of relative-strength-index, ')
    assert what.endswith(", current-price")


def test_convert_condition_names_every_fault_at_once() -> None:
    branch = {
        "lhs-fn": "no-such", "lhs-val": "^VIX", "comparator": "ne", "rhs-fn": "max-drawdown", "rhs-val": 3,
        "rhs-fn-params": {"window": -1},
    }  # fmt: skip

    assert [where for where, _ in faults(branch)] == [
        "$.comparator", "$.lhs-fn", "$.lhs-val", "$.rhs-val", "$.rhs-fn-params.window",
    ]  # fmt: skip


def test_convert_condition_ppo_without_parameters_lists_them() -> None:
    branch = rsi_above(**{"lhs-fn": "percentage-price-oscillator", "lhs-fn-params": None, "lhs-window-days": 10})

    usage = '{"short-window": N, "long-window": N}'
    assert faults(branch) == [("$", f"lhs-fn-params is missing, expected {usage}")]


@pytest.mark.parametrize("parameters", [{}, {"sort-by-fn-params": {}}, {"sort-by-window-days": "5"}])
def test_convert_indicator_of_a_ranking_by_price_is_the_average_of_one_session(parameters: Json) -> None:
    reading = Reading()

    indicator = convert_indicator(reading, Element({"sort-by-fn": "current-price", **parameters}), RANKING)
    assert indicator == Indicator(IndicatorKind.MOVING_AVERAGE_PRICE, (1,))
    assert reading.findings == []


def test_convert_condition_unknown_keys_of_blocks_and_sides_are_counted() -> None:
    reading = Reading()
    block = {**several({**BINARY, "lhs": {**SIDE, "lag": 1}, "negated?": True}), "id": "x"}

    assert convert_condition(reading, Element({"condition": block})) is not None
    paths = {key: [node.path for node in nodes] for key, nodes in reading.ignored.items()}
    assert paths == {"negated?": ["$.condition.conditions[0]"], "lag": ["$.condition.conditions[0].lhs"]}


def test_convert_condition_windows_that_disagree_are_remarked() -> None:
    reading = Reading()

    assert convert_condition(reading, Element(rsi_above(**{"lhs-window-days": "14"}))) == OVERBOUGHT
    assert reading.remarks == ['$.lhs-window-days is "14"; the newer parameters say 10, which is used']


@pytest.mark.parametrize(
    ("block", "where", "what"),
    [
        ({}, "$.condition", "condition-type is missing, expected one of binary, "),
        (5, "$.condition", "condition-type is missing, expected one of binary, "),
        ({"condition-type": "not"}, "$.condition.condition-type", 'found "not", which is not supported'),
        ({**BINARY, "lhs": None}, "$.condition", 'lhs is missing, expected an indicator {"fn"'),
        ({**BINARY, "rhs": {"constant": "x"}}, "$.condition.rhs.constant", 'found "x", expected a number'),
        ({**BINARY, "lhs": {**SIDE, "ticker": "%"}}, "$.condition.lhs.ticker", 'found "%"'),
        (each("CRYPTO::BTC//USD"), "$.condition.tickers[0]", 'found "CRYPTO::BTC//USD"'),
        (each(), "$.condition.tickers", "found an empty list, expected a list with at least a ticker"),
        (several(), "$.condition.conditions", "found an empty list, expected a list with at least a condition"),
        (several(BINARY, operator="none"), "$.condition.operator", 'found "none", which is not supported'),
        (several(5), "$.condition.conditions[0]", "condition-type is missing, expected one of binary, "),
    ],
)  # fmt: skip
def test_convert_condition_block_that_is_wrong_is_named_by_its_path(block: Any, where: str, what: str) -> None:
    assert any(place == where and message.startswith(what) for place, message in faults({"condition": block}))


def test_convert_condition_reads_inside_a_block_of_an_unknown_kind() -> None:
    block = {"condition-type": "odd", "conditions": [{**BINARY, "comparator": "ne"}]}

    assert [where for where, _ in faults({"condition": block})] == [
        "$.condition.condition-type", "$.condition.conditions[0].comparator",
    ]  # fmt: skip


@pytest.mark.parametrize("operator", ["any", "all"])
def test_convert_condition_of_several_parts_is_a_compound(operator: str) -> None:
    price = {"fn": "current-price", "ticker": "%"}
    block = several(BINARY, {**each("QQQ", "TLT"), "lhs": price}, operator=operator)

    eighty = Number(80.0)
    prices = tuple(Condition(Comparison.GREATER, CurrentPrice(symbol), eighty) for symbol in ("QQQ", "TLT"))
    assert converted({"condition": block}) == Compound(Junction(operator), (OVERBOUGHT, Compound(Junction.ANY, prices)))


@pytest.mark.parametrize(("depth", "count"), [(100, 0), (101, 1), (20_000, 1)])
def test_convert_condition_nested_deeper_than_the_language_allows_is_named(depth: int, count: int) -> None:
    block = BINARY
    for _ in range(depth):
        block = several(BINARY, block)

    messages = [what for _, what in faults({"condition": block})]
    assert messages == ["found conditions nested more than 100 deep, expected at most that many"] * count
