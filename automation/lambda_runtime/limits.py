"""The limits of an import: CPU time, and waiting without using the CPU. A busy machine changes neither.

A process that gets no processor is runnable (R), and one that gets no disk sleeps without signals (D): neither waits by
its own doing. Only a process that is asleep (S) does, together with every program that it has started.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Twice the 10 s of an initialisation on Lambda, because this machine may be slower.
CPU_S = 20
STALL_S = 20.0
# On a busy machine a process may sleep until another one, which is starved, has done something.
_PATIENCE = 6
# An import that only waits uses less than this share of the CPU; one beside fifty others per processor uses more.
_STALL_SHARE = 0.01
# So often at least a process is seen asleep before it is stopped, however long this process itself was not running.
_SAMPLES = 10
_PRESSURES = ("cpu", "io", "memory")
_BUSY_PERCENT = 10.0


@dataclass(frozen=True, slots=True)
class Activity:
    """What a process and the programs that it has started have done so far.

    Attributes:
        queued_s: how long their threads were ready to run, but had no processor.
        states: the letters of the states of their threads that have not ended.
    """

    cpu_s: float
    queued_s: float
    states: frozenset[str]


class StallWatch:
    """Stops a process that only waits, by SIGXCPU: the same signal that ends one that has used up its CPU time.

    Args:
        activity: returns what a process has done so far.
        is_busy: returns whether programs of this machine wait for a processor, a disk or memory.
        clock: returns the seconds since any fixed moment.
        stop: ends a process.
    """

    def __init__(
        self,
        stall_s: float = STALL_S,
        *,
        activity: Callable[[int], Activity] | None = None,
        is_busy: Callable[[], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
        stop: Callable[[int], None] | None = None,
    ) -> None:
        self.has_stopped, self.longest_s, self.stall_s = False, 0.0, stall_s
        self._activity, self._is_busy, self._clock, self._stop = activity or of_process, is_busy or busy, clock, stop
        self._before, self._now = Activity(0.0, 0.0, frozenset()), clock()
        self._restart(self._before, self._now)

    @property
    def is_in_doubt(self) -> bool:
        """Return whether the process waited for long, then went on: the machine may have been the reason."""
        return not self.has_stopped and self.longest_s >= self.stall_s

    def __call__(self, process: int) -> None:
        now = self._clock()
        if self.has_stopped or now - self._now < self.stall_s / _SAMPLES / 2:
            return
        activity = self._activity(process)
        asleep_s = min(now - self._now, self.stall_s / _SAMPLES) - max(0.0, activity.queued_s - self._before.queued_s)
        self._before, self._now = activity, now

        has_worked = abs(activity.cpu_s - self._used_s) >= _STALL_SHARE * max(self.stall_s, now - self._since)
        if has_worked or "D" in activity.states:
            self._restart(activity, now)
        elif activity.states == {"S"}:
            self._count(max(0.0, asleep_s), process)

    def _restart(self, activity: Activity, now: float) -> None:
        self._since, self._used_s = now, activity.cpu_s
        self._asleep_s = self._calm_s = 0.0

    def _count(self, asleep_s: float, process: int) -> None:
        self._asleep_s += asleep_s
        self._calm_s += 0.0 if self._is_busy() else asleep_s
        self.longest_s = max(self.longest_s, self._asleep_s)
        if self._calm_s >= self.stall_s or self._asleep_s >= self.stall_s * _PATIENCE:
            self.has_stopped = True
            (self._stop or stop)(process)


def of_process(process: int, proc: Path = Path("/proc")) -> Activity:
    """Return what a process and the programs that it has started have done so far, of /proc.

    Sources: proc_pid_stat(5), where state, ppid, utime, stime, cutime and cstime are the fields 3, 4 and 14 to 17; the
    kernel's Documentation/scheduler/sched-stats, where the second number is the time on a run queue, in ns.
    """
    ticks, queued_ns, states = 0, 0, set[str]()
    for member in _family(process, proc):
        ticks += sum(map(int, _stat(proc / str(member))[11:15]))
        for thread in _entries(proc / str(member) / "task"):
            states.update(_stat(thread)[:1])
            queued_ns += sum(map(int, _read(thread / "schedstat").split()[1:2]))
    return Activity(ticks / os.sysconf("SC_CLK_TCK"), queued_ns / 1e9, frozenset(states - {"Z", "X"}))


def busy(proc: Path = Path("/proc")) -> bool:
    """Return whether programs of this machine have waited for a processor, a disk or memory in the last seconds.

    Source: the kernel's Documentation/accounting/psi, where `some avg10` is a percentage. A kernel without it has only
    the load.
    """
    texts = [text for name in _PRESSURES if (text := _read(proc / "pressure" / name))]
    if not texts:
        return float((_read(proc / "loadavg") or "0").split()[0]) > (os.cpu_count() or 1)
    return max(float(text.partition("avg10=")[2].partition(" ")[0]) for text in texts) >= _BUSY_PERCENT


def stop(process: int) -> None:
    """End a process by SIGXCPU, and the programs that it has started, which may keep its output open."""
    started = _family(process, Path("/proc"))[1:]
    os.kill(process, signal.SIGXCPU)
    for member in started:
        try:
            os.kill(member, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _family(process: int, proc: Path) -> list[int]:
    """Return a process and its descendants, the process first."""
    children: dict[int, list[int]] = {}
    for folder in _entries(proc):
        if folder.name.isdigit() and (fields := _stat(folder)):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    family = [process]
    for member in family:
        family += children.get(member, [])
    return family


def _stat(folder: Path) -> list[str]:
    """Return the fields of a `stat` from the state on; the name before them may contain spaces."""
    return _read(folder / "stat").rpartition(")")[2].split()


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:
        return


def _read(file: Path) -> str:
    """Return the text of a file of /proc; empty when its process has ended, or the kernel has no such file."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
