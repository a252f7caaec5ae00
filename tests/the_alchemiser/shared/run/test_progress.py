"""A run names what it is waiting for in every state, and can be failed."""

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import RunFailed
from the_alchemiser.shared.run.deadlines import STAYS_AT_MOST, deadline
from the_alchemiser.shared.run.failures import Failure, failing_move
from the_alchemiser.shared.run.progress import missing, outstanding_trades, plan_of
from the_alchemiser.shared.run.runs import PLAN, RunItem, RunState, run_id_of, runs_of_day
from the_alchemiser.shared.values import Side

PLAN_OF_THREE = make.plan(
    make.decision("SPY", Side.SELL, "1"),
    make.decision("TLT", Side.BUY, "2"),
    make.decision("GLD", Side.BUY, "3"),
    make.decision("BIL", None),
)


def test_missing_while_evaluating_names_the_strategies() -> None:
    store = make.evaluating()
    store.put_once(make.RUN_ID, RunItem("STRATEGY#calm", outbox.encode(make.strategy_failed("calm"))))

    assert missing(make.loaded(store)) == ("bold",)


@pytest.mark.parametrize(
    ("state", "waits_for"),
    [
        (RunState.AGGREGATED, ("RebalancePlanned",)),
        (RunState.PLANNED, ("the release of the trades",)),
        (RunState.SELLING, ("local-2022-03-16-SELL-SPY",)),
        (RunState.BUYING, ("local-2022-03-16-BUY-TLT", "local-2022-03-16-BUY-GLD")),
        (RunState.COMPLETED, ()),
        (RunState.FAILED, ()),
    ],
)
def test_missing_in_each_state_names_what_is_awaited(state: RunState, waits_for: tuple[str, ...]) -> None:
    store = make.evaluating()
    store.put_once(make.RUN_ID, RunItem(PLAN, PLAN_OF_THREE.to_content()))
    make.move_to(store, state)

    assert missing(make.loaded(store)) == waits_for


def test_outstanding_trades_leaves_out_trades_with_an_outcome() -> None:
    store = make.evaluating()
    store.put_once(make.RUN_ID, RunItem(PLAN, PLAN_OF_THREE.to_content()))
    outcome = make.executed("TLT", Side.BUY, "2")
    store.put_once(make.RUN_ID, RunItem(f"TRADE#{outcome.trade_id}", outbox.encode(outcome)))

    assert outstanding_trades(make.loaded(store), Side.BUY) == ("local-2022-03-16-BUY-GLD",)


def test_plan_of_a_run_without_plan_is_none() -> None:
    run = make.loaded(make.evaluating())

    assert plan_of(run) is None
    assert outstanding_trades(run, Side.SELL) == ()


def test_plan_by_trade_id_has_sells_first_and_no_untraded_symbol() -> None:
    assert list(PLAN_OF_THREE.by_trade_id()) == [
        "local-2022-03-16-SELL-SPY",
        "local-2022-03-16-BUY-TLT",
        "local-2022-03-16-BUY-GLD",
    ]


def test_deadline_of_every_state_is_known() -> None:
    assert set(STAYS_AT_MOST) == set(RunState)
    assert deadline(RunState.EVALUATING, make.WALL) == make.WALL + timedelta(minutes=7)


def test_failing_move_stores_the_reason_and_run_failed() -> None:
    run = make.loaded(make.evaluating())
    failure = Failure(reason="overdue_EVALUATING", detail="two strategies are late", missing=("bold", "calm"))

    move = failing_move(run, failure, by="a test", at=make.WALL, occurred_at=make.AT)

    [run_failed] = move.outbox
    assert isinstance(run_failed, RunFailed)
    assert (run_failed.state, run_failed.reason, run_failed.missing) == (
        "EVALUATING",
        "overdue_EVALUATING",
        ("bold", "calm"),
    )
    assert move.payload == {
        "state": "EVALUATING",
        "reason": "overdue_EVALUATING",
        "detail": "two strategies are late",
        "missing": ["bold", "calm"],
    }


@pytest.mark.parametrize("count", [0, 1, 3])
def test_runs_of_day_finds_the_scheduled_and_all_forced_runs(count: int) -> None:
    store = make.evaluating()
    expected = [run_id_of(make.STAGE, make.DAY, number) for number in range(count + 1)]
    for replaced, run_id in pairwise(expected):
        make.replace_run(store, run_id, replaces=replaced)

    assert [run.run_id for run in runs_of_day(store, make.STAGE, make.DAY)] == expected


def test_runs_of_day_without_a_scheduled_run_finds_the_forced_one() -> None:
    store = make.evaluating("local-2022-03-16-r1")

    assert [run.run_id for run in runs_of_day(store, make.STAGE, make.DAY)] == ["local-2022-03-16-r1"]
