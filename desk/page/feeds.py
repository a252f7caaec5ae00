"""What the page reads, and when: one reading serves every open page, and a failure keeps the last value.

A reading starts only when somebody asks for it, so that a desk that nobody looks at makes no calls.
"""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock, Thread

from automation.system import console
from automation.system.errors import AutomationError, CheckFailedError, Finding
from the_alchemiser.shared.errors import AlchemiserError

LONGEST_WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something could not be read, and what helps.

    Attributes:
        findings: what a check found; each has the command that helps.
    """

    message: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading[Value]:
    """The latest state of a feed.

    Attributes:
        value: the last one that was read; None before the first.
        age_s: since the value was read; 0 without one.
        next_s: until the next reading may start.
        problem: why the latest attempt failed; None when it did not.
        is_running: whether an attempt is going on.
    """

    value: Value | None = None
    age_s: float = 0.0
    next_s: float = 0.0
    problem: Problem | None = None
    is_running: bool = False


@dataclass(frozen=True, slots=True)
class _State[Value]:
    value: Value | None = None
    read_at_s: float = 0.0
    due_at_s: float = 0.0
    failures: int = 0
    problem: Problem | None = None
    is_running: bool = False
    is_expired: bool = False


def in_background(work: Callable[[], None]) -> None:
    """Start work in a thread that does not keep the process alive."""
    Thread(target=work, daemon=True).start()


class Feed[Value]:
    """One thing to read, at most every `every_s` seconds, and less often while it fails."""

    def __init__(
        self,
        read: Callable[[], Value],
        *,
        every_s: float,
        now: Callable[[], float],
        start: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        """Prepare a feed; nothing is read yet.

        Args:
            read: returns the value, or raises; it is never called twice at a time.
            now: returns monotonic seconds.
            start: starts a reading and returns at once.
        """
        self._read = read
        self.every_s = every_s
        self._now = now
        self._start = start
        self._lock = Lock()
        self._state: _State[Value] = _State()

    def latest(self) -> Reading[Value]:
        """Return what is known now; start a reading when one is due and none is going on."""
        with self._lock:
            is_due = not self._state.is_running and self._now() >= self._state.due_at_s
            if is_due:
                self._state = replace(self._state, is_running=True)
        if is_due:
            self._start(self._attempt)

        state, now = self._state, self._now()
        age_s = 0.0 if state.value is None else now - state.read_at_s
        return Reading(state.value, age_s, max(state.due_at_s - now, 0.0), state.problem, state.is_running)

    def expire(self) -> None:
        """Let the next `latest` read at once, although the last reading is recent, or has begun before this call."""
        with self._lock:
            self._state = replace(self._state, due_at_s=0.0, is_expired=self._state.is_running)

    def _attempt(self) -> None:
        try:
            value = self._read()
        except Exception as error:  # whatever it is, the page goes on and says so
            self._fail(problem_of(error))
        else:
            now = self._now()
            with self._lock:
                due_at_s = 0.0 if self._state.is_expired else now + self.every_s
                self._state = _State(value, read_at_s=now, due_at_s=due_at_s)

    def _fail(self, problem: Problem) -> None:
        with self._lock:
            failures = self._state.failures + 1
            wait_s = min(self.every_s * 2.0**failures, LONGEST_WAIT_S)
            self._state = _State(
                self._state.value,
                read_at_s=self._state.read_at_s,
                due_at_s=self._now() + wait_s,
                failures=failures,
                problem=problem,
            )


def problem_of(error: Exception) -> Problem:
    """Return what a person must know of an error; the traceback of a bug is printed where the desk was started."""
    match error:
        case CheckFailedError():
            return Problem(str(error), error.findings)
        case AutomationError() | AlchemiserError():
            return Problem(str(error))
        case _:
            console.error("".join(traceback.format_exception(error)))
            kind = type(error).__name__
            return Problem(f"the desk has a fault ({kind}); its traceback is in the terminal that runs inv desk")
