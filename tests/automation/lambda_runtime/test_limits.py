"""Other processes change no answer: only CPU time counts, and being asleep without using it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automation.lambda_runtime import limits
from automation.lambda_runtime.limits import Activity, StallWatch


class Machine:
    """A clock, and a process that uses `share` of the CPU and is in a state."""

    def __init__(self, share: float = 0.0, state: str = "S", *, is_busy: bool = False) -> None:
        self.share, self.state, self.is_busy = share, state, is_busy
        self.now, self.queued_s, self.stopped = 100.0, 0.0, list[int]()
        self.watch = StallWatch(
            20.0,
            activity=lambda _: Activity(self.now * self.share, self.queued_s, frozenset(self.state)),
            is_busy=lambda: self.is_busy,
            clock=lambda: self.now,
            stop=self.stopped.append,
        )
        self.run(1)

    def run(self, seconds: int, *, step_s: float = 1.0, queued_s: float = 0.0) -> None:
        for _ in range(seconds):
            self.now += step_s
            self.queued_s += queued_s
            self.watch(7)


def test_limits_are_twice_the_time_of_an_initialisation() -> None:
    watch = StallWatch()

    assert (limits.CPU_S, watch.stall_s, watch.longest_s) == (20, 20.0, 0.0)


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_stall_watch_sleeping_process_is_stopped_once_after_its_time(machine: Machine) -> None:
    machine.run(18)
    assert (machine.stopped, machine.watch.has_stopped) == ([], False)

    machine.run(10)
    assert (machine.stopped, machine.watch.has_stopped, machine.watch.is_in_doubt) == ([7], True, False)


@pytest.mark.parametrize(("share", "stopped"), [(0.012, []), (0.008, [7])])
def test_stall_watch_slow_process_is_left_alone(share: float, stopped: list[int]) -> None:
    """A busy machine gives a process little of the CPU, but more than a process that polls uses."""
    machine = Machine(share)

    machine.run(60)

    assert machine.stopped == stopped


@pytest.mark.parametrize("state", ["R", "D", "T", "SR", "SD", ""])
def test_stall_watch_process_without_processor_or_disk_is_left_alone(state: str) -> None:
    machine = Machine(state=state)

    machine.run(200)

    assert (machine.stopped, machine.watch.is_in_doubt) == ([], False)


@pytest.mark.parametrize(("state", "stopped"), [("D", []), ("R", [7])])
def test_stall_watch_waiting_for_a_disk_begins_anew(machine: Machine, state: str, stopped: list[int]) -> None:
    machine.run(15)
    machine.state = state
    machine.run(1)
    machine.state = "S"

    machine.run(10)

    assert machine.stopped == stopped


def test_stall_watch_leaves_out_the_time_on_a_run_queue(machine: Machine) -> None:
    machine.run(30, queued_s=0.5)
    assert machine.stopped == []

    machine.run(10, queued_s=0.5)
    assert machine.stopped == [7]


def test_stall_watch_of_a_process_that_did_not_run_itself_sees_enough(machine: Machine) -> None:
    """A laptop that was closed, and a proof that got no processor, see few moments in a long time."""
    machine.run(9, step_s=500.0)
    assert machine.stopped == []

    machine.run(1, step_s=500.0)
    assert machine.stopped == [7]


def test_stall_watch_on_a_busy_machine_waits_for_minutes() -> None:
    machine = Machine(is_busy=True)

    machine.run(118)
    assert (machine.stopped, machine.watch.is_in_doubt) == ([], True)

    machine.run(1)
    assert machine.stopped == [7]


def test_stall_watch_on_a_machine_that_calms_down_waits_no_longer() -> None:
    machine = Machine(is_busy=True)
    machine.run(50)
    machine.is_busy = False

    machine.run(19)
    assert machine.stopped == []

    machine.run(1)
    assert machine.stopped == [7]


@pytest.mark.parametrize(("seconds", "is_in_doubt"), [(18, False), (19, True)])
def test_stall_watch_process_that_went_on_after_a_long_wait_is_a_doubt(*, seconds: int, is_in_doubt: bool) -> None:
    machine = Machine(is_busy=True)
    machine.run(seconds)
    machine.share = 1.0
    machine.run(5)

    assert machine.watch.is_in_doubt is is_in_doubt


def write(proc: Path, process: int, parent: int, ticks: str, states: str) -> None:
    """Write the files of a process; each thread has waited 1.5 s for a processor."""
    for number, state in enumerate(states):
        thread = proc / f"{process}" / "task" / f"{process + number}"
        thread.mkdir(parents=True)
        (thread / "stat").write_text(f"{process + number} (a (b) c) {state} {parent} 0 0")
        (thread / "schedstat").write_text("9000000000 1500000000 77\n")
    stat = f"{process} (a (b) \xff) S {parent} 0 0 0 0 0 0 0 0 0 {ticks} 0 0"
    (proc / f"{process}" / "stat").write_bytes(stat.encode("latin-1"))


def test_of_process_adds_the_programs_that_it_has_started(tmp_path: Path) -> None:
    second = os.sysconf("SC_CLK_TCK")
    write(tmp_path, 50, 1, f"{second} {second} {second} {second}", "SZ")
    write(tmp_path, 60, 50, f"{second} 0 0 0", "X")
    write(tmp_path, 70, 60, f"{second} 0 0 0", "R")
    write(tmp_path, 80, 1, f"{second} 0 0 0", "D")
    (tmp_path / "self").mkdir()

    assert limits.of_process(50, tmp_path) == Activity(6.0, 6.0, frozenset("SR"))


def test_of_process_that_has_ended_has_no_state(tmp_path: Path) -> None:
    assert limits.of_process(50, tmp_path / "gone") == Activity(0.0, 0.0, frozenset())


def test_cpu_time_of_this_process_grows_with_its_work() -> None:
    before = limits.of_process(os.getpid())
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    after = limits.of_process(os.getpid())

    assert 0.0 < after.cpu_s - before.cpu_s < 10.0
    assert "R" in after.states


@pytest.mark.parametrize("name", ["cpu", "io", "memory"])
@pytest.mark.parametrize(("percent", "is_busy"), [("9.99", False), ("10.00", True)])
def test_busy_is_a_machine_with_one_pressure(tmp_path: Path, name: str, percent: str, *, is_busy: bool) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "loadavg").write_text("9999.5 0 0 1/2 3")
    for kind, share in {"cpu": "0.00", "io": "0.00", name: percent}.items():
        text = f"some avg10={share} avg60=99.00 avg300=99.00 total=5\nfull avg10=99.00 avg60=0.00 total=0\n"
        (tmp_path / "pressure" / kind).write_text(text)

    assert limits.busy(tmp_path) is is_busy


@pytest.mark.parametrize(("load", "is_busy"), [("0 9999", False), ("{} 9999", False), ("{}.01 0 0 1/2 3", True)])
def test_busy_without_pressures_is_a_machine_with_more_load_than_processors(
    tmp_path: Path, *, load: str, is_busy: bool
) -> None:
    assert not limits.busy(tmp_path)
    (tmp_path / "loadavg").write_text(load.format(os.cpu_count()))

    assert limits.busy(tmp_path) is is_busy


def test_stop_ends_the_programs_too_that_keep_the_output_open() -> None:
    code = "import subprocess\nprint(1, flush=True)\nsubprocess.run(['sleep', '600'])"
    with subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        while len(limits._family(process.pid, Path("/proc"))) < 2:
            time.sleep(0.01)

        limits.stop(process.pid)

        assert process.stdout.read() == b""
        assert process.wait() == -24
