"""Trade the next session of the sandbox from the page: one at a time, with what `inv run-day` prints as progress."""

import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from automation.system import processes
from automation.system.errors import ToolError
from desk.page.feeds import in_background

_SHOWN_LINES = 12

type Trade = Callable[[Callable[[str], None]], int]
"""Trades a session, calls back with each line of progress, and returns the exit code."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the session is.

    Attributes:
        lines: the last ones that were printed.
        exit_code: of the last session; None before its end, and before the first.
    """

    is_running: bool = False
    lines: tuple[str, ...] = ()
    exit_code: int | None = None


def run_day(root: Path) -> Trade:
    """Return what trades the next session in a process of its own: its lock keeps a second `inv run-day` out."""

    def trade(on_line: Callable[[str], None]) -> int:
        command = (sys.executable, "-m", "invoke", "run-day", "--env", "local")
        # Otherwise the lines would wait in a buffer until the end.
        unbuffered = processes.environment({"PYTHONUNBUFFERED": "1"})
        return processes.run(command, cwd=root, env=unbuffered, on_line=on_line, check=False).exit_code

    return trade


class NextSession:
    """Trades one session at a time. Several threads may use it at once."""

    def __init__(
        self,
        trade: Trade,
        *,
        on_end: Callable[[], None],
        start: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        """Prepare it; nothing is traded yet.

        Args:
            on_end: called when a session has ended.
            start: starts the work and returns at once.
        """
        self._trade = trade
        self._on_end = on_end
        self._start = start
        self._lock = Lock()
        self._lines = deque[str](maxlen=_SHOWN_LINES)
        self._is_running = False
        self._exit_code: int | None = None

    @property
    def progress(self) -> Progress:
        """Return where the session is."""
        with self._lock:
            return Progress(self._is_running, tuple(self._lines), self._exit_code)

    def begin(self) -> bool:
        """Start to trade; return False when a session is already being traded."""
        with self._lock:
            if self._is_running:
                return False
            self._is_running, self._exit_code = True, None
            self._lines.clear()
        self._start(self._run)
        return True

    def _run(self) -> None:
        try:
            exit_code = self._trade(self._add)
        except ToolError as error:
            self._add(str(error))
            exit_code = error.exit_code
        with self._lock:
            self._is_running, self._exit_code = False, exit_code
        self._on_end()

    def _add(self, line: str) -> None:
        if line.strip():
            with self._lock:
                self._lines.append(line.rstrip())
