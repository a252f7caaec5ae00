from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from desk.decision import FIXED_WEIGHTS, MAX_STEPS, Sentence, sentences, summary
from tests.desk.decisions import STEPS_OF
from the_alchemiser.shared.decision_steps import MAX_CANDIDATES


def texts_of(steps: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    path = {"decided_on": "2022-03-15", "as_of": "2022-03-15", "rebalance": "daily", "steps": tuple(steps)}
    return tuple(sentence.text for sentence in sentences(path))


def test_sentences_true_condition_shows_both_values() -> None:
    assert texts_of(STEPS_OF["trend_following"])[0] == (
        "current-price SPY is 420.07, which is above moving-average-price SPY 200 (411.5)."
    )


def test_sentences_condition_on_part_of_capital_shows_share_and_constant() -> None:
    assert texts_of(STEPS_OF["trend_following"])[1] == (
        "For 60.0% of the capital: rsi SPY 10 is 41.2, which is not above 79."
    )


@pytest.mark.parametrize(
    ("comparison", "words"),
    [("<", "below"), (">=", "at or above"), ("<=", "at or below"), ("=", "equal to")],
)
def test_sentences_comparison_is_written_in_words(comparison: str, words: str) -> None:
    step = {**STEPS_OF["trend_following"][0], "comparison": comparison}

    assert f"is {words} moving" in texts_of([step])[0]


def part(of: str, value: float | None, margin: float | None, *, holds: bool | None) -> dict[str, Any]:
    left, right = {"of": of, "value": value}, {"of": "5", "value": 5.0}
    return {"left": left, "comparison": ">", "right": right, "margin": margin, "holds": holds, "fragile": False}


def test_sentences_compound_condition_lists_its_parts_with_margins() -> None:
    inner = {
        "junction": "all",
        "parts": [part("rsi B 2", 7, 2, holds=True), part("rsi C 2", None, None, holds=None)],
        "holds": None,
        "fragile": False,
    }
    step = {"step": "if", "junction": "any", "parts": [part("rsi A 2", 4.5, -0.5, holds=False), inner]}

    (text,) = texts_of([{**step, "branch": "else"}])
    assert text == (
        "At least one of these must hold: rsi A 2 is 4.5, which is not above 5 [false, margin -0.5]; "
        "(Each of these must hold: rsi B 2 is 7, which is above 5 [true, margin +2]; "
        "rsi C 2 is not defined, 5 is 5 [not defined]) [not defined], so the condition does not hold."
    )
    assert texts_of([{**step, "branch": "then"}])[0].endswith(", so the condition holds.")


def test_sentences_part_with_an_undefined_right_side_says_so() -> None:
    unknown = {**part("rsi A 2", 7, None, holds=None), "right": {"of": "rsi B 2", "value": None}}

    (text,) = texts_of([{"step": "if", "junction": "all", "parts": [unknown], "branch": "else"}])

    assert text.startswith("Each of these must hold: rsi A 2 is 7, rsi B 2 is not defined [not defined]")


def test_sentences_filter_lists_selected_and_rejected_with_scores() -> None:
    assert texts_of(STEPS_OF["sector_momentum"]) == (
        "The 2 of 3 with the highest cumulative-return 20: XOM (12.25), UNH (4.5); not selected: PFE (not defined).",
    )


def test_sentences_filter_selecting_all_lists_no_rejected() -> None:
    step = dict(STEPS_OF["sector_momentum"][0])
    step["candidates"] = step["candidates"][:2]
    step["select"] = "select-bottom"

    assert texts_of([step]) == ("The 2 of 2 with the lowest cumulative-return 20: XOM (12.25), UNH (4.5).",)


def test_sentences_many_candidates_are_shortened_to_a_count() -> None:
    step = dict(STEPS_OF["sector_momentum"][0])
    step["candidates"] = [{"of": f"S{number}", "score": 1.0, "weight": 0.1} for number in range(MAX_CANDIDATES + 4)]

    assert texts_of([step])[0].endswith("S5 (1) and 4 more.")


def test_sentences_inverse_volatility_lists_weights_and_stdevs() -> None:
    assert texts_of(STEPS_OF["calm_balance"]) == (
        "weight-inverse-volatility 20: SPY 45.0% (stdev 1.5), TLT 35.0% (stdev 1.93), KO 20.0% (stdev 3.4).",
    )


def test_sentences_long_path_ends_with_count_of_omitted_steps() -> None:
    steps: list[Any] = [STEPS_OF["trend_following"][0]] * (MAX_STEPS + 3)

    lines = texts_of(steps)
    assert len(lines) == MAX_STEPS + 1
    assert lines[-1] == "… and 3 more."


def test_sentences_empty_path_gives_none() -> None:
    assert sentences({}) == ()


def test_sentences_path_without_steps_says_weights_are_fixed() -> None:
    assert texts_of([]) == (FIXED_WEIGHTS,)


def test_sentences_earlier_decision_shows_its_date() -> None:
    path = {"decided_on": "2022-03-01", "as_of": "2022-03-15", "rebalance": "monthly", "steps": ()}

    assert sentences(path)[0].text == "Decided on 2022-03-01 (rebalance monthly); the weights have drifted since."


def path_of(*steps: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"decided_on": "2022-03-15", "as_of": "2022-03-15", "rebalance": "daily", "steps": steps}


def test_sentences_fragile_step_is_marked() -> None:
    sure, close = STEPS_OF["trend_following"]

    assert [sentence.is_fragile for sentence in sentences(path_of(sure, {**close, "fragile": True}))] == [False, True]


def test_sentences_omitted_fragile_step_marks_the_count() -> None:
    step = STEPS_OF["trend_following"][0]
    steps = [step] * MAX_STEPS + [step, {**step, "fragile": True}]

    assert sentences(path_of(*steps))[-1] == Sentence("… and 2 more.", is_fragile=True)


def test_summary_counts_decisions_and_fragile_ones() -> None:
    sure, close = STEPS_OF["trend_following"]

    assert summary(path_of(sure, {**close, "fragile": True})) == "2 decisions, 1 of them fragile"
    assert summary(path_of(sure)) == "1 decision, none fragile"


def test_summary_without_decisions_is_empty() -> None:
    assert summary(path_of()) == ""
    assert summary({}) == ""
