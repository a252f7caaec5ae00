"""Other processes change no answer: only CPU time counts, and waiting without using it."""

import os
import time

import pytest

from automation.lambda_runtime import limits
from automation.lambda_runtime.limits import StallWatch


class Machine:
    """A clock and a process that uses `share` of the CPU."""

    def __init__(self, share: float) -> None:
        self.share, self.now, self.stopped = share, 100.0, list[int]()

    def watch(self) -> StallWatch:
        return StallWatch(
            20.0, used_s=lambda _: self.now * self.share, clock=lambda: self.now, stop=self.stopped.append
        )

    def run(self, watch: StallWatch, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            watch(7)


def test_stall_watch_waiting_process_is_stopped_once_after_its_time() -> None:
    machine = Machine(share=0.0)
    watch = machine.watch()

    machine.run(watch, 19)
    assert (machine.stopped, watch.has_stopped) == ([], False)

    machine.run(watch, 10)
    assert (machine.stopped, watch.has_stopped) == ([7], True)


@pytest.mark.parametrize(("share", "stopped"), [(0.012, []), (0.008, [7])])
def test_stall_watch_slow_process_is_left_alone(share: float, stopped: list[int]) -> None:
    """A busy machine gives a process little of the CPU, but more than a process that polls uses."""
    machine = Machine(share)
    watch = machine.watch()
    machine.run(watch, 1)

    machine.run(watch, 60)

    assert machine.stopped == stopped


def test_cpu_time_of_this_process_grows_with_its_work() -> None:
    before = limits.cpu_s(os.getpid())
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass

    assert 0.0 < limits.cpu_s(os.getpid()) - before < 10.0


def test_cpu_time_of_a_process_that_has_ended_is_infinite() -> None:
    assert limits.cpu_s(2**22 + 1) == float("inf")
