"""The decision path: the steps that capital passed, and how close each was to the opposite outcome."""

import json
from typing import Any

import pytest

from desk.decision_series import evaluate_day
from tests.the_alchemiser.strategy_v2.cases import START, asset, decide, market
from tests.the_alchemiser.strategy_v2.symphonies import file_of
from the_alchemiser.shared.symphony import parse
from the_alchemiser.strategy_v2.history import PriceHistory

A, B, C = map(asset, "ABC")
HISTORY = market(A=[100, 105, 126], B=[100, 90, 81], C=[100, 101, 99.99])


def path_of(node: str, history: PriceHistory = HISTORY) -> dict[str, Any]:
    return dict(decide(node, history).path)


def only_step(node: str, history: PriceHistory = HISTORY) -> dict[str, Any]:
    (step,) = path_of(node, history)["steps"]
    return dict(step)


def test_decision_path_lists_the_steps_that_capital_passed() -> None:
    ranking = f"(filter (cumulative-return {{:window 1}}) (select-top 1) [{A} {B}])"
    second = f'(if (> 1 (rsi "B" {{:window 1}})) [{A}] [{B}])'
    volatile = f"(weight-inverse-volatility 2 [{A} {C}])"
    node = f'(weight-equal [(if (> (current-price "A") 120.5) [{ranking}] [{second}]) {volatile}])'

    path = path_of(node)

    kinds = {step["step"]: step for step in path["steps"]}
    assert (path["as_of"], path["decided_on"], path["rebalance"]) == ("2021-01-06", "2021-01-06", "daily")
    assert list(kinds) == ["weight-inverse-volatility 2", "if", "filter"]
    assert kinds["if"] == {
        "step": "if",
        "left": {"of": "current-price A", "value": 126.0},
        "comparison": ">",
        "right": {"of": "120.5", "value": 120.5},
        "margin": 5.5,
        "branch": "then",
        "fragile": False,
        "line": 1,
        "column": 93,
        "share": 0.5,
    }
    assert kinds["filter"]["candidates"] == [
        {"of": "A", "score": 20.0, "weight": 1.0},
        {"of": "B", "score": -10.0, "weight": 0.0},
    ]


def test_decision_path_contains_only_json_values() -> None:
    ranking = f"(filter (rsi {{:window 1}}) (select-top 1) [{B} {C}])"

    path = path_of(f"(weight-equal [(weight-inverse-volatility 2 [{A} {C}]) {ranking}])")

    assert json.loads(json.dumps(path)) == path


@pytest.mark.parametrize(
    ("condition", "fragile"),
    [
        # The return of A is 20 percent; a distance of exactly half a point is not fragile.
        ('(> (cumulative-return "A" {:window 1}) 19.51)', True),
        ('(> (cumulative-return "A" {:window 1}) 19.5)', False),
        ('(> 20.49 (cumulative-return "A" {:window 1}))', True),
        # A price of 126 against 126.6 is 0.47 percent of the larger, against 127 it is 0.79.
        ('(> (current-price "A") 126.6)', True),
        ('(> (current-price "A") 127)', False),
        # Means of two: 115.5 for A, 100.495 for C, whose price is 99.99: 0.50249 percent.
        ('(> (moving-average-price "C" {:window 2}) (current-price "C"))', False),
        ('(> (exponential-moving-average-price "C" {:window 3}) 100.8)', True),
        ('(> (stdev-price "C" {:window 2}) 0.71)', False),
        ('(> (stdev-return "C" {:window 2}) 1.5)', True),
    ],
)
def test_if_step_is_fragile_near_the_opposite_outcome(condition: str, fragile: bool) -> None:
    assert only_step(f"(if {condition} [{A}] [{B}])")["fragile"] is fragile


NEAR_TRUE = '(> (cumulative-return "A" {:window 1}) 19.6)'
FAR_TRUE = '(> (cumulative-return "A" {:window 1}) 1)'
NEAR_FALSE = '(> (cumulative-return "A" {:window 1}) 20.4)'
FAR_FALSE = '(> (cumulative-return "A" {:window 1}) 40)'
UNKNOWN = '(> (cumulative-return "A" {:window 9}) 40)'


def test_compound_step_lists_the_parts_with_their_margins() -> None:
    step = only_step(f"(if (any {FAR_FALSE} (all {NEAR_TRUE} {UNKNOWN}) {FAR_TRUE}) [{A}] [{B}])")

    far_false, both, far_true = step.pop("parts")
    assert step == {
        "step": "if",
        "junction": "any",
        "branch": "then",
        "fragile": False,
        "line": 1,
        "column": 78,
        "share": 1.0,
    }
    assert far_true == {
        "left": {"of": "cumulative-return A 1", "value": 20.0},
        "comparison": ">",
        "right": {"of": "1", "value": 1.0},
        "margin": 19.0,
        "holds": True,
        "fragile": False,
    }
    assert (far_false["margin"], far_false["holds"]) == (-20.0, False)
    near, unknown = both.pop("parts")
    assert both == {"junction": "all", "holds": None, "fragile": False}
    assert (near["margin"], near["holds"], near["fragile"]) == (0.4, True, True)
    assert unknown == {
        "left": {"of": "cumulative-return A 9", "value": None},
        "comparison": ">",
        "right": {"of": "40", "value": 40.0},
        "margin": None,
        "holds": None,
        "fragile": False,
    }


def test_compound_step_reports_undefined_right_side_as_none() -> None:
    step = only_step(f'(if (any {FAR_TRUE} (> 2 (rsi "A" {{:window 9}}))) [{A}] [{B}])')

    assert step["parts"][1]["left"]["value"] == 2.0
    assert step["parts"][1]["right"]["value"] is None


@pytest.mark.parametrize(
    ("condition", "branch", "fragile"),
    [
        # To turn a true `any` false, each true part must change; to turn a false one true, one part.
        (f"(any {NEAR_TRUE} {FAR_FALSE})", "then", True),
        (f"(any {NEAR_TRUE} {NEAR_FALSE} {FAR_TRUE})", "then", False),
        (f"(any {FAR_FALSE} {NEAR_FALSE})", "else", True),
        (f"(any {FAR_FALSE} {FAR_FALSE})", "else", False),
        (f"(any {NEAR_TRUE} {UNKNOWN})", "then", True),
        # `all` is the other way round.
        (f"(all {NEAR_FALSE} {FAR_TRUE})", "else", True),
        (f"(all {NEAR_FALSE} {NEAR_TRUE} {FAR_FALSE})", "else", False),
        (f"(all {FAR_TRUE} {NEAR_TRUE})", "then", True),
        (f"(all {FAR_TRUE} {FAR_TRUE})", "then", False),
        (f"(all {NEAR_FALSE} {UNKNOWN})", "else", True),
        (f"(all {FAR_TRUE} (any {FAR_FALSE} {NEAR_TRUE}))", "then", True),
        (f"(all {FAR_TRUE} (any {FAR_TRUE} {NEAR_TRUE}))", "then", False),
    ],
)
def test_compound_step_is_fragile_if_small_moves_change_its_outcome(condition: str, branch: str, fragile: bool) -> None:
    step = only_step(f"(if {condition} [{A}] [{B}])")

    assert (step["branch"], step["fragile"]) == (branch, fragile)


@pytest.mark.parametrize(
    ("ranking", "margin", "fragile"),
    [
        # Over one session A made 20 %, C -1 %, B -10 %.
        ("(filter (cumulative-return {:window 1}) (select-top 1)", 21.0, False),
        ("(filter (cumulative-return {:window 1}) (select-top 2)", 9.0, False),
        ("(filter (cumulative-return {:window 1}) (select-bottom 1)", 9.0, False),
        ("(filter (cumulative-return {:window 1}) (select-top 3)", None, False),
        # Means of three: A 110.33, C 100.33, B 90.33; prices in percent of the larger.
        ("(filter (moving-average-price {:window 3}) (select-bottom 2)", 10.00333333, False),
    ],
)
def test_filter_step_margin_is_last_selected_to_first_left_out(
    ranking: str, margin: float | None, fragile: bool
) -> None:
    step = only_step(f"{ranking} [{A} {B} {C}])")

    assert (step["margin"], step["fragile"]) == (margin, fragile)


@pytest.mark.parametrize(("closes", "fragile"), [([200, 220.9], True), ([200, 221.2], False)])
def test_filter_step_with_a_small_gap_is_fragile(closes: list[float], fragile: bool) -> None:
    history = market(A=[100, 110], B=closes)

    step = only_step(f"(filter (cumulative-return {{:window 1}}) (select-top 1) [{A} {B}])", history)

    assert step["fragile"] is fragile


def test_filter_step_that_takes_all_has_no_scores() -> None:
    step = only_step(f"(filter (cumulative-return {{:window 1}}) (select-top 2) [{A} {B}])")

    assert [row["score"] for row in step["candidates"]] == [None, None]


def test_path_counts_fragile_steps_at_the_given_distance() -> None:
    node = f'(if (> (cumulative-return "A" {{:window 1}}) 18) [{A}] [{B}])'
    strategy = parse(file_of(node))
    day = HISTORY.dates[-1].item()

    wide = evaluate_day(strategy, HISTORY, as_of=day, inception=START, fragile_points=2.5)

    assert wide.path["fragile"] == 1
    assert path_of(node)["fragile"] == 0
