"""Every operator, worked by hand; the reason stands beside the numbers."""

import pytest

from tests.the_alchemiser.strategy_v2.cases import asset, decide, market, weights
from the_alchemiser.shared.book import RsiMethod, StrategyOptions

A, B, C = map(asset, "ABC")
# A rises by 10 %, 10 %; B falls by 10 %, 10 %; C moves by +1 %, -1 %.
MOVES = market(A=[100, 110, 121], B=[100, 90, 81], C=[100, 101, 99.99])


def test_asset_holds_all_of_the_symbol() -> None:
    assert weights(A, MOVES) == {"A": 1}


def test_weight_equal_counts_direct_children_not_symbols() -> None:
    # Two children, each a half; the half of the inner one is split again, and what A gets twice adds up.
    assert weights(f"(weight-equal [{A} (weight-equal [{A} {B}])])", MOVES) == {"A": 0.75, "B": 0.25}


def test_weight_specified_keeps_inner_weights_in_proportion() -> None:
    node = f'(weight-specified 0.8 (group "g" [{A} {B}]) 0.2 {C})'

    assert weights(node, MOVES) == pytest.approx({"A": 0.4, "B": 0.4, "C": 0.2})


def test_weight_specified_nearly_one_is_normalised() -> None:
    node = f"(weight-specified 0.3333333 {A} 0.3333333 {B} 0.3333333 {C})"

    assert weights(node, MOVES) == {"A": 0.333333334, "B": 0.333333333, "C": 0.333333333}


def test_weight_specified_child_of_weight_0_needs_no_data() -> None:
    assert weights(f"(weight-specified 1 {A} 0 {asset('NONE')})", MOVES) == {"A": 1}


def test_weight_inverse_volatility_twice_as_wild_gets_half_as_much() -> None:
    # Returns of A: +1 -1 (stdev sqrt 2), of B: +2 -2 (twice that), in percent: 2/3 to A.
    history = market(A=[100, 101, 99.99], B=[100, 102, 99.96])

    assert weights(f"(weight-inverse-volatility 2 [{A} {B}])", history) == pytest.approx({"A": 2 / 3, "B": 1 / 3})


def test_weight_inverse_volatility_of_a_group_uses_the_returns_of_its_weights() -> None:
    # The group holds A and B, half each, so its returns are the mean of theirs: +2 and -2 against C's +1 and -1.
    history = market(A=[100, 104, 99.84], B=[100, 100, 100], C=[100, 101, 99.99])

    node = f'(weight-inverse-volatility 2 [(group "g" [{A} {B}]) {C}])'

    assert weights(node, history) == pytest.approx({"A": 1 / 6, "B": 1 / 6, "C": 2 / 3})


@pytest.mark.parametrize(
    ("condition", "taken"),
    [
        ('(> (current-price "A") (current-price "B"))', "A"),
        ('(< (current-price "A") 121)', "B"),
        ('(<= (current-price "A") 121)', "A"),
        ('(>= (cumulative-return "A" {:window 2}) 21)', "A"),
        ('(= (moving-average-price "C" {:window 2}) 100.495)', "A"),
        ('(= (moving-average-price "C" {:window 2}) 100.49500001)', "B"),
        ('(> (max-drawdown "B" {:window 3}) 18.99)', "A"),
        ('(= (rsi "A" {:window 2}) 100)', "A"),
        ("(> 1 2)", "B"),
    ],
)
def test_if_condition_decides_the_branch(condition: str, taken: str) -> None:
    assert weights(f"(if {condition} [{A}] [{B}])", MOVES) == {taken: 1}


def test_if_values_equal_to_eight_decimals_are_equal() -> None:
    history = market(A=[0.1 + 0.2], B=[0.3])

    assert weights(f'(if (= (current-price "A") (current-price "B")) [{A}] [{B}])', history) == {"A": 1}


def test_if_branch_of_several_nodes_is_weighted_equally() -> None:
    assert weights(f"(if (> 2 1) [{A} {B}] [{C}])", MOVES) == {"A": 0.5, "B": 0.5}


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ("(select-top 1)", {"A": 1}),
        ("(select-bottom 1)", {"B": 1}),
        ("(select-top 2)", {"A": 0.5, "C": 0.5}),
        ("(select-top 9)", {"A": 0.333333334, "B": 0.333333333, "C": 0.333333333}),
    ],
)
def test_filter_takes_the_best_or_worst_equally(selection: str, expected: dict[str, float]) -> None:
    # Over two sessions A made 21 %, C -0.01 %, B -19 %.
    assert weights(f"(filter (cumulative-return {{:window 2}}) {selection} [{B} {A} {C}])", MOVES) == expected


@pytest.mark.parametrize("end", ["top", "bottom"])
def test_filter_ties_keep_the_order_of_the_file(end: str) -> None:
    history = market(A=[1, 2], B=[3, 6], C=[2, 4])

    assert weights(f"(filter (cumulative-return {{:window 1}}) (select-{end} 2) [{C} {A} {B}])", history) == {
        "A": 0.5,
        "C": 0.5,
    }


def test_filter_scores_an_asset_on_its_price_and_a_group_on_its_index() -> None:
    # B costs 81, yet the index of the group of B alone begins at 100 and its mean of two is (90 + 81) / 2 = 85.5;
    # C's mean is 100.495, A's 115.5. Taken as a group, A's index is the same as its price here: 100, 110, 121.
    cheap = market(A=[1, 1.1, 1.21], B=[100, 90, 81])

    by_price = f"(filter (moving-average-price {{:window 2}}) (select-top 1) [{A} {B}])"
    by_index = f'(filter (moving-average-price {{:window 2}}) (select-top 1) [(group "a" [{A}]) {B}])'

    assert weights(by_price, cheap) == {"B": 1}
    assert weights(by_index, cheap) == {"A": 1}


def test_filter_if_with_a_constant_condition_is_no_bare_asset() -> None:
    cheap = market(A=[1, 1.1, 1.21], B=[100, 90, 81])

    node = f"(filter (moving-average-price {{:window 2}}) (select-top 1) [(if (> 2 1) [{A}] [{B}]) {B}])"

    assert weights(node, cheap) == {"A": 1}


def test_filter_of_a_switching_node_earns_the_next_return_of_the_weights_of_the_day() -> None:
    # The if holds A while A is above 105, else B. Day 1: A at 100, holds B, earns B's -10 % on day 2; day 2: A at 110,
    # holds A, earns +10 % on day 3. Its index is 100, 90, 99: -1 % over two sessions, under C's -0.01 %.
    switching = f'(if (> (current-price "A") 105) [{A}] [{B}])'

    node = f"(filter (cumulative-return {{:window 2}}) (select-top 1) [{switching} {C}])"

    assert weights(node, MOVES) == {"C": 1}


def test_filter_index_begins_where_the_node_is_defined_from_then_on() -> None:
    # B begins a session late, so the group's index has two sessions on day 3: enough for one return, not for two.
    history = market(A=[100, 110, 121], B=[90, 81], C=[100, 101, 99.99])

    node = f'(filter (cumulative-return {{:window 1}}) (select-top 1) [(group "g" [{A} {B}]) {C}])'

    # The group made (10 % - 10 %) / 2 = 0, C -1 %.
    assert weights(node, history) == {"A": 0.5, "B": 0.5}


def test_options_change_the_method_of_rsi() -> None:
    # Changes +2 -1 +3: Wilder 100 * 2/2.25 = 88.9, Cutler 75.
    history = market(A=[10, 12, 11, 14], B=[1, 1, 1, 1])
    node = f'(if (> (rsi "A" {{:window 2}}) 80) [{A}] [{B}])'

    assert set(decide(node, history).weights) == {"A"}
    assert set(decide(node, history, options=StrategyOptions(RsiMethod.CUTLER)).weights) == {"B"}
