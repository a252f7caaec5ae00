"""Values know their path, and a reading collects what is wrong with them."""

from decimal import Decimal
from typing import Any

import pytest

from automation.system.errors import Finding
from desk.composer.elements import Element, Opened, Reading, fold, shown

TREE: dict[str, Any] = {
    "step": "root",
    "name": "Top",
    "children": [{"step": "asset", "ticker": "SPY", "weight": {"num": 1}}],
}


def element_at(*keys: str | int) -> Element:
    element = Element(TREE)
    for key in keys:
        element = Element(element.value[key], element, key)
    return element


def test_element_path_and_label_name_the_node() -> None:
    weight = element_at("children", 0, "weight", "num")

    assert (weight.path, weight.label) == ("$.children[0].weight.num", 'asset "SPY"')
    assert (Element(TREE).path, Element(TREE).label) == ("$", 'root "Top"')
    assert (Element([1]).path, Element([1]).label) == ("$", "")
    assert Element({"step": "asset", "name": 5, "ticker": "SPY"}).label == 'asset "SPY"'


def test_element_get_is_none_for_missing_null_and_other_kinds() -> None:
    without: list[Any] = [{}, {"a": None}, [], "a", None]

    assert [Element(value).get("a") for value in without] == [None] * 5
    assert [Element(value).items() for value in without] == [()] * 5


def test_refuse_names_path_node_and_fix() -> None:
    reading = Reading()

    reading.refuse(element_at("children", 0), "is odd", "change it")
    reading.refuse(Element(3), "is a number")
    assert reading.findings == [
        Finding('$.children[0] (asset "SPY")', "is odd", "change it"),
        Finding("$", "is a number"),
    ]


@pytest.mark.parametrize(
    ("value", "number"), [(1, "1"), ("66.67", "66.67"), (0.1, "0.1"), (" 5 ", "5"), ("-1e3", "-1e3"), (-0.15, "-0.15")]
)
def test_number_is_exact_as_number_or_text(value: object, number: str) -> None:
    assert Reading().number(Element({"n": value}), "n") == Decimal(number)


@pytest.mark.parametrize("value", [True, "", "x", "1_0", "nan", "inf", float("inf"), float("nan"), [1], {}, "1e999"])
def test_number_of_something_else_is_refused(value: object) -> None:
    reading = Reading()

    assert reading.number(Element({"n": value}), "n") is None
    assert reading.findings == [Finding("$.n", f"found {shown(value)}, expected a number")]


@pytest.mark.parametrize(
    ("value", "count"), [(1, 1), ("10", 10), (10.0, 10), ("2.0", 2), ("1e2", 100), (999999999, 999999999)]
)
def test_count_is_a_whole_number_of_at_least_one(value: object, count: int) -> None:
    assert Reading().count(Element({"n": value}), "n", "a window") == count


@pytest.mark.parametrize("value", [0, -1, 1.5, "0", "2.5", "x", True, 1e300, 1_000_000_000])
def test_count_of_something_else_is_refused(value: object) -> None:
    reading = Reading()

    assert reading.count(Element({"n": value}), "n", "a window") is None
    assert [finding.what for finding in reading.findings] == [
        f"found {shown(value)}, expected a window, a whole number of at least 1"
    ]


def test_required_value_that_is_missing_is_refused_at_its_node() -> None:
    reading, node = Reading(), Element({"step": "asset", "a": None})

    results: list[Any] = [
        reading.number(node, "a"), reading.count(node, "b", "a window"), reading.text(node, "c", "a text"),
        reading.symbol(node, "d"), reading.choice(node, "e", {"x": 1, "y": 2}), reading.listed(node, "f", "a step"),
    ]  # fmt: skip
    assert results == [None, None, None, None, None, ()]
    assert reading.findings == [
        Finding("$ (asset)", f"{what} is missing, expected {expected}")
        for what, expected in (
            ("a", "a number"), ("b", "a window"), ("c", "a text"), ("d", "a ticker"), ("e", "one of x, y"),
            ("f", "a list with at least a step"),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ticker", "symbol"), [("SPY", "SPY"), ("brk/b", "BRK.B"), ("EQUITIES::SPY//USD", "SPY"), ("BF.B", "BF.B")]
)
def test_symbol_is_canonical(ticker: str, symbol: str) -> None:
    assert Reading().symbol(Element({"ticker": ticker}), "ticker") == symbol


@pytest.mark.parametrize("ticker", ["CRYPTO::BTC//USD", "^VIX", "%", "", "OPTIONS::SPY//USD"])
def test_symbol_of_another_market_is_refused(ticker: str) -> None:
    reading = Reading()

    assert reading.symbol(Element({"ticker": ticker}), "ticker") is None
    assert reading.findings == [
        Finding("$.ticker", f"found {shown(ticker)}, which is not the ticker of a US stock or ETF")
    ]


def test_choice_and_flag_and_list_of_other_values_are_refused() -> None:
    reading = Reading()
    node = Element({"choice": "z", "number": 4, "flag": "true", "list": [], "map": {"a": 1}})

    assert reading.choice(node, "choice", {"x": 1, "y": 2}) is None
    assert reading.choice(node, "number", {"x": 1}) is None
    assert reading.flag(node, "flag") is None
    assert (reading.listed(node, "list", "a step"), reading.listed(node, "map", "a step")) == ((), ())
    assert [(finding.where, finding.what) for finding in reading.findings] == [
        ("$.choice", 'found "z", which is not supported; expected one of x, y'),
        ("$.number", "found 4, expected one of x"),
        ("$.flag", 'found "true", expected true or false'),
        ("$.list", "found an empty list, expected a list with at least a step"),
        ("$.map", "found an object, expected a list with at least a step"),
    ]


def test_values_that_are_right_are_returned() -> None:
    node = Element({"choice": "y", "flag": False, "list": [7], "text": "a"})
    reading = Reading()

    assert (reading.choice(node, "choice", {"x": 1, "y": 2}), reading.flag(node, "flag")) == (2, False)
    assert [item.path for item in reading.listed(node, "list", "a step")] == ["$.list[0]"]
    assert (reading.text(node, "text", "a text"), reading.flag(node, "gone"), reading.findings) == ("a", None, [])


def test_fold_combines_parts_before_wholes_in_their_order() -> None:
    def opened(element: Element) -> Opened[str]:
        return Opened(element.items(), lambda parts: f"({' '.join(parts)})" if parts else str(element.value))

    assert fold(Element([1, [2, 3], [[4]]]), opened) == "(1 (2 3) ((4)))"


def test_fold_reads_every_part_of_a_whole_that_cannot_be_converted() -> None:
    seen: list[object] = []

    def opened(element: Element) -> Opened[int]:
        seen.append(element.value)
        return Opened(element.items(), None if element.value in ([1, 2], 3) else sum)

    assert fold(Element([[1, 2], 3, 4]), opened) is None
    assert seen == [[[1, 2], 3, 4], [1, 2], 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1}, "an object"),
        ([1], "a list"),
        ("é", '"é"'),
        (None, "null"),
        (True, "true"),
        ("x" * 58, '"' + "x" * 58 + '"'),
        ("x" * 59, '"' + "x" * 59 + "…"),
        ("x" * 70, '"' + "x" * 59 + "…"),
    ],
)
def test_shown_is_short(value: object, text: str) -> None:
    assert shown(value) == text
