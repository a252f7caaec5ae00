from dataclasses import replace

import pytest

from automation.system.errors import CheckFailedError
from sandbox.function_logs import LogError
from sandbox.watch import HandlersFailedError, Pace, WallClock, Watch
from tests.sandbox.days import WALL, FastWall, InMemoryCloud, backlogs, log


def watch(cloud: InMemoryCloud, wall: FastWall) -> Watch:
    return Watch(cloud, WALL, WallClock(wall.read, wall.sleep), Pace(patience_s=30.0))


def test_wait_until_done_returns_once_queues_have_settled() -> None:
    wall = FastWall()

    assert watch(InMemoryCloud(), wall).wait_until(lambda: True, doing="it")
    assert wall.seconds < 0.5


def test_wait_until_never_done_gives_up_after_idling() -> None:
    wall = FastWall()

    assert not watch(InMemoryCloud(), wall).wait_until(lambda: False, doing="it")
    assert wall.seconds < 3


def test_wait_until_done_waits_for_messages_in_queues() -> None:
    cloud, wall = InMemoryCloud(), FastWall()
    cloud.queues = backlogs(metrics_v2=(1,))

    def done() -> bool:
        if wall.seconds > 5:
            cloud.queues = backlogs()
        return True

    assert watch(cloud, wall).wait_until(done, doing="it")
    assert 5 < wall.seconds < 6


def test_wait_until_with_a_logged_error_fails_within_a_second() -> None:
    cloud, wall = InMemoryCloud(), FastWall()
    cloud.queues = backlogs(metrics_v2=(1,))
    cloud.logs["metrics_v2"] = replace(log("metrics_v2"), errors=(LogError("no", "dynamodb:PutItem"),))

    with pytest.raises(HandlersFailedError, match="stack-metrics_v2 is not allowed to call dynamodb:PutItem"):
        watch(cloud, wall).wait_until(lambda: False, doing="it")
    assert wall.seconds < 1.5


def test_wait_until_with_a_function_that_cannot_start_fails() -> None:
    cloud = InMemoryCloud()
    cloud.logs["data_v2"] = replace(log("data_v2"), is_silent=True)

    with pytest.raises(HandlersFailedError, match="it failed to start"):
        watch(cloud, FastWall()).wait_until(lambda: False, doing="it")


def test_wait_until_with_a_dead_letter_fails() -> None:
    cloud = InMemoryCloud()
    cloud.queues = backlogs(data_v2_dlq=(3,))

    with pytest.raises(HandlersFailedError, match="dead-letter queue data_v2-dlq"):
        watch(cloud, FastWall()).wait_until(lambda: False, doing="it")


def test_wait_until_taking_too_long_names_the_waiting_modules() -> None:
    cloud = InMemoryCloud()
    cloud.queues = backlogs(strategy_v2=(1, 1))

    with pytest.raises(
        CheckFailedError, match=r"the run takes longer than 30 s; messages are waiting for: strategy_v2"
    ):
        watch(cloud, FastWall()).wait_until(lambda: False, doing="the run")
