"""The limits of an import: CPU time, and waiting without using the CPU. A busy machine changes neither."""

import math
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

# Twice the 10 s of an initialisation on Lambda, because this machine may be slower.
CPU_S = 20
STALL_S = 20.0
# An import that only waits uses less than this in `STALL_S`; one that runs beside fifty others per processor uses more.
_STALL_CPU_S = 0.2


class StallWatch:
    """Stops a process that only waits, by SIGXCPU: the same signal that ends one that has used up its CPU time.

    Args:
        used_s: returns the CPU time of a process.
        clock: returns the seconds since any fixed moment.
        stop: ends a process.
    """

    def __init__(
        self,
        stall_s: float = STALL_S,
        *,
        used_s: Callable[[int], float] | None = None,
        clock: Callable[[], float] = time.monotonic,
        stop: Callable[[int], None] | None = None,
    ) -> None:
        self.has_stopped = False
        self.stall_s, self._cpu_s, self._clock, self._stop = stall_s, used_s or cpu_s, clock, stop or _stop
        self._since, self._used_s = clock(), 0.0

    def __call__(self, process: int) -> None:
        used_s, now = self._cpu_s(process), self._clock()
        if used_s - self._used_s >= _STALL_CPU_S:
            self._since, self._used_s = now, used_s
        elif now - self._since >= self.stall_s and not self.has_stopped:
            self.has_stopped = True
            self._stop(process)


def cpu_s(process: int) -> float:
    """Return the CPU time that a process has used, of /proc; infinite when it has ended.

    Source: proc_pid_stat(5): utime and stime are the 14th and 15th field; the name of field 2 may contain spaces.
    """
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return math.inf
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stop(process: int) -> None:
    os.kill(process, signal.SIGXCPU)
