"""Step trees become the strategies that the text exports of the same strategies are."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.composer.elements import Element, Reading
from desk.composer.steps import convert
from desk.decision_series import evaluate_days, first_decided_day
from tests.desk.composer.exports import Json, asset, branch, either, equal, export_of, otherwise, root, rsi_above
from tests.the_alchemiser.strategy_v2.real import real_history
from tests.the_alchemiser.strategy_v2.symphonies import FILES
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.symphony import Symphony, parse, render
from the_alchemiser.shared.symphony.tree import (
    Asset,
    Empty,
    Filter,
    Frequency,
    Group,
    If,
    Select,
    Threshold,
    WeightEqual,
    WeightInverseVolatility,
    WeightSpecified,
)

SPY = asset("SPY")
TLT = asset("TLT")


def converted(export: object) -> Symphony:
    reading = Reading()
    symphony = convert(reading, Element(export), name="unnamed")
    assert (reading.findings, reading.ignored, reading.remarks) == ([], {}, [])
    assert symphony is not None
    return symphony


def faults(export: object) -> list[tuple[str, str]]:
    reading = Reading()
    assert convert(reading, Element(export), name="unnamed") is None
    return [(finding.where, finding.what) for finding in reading.findings]


@settings(max_examples=100)
@given(FILES, st.integers(0, 2**32))
def test_convert_any_export_equals_the_text_export(text: str, seed: int) -> None:
    symphony = parse(text)

    assert converted(export_of(symphony, seed)) == symphony


@pytest.mark.parametrize("entry", load_book().entries, ids=lambda entry: entry.name)
def test_convert_export_has_the_weights_of_the_text_export_on_every_day(entry: Any) -> None:
    history = real_history()
    imported = parse(render(converted(export_of(entry.symphony, 7))))
    first = first_decided_day(entry.symphony, history, inception=entry.inception)
    assert first is not None

    days = history.dates.tolist()
    span = {"first": first, "last": days[-1], "inception": entry.inception}
    decided = evaluate_days(entry.symphony, history, **span)
    of_import = evaluate_days(imported, history, **span)
    assert all(of_import.on(day) == decided.on(day) for day in days[days.index(first) :])


def test_convert_every_step() -> None:
    tree = root(
        equal(
            {"step": "group", "name": "Safe", "children": [equal(TLT)]},
            {"step": "wt-inverse-vol", "window-days": "30", "children": [SPY, TLT]},
            {"step": "filter", "sort-by-fn": "max-drawdown", "sort-by-fn-params": {"window": 5}, "sort-by?": True,
             "select?": True, "select-fn": "bottom", "select-n": "1", "children": [SPY, TLT]},
        ),
        rebalance="monthly",
    )  # fmt: skip

    symphony = converted(tree)
    assert (symphony.name, symphony.asset_class, symphony.rebalance) == ("Mine", "EQUITIES", Frequency.MONTHLY)
    assert [type(node) for node in symphony.nodes] == [
        Asset, WeightEqual, Group, Asset, WeightInverseVolatility, Filter, WeightEqual,
    ]  # fmt: skip
    assert symphony.nodes[4] == WeightInverseVolatility(30, (3, 0))
    assert isinstance(symphony.nodes[5], Filter)
    assert (symphony.nodes[5].select, symphony.nodes[5].count) == (Select.BOTTOM, 1)


@pytest.mark.parametrize(
    ("weights", "fractions"),
    [
        ([{"num": 60, "den": 100}, {"num": "40", "den": "100"}], (0.6, 0.4)),
        ([{"num": "66.67", "den": 100}, {"num": 33.33, "den": 100}], (0.6667, 0.3333)),
        ([{"num": 0, "den": 100}, {"num": 1, "den": 1}], (0.0, 1.0)),
        ([{"num": "50.00004", "den": 100}, {"num": 50, "den": 100}], (0.5000004, 0.5)),
    ],
)
def test_convert_specified_weights(weights: list[Json], fractions: tuple[float, ...]) -> None:
    children = [asset("SPY", weight=weights[0]), asset("TLT", weight=weights[1])]

    symphony = converted(root({"step": "wt-cash-specified", "children": children}))
    assert symphony.nodes[-1] == WeightSpecified(fractions, (0, 1))


def test_convert_else_branch_may_come_first() -> None:
    tree = {"step": "if", "children": [otherwise(TLT, asset("GLD")), branch(rsi_above(), SPY)]}

    *_, node = converted(root(tree)).nodes
    assert isinstance(node, If)
    assert (node.then, node.otherwise) == ((0,), (1, 2))


def test_convert_equal_steps_share_one_node() -> None:
    assert converted(root(equal(equal(SPY, TLT), equal(SPY, TLT)))).nodes == (
        Asset("SPY", None), Asset("TLT", None), WeightEqual((0, 1)), WeightEqual((2, 2)),
    )  # fmt: skip


@pytest.mark.parametrize("width", [0.05, "0.05"])
def test_convert_corridor_is_a_threshold(width: object) -> None:
    assert converted(root(SPY, **{"rebalance": "none", "rebalance-corridor-width": width})).rebalance == Threshold(0.05)


@pytest.mark.parametrize("width", [None, 0, 0.0, ""])
def test_convert_corridor_without_width_beside_a_frequency_is_none(width: object) -> None:
    assert converted(root(SPY, **{"rebalance-corridor-width": width})).rebalance is Frequency.DAILY


@pytest.mark.parametrize(
    ("name", "title"), [({"name": "Mine"}, "Mine"), ({"name": None}, "unnamed"), ({"name": ""}, "")]
)
def test_convert_name_falls_back_to_that_of_the_file(name: Json, title: str) -> None:
    assert converted({**root(SPY), **name}).name == title


def test_convert_names_of_nodes() -> None:
    children = [asset("SPY", name="SPDR"), asset("TLT", name=None), {"step": "group", "name": None, "children": [SPY]}]

    assert converted(root(equal(*children))).nodes[:4] == (
        Asset("SPY", "SPDR"), Asset("TLT", None), Asset("SPY", None), Group("", (2,)),
    )  # fmt: skip


def test_convert_editor_keys_are_silent_and_unknown_ones_are_counted() -> None:
    reading = Reading()
    editor: Json = {"id": "x", "collapsed?": True, "children-count": 0, "price": 1.5, "weight": {"num": 1, "den": 1}}
    odd = asset("SPY", leverage=2, **editor)

    assert convert(reading, Element(root(equal(odd, odd), **{"share?": True})), name="x") is not None
    paths = {key: [node.path for node in nodes] for key, nodes in reading.ignored.items()}
    assert paths == {"share?": ["$"], "leverage": ["$.children[0].children[0]", "$.children[0].children[1]"]}


def test_convert_empty_block_is_cash() -> None:
    assert converted(root(equal(SPY, {"step": "empty", "id": "x"}))).nodes == (
        Asset("SPY", None), Empty(), WeightEqual((0, 1)),
    )  # fmt: skip


def test_convert_nesting_of_ten_thousand_is_read() -> None:
    tree = SPY
    for _ in range(10_000):
        tree = equal(tree)

    assert len(converted(root(tree)).nodes) == 10_001


@pytest.mark.parametrize(
    ("more", "where", "what"),
    [
        ({"rebalance": "hourly"}, "$.rebalance", 'found "hourly", which is not supported; expected one of daily'),
        ({"rebalance": None}, "$", "rebalance is missing, expected one of daily, weekly"),
        ({"rebalance": "none"}, "$", "rebalance-corridor-width is missing, expected the width of the corridor"),
        ({"rebalance": "none", "rebalance-corridor-width": 5}, "$", "found rebalance-corridor-width 5, expected"),
        ({"rebalance": "none", "rebalance-corridor-width": 0}, "$", "found rebalance-corridor-width 0, expected"),
        ({"rebalance": "none", "rebalance-corridor-width": "1"}, "$", "found rebalance-corridor-width 1, expected"),
        ({"rebalance-corridor-width": 0.05}, "$.rebalance-corridor-width", "found a corridor with rebalance daily"),
        ({"asset_class": "CRYPTO"}, "$.asset_class", 'found "CRYPTO", expected "EQUITIES"'),
        ({"name": 5}, "$.name", "found 5, expected a text"),
        ({"children": [SPY, TLT]}, "$", "found 2 children, expected one"),
        ({"children": []}, "$.children", "found an empty list, expected a list with at least one step"),
        ({"children": None}, "$", "children is missing, expected a list with at least one step"),
    ],
)  # fmt: skip
def test_convert_wrong_root_is_named(more: Json, where: str, what: str) -> None:
    ((place, message),) = faults({**root(SPY), **more})

    assert place.split(" ")[0] == where
    assert message.startswith(what)


@pytest.mark.parametrize(
    ("tree", "where", "what"),
    [
        (5, "", "found 5, expected one of asset, empty, wt-cash-equal, wt-cash-specified, wt-inverse-vol, gr"),
        (None, "", "found null, expected one of asset"),
        ({}, "", "found an object without a step, expected one of asset"),
        ({"step": 7}, "", "found an object without a step"),
        ({"step": "wt-magic"}, "", 'found the step "wt-magic", which is not supported; expected one of asset'),
        ({"step": "wt-marketcap"}, "", "found the step wt-marketcap: weights by market value need market values"),
        ({"step": "empty", "children": [SPY]}, ".children", "found children of the step empty, expected none"),
        ({"step": "if-child"}, "", "found the step if-child: an if-child belongs directly into an if"),
        ({"step": "root"}, "", "found the step root: a root belongs at the top of the tree"),
        (asset("CRYPTO::BTC//USD"), ".ticker", 'found "CRYPTO::BTC//USD", which is not the ticker'),
        ({"step": "asset"}, "", "ticker is missing, expected a ticker"),
        (asset("SPY", name=4), ".name", "found 4, expected a text"),
        (asset("SPY", children=[TLT]), ".children", "found children of the step asset, expected none"),
        (equal(), ".children", "found an empty list, expected a list with at least one step"),
        ({"step": "wt-inverse-vol", "children": [SPY]}, "", "window-days is missing, expected a window in days"),
        ({"step": "group", "name": ["x"], "children": [SPY]}, ".name", "found a list, expected a text"),
        ({"step": "if", "children": [branch(rsi_above(), SPY)]}, "", "found 1 branches with a condition and 0 with"),
        ({"step": "if", "children": [otherwise(SPY)]}, "", "found 0 branches with a condition and 1 with is-else"),
        (
            {"step": "if", "children": [branch(rsi_above(), SPY), branch(rsi_above(), TLT), otherwise(SPY)]},
            "", "found 2 branches with a condition and 1 with is-else-condition? true, expected one of each",
        ),
        (either(rsi_above(comparator="ne"), SPY, TLT), ".children[0].comparator", 'found "ne", which is not supported'),
        (either(rsi_above(), SPY, equal()), ".children[1].children[0].children", "found an empty list"),
        (
            {"step": "if", "children": [branch(rsi_above(), SPY), {**otherwise(SPY), "is-else-condition?": "true"}]},
            ".children[1].is-else-condition?", 'found "true", expected true or false',
        ),
    ],
)  # fmt: skip
def test_convert_wrong_step_is_named_by_its_path(tree: object, where: str, what: str) -> None:
    places = [(place.split(" ")[0], message) for place, message in faults(root(equal(SPY, tree)))]  # type: ignore[arg-type]

    assert any(place == f"$.children[0].children[1]{where}" and message.startswith(what) for place, message in places)


@pytest.mark.parametrize(
    ("weight", "where", "what"),
    [
        (None, "", 'weight is missing, expected a weight such as {"num": 60, "den": 100}'),
        (0.5, ".weight", "num is missing, expected a number"),
        ({"num": "x", "den": 100}, ".weight.num", 'found "x", expected a number'),
        ({"num": -1, "den": 100}, ".weight", "found the weight -1/100, expected at least 0 of a positive number"),
        ({"num": 1, "den": 0}, ".weight", "found the weight 1/0, expected at least 0 of a positive number"),
    ],
)
def test_convert_wrong_weight_is_named_by_its_path(weight: object, where: str, what: str) -> None:
    children = [asset("SPY", weight={"num": 50, "den": 100}), asset("TLT", weight=weight)]

    place, message = faults(root({"step": "wt-cash-specified", "children": children}))[0]
    assert (place.split(" ")[0], message) == (f"$.children[0].children[1]{where}", what)


@pytest.mark.parametrize(("second", "total"), [(40, "0.9"), ("50.1", "1.001"), ("49.9998", "0.999998")])
def test_convert_weights_that_do_not_sum_to_one_are_named(second: object, total: str) -> None:
    children = [asset("SPY", weight={"num": 50, "den": 100}), asset("TLT", weight={"num": second, "den": 100})]

    assert faults(root({"step": "wt-cash-specified", "children": children})) == [
        ("$.children[0] (wt-cash-specified)", f"found weights that sum to {total}, expected 1")
    ]


@pytest.mark.parametrize(
    ("more", "where", "what"),
    [
        ({"select-fn": "middle"}, ".select-fn", 'found "middle", which is not supported; expected one of top, bottom'),
        ({"select-n": 0}, ".select-n", "found 0, expected a number of candidates, a whole number of at least 1"),
        ({"sort-by?": False}, "", "found sort-by? false, expected true"),
        ({"select?": False}, "", "found select? false, expected true"),
        ({"sort-by-fn": "volume"}, ".sort-by-fn", 'found "volume", which is not supported'),
        ({"sort-by-fn": None}, "", "sort-by-fn is missing, expected the name of an indicator"),
        ({"children": []}, ".children", "found an empty list, expected a list with at least one step"),
    ],
)
def test_convert_wrong_filter_is_named_by_its_path(more: Json, where: str, what: str) -> None:
    good = {
        "step": "filter", "sort-by-fn": "cumulative-return", "sort-by-window-days": 5, "select-fn": "top",
        "select-n": 1, "children": [SPY, TLT],
    }  # fmt: skip

    ((place, message),) = faults(root({**good, **more}))
    assert place.split(" ")[0] == f"$.children[0]{where}"
    assert message.startswith(what)


def test_convert_names_everything_that_is_wrong_at_once() -> None:
    inner = {"step": "wt-magic", "children": [asset("^VIX"), equal(asset("^TNX"))]}
    tree = root(equal(inner, {"step": "if", "children": [SPY, branch({}, asset("%"))]}), rebalance="never")

    assert [place.split(" ")[0] for place, _ in faults(tree)] == [
        "$.rebalance",
        "$.children[0].children[0]",
        "$.children[0].children[0].children[0].ticker",
        "$.children[0].children[0].children[1].children[0].ticker",
        "$.children[0].children[1].children[0]",
        "$.children[0].children[1].children[1]",
        "$.children[0].children[1].children[1]",
        "$.children[0].children[1].children[1]",
        "$.children[0].children[1].children[1]",
        "$.children[0].children[1]",
        "$.children[0].children[1].children[1].children[0].ticker",
    ]


def test_convert_unknown_keys_of_weights_are_counted() -> None:
    reading = Reading()
    child = asset("SPY", weight={"num": 1, "den": 1, "cap": 0.5})

    convert(reading, Element(root({"step": "wt-cash-specified", "children": [child]})), name="x")
    assert {key: [node.path for node in nodes] for key, nodes in reading.ignored.items()} == {
        "cap": ["$.children[0].children[0].weight"]
    }
