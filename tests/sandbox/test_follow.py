from dataclasses import replace

import pytest

from automation.system.errors import CheckFailedError
from sandbox.follow import HandlersFailedError, Pace, Wall, Watch
from sandbox.function_logs import LogError
from tests.sandbox.days import WALL, FastWall, InMemoryCloud, backlogs, log


def watch(cloud: InMemoryCloud, wall: FastWall) -> Watch:
    return Watch(cloud, WALL, Wall(wall.read, wall.sleep), Pace(patience_s=30.0))


def test_until_done_with_empty_queues_returns_as_soon_as_they_have_settled() -> None:
    wall = FastWall()

    assert watch(InMemoryCloud(), wall).until(lambda: True, doing="it")
    assert wall.seconds < 0.5


def test_until_never_done_with_empty_queues_gives_up_after_idling() -> None:
    wall = FastWall()

    assert not watch(InMemoryCloud(), wall).until(lambda: False, doing="it")
    assert wall.seconds < 3


def test_until_done_waits_for_messages_under_way() -> None:
    cloud, wall = InMemoryCloud(), FastWall()
    cloud.queues = backlogs(metrics_v2=(1,))

    def done() -> bool:
        if wall.seconds > 5:
            cloud.queues = backlogs()
        return True

    assert watch(cloud, wall).until(done, doing="it")
    assert 5 < wall.seconds < 6


def test_until_a_function_logs_an_error_fails_within_about_a_second() -> None:
    cloud, wall = InMemoryCloud(), FastWall()
    cloud.queues = backlogs(metrics_v2=(1,))
    cloud.logs["metrics_v2"] = replace(log("metrics_v2"), errors=(LogError("no", "dynamodb:PutItem"),))

    with pytest.raises(HandlersFailedError, match="stack-metrics_v2 may not call dynamodb:PutItem"):
        watch(cloud, wall).until(lambda: False, doing="it")
    assert wall.seconds < 1.5


def test_until_a_function_that_cannot_start_fails() -> None:
    cloud = InMemoryCloud()
    cloud.logs["data_v2"] = replace(log("data_v2"), is_silent=True)

    with pytest.raises(HandlersFailedError, match="did not come to work"):
        watch(cloud, FastWall()).until(lambda: False, doing="it")


def test_until_a_dead_letter_fails() -> None:
    cloud = InMemoryCloud()
    cloud.queues = backlogs(data_v2_dlq=(3,))

    with pytest.raises(HandlersFailedError, match="dead-letter queue data_v2-dlq"):
        watch(cloud, FastWall()).until(lambda: False, doing="it")


def test_until_it_takes_too_long_says_where_messages_lie() -> None:
    cloud = InMemoryCloud()
    cloud.queues = backlogs(strategy_v2=(1, 1))

    with pytest.raises(CheckFailedError, match=r"the run takes longer than 30 s; messages lie in: strategy_v2"):
        watch(cloud, FastWall()).until(lambda: False, doing="the run")
