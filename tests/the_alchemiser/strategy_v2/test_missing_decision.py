"""Missing data raises an error if the day's decision needs it, and only then."""

from datetime import date

import pytest
from msgspec.structs import replace

from tests.the_alchemiser.strategy_v2.cases import asset, decide, market, weights
from the_alchemiser.shared.symphony.errors import UnusableOptionError
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, ZeroVolatilityError

A, B = map(asset, "AB")
HISTORY = market(A=[100, 110, 121], B=[90, 81])
FLAT = market(A=[100, 101, 99], B=[50, 50, 50])


def short_of(node: str, *, as_of: date | None = None) -> InsufficientHistoryError:
    with pytest.raises(InsufficientHistoryError) as caught:
        decide(node, HISTORY, as_of=as_of)
    return caught.value


def test_evaluate_too_few_bars_names_symbol_and_bar_counts() -> None:
    error = short_of(f'(if (> (cumulative-return "B" {{:window 3}}) 0) [{A}] [{B}])')

    assert str(error) == "B: 2 bars through 2021-01-06, 4 needed for cumulative-return 3"
    assert (error.symbol, error.bars_present, error.bars_needed) == ("B", 2, 4)
    assert error.as_of == date(2021, 1, 6)
    assert error.reason == "insufficient_history"
    assert not error.retryable


def test_evaluate_unknown_symbol_has_no_bars() -> None:
    assert str(short_of(asset("NONE"))) == "NONE: 0 bars through 2021-01-06, 1 needed for its close"


def test_evaluate_day_after_the_last_bar_has_no_close() -> None:
    error = short_of(A, as_of=date(2021, 1, 7))

    assert str(error) == "A: 3 bars, the last of 2021-01-06, none of 2021-01-07, 1 needed for its close"


def test_evaluate_flawed_symbol_reports_its_flaw() -> None:
    history = replace(HISTORY, closes={"A": HISTORY.of("A")}, flaws={"B": "quarantined: 3 gaps"})

    with pytest.raises(
        InsufficientHistoryError, match=r"B: 0 bars, not usable \(quarantined: 3 gaps\), 1 needed for its close"
    ):
        decide(f"(weight-equal [{A} {B}])", history)


def test_evaluate_ignores_missing_data_of_the_branch_not_taken() -> None:
    node = f'(if (> (current-price "A") 1) [{A}] [(if (> (rsi "NONE" {{:window 9}}) 1) [{B}] [{asset("GONE")}])])'

    assert weights(node, HISTORY) == {"A": 1}


def test_evaluate_filter_that_takes_all_needs_no_scores() -> None:
    assert weights(f"(filter (rsi {{:window 50}}) (select-top 2) [{A} {B}])", HISTORY) == {"A": 0.5, "B": 0.5}


def test_evaluate_filter_needs_the_score_of_every_candidate() -> None:
    error = short_of(f"(filter (rsi {{:window 2}}) (select-top 1) [{A} {B}])")

    assert str(error) == "B: 2 bars through 2021-01-06, 3 needed for rsi 2"


def test_evaluate_filter_ignores_a_rejected_candidates_weights() -> None:
    # The group's if cannot be decided before day 2, so its index is short for a window of 2, and long enough for 1.
    inner = f'(group "late" [(if (> (current-price "B") 1) [{A}] [{A}])])'

    assert weights(f"(filter (cumulative-return {{:window 1}}) (select-top 1) [{inner} {A}])", HISTORY) == {"A": 1}

    error = short_of(f"(filter (cumulative-return {{:window 2}}) (select-top 1) [{inner} {A}])")

    assert str(error) == (
        'B: 2 bars through 2021-01-06; cumulative-return 2 of the index of group "late" (case.clj:1:134) needs '
        "3 sessions through 2021-01-06, but it is defined only from 2021-01-05 on, "
        "because B has 0 bars through 2021-01-04, 1 needed for its close"
    )
    assert (error.bars_present, error.bars_needed) == (2, 3)


def test_evaluate_index_cut_by_the_history_needs_more_bars() -> None:
    error = short_of(f'(filter (cumulative-return {{:window 9}}) (select-top 1) [(group "g" [{A}]) (group "h" [{A}])])')

    assert (error.symbol, error.bars_present, error.bars_needed) == ("A", 3, 10)
    assert str(error) == (
        'A: 3 bars through 2021-01-06; cumulative-return 9 of the index of group "g" (case.clj:1:134) needs '
        "10 sessions through 2021-01-06, but it is defined only from 2021-01-04 on, because the history starts there"
    )


def test_evaluate_index_that_is_not_defined_on_the_day_names_the_cause() -> None:
    error = short_of(f'(filter (cumulative-return {{:window 1}}) (select-top 1) [(group "g" [{asset("X")}]) {A}])')

    assert str(error) == (
        'X: 0 bars through 2021-01-06; cumulative-return 1 of the index of group "g" (case.clj:1:134) needs '
        "2 sessions through 2021-01-06, but it is not defined on that day, "
        "because X has 0 bars through 2021-01-06, 1 needed for its close"
    )


def test_evaluate_index_of_an_index_names_both() -> None:
    inner = f'(filter (cumulative-return {{:window 1}}) (select-top 1) [(group "inner" [{A}]) (group "other" [{A}])])'
    outer = f'(filter (cumulative-return {{:window 2}}) (select-top 1) [(group "outer" [{inner}]) {A}])'

    message = str(short_of(outer))

    assert message == (
        'A: 3 bars through 2021-01-06; cumulative-return 2 of the index of group "outer" (case.clj:1:134) needs '
        "3 sessions through 2021-01-06, but it is defined only from 2021-01-05 on, because "
        'cumulative-return 1 of the index of group "inner" (case.clj:1:206) needs '
        "2 sessions through 2021-01-04, but it is defined only from 2021-01-04 on, because the history starts there"
    )


def test_evaluate_indicator_inside_a_group_names_the_asked_day() -> None:
    # A group whose condition needs 3 bars of B, which starts on Tuesday: it is defined from Thursday on.
    history = market(A=range(100, 107), B=range(200, 206))
    node = f'(group "g" [(if (> (rsi "B" {{:window 2}}) 50) [{A}] [{B}])])'

    with pytest.raises(InsufficientHistoryError) as caught:
        decide(f"(filter (rsi {{:window 5}}) (select-top 1) [{node} {A}])", history, as_of=date(2021, 1, 11))

    assert str(caught.value) == (
        'B: 5 bars through 2021-01-11; rsi 5 of the index of group "g" (case.clj:1:120) needs '
        "6 sessions through 2021-01-11, but it is defined only from 2021-01-07 on, "
        "because B has 2 bars through 2021-01-06, 3 needed for rsi 2"
    )
    assert caught.value.as_of == date(2021, 1, 11)
    assert (caught.value.bars_present, caught.value.bars_needed) == (5, 8)


def test_evaluate_weekly_decision_counts_the_bars_of_the_asked_day() -> None:
    node = f'(filter (cumulative-return {{:window 2}}) (select-top 1) [(group "g" [{A}]) {A}])'

    with pytest.raises(
        InsufficientHistoryError, match=r"A: 3 bars through 2021-01-06; .* 3 sessions through 2021-01-04"
    ):
        decide(node, HISTORY, rule=":rebalance-frequency :weekly")


_MISSING = '(> (rsi "B" {:window 9}) 1)'


@pytest.mark.parametrize(
    ("condition", "symbol"),
    [
        (f'(any {_MISSING} (> (current-price "A") 200))', "B"),
        (f'(all (> (current-price "A") 2) {_MISSING})', "B"),
        (f'(any (> (rsi "C" {{:window 9}}) 1) {_MISSING})', "C"),
        # The first part is settled without its missing value: the cause is in the second.
        (f'(all (any {_MISSING} (> (current-price "A") 2)) (> (current-price "C") 1))', "C"),
        (f'(any (all {_MISSING} (> (current-price "A") 200)) (> (current-price "C") 1))', "C"),
    ],
)
def test_evaluate_undecided_compound_condition_names_the_missing_value(condition: str, symbol: str) -> None:
    assert short_of(f"(if {condition} [{A}] [{B}])").symbol == symbol


def test_evaluate_settled_compound_condition_names_the_branch_that_is_missing() -> None:
    assert short_of(f'(if (any {_MISSING} (> (current-price "A") 2)) [{asset("X")}] [{A}])').symbol == "X"


def test_evaluate_cash_with_a_short_index_names_another_candidate() -> None:
    error = short_of(f"(filter (cumulative-return {{:window 3}}) (select-top 1) [(empty) {A}])")

    assert str(error) == "A: 3 bars through 2021-01-06, 4 needed for cumulative-return 3"


def test_evaluate_only_cash_with_a_short_index_names_cash() -> None:
    error = short_of(
        f'(weight-equal [{A} (filter (rsi {{:window 3}}) (select-top 1) [(group "g" [(empty)]) (empty)])])'
    )

    assert str(error).startswith('cash: 0 bars through 2021-01-06; rsi 3 of the index of group "g"')
    assert (error.symbol, error.bars_needed) == ("", 4)


def test_evaluate_group_of_cash_and_conditions_names_a_symbol_it_reads() -> None:
    group = '(group "g" [(if (> 1 (current-price "A")) [(empty)] [(empty)])])'

    assert short_of(f"(filter (rsi {{:window 3}}) (select-top 1) [{group} (empty)])").symbol == "A"


def test_evaluate_inverse_volatility_of_cash_is_refused() -> None:
    with pytest.raises(
        ZeroVolatilityError, match=r"case\.clj:1:78: cash has no volatility to divide by: its last 2 returns through"
    ):
        decide(f"(weight-inverse-volatility 2 [(empty) {A}])", HISTORY)


def test_evaluate_volatility_within_an_index_names_the_index() -> None:
    node = f'(filter (rsi {{:window 1}}) (select-top 1) [(group "g" [(weight-inverse-volatility 2 [(empty)])]) {A}])'

    with pytest.raises(ZeroVolatilityError) as caught:
        decide(node, HISTORY)

    assert str(caught.value) == (
        'case.clj:1:132: rsi 1 of the index of group "g" (case.clj:1:120) needs 2 sessions through 2021-01-06, '
        "but it is not defined on that day, because cash has no volatility to divide by: "
        "its last 2 returns through 2021-01-06 are equal"
    )


def test_evaluate_missing_bar_of_a_held_symbol_breaks_the_index() -> None:
    # On day 2 the if leaves B, which has no bar on day 2: the return that the group earned is unknown.
    history = market(A=[100, 110, 121, 130], B=[90, None, 80, 81])
    inner = f'(group "g" [(if (< (current-price "A") 105) [{B}] [{A}])])'

    with pytest.raises(
        InsufficientHistoryError,
        match=r"B: 3 bars through 2021-01-07; .* because B has 1 bars, the last of 2021-01-04, none of 2021-01-05",
    ):
        decide(f"(filter (cumulative-return {{:window 3}}) (select-top 1) [{inner} {A}])", history)


def test_evaluate_zero_volatility_names_the_child() -> None:
    with pytest.raises(
        ZeroVolatilityError, match=r"case\.clj:1:\d+: B has no volatility to divide by: its last 2 returns through"
    ):
        decide(f"(weight-inverse-volatility 2 [{A} {B}])", FLAT)


def test_evaluate_inverse_volatility_without_bars_names_the_symbol() -> None:
    assert short_of(f"(weight-inverse-volatility 2 [{A} {B}])").symbol == "B"


@pytest.mark.parametrize(
    "node",
    [
        f"(weight-inverse-volatility 1 [{A}])",
        f"(filter (stdev-price {{:window 1}}) (select-top 1) [{A} {B}])",
        f'(if (> (stdev-return "A" {{:window 1}}) 1) [{A}] [{B}])',
    ],
)
def test_evaluate_stdev_of_one_value_is_refused(node: str) -> None:
    with pytest.raises(UnusableOptionError, match=r"case\.clj:1:\d+: a stdev with ddof 1 needs a window of at least 2"):
        decide(node, HISTORY)
