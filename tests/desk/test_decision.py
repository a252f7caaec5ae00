from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from desk.decision import CANDIDATES_AT_MOST, STEPS_AT_MOST, Sentence, sentences, summary
from tests.desk.decisions import STEPS_OF


def told(steps: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    path = {"decided_on": "2022-03-15", "as_of": "2022-03-15", "rebalance": "daily", "steps": tuple(steps)}
    return tuple(sentence.text for sentence in sentences(path))


def test_sentences_condition_that_holds_names_both_values() -> None:
    assert told(STEPS_OF["trend_following"])[0] == (
        "current-price SPY is 420.07, which is above moving-average-price SPY 200 (411.5)."
    )


def test_sentences_condition_on_a_part_says_how_much_of_the_money_and_tells_a_constant_once() -> None:
    assert told(STEPS_OF["trend_following"])[1] == (
        "For 60.0% of the money: rsi SPY 10 is 41.2, which is not above 79."
    )


@pytest.mark.parametrize(
    ("comparison", "words"),
    [("<", "below"), (">=", "at or above"), ("<=", "at or below"), ("=", "equal to")],
)
def test_sentences_every_comparison_has_words(comparison: str, words: str) -> None:
    step = {**STEPS_OF["trend_following"][0], "comparison": comparison}

    assert f"is {words} moving" in told([step])[0]


def test_sentences_filter_tells_what_was_taken_and_what_was_left_with_its_score() -> None:
    assert told(STEPS_OF["sector_momentum"]) == (
        "The 2 of 3 with the highest cumulative-return 20: XOM (12.25), UNH (4.5); not taken: PFE (not defined).",
    )


def test_sentences_filter_of_everything_leaves_nothing_to_mention() -> None:
    step = dict(STEPS_OF["sector_momentum"][0])
    step["candidates"] = step["candidates"][:2]
    step["select"] = "select-bottom"

    assert told([step]) == ("The 2 of 2 with the lowest cumulative-return 20: XOM (12.25), UNH (4.5).",)


def test_sentences_many_candidates_are_counted_not_listed() -> None:
    step = dict(STEPS_OF["sector_momentum"][0])
    step["candidates"] = [{"of": f"S{number}", "score": 1.0, "weight": 0.1} for number in range(CANDIDATES_AT_MOST + 4)]

    assert told([step])[0].endswith("S5 (1) and 4 more.")


def test_sentences_inverse_volatility_tells_each_weight_with_its_stdev() -> None:
    assert told(STEPS_OF["calm_balance"]) == (
        "weight-inverse-volatility 20: SPY 45.0% (stdev 1.5), TLT 35.0% (stdev 1.93), KO 20.0% (stdev 3.4).",
    )


def test_sentences_long_path_ends_with_what_was_left_out() -> None:
    steps: list[Any] = [STEPS_OF["trend_following"][0]] * (STEPS_AT_MOST + 3)

    lines = told(steps)
    assert len(lines) == STEPS_AT_MOST + 1
    assert lines[-1] == "… and 3 more."


def test_sentences_no_path_has_nothing_to_tell() -> None:
    assert sentences({}) == ()


def test_sentences_path_without_steps_was_never_in_doubt() -> None:
    assert told([]) == ("There was nothing to decide: its weights are fixed.",)


def test_sentences_decision_of_an_earlier_day_says_since_when() -> None:
    path = {"decided_on": "2022-03-01", "as_of": "2022-03-15", "rebalance": "monthly", "steps": ()}

    assert sentences(path)[0].text == "Decided on 2022-03-01 (rebalance monthly); the weights have drifted since."


def path_of(*steps: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"decided_on": "2022-03-15", "as_of": "2022-03-15", "rebalance": "daily", "steps": steps}


def test_sentences_step_with_a_small_margin_is_marked() -> None:
    sure, close = STEPS_OF["trend_following"]

    assert [one.is_fragile for one in sentences(path_of(sure, {**close, "fragile": True}))] == [False, True]


def test_sentences_what_was_left_out_is_marked_when_a_part_of_it_is() -> None:
    step = STEPS_OF["trend_following"][0]
    steps = [step] * STEPS_AT_MOST + [step, {**step, "fragile": True}]

    assert sentences(path_of(*steps))[-1] == Sentence("… and 2 more.", is_fragile=True)


def test_summary_counts_decisions_and_the_fragile_among_them() -> None:
    sure, close = STEPS_OF["trend_following"]

    assert summary(path_of(sure, {**close, "fragile": True})) == "2 decisions, 1 of them fragile"
    assert summary(path_of(sure)) == "1 decision, none fragile"


def test_summary_of_fixed_weights_or_of_no_path_is_empty() -> None:
    assert summary(path_of()) == ""
    assert summary({}) == ""
