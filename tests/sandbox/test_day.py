from dataclasses import replace
from datetime import timedelta

import pytest

from automation.system.errors import CheckFailedError, UsageError
from sandbox.day import Surroundings, trade_day
from sandbox.evidence import DayEvidence
from sandbox.exchange.clock import Phase
from sandbox.follow import Wall
from sandbox.verify import verify
from tests.sandbox.days import DAY, WALL, FastWall, InMemoryCloud, InMemoryExchange, failed_run, planned_run
from tests.the_alchemiser.run_builders import loaded


class Sandbox:
    def __init__(self) -> None:
        self.cloud = InMemoryCloud()
        self.exchange = InMemoryExchange()
        self.said: list[str] = []

    def trade(self) -> DayEvidence:
        wall = FastWall()
        around = Surroundings(self.cloud, self.exchange, Wall(wall.read, wall.sleep), lambda: WALL, self.said.append)
        return trade_day(DAY, around)


def nothing() -> None:
    """Nothing happens."""


def test_trade_day_on_a_good_day_sends_what_the_scheduler_would_and_adds_up() -> None:
    sandbox = Sandbox()

    day = sandbox.trade()

    assert sandbox.cloud.sent == ["refresh", "start"]
    assert sandbox.exchange.asked == [Phase.EVENING_BEFORE, Phase.BEFORE_CLOSE]
    assert verify(day) == ()


def test_trade_day_tells_its_progress_once() -> None:
    sandbox = Sandbox()

    sandbox.trade()

    assert len(sandbox.said) == len(set(sandbox.said))
    assert sandbox.said[0].startswith("data_v2, data_quality_monitor")
    assert sandbox.said[-1].endswith("run completed")


def test_trade_day_collects_the_decision_path_of_each_strategy() -> None:
    assert sorted(Sandbox().trade().decisions) == ["bold", "calm"]


def test_trade_day_names_the_time_of_each_phase() -> None:
    assert list(Sandbox().trade().seconds) == ["market data", "trading", "evidence"]


def test_trade_day_without_a_verdict_says_what_the_functions_said() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["refresh"] = nothing
    sandbox.cloud.logs["data_v2"] = replace(sandbox.cloud.logs["data_v2"], warnings=("SPY: stale",))

    with pytest.raises(
        CheckFailedError, match=r"no quality verdict for closes through 2022-03-15; data_v2: SPY: stale"
    ):
        sandbox.trade()


def test_trade_day_without_a_run_says_why_the_coordinator_refused() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = nothing
    refusal = replace(sandbox.cloud.logs["coordinator_v2"], warnings=("run refused: paused: the kill switch",))
    sandbox.cloud.logs["coordinator_v2"] = refusal

    with pytest.raises(CheckFailedError, match=r"started no run on 2022-03-16: run refused: paused"):
        sandbox.trade()


def test_trade_day_with_a_run_that_stands_still_says_what_is_missing() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = lambda: sandbox.cloud.runs.update({DAY: loaded(planned_run())})

    with pytest.raises(CheckFailedError, match=r"stands still in PLANNED; missing: the release of the trades"):
        sandbox.trade()


def test_trade_day_with_a_failed_run_gives_the_evidence_of_it() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = lambda: sandbox.cloud.runs.update({DAY: failed_run()})

    assert sandbox.trade().run == failed_run()


def test_trade_day_left_unfinished_is_followed_and_not_started_again() -> None:
    sandbox = Sandbox()
    sandbox.cloud.complete()

    day = sandbox.trade()

    assert (sandbox.cloud.sent, day.is_resumed) == ([], True)


def test_trade_day_interrupted_before_the_run_began_uses_the_market_data_there_are() -> None:
    sandbox = Sandbox()
    sandbox.cloud.check()
    sandbox.exchange.set_clock(DAY, Phase.BEFORE_CLOSE)

    sandbox.trade()

    assert sandbox.cloud.sent == ["start"]


def test_trade_day_after_its_evening_without_market_data_asks_for_a_reset() -> None:
    sandbox = Sandbox()
    sandbox.exchange.set_clock(DAY, Phase.BEFORE_CLOSE)

    with pytest.raises(UsageError, match=r"inv sandbox\.reset"):
        sandbox.trade()


def test_trade_day_that_has_passed_asks_for_a_reset() -> None:
    sandbox = Sandbox()
    sandbox.cloud.check()
    sandbox.exchange.now += timedelta(days=100)

    with pytest.raises(UsageError, match=r"past 2022-03-16; run inv sandbox\.reset"):
        sandbox.trade()


def test_trade_day_without_a_schedule_at_that_time_says_so() -> None:
    sandbox = Sandbox()
    sandbox.cloud.deployment = replace(sandbox.cloud.deployment, schedules=())

    with pytest.raises(CheckFailedError, match="no deployed schedule fires"):
        sandbox.trade()
