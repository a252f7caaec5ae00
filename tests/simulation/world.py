"""Virtual time: one event heap, and one greenlet per invocation that is switched at every outgoing call.

Nothing here reads the real clock. An invocation that is killed is never resumed; when the history ends, it is unwound,
and no call that it makes on the way has an effect.
"""

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from math import ceil
from typing import Any

import time_machine
from greenlet import GreenletExit, getcurrent, greenlet

from tests.simulation.end_state import Kill, TraceLine
from tests.simulation.fault_draws import FaultDraws
from tests.simulation.latencies import SECOND, Latencies
from tests.simulation.scenario import FaultKind

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_EVENTS = 200_000
"""A history of some days has a few thousand events; one with so many turns in a circle."""


class EndlessError(Exception):
    """Something in the history repeats without an end."""


@dataclass(slots=True)
class Container:
    """One execution environment of a function; `state` is what its module keeps between invocations."""

    module: str
    state: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Invocation:
    """One invocation of a function.

    Attributes:
        name: unique within the module.
        visibility: microseconds that its messages stay hidden.
        noticed: the id of the message that a notification is about.
    """

    module: str
    name: str
    container: Container
    deadline: int
    visibility: int
    on_end: Callable[["Invocation", object, str], None]
    calls: int = 0
    noticed: str = ""
    is_over: bool = False
    thread: greenlet | None = None


class World:
    """The clock, the events to come, the invocations that run, and the trace of what happened."""

    def __init__(self, start: datetime, draws: FaultDraws, skews: Mapping[str, float]) -> None:
        self.now = microseconds(start)
        self.draws = draws
        self.latencies = Latencies(draws.seed)
        self.current: Invocation | None = None
        self.trace: list[tuple[int, str, str, str, str, str]] = []
        self.kills: list[Kill] = []
        self.running: set[Invocation] = set()
        self.is_partial = False
        self._skews = {module: int(seconds * SECOND) for module, seconds in skews.items()}
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._hub = getcurrent()
        self._all: list[Invocation] = []
        self._names: dict[str, int] = {}
        self.is_closed = False
        self._traveller: Any = None

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def at(self) -> datetime:
        """Return the virtual time."""
        return moment(self.now)

    def schedule(self, at: int, event: Callable[[], None]) -> None:
        """Call `event` at a time, in the order of the times."""
        heapq.heappush(self._events, (at if at > self.now else self.now, next(self._numbers), event))

    def run(self, until: int) -> None:
        """Let everything happen that is due up to a time."""
        while self._events and self._events[0][0] <= until:
            self.now, number, event = heapq.heappop(self._events)
            if number > MOST_EVENTS:
                raise EndlessError(f"{MOST_EVENTS:,} events, and still not at {moment(until)}")
            event()
        self.now = max(self.now, until)

    def travel(self, traveller: Any) -> None:
        """Move the clocks of the process with virtual time from now on."""
        self._traveller = traveller

    def monotonic(self) -> float:
        """Return seconds that only ever grow; no skew changes them."""
        return self.now / SECOND

    def sleep(self, seconds: float) -> None:
        """Suspend the invocation."""
        if self.is_unwinding():
            raise GreenletExit
        self.wait(max(ceil(seconds * SECOND), 1))  # never shorter than asked for, as the real one

    @property
    def noticed(self) -> str:
        """Return the id of the message that the running notification is about."""
        return "" if self.current is None else self.current.noticed

    # --- invocations ------------------------------------------------------------------------------------------------

    def start(self, invocation: Invocation, work: Callable[[], object]) -> None:
        """Run an invocation until its first call; `on_end` is called when it has ended, however it ends."""

        def body() -> None:
            try:
                answer, result = work(), "ok"
            except Exception as error:  # Lambda reports every exception of a handler as a failed invocation
                answer, result = error, "failed"
            if not self.is_closed and not invocation.is_over:
                self._end(invocation, answer, result)

        invocation.thread = greenlet(body, parent=self._hub)
        self._all.append(invocation)
        self.running.add(invocation)
        self.schedule(invocation.deadline, lambda: self._time_out(invocation))
        self.resume(invocation)

    def name_of(self, module: str, wanted: str) -> str:
        """Return a name that no invocation of the module has had."""
        key = f"{module}/{wanted}"
        times = self._names[key] = self._names.get(key, 0) + 1
        return wanted if times == 1 else f"{wanted}+{times}"

    def close(self) -> None:
        """Unwind every invocation that was killed or is still suspended."""
        self.is_closed = True
        for invocation in self._all:
            thread = invocation.thread
            if thread is not None and not thread.dead:
                self.current = invocation
                thread.throw()
        self.current = None

    def _end(self, invocation: Invocation, answer: object, result: str) -> None:
        invocation.is_over = True
        self.running.discard(invocation)
        invocation.on_end(invocation, answer, result)

    def _time_out(self, invocation: Invocation) -> None:
        if not invocation.is_over:
            self.note_of(invocation, "deadline", "", "timed out")
            self.kills.append(Kill(self.at, invocation.module, invocation.name, "deadline"))
            self._end(invocation, None, "timed out")

    def kill(self, invocation: Invocation, point: str, kind: FaultKind) -> None:
        self.end_killed(invocation, point, kind)
        self.suspend()

    def end_killed(self, invocation: Invocation, point: str, kind: FaultKind) -> None:
        self.note_of(invocation, point, kind.value, "killed")
        self.kills.append(Kill(self.at, invocation.module, invocation.name, point))
        self._end(invocation, None, "killed")

    def resume(self, invocation: Invocation) -> None:
        if invocation.is_over or invocation.thread is None:
            return
        self.current = invocation
        if self._traveller is not None:
            # Set directly: move_to also restores time zones, and takes as long as the switch itself.
            self._traveller._destination_timestamp_ns = (self.now + self._skews.get(invocation.module, 0)) * 1000
        invocation.thread.switch()
        self.current = None

    def wait(self, duration: int) -> None:
        invocation = self.current
        if invocation is None:
            raise RuntimeError("nothing runs that could wait")
        self.schedule(self.now + duration, lambda: self.resume(invocation))
        self.suspend()

    def suspend(self) -> None:
        self._hub.switch()

    def is_unwinding(self) -> bool:
        return self.is_closed or (self.current is not None and self.current.is_over)

    # --- the trace --------------------------------------------------------------------------------------------------

    def note_of(self, invocation: Invocation, point: str, fault: str, result: str) -> None:
        self.trace.append((self.now, invocation.module, invocation.name, point, fault, result))

    def note(self, call: str, result: str = "ok") -> None:
        """Record an event of the platform, the owner or the exchange."""
        self.trace.append((self.now, "world", "", call, "", result))

    def lines(self) -> tuple[TraceLine, ...]:
        """Return the trace."""
        return tuple(TraceLine(moment(at), *rest) for at, *rest in self.trace)


def microseconds(at: datetime) -> int:
    """Return an aware moment as microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """Return microseconds since 1970 as an aware moment."""
    return EPOCH + timedelta(microseconds=at)


def travelling(world: World) -> Any:
    """Return a context in which the process's wall clock shows the virtual time."""
    return time_machine.travel(world.now / SECOND, tick=False)
