import json
from typing import Any

import pytest

from tests.desk.decisions import DECISIONS, STEPS_OF
from the_alchemiser.notifications_v2.answers import FRAGILE_AT_MOST, Answer, read_answer


def document(path: Any, **fields: Any) -> bytes:
    return json.dumps({"strategy": "s", "path": path, **fields}).encode()


def test_answer_of_a_path_without_fragile_steps() -> None:
    answer = read_answer("trend", document(DECISIONS["trend_following"], absent={"BBY": "stale"}))

    assert answer == Answer(
        strategy="trend",
        is_due=True,
        decided_on="2022-03-15",
        rebalance="daily",
        decision_count=2,
        fragile_count=0,
        fragile=(),
        absent={"BBY": "stale"},
    )


def test_fragile_steps_are_sentences_with_their_distance() -> None:
    steps = [{**step, "fragile": True} for step in STEPS_OF["trend_following"]]
    steps.append({**STEPS_OF["calm_balance"][0], "fragile": True})

    answer = read_answer("trend", document({**DECISIONS["trend_following"], "steps": steps}))

    assert (answer.decision_count, answer.fragile_count) == (3, 3)
    price = "current-price SPY is 420.07, which is above moving-average-price SPY 200 (411.5)."
    assert answer.fragile == (
        f"{price} It was 8.57 (2.04%) away from the other branch.",
        "For 60.0% of the capital: rsi SPY 10 is 41.2, which is not above 79. It was 37.8 away from the other branch.",
        "weight-inverse-volatility 20: SPY 45.0% (stdev 1.5), TLT 35.0% (stdev 1.93), KO 20.0% (stdev 3.4).",
    )


def test_only_the_first_fragile_steps_are_described_and_all_are_counted() -> None:
    steps = [{**STEPS_OF["trend_following"][1], "fragile": True}] * (FRAGILE_AT_MOST + 5)

    answer = read_answer("trend", document({**DECISIONS["trend_following"], "steps": steps}))

    assert (answer.fragile_count, len(answer.fragile)) == (25, 20)


def test_strategy_that_decided_earlier_is_not_due() -> None:
    path = {**DECISIONS["trend_following"], "decided_on": "2022-03-14", "rebalance": "weekly"}

    answer = read_answer("trend", document(path))

    assert (answer.is_due, answer.decided_on, answer.rebalance) == (False, "2022-03-14", "weekly")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"path": {}}',
        b'{"path": {"steps": 1}}',
        document({"steps": ["x"], "decided_on": "", "as_of": "", "rebalance": ""}),
        document({"steps": [{"fragile": True}], "decided_on": "", "as_of": "", "rebalance": ""}),
    ],
)
def test_anything_else_is_refused(body: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        read_answer("trend", body)
