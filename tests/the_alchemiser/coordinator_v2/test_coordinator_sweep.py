"""The sweep fails overdue runs and publishes unsent messages, without ever placing an order."""

from datetime import date

import pytest

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.office import SWEEP, Bell, Office
from tests.the_alchemiser.coordinator_v2.test_admission import HALF_DAY, MONDAY, SESSIONS, WEDNESDAY
from tests.the_alchemiser.examples import example
from tests.the_alchemiser.fakes import InMemoryRunStore
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import RunFailed, StrategyRequested, TradeRequested
from the_alchemiser.shared.run.runs import Move, RunItem, RunState


def late_failure(office: Office) -> RunFailed:
    [run_failed] = office.published
    assert isinstance(run_failed, RunFailed)
    return run_failed


def test_sweep_of_a_day_without_runs_does_nothing(office: Office) -> None:
    assert office.sweep().messages == ()


def test_sweep_on_a_holiday_sweeps_the_session_before(office: Office) -> None:
    run_id = office.create_run(WEDNESDAY)
    office.bell = Bell(date(2022, 11, 24), "10:00")
    office.later(minutes=8)

    office.sweep()

    assert make.loaded(office.store, run_id).state is RunState.FAILED


def test_sweep_before_the_deadline_changes_nothing(office: Office) -> None:
    run_id = office.create_run(MONDAY)
    office.later(minutes=7)

    office.sweep()

    assert make.loaded(office.store, run_id).state is RunState.EVALUATING
    assert office.published == []


def test_sweep_after_the_deadline_fails_and_names_the_missing(office: Office) -> None:
    run_id = office.create_run(MONDAY)
    answer = make.strategy_failed("trend")
    office.store.put_once(run_id, RunItem("STRATEGY#trend", outbox.encode(answer)))
    office.later(minutes=8)

    office.sweep()

    failure = late_failure(office)
    assert (failure.state, failure.reason, failure.missing) == ("EVALUATING", "overdue_EVALUATING", ("rotation",))
    assert failure.detail == "still EVALUATING, 60 s past its deadline; missing: rotation"
    run = make.loaded(office.store, run_id)
    assert (run.state, run.sent, run.payloads[RunState.FAILED]["reason"]) == (
        RunState.FAILED,
        True,
        "overdue_EVALUATING",
    )


@pytest.mark.parametrize(
    ("answered", "missing"), [((), "rotation, trend"), (("rotation", "trend"), "nothing")], ids=["none", "all"]
)
def test_sweep_after_the_deadline_lists_everything_missing(
    office: Office, answered: tuple[str, ...], missing: str
) -> None:
    run_id = office.create_run(MONDAY)
    for strategy in answered:
        answer = make.strategy_failed(strategy)
        office.store.put_once(run_id, RunItem(f"STRATEGY#{strategy}", outbox.encode(answer)))
    office.later(minutes=8)

    office.sweep()

    assert late_failure(office).detail == f"still EVALUATING, 60 s past its deadline; missing: {missing}"


def test_sweep_of_yesterdays_overdue_run_fails_it(office: Office) -> None:
    run_id = office.create_run(HALF_DAY)
    office.later(minutes=8)

    office.sweep()

    assert make.loaded(office.store, run_id).state is RunState.FAILED


def test_sweep_reaches_the_last_five_sessions(office: Office) -> None:
    days = [date(2022, 11, 18), date(2022, 11, 21), date(2022, 11, 22)]
    office.bell.sessions = (*(SESSIONS[0].changed(date=day) for day in days), *SESSIONS)
    before, fifth = (office.create_run(day) for day in days[:2])
    office.later(minutes=8)

    office.sweep()

    states = [make.loaded(office.store, run_id).state for run_id in (before, fifth)]
    assert states == [RunState.EVALUATING, RunState.FAILED]


@pytest.mark.parametrize("state", [RunState.COMPLETED, RunState.FAILED])
def test_sweep_of_a_final_run_publishes_nothing(office: Office, state: RunState) -> None:
    run_id = office.create_run(MONDAY)
    make.move_to(office.store, state, run_id=run_id)
    office.later(minutes=999)

    office.sweep()

    assert office.published == []


def test_sweep_twice_publishes_once(office: Office) -> None:
    office.create_run(MONDAY)
    office.later(minutes=8)

    office.sweep()
    office.sweep()

    assert len(office.published) == 1


def test_sweep_after_a_lost_publish_publishes_again(office: Office) -> None:
    office.create_run(MONDAY)
    office.later(minutes=8)
    lost = office.coordinator.sweep(SWEEP)

    again = office.sweep()

    assert again.messages == lost.messages != ()


def test_sweep_publishes_unsent_outboxes_of_run_and_items(office: Office) -> None:
    request, run_failed = example(StrategyRequested), example(RunFailed)
    run_id = office.create_run(MONDAY, outbox=(request,))
    office.store.put_once(run_id, RunItem("PLAN", {}, outbox=(run_failed,)))

    office.sweep()

    run = make.loaded(office.store, run_id)
    assert office.published == [request, run_failed]
    assert run.sent
    assert run.items["PLAN"].sent


def test_sweep_of_a_run_that_moves_meanwhile_leaves_its_next_outbox_unsent(office: Office) -> None:
    run_id = office.create_run(MONDAY, outbox=(example(StrategyRequested),))
    reaction = office.coordinator.sweep(SWEEP)
    make.move_to(office.store, RunState.FAILED, run_id=run_id, outbox=(example(RunFailed),))

    reaction.on_published()

    assert not make.loaded(office.store, run_id).sent


def test_sweep_marks_an_items_outbox_whatever_the_runs_state(office: Office) -> None:
    """A condition on the state would never be true for an item, so every sweep would publish it again."""
    run_id = office.create_run(MONDAY)
    office.store.put_once(run_id, RunItem("SIGNAL", {}, outbox=(example(RunFailed),)))
    reaction = office.coordinator.sweep(SWEEP)
    make.move_to(office.store, RunState.AGGREGATED, run_id=run_id)

    reaction.on_published()

    assert make.loaded(office.store, run_id).items["SIGNAL"].sent


def test_sweep_of_a_run_that_only_the_index_shows_goes_on(office: Office) -> None:
    class IndexAhead(InMemoryRunStore):
        def runs_on(self, trading_date: date) -> tuple[str, ...]:
            return ("local-0", *super().runs_on(trading_date))

    ahead = IndexAhead()
    ahead.runs = office.store.runs
    run_id = office.create_run(MONDAY)
    office.later(minutes=8)

    Office(store=ahead, wall=office.wall).sweep()

    assert make.loaded(office.store, run_id).state is RunState.FAILED


def test_sweep_never_sends_a_trade(office: Office) -> None:
    run_id = office.create_run(MONDAY)
    trade = example(TradeRequested)
    make.move_to(office.store, RunState.SELLING, run_id=run_id, outbox=(trade,))

    office.sweep()

    assert office.published == []
    assert not make.loaded(office.store, run_id).sent


def test_sweep_of_a_run_that_moves_meanwhile_fails_nothing(office: Office) -> None:
    run_id = office.create_run(MONDAY)
    office.later(minutes=8)

    class OtherWorkerFirst(InMemoryRunStore):
        def move(self, run_id: str, move: Move) -> bool:
            make.move_to(office.store, RunState.AGGREGATED, run_id=run_id)
            return super().move(run_id, move)

    racing = OtherWorkerFirst()
    racing.runs = office.store.runs

    Office(store=racing, wall=office.wall).sweep()

    assert make.loaded(office.store, run_id).state is RunState.AGGREGATED
