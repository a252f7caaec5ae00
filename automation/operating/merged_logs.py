"""Read the logs of several functions at once, and go on reading them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Protocol

from automation.operating import log_entries
from automation.system.log_lines import LogLine

POLL_S = 2.0
# How long after it was written a line may appear.
LATE = timedelta(minutes=1)
# CloudWatch Logs answers only a few requests at a time.
_THREADS = 5


class Logs(Protocol):
    """The calls for logs; function_logs.FunctionLogs is the real one."""

    def log_group(self, function: str) -> str:
        """Return the log group that a function writes to."""
        ...

    def lines(
        self, group: str, function: str, *, since: datetime, until: datetime, text: str = ""
    ) -> tuple[LogLine, ...]:
        """Return the lines of a function that contain a text, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Clock:
    """The time, aware, and how to wait."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class FunctionLog:
    """The log group of a function.

    Attributes:
        name: the logical id of the function.
        function: its physical name.
    """

    name: str
    function: str
    group: str


@dataclass(frozen=True, slots=True)
class WrittenLine:
    """A line, and the logical id of the function that wrote it."""

    function: str
    line: LogLine


type Read = Callable[[datetime, datetime], tuple[WrittenLine, ...]]


def this_clock() -> Clock:
    """Return the clock of this machine."""
    return Clock(lambda: datetime.now(UTC), time.sleep)


def locate(functions: Mapping[str, str], logs: Logs) -> tuple[FunctionLog, ...]:
    """Return the log of each function.

    Args:
        functions: the physical name of each function, by logical id.

    Raises:
        DeploymentError: Lambda did not answer.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        groups = pool.map(logs.log_group, functions.values())
        located = zip(functions.items(), groups, strict=True)
        return tuple(FunctionLog(*names, group) for names, group in located)


def read(
    located: Sequence[FunctionLog], logs: Logs, *, since: datetime, until: datetime, text: str = ""
) -> tuple[WrittenLine, ...]:
    """Return the lines of functions that contain a text, oldest first.

    Raises:
        DeploymentError: CloudWatch Logs did not answer.
    """

    def read_one(log: FunctionLog) -> list[WrittenLine]:
        lines = log_entries.fold(logs.lines(log.group, log.function, since=since, until=until, text=text))
        return [WrittenLine(log.name, line) for line in lines]

    with ThreadPoolExecutor(_THREADS) as pool:
        lines = chain.from_iterable(pool.map(read_one, located))
        return tuple(sorted(lines, key=lambda written: written.line.at))


def follow(read: Read, since: datetime, clock: Clock) -> Iterator[tuple[WrittenLine, ...]]:
    """Read for ever; yield at each reading what is new since the one before it, oldest first."""
    seen: frozenset[WrittenLine] = frozenset()
    while True:
        until = clock.now()
        lines = read(since, until)
        yield tuple(line for line in lines if line not in seen)
        # The next reading begins early enough for late lines, so it reads some of these again.
        seen, since = frozenset(lines), max(since, until - LATE)
        clock.sleep(POLL_S)
