"""Where each function is, from the evening before to the figures after the run."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from desk.operations.run_record import RunRecord
from desk.page.function_steps import Evidence, FunctionStep, StepState, function_steps
from desk.report_model import MODULES
from tests.desk.evidence import DAY, STARTED
from tests.desk.operations.records import buying_record, failed_record, whole_record
from tests.desk.page.days import idle_record
from tests.desk.page.desks import VERDICT
from the_alchemiser.shared.run.runs import STRATEGY, RunState

D, W, N, F, S = StepState.DONE, StepState.WAITING, StepState.WORKING, StepState.FAILED, StepState.SKIPPED
AS_OF = DAY - timedelta(days=1)


def steps(record: RunRecord | None, *, measured: str = "") -> dict[str, FunctionStep]:
    steps_now = function_steps(Evidence(record, AS_OF, VERDICT, measured))
    assert [step.module for step in steps_now] == list(MODULES)
    return {step.module: step for step in steps_now}


def states(record: RunRecord | None, *, measured: str = "") -> tuple[StepState, ...]:
    return tuple(step.state for step in steps(record, measured=measured).values())


def cut(record: RunRecord, state: RunState, *items: str) -> RunRecord:
    """Return the run as it was in a state, with the items whose keys begin with these texts."""
    timeline = [line for line in record.run.timeline if list(RunState).index(line.state) <= list(RunState).index(state)]
    kept = {sk: entry for sk, entry in record.run.items.items() if sk.startswith(items or ("-",))}
    run = structs.replace(record.run, state=state, timeline=tuple(timeline), items=kept, payloads={}, outbox=())
    return replace(record, run=run, notices=(), ledger=())


def test_steps_of_a_completed_run_are_done() -> None:
    record = whole_record()

    assert states(record, measured=record.run.run_id) == (D,) * 10


@pytest.mark.parametrize(
    ("state", "items", "expected"),
    [
        (RunState.EVALUATING, (), (D, D, D, N, W, W, W, W, W, W)),
        (RunState.EVALUATING, (STRATEGY,), (D, D, D, N, N, W, W, W, W, W)),
        (RunState.AGGREGATED, (STRATEGY, "SIGNAL"), (D, D, D, D, D, N, W, W, W, W)),
        (RunState.PLANNED, (STRATEGY, "SIGNAL", "PLAN"), (D, D, D, D, D, D, N, W, W, W)),
        (RunState.SELLING, (STRATEGY, "SIGNAL", "PLAN"), (D, D, D, D, D, D, N, N, W, W)),
    ],
)
def test_steps_follow_the_run(state: RunState, items: tuple[str, ...], expected: tuple[StepState, ...]) -> None:
    assert states(cut(whole_record(), state, *items)) == expected


def test_steps_of_a_run_that_buys() -> None:
    steps_now = steps(buying_record())

    assert (steps_now["trade_aggregator"].state, steps_now["trade_aggregator"].detail) == (N, "5 trades released")
    assert (steps_now["execution_v2"].state, steps_now["execution_v2"].detail) == (N, "1 of 6 trades ended")
    assert steps_now["execution_v2"].span == (STARTED + timedelta(milliseconds=1088),) * 2


def test_steps_of_a_failed_run_blame_the_function_that_failed() -> None:
    assert states(failed_record()) == (D, D, D, F, S, S, S, S, N, S)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (RunState.AGGREGATED, (D, D, F, S, S)),
        (RunState.PLANNED, (D, D, D, F, S)),
        (RunState.SELLING, (D, D, D, S, F)),
        (RunState.BUYING, (D, D, D, S, F)),
    ],
)
def test_steps_of_a_run_that_failed_later(state: RunState, expected: tuple[StepState, ...]) -> None:
    record = cut(whole_record(), state, STRATEGY, "SIGNAL", "PLAN")
    last = record.run.timeline[-1]
    run = structs.replace(
        record.run,
        state=RunState.FAILED,
        timeline=(*record.run.timeline, structs.replace(last, state=RunState.FAILED)),
    )

    assert states(replace(record, run=run))[3:8] == expected


def test_steps_before_the_run_show_the_data_of_the_evening() -> None:
    steps_now = steps(None)

    assert states(None) == (D, D, *(W,) * 8)
    assert steps_now["data_v2"].detail == "bars through 2022-03-15"
    assert steps_now["data_quality_monitor"].detail == "checked through 2022-03-15: 0 symbols quarantined"


def test_steps_with_data_of_an_earlier_session_wait_for_it() -> None:
    stale = VERDICT.changed(as_of=AS_OF - timedelta(days=1))

    steps_now = function_steps(Evidence(None, AS_OF, stale))

    assert [step.state for step in steps_now[:2]] == [W, W]
    assert [step.state for step in function_steps(Evidence(None, None, stale))[:2]] == [D, D]
    assert [step.state for step in function_steps(Evidence(None, AS_OF, None))] == [W] * 10


def test_steps_with_data_of_this_evening_have_those_of_the_run() -> None:
    newer = VERDICT.changed(as_of=AS_OF + timedelta(days=1))

    assert [step.state for step in function_steps(Evidence(None, AS_OF, newer))[:2]] == [D, D]


def test_steps_of_a_run_without_trades_need_no_execution() -> None:
    record = idle_record()
    timeline = [line for line in record.run.timeline if line.state not in {RunState.SELLING, RunState.BUYING}]
    record = replace(record, run=structs.replace(record.run, timeline=tuple(timeline), payloads={}))

    steps_now = steps(record)

    assert (steps_now["execution_v2"].state, steps_now["execution_v2"].span) == (S, None)
    assert steps_now["trade_aggregator"].state is D


def test_steps_after_the_run_wait_for_mail_and_figures() -> None:
    record = replace(whole_record(), notices=())

    steps_now = steps(record, measured="local-2022-03-15")

    assert (steps_now["notifications_v2"].state, steps_now["notifications_v2"].detail) == (N, "no mail is recorded yet")
    assert (steps_now["metrics_v2"].state, steps_now["metrics_v2"].detail) == (N, "no figures are stored yet")


def test_steps_have_the_times_of_the_timeline() -> None:
    steps_now = steps(whole_record())

    def after(*milliseconds: int) -> tuple[object, ...]:
        return tuple(STARTED + timedelta(milliseconds=ms) for ms in milliseconds)

    assert {name: step.span for name, step in steps_now.items()} == {
        "data_v2": None,
        "data_quality_monitor": None,
        "coordinator_v2": after(0, 0),
        "strategy_v2": after(0, 742),
        "aggregator_v2": after(742, 742),
        "portfolio_v2": after(742, 961),
        "trade_aggregator": after(961, 3902),
        "execution_v2": after(1088, 3902),
        "notifications_v2": after(3902, 3902),
        "metrics_v2": after(3902, 3902),
    }
    assert {step.module: step.does for step in steps_now.values()} == MODULES
    assert steps_now["strategy_v2"].detail == "3 of 3 answered"
    assert steps_now["aggregator_v2"].detail == "6 target weights"
    assert steps_now["portfolio_v2"].detail == "6 trades planned"


def test_execution_names_trades_that_did_not_fill() -> None:
    assert steps(whole_record(missed="UNH"))["execution_v2"].detail == "6 of 6 trades ended, 1 not filled"
