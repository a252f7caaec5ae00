"""Conditions that are settled by those around them."""

import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import count, product
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.strategies.enclosing import Settled, blocks_of, settled_conditions
from tests.desk.strategies.files import symphony
from the_alchemiser.shared.symphony import Symphony, parse
from the_alchemiser.shared.symphony.comparing import compare
from the_alchemiser.shared.symphony.tree import Condition, If, IndicatorOf, Number

GRID = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
A, B = '(asset "A" nil)', '(asset "B" nil)'


def rsi(symbol: str) -> str:
    return f'(rsi "{symbol}" {{:window 5}})'


def fork(condition: str, then: str, otherwise: str) -> str:
    return f"(if ({condition}) [{then}] [{otherwise}])"


def settled_in(body: str) -> list[Settled]:
    return list(settled_conditions(parse(symphony(body)).nodes))


trees = st.recursive(
    st.sampled_from([A, B]),
    lambda inner: st.one_of(
        st.builds(
            fork,
            st.builds(
                "{} {} {}".format,
                st.sampled_from([">", "<", ">=", "<=", "="]),
                st.sampled_from([rsi("X"), rsi("Y")]),
                st.sampled_from(["1", "2"]),
            ),
            inner,
            inner,
        ),
        st.builds("(weight-equal [{} {}])".format, inner, inner),
    ),
    max_leaves=24,
)


def outcomes(known: Symphony) -> Mapping[int, set[bool]]:
    """Of every condition that the money can pass, how it can turn out; by the number of its node."""
    found: defaultdict[int, set[bool]] = defaultdict(set)
    for x, y in product(GRID, GRID):
        pending = {len(known.nodes) - 1}
        while pending:
            number = pending.pop()
            node = known.nodes[number]
            if isinstance(node, If):
                holds = outcome(node.condition, {"X": x, "Y": y})
                found[number].add(holds)
                pending.update(node.then if holds else node.otherwise)
            else:
                pending.update(child for block in blocks_of(node) for child in block)
    return found


def outcome(condition: Condition, values: Mapping[str, float]) -> bool:
    assert isinstance(condition.left, IndicatorOf)
    assert isinstance(condition.right, Number)
    return bool(compare(condition.comparison, values[condition.left.symbol], condition.right.value))


@given(trees)
def test_settled_conditions_never_have_the_other_outcome(body: str) -> None:
    known = parse(symphony(body))
    possible = outcomes(known)

    for settled in settled_conditions(known.nodes):
        assert possible[known.nodes.index(settled.node)] <= {settled.holds}


@given(trees)
def test_settled_conditions_of_a_tree_without_shared_nodes_are_all_there_are(body: str) -> None:
    numbers = count()
    known = parse(symphony(re.sub("nil", lambda _: f'"{next(numbers)}"', body)))
    possible = {(number, *found) for number, found in outcomes(known).items() if len(found) == 1}

    settled = {(known.nodes.index(one.node), one.holds) for one in settled_conditions(known.nodes)}
    assert settled == possible


def test_settled_conditions_lower_bound_inside_the_else_of_a_higher_one_is_not_settled() -> None:
    assert settled_in(fork(f"> {rsi('X')} 79", A, fork(f"> {rsi('X')} 78", A, B))) == []


def test_settled_conditions_higher_bound_inside_the_else_never_holds_and_names_the_condition_around() -> None:
    (settled,) = settled_in(fork(f"> {rsi('X')} 79", A, fork(f"> {rsi('X')} 80", A, B)))

    assert not settled.holds
    assert settled.by is not None
    assert str(settled.by.domain) == "at least 0 and at most 79"
    assert settled.by.since == (2, 3)


def test_settled_conditions_of_two_values_either_way_around_are_one_subject() -> None:
    inner = fork(f"< {rsi('Y')} {rsi('X')}", A, B)

    (settled,) = settled_in(fork(f"> {rsi('X')} {rsi('Y')}", inner, B))
    assert settled.holds


@pytest.mark.parametrize("condition", ["> 2 1", f"<= {rsi('X')} {rsi('X')}", f">= {rsi('X')} 0", f"< {rsi('X')} 100.5"])
def test_settled_conditions_that_no_price_can_change_hold_by_themselves(condition: str) -> None:
    (settled,) = settled_in(fork(condition, A, B))

    assert settled.holds
    assert settled.by is None or settled.by.since is None


def test_settled_conditions_of_different_windows_are_different_subjects() -> None:
    other = rsi("X").replace("5", "6")

    assert settled_in(fork(f"> {rsi('X')} 79", A, fork(f"> {other} 80", A, B))) == []


def test_settled_conditions_inside_a_dead_branch_are_not_told_too() -> None:
    inner = fork(f"> {rsi('X')} 80", fork(f"> {rsi('X')} 70", A, B), B)

    assert len(settled_in(fork(f"> {rsi('X')} 79", A, inner))) == 1


@pytest.mark.parametrize(
    "around",
    [
        '(filter (rsi {{:window 5}}) (select-top 1) [{} (asset "C" nil)])',
        '(weight-inverse-volatility 5 [{} (asset "C" nil)])',
    ],
)
def test_settled_conditions_end_where_a_part_is_looked_at_over_time(around: str) -> None:
    inner = around.format(fork(f"> {rsi('X')} 80", A, B))

    assert settled_in(fork(f"> {rsi('X')} 79", A, inner)) == []


def test_settled_conditions_go_on_through_a_filter_that_takes_all() -> None:
    inner = f'(filter (rsi {{:window 5}}) (select-top 2) [{fork(f"> {rsi('X')} 80", A, B)} (asset "C" nil)])'

    assert len(settled_in(fork(f"> {rsi('X')} 79", A, inner))) == 1


def test_settled_conditions_shared_node_is_settled_only_when_it_is_on_every_way() -> None:
    shared = fork(f"> {rsi('X')} 50", A, B)

    assert settled_in(fork(f"> {rsi('X')} 79", shared, f"(weight-equal [{shared} {A}])")) == []
    assert len(settled_in(fork(f"> {rsi('X')} 79", f'(weight-equal [{shared} (group "G" [{shared}])])', A))) == 1


def test_settled_conditions_of_a_deep_tree_take_no_recursion_and_little_time() -> None:
    body = A
    for number in range(5000):
        inner = fork(f"< {rsi('Y')} {number}.5", f'(asset "A" "{number}")', B)
        body = fork(f"> {rsi('X')} {number % 97}.5", inner, body)
    known = parse(symphony(body))
    began = perf_counter()

    assert len(list(settled_conditions(known.nodes))) > 4000
    assert perf_counter() - began < 5
