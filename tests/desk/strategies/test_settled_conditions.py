"""A condition is found if the conditions around it settle it, and only then."""

import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import count, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.strategies import domains, settled_conditions
from desk.strategies.settled_conditions import SettledCondition, direct_children, find_settled_conditions
from tests.desk.strategies.files import symphony
from tests.desk.strategies.line_counts import count_lines
from the_alchemiser.shared.symphony import Symphony, parse
from the_alchemiser.shared.symphony.comparing import compare
from the_alchemiser.shared.symphony.tree import Condition, If, IndicatorOf, Junction, Number, Predicate

GRID = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)
A, B = '(asset "A" nil)', '(asset "B" nil)'


def rsi(symbol: str) -> str:
    return f'(rsi "{symbol}" {{:window 5}})'


def fork(condition: str, then: str, otherwise: str) -> str:
    return f"(if ({condition}) [{then}] [{otherwise}])"


def fork_of(junction: str, parts: list[str], then: str, otherwise: str) -> str:
    return fork(f"{junction} {' '.join(f'({part})' for part in parts)}", then, otherwise)


def settled_in(body: str) -> list[SettledCondition]:
    return settled_in_tree(parse(symphony(body)))


def settled_in_tree(known: Symphony) -> list[SettledCondition]:
    return list(find_settled_conditions(known.nodes))


comparisons = st.builds(
    "{} {} {}".format,
    st.sampled_from([">", "<", ">=", "<=", "="]),
    st.sampled_from([rsi("X"), rsi("Y")]),
    st.sampled_from(["1", "2"]),
)
trees = st.recursive(
    st.sampled_from([A, B]),
    lambda inner: st.one_of(
        st.builds(fork, comparisons, inner, inner),
        st.builds("(weight-equal [{} {}])".format, inner, inner),
    ),
    max_leaves=24,
)


compound_trees = st.recursive(
    st.sampled_from([A, B]),
    lambda inner: st.one_of(
        st.builds(fork, comparisons, inner, inner),
        st.builds(
            fork_of,
            st.sampled_from(["any", "all", "any (all (= 1 1))", "all (any (> 1 2) (= 2 2))"]),
            st.lists(comparisons, min_size=1, max_size=3),
            inner,
            inner,
        ),
        st.builds("(weight-equal [{} {}])".format, inner, inner),
    ),
    max_leaves=16,
)


def possible_outcomes(known: Symphony) -> Mapping[int, set[bool]]:
    """Return the possible outcomes of every condition that a decision can reach, by the index of its node."""
    outcomes: defaultdict[int, set[bool]] = defaultdict(set)
    for x, y in product(GRID, GRID):
        pending = {len(known.nodes) - 1}
        while pending:
            number = pending.pop()
            node = known.nodes[number]
            if isinstance(node, If):
                holds = outcome(node.condition, {"X": x, "Y": y})
                outcomes[number].add(holds)
                pending.update(node.then if holds else node.otherwise)
            else:
                pending.update(direct_children(node))
    return outcomes


def outcome(condition: Predicate, values: Mapping[str, float]) -> bool:
    if not isinstance(condition, Condition):
        outcomes = [outcome(part, values) for part in condition.parts]
        return any(outcomes) if condition.junction is Junction.ANY else all(outcomes)
    left = values[condition.left.symbol] if isinstance(condition.left, IndicatorOf) else condition.left
    assert isinstance(condition.right, Number)
    number = left.value if isinstance(left, Number) else left
    return bool(compare(condition.comparison, number, condition.right.value))


@given(st.one_of(trees, compound_trees))
def test_find_settled_conditions_reports_only_certain_outcomes(body: str) -> None:
    known = parse(symphony(body))
    possible = possible_outcomes(known)

    for settled in find_settled_conditions(known.nodes):
        assert possible[known.nodes.index(settled.node)] <= {settled.holds}


@given(trees)
def test_find_settled_conditions_in_unshared_tree_finds_all(body: str) -> None:
    numbers = count()
    known = parse(symphony(re.sub("nil", lambda _: f'"{next(numbers)}"', body)))
    possible = {(number, *outcomes) for number, outcomes in possible_outcomes(known).items() if len(outcomes) == 1}

    reported = {(known.nodes.index(settled.node), settled.holds) for settled in find_settled_conditions(known.nodes)}
    assert reported == possible


def test_find_settled_conditions_lower_bound_in_else_is_open() -> None:
    assert settled_in(fork(f"> {rsi('X')} 79", A, fork(f"> {rsi('X')} 78", A, B))) == []


def test_find_settled_conditions_higher_bound_in_else_never_holds() -> None:
    (settled,) = settled_in(fork(f"> {rsi('X')} 79", A, fork(f"> {rsi('X')} 80", A, B)))

    assert not settled.holds
    assert settled.by is not None
    assert str(settled.by.domain) == "at least 0 and at most 79"
    assert settled.by.since == (2, 3)


def test_find_settled_conditions_swapped_values_are_one_subject() -> None:
    inner = fork(f"< {rsi('Y')} {rsi('X')}", A, B)

    (settled,) = settled_in(fork(f"> {rsi('X')} {rsi('Y')}", inner, B))
    assert settled.holds


@pytest.mark.parametrize("condition", ["> 2 1", f"<= {rsi('X')} {rsi('X')}", f">= {rsi('X')} 0", f"< {rsi('X')} 100.5"])
def test_find_settled_conditions_constant_condition_always_holds(condition: str) -> None:
    (settled,) = settled_in(fork(condition, A, B))

    assert settled.holds
    assert settled.by is None or settled.by.since is None


def test_find_settled_conditions_other_window_is_another_subject() -> None:
    longer_rsi = rsi("X").replace("5", "6")

    assert settled_in(fork(f"> {rsi('X')} 79", A, fork(f"> {longer_rsi} 80", A, B))) == []


def test_find_settled_conditions_in_dead_branch_are_not_reported() -> None:
    inner = fork(f"> {rsi('X')} 80", fork(f"> {rsi('X')} 70", A, B), B)

    assert len(settled_in(fork(f"> {rsi('X')} 79", A, inner))) == 1


@pytest.mark.parametrize(
    "around",
    [
        '(filter (rsi {{:window 5}}) (select-top 1) [{} (asset "C" nil)])',
        '(weight-inverse-volatility 5 [{} (asset "C" nil)])',
    ],
)
def test_find_settled_conditions_facts_end_where_history_is_needed(around: str) -> None:
    inner = around.format(fork(f"> {rsi('X')} 80", A, B))

    assert settled_in(fork(f"> {rsi('X')} 79", A, inner)) == []


def test_find_settled_conditions_continue_through_select_all_filter() -> None:
    inner = f'(filter (rsi {{:window 5}}) (select-top 2) [{fork(f"> {rsi('X')} 80", A, B)} (asset "C" nil)])'

    assert len(settled_in(fork(f"> {rsi('X')} 79", A, inner))) == 1


def test_find_settled_conditions_shared_node_needs_every_path() -> None:
    shared = fork(f"> {rsi('X')} 50", A, B)

    assert settled_in(fork(f"> {rsi('X')} 79", shared, f"(weight-equal [{shared} {A}])")) == []
    assert len(settled_in(fork(f"> {rsi('X')} 79", f'(weight-equal [{shared} (group "G" [{shared}])])', A))) == 1


def deep_tree(depth: int) -> Symphony:
    """Return a tree with two conditions on each level."""
    body = A
    for number in range(depth):
        inner = fork(f"< {rsi('Y')} {number}.5", f'(asset "A" "{number}")', B)
        body = fork(f"> {rsi('X')} {number % 97}.5", inner, body)
    return parse(symphony(body))


def deep_tree_around_shared_node(depth: int) -> Symphony:
    """Return a tree in which a path leads from each level to the same condition."""
    shared = fork(f"> {rsi('Y')} 50", A, B)
    body = shared
    for number in range(depth):
        body = fork(f"> {rsi('X')} {number}.5", shared, body)
    return parse(symphony(body))


def lines_executed(known: Symphony) -> int:
    return count_lines(lambda: list(find_settled_conditions(known.nodes)), settled_conditions, domains)


def test_find_settled_conditions_deep_tree_needs_no_recursion() -> None:
    assert len(settled_in_tree(deep_tree(5000))) > 4000


def test_find_settled_conditions_deep_tree_takes_linear_work() -> None:
    short, long = lines_executed(deep_tree(500)), lines_executed(deep_tree(5000))

    assert 5000 < long < 10.5 * short
    assert long < 5000 * 250


def test_find_settled_conditions_joining_paths_takes_logarithmic_work() -> None:
    short, long = lines_executed(deep_tree_around_shared_node(500)), lines_executed(deep_tree_around_shared_node(5000))

    # Joining two paths step by step would take quadratic work: 100 times as many lines.
    assert long < 20 * short


ABOVE, BELOW = f"(> {rsi('X')} 80)", f"(< {rsi('X')} 20)"


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (f"all {ABOVE} {BELOW}", False),
        (f"any (<= {rsi('X')} 80) (>= {rsi('X')} 20)", True),
        (f"any (> {rsi('X')} 100) (< 2 1)", False),
        (f"all (<= {rsi('X')} 100) (> 2 1)", True),
        (f"any {ABOVE} (> 2 1)", True),
        (f"all {ABOVE} (> 1 2)", False),
        (f"all (> {rsi('Y')} 5) (any (all {ABOVE} {BELOW}))", False),
    ],
)
def test_find_settled_conditions_contradiction_within_a_condition(condition: str, holds: bool) -> None:
    (settled,) = settled_in(fork(condition, A, B))

    assert settled.holds is holds


@pytest.mark.parametrize(
    "condition", [f"any {ABOVE} {BELOW}", f"all {ABOVE} (> {rsi('Y')} 80)", f"any {ABOVE} (all {BELOW} {ABOVE})"]
)
def test_find_settled_conditions_open_compound_condition_is_not_settled(condition: str) -> None:
    assert settled_in(fork(condition, A, B)) == []


@pytest.mark.parametrize(
    ("junction", "branch", "inner", "holds"),
    [
        ("all", 0, f"> {rsi('X')} 70", True),
        ("any", 1, f"> {rsi('X')} 90", False),
        ("all", 0, f"any (> {rsi('X')} 70) {BELOW}", True),
        ("all", 0, f"all (> {rsi('Y')} 50) {BELOW}", False),
    ],
)
def test_find_settled_conditions_parts_around_settle_what_is_inside(
    junction: str, branch: int, inner: str, holds: bool
) -> None:
    branches = [fork(inner, A, B), B][:: -1 if branch else 1]

    (settled,) = settled_in(fork(f"{junction} {ABOVE} (> {rsi('Y')} 80)", *branches))

    assert settled.holds is holds
    assert settled.by is not None
    assert settled.by.since == (2, 3)


@pytest.mark.parametrize(("junction", "branch"), [("any", 0), ("all", 1)])
def test_find_settled_conditions_alternatives_imply_nothing(junction: str, branch: int) -> None:
    branches = [fork(f"> {rsi('X')} 80", A, B), B][:: -1 if branch else 1]

    assert settled_in(fork(f"{junction} {ABOVE} (> {rsi('Y')} 80)", *branches)) == []


def test_find_settled_conditions_single_part_implies_both_ways() -> None:
    inner = fork(f"> {rsi('X')} 80", A, B)

    assert [settled.holds for settled in settled_in(fork(f"all {ABOVE}", inner, inner.replace("nil", '"B"')))] == [
        True,
        False,
    ]
