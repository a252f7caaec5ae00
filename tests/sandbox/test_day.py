from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from automation.system.errors import CheckFailedError, UsageError
from sandbox.day import DayContext, trade_day
from sandbox.evidence import DayEvidence
from sandbox.exchange.clock import Phase
from sandbox.function_logs import FailureKind, LogFailure
from sandbox.outages import WallClock
from sandbox.verify import verify_day
from tests.sandbox.book_checks import BY_HAND, DIFFER_SUBJECT, books
from tests.sandbox.days import (
    BOUGHT,
    COMPLETED_SUBJECT,
    DAY,
    LATER,
    SWEEP,
    UNSETTLED,
    VISIBILITY_S,
    WALL,
    FastWall,
    InMemoryCloud,
    InMemoryExchange,
    backlogs,
    failed_run,
    mail,
    planned_run,
    run_with_outcome,
)
from tests.the_alchemiser.run_builders import loaded


class Sandbox:
    def __init__(self) -> None:
        self.cloud = InMemoryCloud()
        self.exchange = InMemoryExchange()
        self.progress: list[str] = []
        self.wall = FastWall()
        self.now = WALL
        self._later: list[tuple[float, Callable[[], None]]] = []

    def when(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something that many seconds from now."""
        self._later.append((self.wall.seconds + seconds, action))

    def _sleep(self, seconds: float) -> None:
        self.wall.sleep(seconds)
        for due in [due for due in self._later if due[0] <= self.wall.seconds]:
            self._later.remove(due)
            due[1]()

    def trade(self) -> DayEvidence:
        clock = WallClock(self.wall.read, self._sleep)
        return trade_day(DAY, DayContext(self.cloud, self.exchange, clock, lambda: self.now, self.progress.append))


def nothing() -> None:
    """React to a message by doing nothing."""


def test_trade_day_sends_what_the_scheduler_would() -> None:
    sandbox = Sandbox()

    day = sandbox.trade()

    assert sandbox.cloud.sent == ["refresh", "start", SWEEP.body]
    assert sandbox.exchange.wanted_phases == [Phase.EVENING_BEFORE, Phase.BEFORE_CLOSE, Phase.AFTER_CLOSE]
    assert verify_day(day) == ()
    assert not day.is_resumed


def test_trade_day_waits_for_a_killed_worker() -> None:
    """Its message returns after the visibility time-out; the day then goes on as if nothing had happened."""
    sandbox = Sandbox()

    def check_late() -> None:
        sandbox.cloud.queues = backlogs(data_v2=(1,))
        sandbox.when(VISIBILITY_S, check)

    def check() -> None:
        sandbox.cloud.queues = backlogs()
        sandbox.cloud.check()
        crash = LogFailure("Worker process died", kind=FailureKind.CRASH, is_survived=True)
        sandbox.cloud.logs["data_v2"] = replace(sandbox.cloud.logs["data_v2"], failures=(crash,))

    sandbox.cloud.reactions["refresh"] = check_late
    day = sandbox.trade()

    assert (verify_day(day), day.survived) == ((), ("1 crash of data_v2",))
    assert day.seconds["market data"] > VISIBILITY_S


def test_trade_day_reports_each_step_once() -> None:
    sandbox = Sandbox()

    sandbox.trade()

    assert len(sandbox.progress) == len(set(sandbox.progress))
    assert sandbox.progress[0].startswith("data_v2, data_quality_monitor")
    assert sandbox.progress[-2].endswith("run completed")
    assert sandbox.progress[-1] == "coordinator_v2: after the close, the account was compared with the books"


def test_trade_day_collects_decisions_of_all_strategies() -> None:
    assert sorted(Sandbox().trade().decisions) == ["bold", "calm"]


def test_trade_day_measures_each_phase() -> None:
    assert list(Sandbox().trade().seconds) == ["market data", "trading", "evidence", "close"]


def test_trade_day_without_a_verdict_gives_warnings() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["refresh"] = nothing
    sandbox.cloud.logs["data_v2"] = replace(sandbox.cloud.logs["data_v2"], warnings=("SPY: stale",))

    with pytest.raises(
        CheckFailedError,
        match=r"no verdict on closes through 2022-03-15; data_v2: SPY: stale.*; inv run-day tries again",
    ):
        sandbox.trade()


def test_trade_day_without_a_run_gives_the_refusal() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = nothing
    refusal = replace(sandbox.cloud.logs["coordinator_v2"], warnings=("run refused: paused: the kill switch",))
    sandbox.cloud.logs["coordinator_v2"] = refusal

    with pytest.raises(
        CheckFailedError,
        match=r"started no run on 2022-03-16: run refused: paused: the kill switch; remove the cause, ",
    ):
        sandbox.trade()


def test_trade_day_with_a_stuck_run_says_what_is_missing() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = lambda: sandbox.cloud.runs.update({DAY: loaded(planned_run())})
    sandbox.cloud.queues = backlogs(trade_aggregator_dlq=(3,))

    with pytest.raises(
        CheckFailedError,
        match=r"stuck in PLANNED with no message left to process; missing: the release of the trades; "
        r"read inv logs --env local --run local-2022-03-16; send its dead letter again with inv dlq.redrive, "
        r"or the sweep fails the run after 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC; then run inv run-day",
    ) as raised:
        sandbox.trade()
    assert [finding.where for finding in raised.value.findings] == ["trade_aggregator"]


def test_trade_day_with_a_stuck_run_lets_the_sweep_publish() -> None:
    """A killed worker may have left messages unsent."""
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = lambda: sandbox.cloud.runs.update({DAY: loaded(planned_run())})

    def publish() -> None:
        sandbox.cloud.complete()
        sandbox.cloud.reactions[SWEEP.body] = sandbox.cloud.compare

    sandbox.cloud.reactions[SWEEP.body] = publish
    day = sandbox.trade()

    assert sandbox.cloud.sent == ["refresh", "start", SWEEP.body, SWEEP.body]
    assert "coordinator_v2: sweeps, because local-2022-03-16 has no message left in PLANNED" in sandbox.progress
    assert verify_day(day) == ()


def test_trade_day_settles_the_orders_of_a_trade_that_gave_up() -> None:
    """The second sweep comes when no order of the run can be on its way any more."""
    sandbox = Sandbox()
    cloud, given_up = sandbox.cloud, run_with_outcome(UNSETTLED)
    cloud.reactions["start"] = lambda: cloud.runs.update({DAY: given_up})

    def settle() -> None:
        if cloud.sent.count(SWEEP.body) == 2:
            cloud.runs[DAY] = structs.replace(given_up, settled=True)
            cloud.reactions[SWEEP.body] = cloud.compare

    cloud.reactions[SWEEP.body] = settle
    day = sandbox.trade()

    assert cloud.sent == ["refresh", "start", SWEEP.body, SWEEP.body, SWEEP.body]
    assert (day.run.settled, list(day.seconds)[2:]) == (True, ["evidence", "settlement", "close"])
    assert 111 <= day.seconds["settlement"] < 112
    assert sandbox.progress[-2] == "coordinator_v2: sweeps again in 111 s; until then, orders may be on their way"


def test_trade_day_with_orders_that_stay_open_sweeps_three_times() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = lambda: sandbox.cloud.runs.update({DAY: run_with_outcome(UNSETTLED)})

    day = sandbox.trade()

    assert sandbox.cloud.sent.count(SWEEP.body) == 3 + 1
    assert [finding.where for finding in verify_day(day)] == [BOUGHT.trade_id] * 2


def test_trade_day_without_open_orders_sweeps_only_after_the_close() -> None:
    sandbox = Sandbox()
    phases: list[Phase] = []

    def settle() -> None:
        phases.append(sandbox.exchange.phase)
        sandbox.cloud.runs[DAY] = structs.replace(sandbox.cloud.runs[DAY], settled=True)
        sandbox.cloud.compare()

    sandbox.cloud.reactions[SWEEP.body] = settle
    day = sandbox.trade()

    assert phases == [Phase.AFTER_CLOSE]
    assert (day.run.settled, day.books) == (True, books())


def test_trade_day_whose_books_differ_waits_for_the_mail() -> None:
    sandbox = Sandbox()

    def differ() -> None:
        sandbox.cloud.books = books(BY_HAND)
        sandbox.cloud.queues = backlogs(notifications_v2=(1,))
        sandbox.when(3, notify)

    def notify() -> None:
        sandbox.cloud.queues = backlogs()
        sandbox.cloud.sent_mails = (mail(), mail(DIFFER_SUBJECT))

    sandbox.cloud.reactions[SWEEP.body] = differ
    day = sandbox.trade()

    assert [sent.subject for sent in day.mails] == [COMPLETED_SUBJECT, DIFFER_SUBJECT]
    assert [finding.where for finding in verify_day(day)] == ["books"]
    assert day.backlogs == backlogs()


def test_trade_day_sweeps_again_when_the_broker_did_not_answer() -> None:
    sandbox = Sandbox()

    def compare_at_last() -> None:
        if sandbox.cloud.sent.count(SWEEP.body) == 3:
            sandbox.cloud.compare()

    sandbox.cloud.reactions[SWEEP.body] = compare_at_last

    assert verify_day(sandbox.trade()) == ()
    assert sandbox.cloud.sent.count(SWEEP.body) == 3


def test_trade_day_without_a_check_of_the_books_says_so() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions[SWEEP.body] = nothing

    day = sandbox.trade()

    assert sandbox.cloud.sent.count(SWEEP.body) == 3
    assert day.books is None
    assert [finding.where for finding in verify_day(day)] == ["books"]
    assert not any("compared with the books" in line for line in sandbox.progress)


def test_trade_day_that_is_long_over_is_not_swept() -> None:
    """A sweep would check another day."""
    sandbox = Sandbox()
    sandbox.cloud.complete()
    sandbox.exchange.now += timedelta(days=100)

    assert sandbox.trade().books is None
    assert sandbox.cloud.sent == []


def test_trade_day_with_a_failed_run_returns_evidence() -> None:
    sandbox = Sandbox()
    sandbox.cloud.reactions["start"] = lambda: sandbox.cloud.runs.update({DAY: failed_run()})

    assert sandbox.trade().run == failed_run()


def test_trade_day_with_an_existing_run_resumes_it() -> None:
    sandbox = Sandbox()
    sandbox.cloud.complete()

    day = sandbox.trade()

    assert (sandbox.cloud.sent, day.is_resumed) == ([SWEEP.body], True)
    assert day.started_at == sandbox.cloud.runs[DAY].timeline[0].at


def test_trade_day_resumed_forgives_what_an_earlier_command_reported() -> None:
    """A denied call ended that command; its grant was added since. The evidence has the whole run."""
    sandbox = Sandbox()
    sandbox.now, began = LATER, planned_run()
    sandbox.cloud.runs[DAY] = loaded(began)
    sandbox.cloud.queues = backlogs(trade_aggregator=(1,))

    def complete() -> None:
        sandbox.cloud.queues = backlogs()
        sandbox.cloud.complete()

    sandbox.when(3, complete)
    day = sandbox.trade()

    looks, evidence = sandbox.cloud.read_since[:-20], sandbox.cloud.read_since[-20:]
    assert (set(looks), set(evidence)) == ({LATER}, {WALL})
    assert day.started_at == WALL


def test_trade_day_with_checked_data_refreshes_nothing() -> None:
    sandbox = Sandbox()
    sandbox.cloud.check()
    sandbox.exchange.set_clock(DAY, Phase.BEFORE_CLOSE)

    day = sandbox.trade()

    assert sandbox.cloud.sent == ["start", SWEEP.body]
    assert day.is_resumed


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
