"""The kernel: real functions trade a history, people and markets act in it, and a seed always gives the same one."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import pytest

from tests.simulation.deployment import ROOT
from tests.simulation.drawing import draw_scenario
from tests.simulation.end_state import EndState
from tests.simulation.kernel import simulate
from tests.simulation.scenario import (
    AccountPlan,
    Act,
    ActKind,
    Condition,
    ConditionKind,
    DayKind,
    FaultKind,
    FaultPlan,
    Scenario,
    Split,
)
from the_alchemiser.shared.run.runs import RunState

DAY = date(2022, 6, 15)
RUN = f"dev-{DAY}"
CLOSE = datetime.fromisoformat("2022-06-15T20:00:00+00:00")
START = CLOSE - timedelta(minutes=15)
PLAN = AccountPlan(opened_by_strategies={"DDD": Decimal(30)}, opened_by_owner={"BBB": Decimal(20)})
CALM = Scenario(seed=1, kind=DayKind.NORMAL, dates=(DAY,), account=PLAN)


@pytest.fixture(scope="module")
def calm() -> EndState:
    return simulate(CALM)


def notes(end: EndState, text: str) -> Iterator[str]:
    return (line.result for line in end.trace if line.function == "world" and text in line.call)


def acting(*acts: Act) -> EndState:
    return simulate(replace(CALM, acts=acts))


def test_history_without_trouble_trades_and_settles(calm: EndState) -> None:
    run = calm.runs[RUN]

    assert (run.state, run.settled, calm.is_quiet) == (RunState.COMPLETED, True, True)
    assert len(calm.fills) >= 8
    assert len(calm.fills) == len(calm.trade_messages) == len(calm.posts)
    assert (len(calm.mails), len(calm.notices), calm.dead_letters) == (1, 1, {})
    assert calm.mails[0].message_id == f"{RUN}/RunCompleted/run"
    assert calm.days == {f"DAY#{RUN}": RUN}


def test_history_without_trouble_is_the_exchanges_own(calm: EndState) -> None:
    bought = sum((fill.cash for fill in calm.fills), Decimal(0))

    assert calm.account.cash == calm.opening.cash + bought
    assert calm.opening.positions == {"BBB": Decimal(20), "DDD": Decimal(30)}
    assert [entry.order_id for entry in calm.ledger if entry.order_id.startswith("opening")] == ["opening-DDD"]


def test_changes_are_the_states_of_the_run(calm: EndState) -> None:
    changes = [change.change for change in calm.changes]

    assert changes == ["EVALUATING", "AGGREGATED", "PLANNED", "SELLING", "BUYING", "COMPLETED", "settled"]


def test_figures_say_that_the_day_had_its_run(calm: EndState) -> None:
    assert [gauge.value for gauge in calm.gauges if gauge.name == "DaysWithoutRun"] == [0.0]


def digests(seeds: tuple[int, ...]) -> list[str]:
    return [digest(simulate(draw_scenario(seed))) for seed in seeds]


def digest(end: EndState) -> str:
    # A set alone has no order of its own.
    ordered = replace(end, owner_order_ids=frozenset()), sorted(end.owner_order_ids)
    return sha256(repr(ordered).encode()).hexdigest()


def test_same_seed_gives_the_same_history_in_another_process() -> None:
    program = "from tests.simulation.test_kernel import digests; print(*digests((12, 3, 40)), sep='\\n')"
    command = [sys.executable, "-c", program]

    answer = subprocess.run(command, cwd=ROOT, env={"PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True)

    assert answer.stdout.split() == digests((12, 3, 40))


def test_muted_faults_leave_a_history_without_trouble() -> None:
    noisy = replace(CALM, faults=FaultPlan({FaultKind.KILL_AFTER: 0.02, FaultKind.DOUBLED: 0.1}, budget=9))
    muted = replace(noisy, faults=replace(noisy.faults, only=frozenset()))

    assert len(simulate(noisy).faults) > 3
    assert simulate(muted).trace == simulate(CALM).trace


def test_killed_function_is_called_again_after_its_visibility() -> None:
    plan = FaultPlan({FaultKind.KILL_AFTER: 1.0}, budget=1, focus="portfolio_v2/")

    end = simulate(replace(CALM, faults=plan))

    attempts = [attempt for attempt in end.attempts if attempt.function == "portfolio_v2"]
    assert [(attempt.receive, attempt.result) for attempt in attempts] == [(1, "killed"), (2, "handled")]
    assert attempts[1].at - attempts[0].at == timedelta(seconds=40)
    assert end.runs[RUN].state is RunState.COMPLETED


def test_logs_are_kept_when_asked_for(calm: EndState) -> None:
    assert calm.logs == ()
    assert any("run started" in line and "coordinator_v2" in line for line in simulate(CALM, keep_logs=True).logs)


def test_kill_switch_stops_the_day() -> None:
    end = acting(Act(ActKind.PAUSE, START - timedelta(minutes=1)))

    assert (end.runs, end.posts) == ({}, ())
    assert [text for _, text in end.switch] == ["enabled", "paused"]
    assert [notice.message_id for notice in end.mails] == [f"{RUN}/RunRefused/paused"]


def test_owner_trades_by_hand() -> None:
    end = acting(
        Act(ActKind.OWNER_SELL, START - timedelta(minutes=2), "BBB", Decimal(5)),
        Act(ActKind.OWNER_BUY, START - timedelta(minutes=1), "CCC", Decimal(3)),
    )

    by_hand = [order for order in end.orders if str(order.id) in end.owner_order_ids]
    assert [(order.symbol, order.side.value, int(order.filled_qty)) for order in by_hand] == [
        ("BBB", "sell", 5),
        ("CCC", "buy", 3),
    ]


def test_owner_edits_and_cancels_our_resting_order() -> None:
    rests = Condition(ConditionKind.RESTING, "HHH", START, START + timedelta(minutes=1))
    edit = Act(ActKind.OWNER_EDIT, START + timedelta(seconds=10), "HHH", Decimal("-0.5"))
    cancel = Act(ActKind.OWNER_CANCEL, START + timedelta(seconds=11), "HHH")

    end = simulate(replace(CALM, conditions=(rests,), acts=(edit, cancel)))

    assert list(notes(end, "owner edits")) == ["200"]
    assert list(notes(end, "owner cancels")) == ["204"]
    assert end.owner_order_ids == frozenset()
    assert any(order.replaces is not None for order in end.orders)


def test_forced_rerun_names_the_run_that_owns_the_day() -> None:
    end = acting(Act(ActKind.FORCE, START + timedelta(minutes=6)))

    assert list(notes(end, "forced rerun")) == [f"replaces {RUN}"]
    assert end.days == {f"DAY#{RUN}": f"{RUN}-r1"}


@pytest.mark.parametrize("kind", list(ConditionKind))
def test_market_condition_is_planted_and_ends(kind: ConditionKind) -> None:
    condition = Condition(kind, "AAA", START - timedelta(minutes=1), CLOSE + timedelta(minutes=1), Decimal("0.4"))
    if kind is ConditionKind.PARTIAL:
        condition = condition._replace(size=Decimal(3))

    end = simulate(replace(CALM, conditions=(condition,)))

    assert list(notes(end, f"AAA: {kind.value}")) == ["begins", "ends"]
    assert end.runs[RUN].settled


def test_split_is_traded_on_its_ex_date() -> None:
    scenario = replace(CALM, kind=DayKind.SPLIT, splits=(Split("DDD", DAY, 1, 2),))

    end = simulate(scenario)

    (adjustment,) = end.adjustments
    assert (adjustment.symbol, adjustment.qty_before, adjustment.qty_after) == ("DDD", 30, 60)
    assert [action.symbol for action in end.actions.actions] == ["DDD"]


def test_late_data_refuses_the_scheduled_start() -> None:
    end = simulate(replace(CALM, late_data=True))

    assert end.runs == {}
    assert [notice.message_id for notice in end.mails] == [f"{RUN}/RunRefused/verdict_stale"]


def test_real_night_writes_the_same_lake_as_the_prepared_one(calm: EndState) -> None:
    end = simulate(replace(CALM, real_data=True))

    assert {attempt.function for attempt in end.attempts} >= {"data_v2", "data_quality_monitor"}
    assert {fill.symbol for fill in end.fills} == {fill.symbol for fill in calm.fills}
