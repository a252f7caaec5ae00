"""The strategies of the book use every operator of the language and can be evaluated on every session of two years."""

from datetime import date
from decimal import Decimal
from itertools import chain

import pytest

from desk.bundled import bundled_history
from desk.decision_series import evaluate_day, evaluate_days
from the_alchemiser.shared.book import BookEntry, load_book
from the_alchemiser.shared.symphony.options import RsiMethod
from the_alchemiser.shared.symphony.tree import (
    Comparison,
    Compound,
    CurrentPrice,
    Filter,
    Frequency,
    Group,
    If,
    IndicatorKind,
    IndicatorOf,
    Junction,
    Node,
    Number,
    Select,
    Symphony,
    Threshold,
    Value,
    WeightInverseVolatility,
    comparisons_of,
    values_of,
)

ENTRIES = load_book().entries
FIRST, LAST, DEMO = date(2021, 1, 4), date(2022, 12, 28), date(2022, 3, 16)


SYMPHONIES = [entry.symphony for entry in ENTRIES]


def nodes_of[Kind: Node](symphony: Symphony, kind: type[Kind]) -> list[Kind]:
    return [node for node in symphony.nodes if isinstance(node, kind)]


def book_nodes[Kind: Node](kind: type[Kind]) -> list[Kind]:
    """Return the nodes of one kind in all strategies of the book."""
    return list(chain.from_iterable(nodes_of(symphony, kind) for symphony in SYMPHONIES))


def compared_values() -> list[Value]:
    return list(chain.from_iterable(values_of(node.condition) for node in book_nodes(If)))


def test_book_uses_every_kind_of_node() -> None:
    nodes = chain.from_iterable(symphony.nodes for symphony in SYMPHONIES)

    assert {type(node) for node in nodes} == set(Node.__args__)


def test_book_uses_every_comparison_and_kind_of_value() -> None:
    comparisons = chain.from_iterable(comparisons_of(node.condition) for node in book_nodes(If))
    assert {condition.comparison for condition in comparisons} == set(Comparison)
    assert {type(value) for value in compared_values()} == {Number, CurrentPrice, IndicatorOf}


def test_book_combines_conditions_both_ways() -> None:
    conditions = [node.condition for node in book_nodes(If)]

    assert {condition.junction for condition in conditions if isinstance(condition, Compound)} == set(Junction)


def test_book_uses_every_indicator() -> None:
    compared = {value.indicator.kind for value in compared_values() if isinstance(value, IndicatorOf)}
    ranked = {node.indicator.kind for node in book_nodes(Filter)}

    assert compared | ranked == set(IndicatorKind)


def test_book_filters_top_and_bottom_of_assets_and_groups() -> None:
    candidates: list[Node] = []
    for symphony in SYMPHONIES:
        for node in nodes_of(symphony, Filter):
            candidates += (symphony.nodes[child] for child in node.candidates)

    assert {node.select for node in book_nodes(Filter)} == set(Select)
    assert {isinstance(candidate, Group) for candidate in candidates} == {True, False}


def test_book_nests_groups_and_weights_groups_by_volatility() -> None:
    weighted: list[Node] = []
    for symphony in SYMPHONIES:
        for node in nodes_of(symphony, WeightInverseVolatility):
            weighted += (symphony.nodes[child] for child in node.children)

    assert any(isinstance(node, Group) for node in weighted)
    assert any(has_group_below_group(symphony) for symphony in SYMPHONIES)


def has_group_below_group(symphony: Symphony) -> bool:
    """Return whether a group contains a filter of groups."""
    for group in nodes_of(symphony, Group):
        for node in (symphony.nodes[child] for child in group.body):
            if isinstance(node, Filter) and any(isinstance(symphony.nodes[child], Group) for child in node.candidates):
                return True
    return False


def test_book_uses_every_rebalance_frequency_and_a_threshold() -> None:
    rules = [symphony.rebalance for symphony in SYMPHONIES]

    assert {rule for rule in rules if isinstance(rule, Frequency)} == set(Frequency)
    assert any(isinstance(rule, Threshold) for rule in rules)


def test_book_has_strategy_with_non_default_options() -> None:
    assert any(entry.options.rsi is RsiMethod.CUTLER and entry.options.ddof == 0 for entry in ENTRIES)


def test_book_allocations_sum_to_exactly_one() -> None:
    assert sum((entry.allocation for entry in ENTRIES), Decimal(0)) == 1


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_book_strategy_file_starts_with_two_comment_lines(entry: BookEntry) -> None:
    lines = entry.path.read_text("utf-8").splitlines()

    assert [line.startswith("; ") for line in lines[:3]] == [True, True, False]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_book_strategy_is_evaluated_on_every_bundled_session(entry: BookEntry) -> None:
    series = evaluate_days(
        entry.symphony, bundled_history(), first=FIRST, last=LAST, inception=entry.inception, options=entry.options
    )

    assert len(series.dates) == 501
    assert sum(series.on(DEMO).values()) == 1


def test_book_keeps_some_money_in_cash_on_some_days() -> None:
    (pulse,) = (entry for entry in ENTRIES if entry.name == "pulse")

    series = evaluate_days(pulse.symphony, bundled_history(), first=FIRST, last=LAST, inception=pulse.inception)

    assert series.on(date(2022, 3, 15)) == {"GLD": Decimal("0.5")}
    assert 0 < sum(series.cash > 0) < len(series.dates)


def test_book_on_demo_day_sells_and_buys() -> None:
    before, after = (merged(day) for day in (date(2022, 3, 15), DEMO))
    moved = [after.get(symbol, Decimal(0)) - before.get(symbol, Decimal(0)) for symbol in before | after]

    assert min(moved) < Decimal("-0.01")
    assert max(moved) > Decimal("0.01")


def merged(day: date) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for entry in ENTRIES:
        weights = evaluate_day(
            entry.symphony, bundled_history(), as_of=day, inception=entry.inception, options=entry.options
        ).weights
        for symbol, weight in weights.items():
            total[symbol] = total.get(symbol, Decimal(0)) + weight * entry.allocation
    return total
