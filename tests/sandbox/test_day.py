from dataclasses import replace
from datetime import timedelta

import pytest

from automation.system.errors import CheckFailedError, UsageError
from sandbox.day import DayContext, trade_day
from sandbox.evidence import DayEvidence
from sandbox.exchange.clock import Phase
from sandbox.verify import verify_day
from sandbox.watch import WallClock
from tests.sandbox.days import DAY, WALL, FastWall, InMemoryCloud, InMemoryExchange, failed_run, planned_run
from tests.the_alchemiser.run_builders import loaded


class Sandbox:
    def __init__(self) -> None:
        self.cloud = InMemoryCloud()
        self.exchange = InMemoryExchange()
        self.progress: list[str] = []

    def trade(self) -> DayEvidence:
        wall = FastWall()
        clock = WallClock(wall.read, wall.sleep)
        return trade_day(DAY, DayContext(self.cloud, self.exchange, clock, lambda: WALL, self.progress.append))


def nothing() -> None:
    """React to a message by doing nothing."""


def test_trade_day_sends_what_the_scheduler_would() -> None:
    sandbox = Sandbox()

    day = sandbox.trade()

    assert sandbox.cloud.sent == ["refresh", "start"]
    assert sandbox.exchange.wanted_phases == [Phase.EVENING_BEFORE, Phase.BEFORE_CLOSE]
    assert verify_day(day) == ()


def test_trade_day_reports_each_step_once() -> None:
    sandbox = Sandbox()

    sandbox.trade()

    assert len(sandbox.progress) == len(set(sandbox.progress))
    assert sandbox.progress[0].startswith("data_v2, data_quality_monitor")
    assert sandbox.progress[-1].endswith("run completed")


def test_trade_day_collects_decisions_of_all_strategies() -> None:
    assert sorted(Sandbox().trade().decisions) == ["bold", "calm"]


def test_trade_day_measures_each_phase() -> None:
    assert list(Sandbox().trade().seconds) == ["market data", "trading", "evidence"]


def test_trade_day_without_a_verdict_gives_warnings() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["refresh"] = nothing
    sandbox.cloud.logs["data_v2"] = replace(sandbox.cloud.logs["data_v2"], warnings=("SPY: stale",))

    with pytest.raises(CheckFailedError, match=r"no verdict on closes through 2022-03-15; data_v2: SPY: stale"):
        sandbox.trade()


def test_trade_day_without_a_run_gives_the_refusal() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = nothing
    refusal = replace(sandbox.cloud.logs["coordinator_v2"], warnings=("run refused: paused: the kill switch",))
    sandbox.cloud.logs["coordinator_v2"] = refusal

    with pytest.raises(CheckFailedError, match=r"started no run on 2022-03-16: run refused: paused"):
        sandbox.trade()


def test_trade_day_with_a_stuck_run_says_what_is_missing() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = lambda: sandbox.cloud.runs.update({DAY: loaded(planned_run())})

    with pytest.raises(
        CheckFailedError, match=r"stuck in PLANNED with no message left to process; missing: the release of the trades"
    ):
        sandbox.trade()


def test_trade_day_with_a_failed_run_returns_evidence() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = lambda: sandbox.cloud.runs.update({DAY: failed_run()})

    assert sandbox.trade().run == failed_run()


def test_trade_day_with_an_existing_run_resumes_it() -> None:
    sandbox = Sandbox()
    sandbox.cloud.complete()

    day = sandbox.trade()

    assert (sandbox.cloud.sent, day.is_resumed) == ([], True)


def test_trade_day_with_checked_data_refreshes_nothing() -> None:
    sandbox = Sandbox()
    sandbox.cloud.check()
    sandbox.exchange.set_clock(DAY, Phase.BEFORE_CLOSE)

    sandbox.trade()

    assert sandbox.cloud.sent == ["start"]


def test_trade_day_past_the_refresh_asks_for_a_reset() -> None:
    sandbox = Sandbox()
    sandbox.exchange.set_clock(DAY, Phase.BEFORE_CLOSE)

    with pytest.raises(UsageError, match=r"inv sandbox\.reset"):
        sandbox.trade()


def test_trade_day_past_the_session_asks_for_a_reset() -> None:
    sandbox = Sandbox()
    sandbox.cloud.check()
    sandbox.exchange.now += timedelta(days=100)

    with pytest.raises(UsageError, match=r"past 2022-03-16; run inv sandbox\.reset"):
        sandbox.trade()


def test_trade_day_without_a_due_schedule_fails() -> None:
    sandbox = Sandbox()
    sandbox.cloud.deployment = replace(sandbox.cloud.deployment, schedules=())

    with pytest.raises(CheckFailedError, match="no deployed schedule fires"):
        sandbox.trade()
