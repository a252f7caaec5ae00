"""One session at a time, with its output as progress."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from automation.system.errors import ToolError
from desk.page import next_session
from desk.page.next_session import NextSession, Progress


@dataclass
class Sandbox:
    """A session that prints `lines` and ends with an exit code, when it is let go."""

    lines: list[str] = field(default_factory=lambda: ["trading 2022-03-17", "  ", "done  "])
    exit_code: int = 0
    fails: ToolError | None = None
    ended: int = 0
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def trade(self, on_line: Callable[[str], None]) -> int:
        for line in self.lines:
            on_line(line)
        if self.fails is not None:
            raise self.fails
        return self.exit_code

    def session(self) -> NextSession:
        return NextSession(self.trade, on_end=self.end, start=self.waiting.append)

    def end(self) -> None:
        self.ended += 1


def test_begin_trades_and_keeps_the_output() -> None:
    sandbox = Sandbox()
    session = sandbox.session()

    assert session.progress == Progress()
    assert session.begin()
    assert session.progress == Progress(is_running=True)
    sandbox.waiting.pop()()
    assert session.progress == Progress(lines=("trading 2022-03-17", "done"), exit_code=0)
    assert sandbox.ended == 1


def test_begin_while_a_session_is_traded_does_nothing() -> None:
    sandbox = Sandbox()
    session = sandbox.session()

    assert [session.begin(), session.begin()] == [True, False]
    assert len(sandbox.waiting) == 1


def test_begin_again_forgets_the_session_before() -> None:
    sandbox = Sandbox(exit_code=3)
    session = sandbox.session()
    session.begin()
    sandbox.waiting.pop()()
    assert session.progress.exit_code == 3

    assert session.begin()
    assert session.progress == Progress(is_running=True)


def test_session_that_cannot_start_says_why() -> None:
    sandbox = Sandbox(fails=ToolError("was not found", where="python"), lines=[])
    session = sandbox.session()
    session.begin()
    sandbox.waiting.pop()()

    assert session.progress == Progress(lines=("python: was not found",), exit_code=5)
    assert sandbox.ended == 1


def test_progress_keeps_the_last_lines() -> None:
    sandbox = Sandbox(lines=[f"line {number}" for number in range(30)])
    session = sandbox.session()
    session.begin()
    sandbox.waiting.pop()()

    assert session.progress.lines == tuple(f"line {number}" for number in range(18, 30))


def test_run_day_is_inv_run_day_in_the_project(tmp_path: Path) -> None:
    """A project with a task of that name stands in for this one, whose task needs a sandbox."""
    (tmp_path / "tasks.py").write_text(
        "from invoke import task\n@task(name='run-day')\ndef run_day(c, env=''):\n"
        "    print('trading in', env)\n    raise SystemExit(3)\n"
    )
    lines: list[str] = []

    assert next_session.run_day(tmp_path)(lines.append) == 3
    assert lines == ["trading in local"]


@pytest.mark.parametrize("is_at_once", [True, False])
def test_begin_returns_before_the_session_ends(*, is_at_once: bool) -> None:
    sandbox = Sandbox()
    session = NextSession(
        sandbox.trade,
        on_end=sandbox.end,
        start=(lambda work: work()) if is_at_once else sandbox.waiting.append,
    )

    assert session.begin()
    assert session.progress.is_running is not is_at_once
