import getpass
import io
import json
import re
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stdout, suppress
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.system import console
from automation.system.errors import Finding
from tests.automation.terminals import END_OF_INPUT, open_terminal


def test_results_and_tables_go_to_stdout_unwrapped(capsys: pytest.CaptureFixture[str]) -> None:
    console.result("x" * 300)
    console.table(("name", "MB"), [("[bold]a", 1.5)], title="[sizes]", right=("MB",))

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "x" * 300
    assert lines[1].rstrip() == "[sizes]"
    assert lines[3].split() == ["[bold]a", "1.5"]


# Without a backslash: before a bracket or at the end rich shows the one with which its own function escapes.
CELLS = st.text(
    st.characters(codec="ascii", categories=["L", "N", "P", "S", "Z"], exclude_characters="\\"), max_size=12
).map(str.strip)


def drawn(**options: Any) -> str:
    """Return what a table prints without a terminal."""
    stdout = io.StringIO()
    with redirect_stdout(stdout):
        console.table(**options)
    return stdout.getvalue()


@given(rows=st.lists(st.tuples(CELLS, CELLS, st.integers()), max_size=4), right=st.sets(st.sampled_from("abc")))
@settings(max_examples=60, deadline=None)
def test_table_without_a_terminal_is_what_rich_prints(rows: list[tuple[str, str, int]], right: set[str]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        plain = drawn(columns="abc", rows=rows, right=tuple(right))
        patched.setattr(console, "_plain_lines", lambda *_: [])

        assert plain == drawn(columns="abc", rows=rows, right=tuple(right))


def is_drawn_by_rich(monkeypatch: pytest.MonkeyPatch, *, cell: str, title: str = "") -> bool:
    tables: list[object] = []
    printer = SimpleNamespace(print=tables.append)
    monkeypatch.setattr(console, "_console", lambda *, stderr: printer)
    drawn(columns=("a", "b"), rows=[(cell, "1")], title=title)
    return bool(tables)


@pytest.mark.parametrize(
    ("cell", "title", "is_rich"),
    [
        ("x" * 157, "", False),
        ("x" * 158, "", True),
        ("é", "", True),
        ("two\nlines", "", True),
        ("x", "title", True),
    ],
)
def test_table_that_rich_would_fold_or_style_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch, cell: str, title: str, is_rich: bool
) -> None:
    assert is_drawn_by_rich(monkeypatch, cell=cell, title=title) == is_rich


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"])
def test_table_with_forced_style_is_left_to_rich(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")

    assert is_drawn_by_rich(monkeypatch, cell="x")


def test_accept_any_text_prints_an_escape_for_what_the_encoding_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="cp1252")
    monkeypatch.setattr(sys, "stdout", stdout)

    console.accept_any_text()
    console.result("a → b …")
    console.flush()

    assert stdout.buffer.getvalue() == b"a \\u2192 b \x85\n"


def test_accept_any_text_leaves_other_streams_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)

    console.accept_any_text()


def test_result_json_prints_valid_json(capsys: pytest.CaptureFixture[str]) -> None:
    console.result_json({"b": 1, "a": [2]})

    assert json.loads(capsys.readouterr().out) == {"a": [2], "b": 1}


def test_error_is_one_paragraph_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console.error("what\n  where")
    console.warning("beware")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: what where\nwarning: beware\n"


@pytest.mark.parametrize(("is_terminal", "printed"), [(False, "Queue CREATE_COMPLETE\n"), (True, "")])
def test_event_is_a_line_on_stderr_without_a_terminal(
    is_terminal: bool, printed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "is_terminal", lambda: is_terminal)

    console.event("Queue CREATE_COMPLETE")

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", printed)


def test_event_without_stderr_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)

    console.event("Queue CREATE_COMPLETE")


def test_names_between_colons_are_no_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    """The ARN of a secret has `:secret:` in it."""
    console.result("arn:key:", style="bold")
    console.table(("arn",), [(":key:",)])
    console.error(":key:")
    console.warning(":key:")

    captured = capsys.readouterr()
    assert captured.out.split() == ["arn:key:", "arn", ":key:"]
    assert captured.err == "error: :key:\nwarning: :key:\n"


def test_progress_of_a_short_step_without_terminal_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress("working") as update:
        update("half done")
    with console.steps("working", 1) as advance:
        advance("A")
    console.note("by the way")

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


@pytest.mark.parametrize(
    ("shown", "line"), [(console.progress("working"), "working"), (console.steps("working", 3), "working: 1 of 3 done")]
)
def test_progress_of_a_long_step_without_terminal_is_a_line_now_and_then(
    shown: AbstractContextManager[Callable[[str], None]], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(console, "INTERVAL_S", 0.001)
    monkeypatch.setattr(console, "event", lines.append)

    with shown as advance:
        advance("\x1b[1mA")
        lines.clear()
        while len(lines) < 2:  # the first may be from before the step
            threading.Event().wait(0.001)

    assert re.fullmatch(rf"{line}, \d+ s so far", lines[-1])


def test_progress_without_terminal_ends_with_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    running = threading.active_count()
    monkeypatch.setattr(console, "INTERVAL_S", 3600)

    with suppress(KeyError), console.progress("working"):
        raise KeyError

    assert threading.active_count() == running


def test_findings_are_printed_as_sorted_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console.findings([Finding("b", "wrong"), Finding("a", "wrong", "fix it")])

    assert capsys.readouterr().out.splitlines() == ["a: wrong; fix it", "b: wrong"]


def test_ask_hidden_strips_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getpass", {"Pin: ": " 12 "}.__getitem__)

    assert console.ask_hidden("Pin:") == "12"


def test_ask_hidden_end_of_input_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    def end(_question: str) -> str:
        raise EOFError

    monkeypatch.setattr(getpass, "getpass", end)

    assert console.ask_hidden("Pin:") == ""


@pytest.mark.parametrize(("typed", "answer"), [(" live \n", "live"), ("live\nmore\n", "live"), (END_OF_INPUT, "")])
def test_ask_on_a_terminal_returns_what_is_typed(typed: str, answer: str) -> None:
    with open_terminal(typed) as shown:
        assert console.is_interactive()
        assert console.ask("Type [live] to go on:") == answer

    assert "Type [live] to go on: " in "".join(shown)


def test_ask_end_of_input_ends_the_line() -> None:
    with open_terminal(END_OF_INPUT) as shown:
        console.ask("Go on?")

    assert "".join(shown).endswith("Go on? \r\n")


@pytest.mark.parametrize("stream", ["stdin", "stdout"])
def test_is_interactive_needs_a_terminal_on_both_sides(stream: str) -> None:
    with open_terminal(""), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, stream, io.StringIO())

        assert not console.is_interactive()
