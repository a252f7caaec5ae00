"""The strategies that ship: every operator of the language is used, and every session of two years is decided."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from desk.bundled import bundled_history
from the_alchemiser.shared.book import BookEntry, RsiMethod, load_book
from the_alchemiser.shared.symphony.tree import (
    Comparison,
    CurrentPrice,
    Filter,
    Frequency,
    Group,
    If,
    IndicatorKind,
    IndicatorOf,
    Node,
    Number,
    Select,
    Symphony,
    Threshold,
    WeightInverseVolatility,
)
from the_alchemiser.strategy_v2.engine import evaluate, evaluate_days

ENTRIES = load_book().entries
FIRST, LAST, DEMO = date(2021, 1, 4), date(2022, 12, 28), date(2022, 3, 16)


def symphonies() -> Iterator[Symphony]:
    return (entry.symphony for entry in ENTRIES)


def nodes() -> Iterator[Node]:
    return (node for symphony in symphonies() for node in symphony.nodes)


def test_book_uses_every_kind_of_node() -> None:
    assert {type(node) for node in nodes()} == set(Node.__args__)


def test_book_uses_every_comparison_and_every_kind_of_value() -> None:
    conditions = [node.condition for node in nodes() if isinstance(node, If)]

    assert {condition.comparison for condition in conditions} == set(Comparison)
    assert {type(value) for one in conditions for value in (one.left, one.right)} == {Number, CurrentPrice, IndicatorOf}


def test_book_uses_every_indicator() -> None:
    compared = {
        value.indicator.kind
        for node in nodes()
        if isinstance(node, If)
        for value in (node.condition.left, node.condition.right)
        if isinstance(value, IndicatorOf)
    }
    ranked = {node.indicator.kind for node in nodes() if isinstance(node, Filter)}

    assert compared | ranked == set(IndicatorKind)


def test_book_filters_both_ends_of_assets_and_of_groups() -> None:
    filters = [
        (symphony.nodes, node) for symphony in symphonies() for node in symphony.nodes if isinstance(node, Filter)
    ]

    assert {node.select for _, node in filters} == set(Select)
    assert any(isinstance(known[child], Group) for known, node in filters for child in node.candidates)
    assert any(not isinstance(known[child], Group) for known, node in filters for child in node.candidates)


def test_book_nests_groups_and_weighs_groups_by_volatility() -> None:
    assert any(
        isinstance(symphony.nodes[child], Group)
        for symphony in symphonies()
        for node in symphony.nodes
        if isinstance(node, WeightInverseVolatility)
        for child in node.children
    )
    assert any(has_group_below(symphony) for symphony in symphonies())


def has_group_below(symphony: Symphony) -> bool:
    """Whether a group holds a filter of groups."""
    known = symphony.nodes
    below = [known[child] for node in known if isinstance(node, Group) for child in node.body]
    ranked = [known[child] for node in below if isinstance(node, Filter) for child in node.candidates]
    return any(isinstance(node, Group) for node in ranked)


def test_book_rebalances_at_every_frequency_and_by_threshold() -> None:
    rules = [symphony.rebalance for symphony in symphonies()]

    assert {rule for rule in rules if isinstance(rule, Frequency)} == set(Frequency)
    assert any(isinstance(rule, Threshold) for rule in rules)


def test_book_has_a_strategy_with_the_other_conventions() -> None:
    assert any(entry.options.rsi is RsiMethod.CUTLER and entry.options.ddof == 0 for entry in ENTRIES)


def test_book_allocations_sum_to_exactly_one() -> None:
    assert sum((entry.allocation for entry in ENTRIES), Decimal(0)) == 1


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_book_every_strategy_is_told_in_two_comment_lines(entry: BookEntry) -> None:
    lines = entry.path.read_text("utf-8").splitlines()

    assert [line.startswith("; ") for line in lines[:3]] == [True, True, False]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_book_every_session_of_two_years_is_decided_on_the_bundled_prices(entry: BookEntry) -> None:
    series = evaluate_days(
        entry.symphony, bundled_history(), first=FIRST, last=LAST, inception=entry.inception, options=entry.options
    )

    assert len(series.dates) == 501
    assert sum(series.on(DEMO).values()) == 1


def test_book_after_the_day_of_the_demo_sells_and_buys() -> None:
    before, after = (merged(day) for day in (date(2022, 3, 15), DEMO))
    moved = [after.get(symbol, Decimal(0)) - before.get(symbol, Decimal(0)) for symbol in before | after]

    assert min(moved) < Decimal("-0.01")
    assert max(moved) > Decimal("0.01")


def merged(day: date) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for entry in ENTRIES:
        weights = evaluate(
            entry.symphony, bundled_history(), as_of=day, inception=entry.inception, options=entry.options
        ).weights
        for symbol, weight in weights.items():
            total[symbol] = total.get(symbol, Decimal(0)) + weight * entry.allocation
    return total
