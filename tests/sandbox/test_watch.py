from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from automation.system.errors import CheckFailedError
from sandbox.findings import dead_letter_findings
from sandbox.function_logs import LogFailure
from sandbox.outages import WallClock
from sandbox.watch import DeniedError, Pace, Watch
from tests.sandbox.days import VISIBILITY_S, WALL, FastWall, InMemoryCloud, backlogs, log

DENIED = LogFailure("no", "dynamodb:PutItem")


class Watching:
    """A watch over a cloud on which only sleeping takes time."""

    def __init__(self) -> None:
        self.cloud = InMemoryCloud()
        self.wall = FastWall()
        self.progress: list[str] = []
        clock = WallClock(self.wall.read, self.wall.sleep)
        self.watch = Watch(self.cloud, WALL, clock, self.now, self.progress.append)

    def now(self) -> datetime:
        return WALL + timedelta(seconds=self.wall.seconds)

    def is_true(self) -> bool:
        return True

    def is_false(self) -> bool:
        return False


@pytest.fixture
def watching() -> Watching:
    return Watching()


def test_wait_until_done_returns_once_queues_have_settled(watching: Watching) -> None:
    assert watching.watch.wait_until(watching.is_true, doing="it")
    assert Pace().settled_s <= watching.wall.seconds < 0.5


def test_wait_until_never_done_gives_up_after_idling(watching: Watching) -> None:
    assert not watching.watch.wait_until(watching.is_false, doing="it")
    assert Pace().idle_s <= watching.wall.seconds < 2.5


def test_wait_until_done_at_the_last_look_succeeds(watching: Watching) -> None:
    answers = iter([*[False] * 18, True])

    assert watching.watch.wait_until(lambda: next(answers), doing="it")


def test_wait_until_done_waits_for_messages_in_queues(watching: Watching) -> None:
    watching.cloud.queues = backlogs(metrics_v2=(1,))

    def done() -> bool:
        if watching.wall.seconds > 5:
            watching.cloud.queues = backlogs()
        return True

    assert watching.watch.wait_until(done, doing="it")
    assert 5 < watching.wall.seconds < 6


def test_wait_until_a_killed_workers_message_has_returned(watching: Watching) -> None:
    """All three receives of a message may pass, however long that takes."""
    watching.cloud.queues = backlogs(data_v2=(1,))

    def done() -> bool:
        receives = 1 + int(watching.wall.seconds) // VISIBILITY_S
        watching.cloud.queues = backlogs(data_v2=(receives,)) if receives <= 3 else backlogs()
        return receives > 3

    assert watching.watch.wait_until(done, doing="it")
    assert watching.wall.seconds > 3 * VISIBILITY_S


def test_wait_until_reports_what_it_waits_for_once(watching: Watching) -> None:
    test_wait_until_a_killed_workers_message_has_returned(watching)

    assert watching.progress == [
        "data_v2: 1 message in work, or returns in about 24 s (attempt 1 of 3)",
        "data_v2: 1 message to be received",
        "data_v2: 1 message to be received",
    ]


def test_wait_until_of_a_short_wait_reports_nothing(watching: Watching) -> None:
    test_wait_until_done_waits_for_messages_in_queues(watching)

    assert watching.progress == []


def test_wait_until_with_a_denied_call_fails_within_a_second(watching: Watching) -> None:
    watching.cloud.queues = backlogs(metrics_v2=(1,))
    watching.cloud.logs["metrics_v2"] = replace(log("metrics_v2"), failures=(DENIED,))

    with pytest.raises(DeniedError, match="stack-metrics_v2 is not allowed to call dynamodb:PutItem") as raised:
        watching.watch.wait_until(watching.is_false, doing="it")
    assert watching.wall.seconds < 1.5
    assert [finding.where for finding in raised.value.findings] == ["metrics_v2"]


def test_wait_until_idle_looks_for_denied_calls_last(watching: Watching) -> None:
    def late() -> bool:
        if watching.wall.seconds > 1.9:
            watching.cloud.logs["metrics_v2"] = replace(log("metrics_v2"), failures=(DENIED,))
        return False

    with pytest.raises(DeniedError):
        watching.watch.wait_until(late, doing="it")


def test_wait_until_with_another_failure_waits(watching: Watching) -> None:
    """The queue delivers the message again."""
    watching.cloud.logs["data_v2"] = replace(log("data_v2"), failures=(LogFailure("failed: no"),))

    assert not watching.watch.wait_until(watching.is_false, doing="it")


def test_wait_until_with_a_dead_letter_waits_for_the_rest(watching: Watching) -> None:
    watching.cloud.queues = backlogs(data_v2_dlq=(3,))

    assert watching.watch.wait_until(watching.is_true, doing="it")


def test_wait_until_nothing_changes_names_the_waiting_modules(watching: Watching) -> None:
    watching.cloud.queues = backlogs(strategy_v2=(1, 1))

    with pytest.raises(
        CheckFailedError,
        match=r"the run does not go on: nothing has changed for 54 s; messages are waiting for: strategy_v2;",
    ) as raised:
        watching.watch.wait_until(watching.is_false, doing="the run")
    assert 54 < watching.wall.seconds < 55
    assert [finding.where for finding in raised.value.findings] == ["strategy_v2"]


def test_wait_until_counts_no_time_in_which_a_server_did_not_answer(watching: Watching) -> None:
    watching.cloud.queues = backlogs(strategy_v2=(1,))

    def frozen() -> bool:
        watching.wall.seconds += 30
        if watching.wall.seconds > 500:
            watching.cloud.queues = backlogs()
        return True

    assert watching.watch.wait_until(frozen, doing="it")


def test_faults_are_those_of_logs_and_dead_letters(watching: Watching) -> None:
    watching.cloud.queues = backlogs(data_v2_dlq=(3,), metrics_v2=(1,))
    watching.cloud.logs["strategy_v2"] = replace(log("strategy_v2"), failures=(LogFailure("failed: no"),))

    assert [(finding.where, finding.what) for finding in watching.watch.faults()] == [
        ("data_v2", "1 message in its dead-letter queue data_v2-dlq"),
        ("strategy_v2", "stack-strategy_v2: failed: no"),
    ]
    assert watching.watch.faults()[:1] == dead_letter_findings(watching.cloud.queues)
