"""Print results on stdout and progress on stderr. The only module that prints.

A terminal shows progress as it happens. A log gets a line of it every ten seconds, so short steps leave none there.
Functions that draw with rich import it themselves, because most commands only print a line.
"""

import io
import json
import os
import sys
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

    from automation.system.errors import Finding

INTERVAL_S = 10.0  # between two lines of progress without a terminal
_WIDTH_WITHOUT_TERMINAL = 160
_GAP = "  "  # between two columns
_FORCE_STYLE = frozenset({"FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"})  # variables that rich obeys


@cache
def _console(*, stderr: bool) -> "Console":
    """Return a Console that looks sys.stdout or sys.stderr up at every print, so that tests can capture it."""
    from rich.console import Console

    # Without emoji: `:secret:` in an ARN must stay as it is.
    console = Console(stderr=stderr, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH_WITHOUT_TERMINAL
    console.on_broken_pipe = _raise_broken_pipe  # type: ignore[method-assign]  # rich would end the process with code 1
    return console


def _raise_broken_pipe() -> None:
    raise BrokenPipeError


def result(text: str = "", *, style: str = "") -> None:
    if not style:
        sys.stdout.write(f"{text}\n")
        return
    from rich.text import Text

    _console(stderr=False).print(Text(text, style=style), soft_wrap=True)


def accept_any_text() -> None:
    """Print a character that the encoding of stdout lacks, such as an arrow on Windows, as its escape."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Pass on what was printed, also to a pipe, whose reader otherwise waits until a buffer is full."""
    sys.stdout.flush()


def results(lines: "Iterable[str]") -> None:
    for line in lines:
        result(line)


def result_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, default=str) + "\n")


def table(
    columns: "Sequence[str]",
    rows: "Iterable[Sequence[object]]",
    *,
    title: str = "",
    right: "Sequence[str]" = (),
    styles: "Mapping[int, str] | None" = None,
) -> None:
    """Print a table on stdout.

    Args:
        right: the names of the right-aligned columns.
        styles: a rich style per row, by the row's number from 0.
    """
    cells = [tuple(str(cell) for cell in row) for row in rows]
    if not title and (lines := _plain_lines([tuple(columns), *cells], [name in right for name in columns])):
        results(lines)
        return
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(title=escape(title) or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        drawn.add_column(escape(name), justify="right" if name in right else "left", overflow="fold")
    for number, row in enumerate(cells):
        drawn.add_row(*map(escape, row), style=(styles or {}).get(number))
    _console(stderr=False).print(drawn)


def _plain_lines(cells: "Sequence[Sequence[str]]", is_right: "Sequence[bool]") -> list[str]:
    """Return a table as rich prints it where it can neither style nor must fold it; empty for any other.

    Loading rich takes as long as building a small artifact.
    """
    is_styled = sys.stdout.isatty() or not _FORCE_STYLE.isdisjoint(os.environ)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    is_too_wide = sum(widths) + len(_GAP) * (len(widths) - 1) > _WIDTH_WITHOUT_TERMINAL
    if is_styled or is_too_wide:
        return []
    lines = []
    for row in cells:
        if not all(cell.isascii() and cell.isprintable() for cell in row):
            return []
        columns = zip(row, widths, is_right, strict=True)
        lines.append(_GAP.join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in columns))
    return lines


def findings(items: "Iterable[Finding]") -> None:
    """Print one line per finding: `where: what; fix`."""
    for finding in sorted(items):
        result(f"{finding.where}: {finding.what}{f'; {finding.fix}' if finding.fix else ''}")


def error(text: str) -> None:
    """Print one paragraph on stderr, in colour on a terminal."""
    from rich.text import Text

    paragraph = Text("error: ", style="bold red").append(" ".join(text.split()), style="not bold default")
    _console(stderr=True).print(paragraph, soft_wrap=True)


def warning(text: str) -> None:
    from rich.text import Text

    _console(stderr=True).print(Text(f"warning: {' '.join(text.split())}", style="yellow"), soft_wrap=True)


def note(text: str) -> None:
    """Print on stderr what is being done, only on a terminal."""
    if is_terminal():
        from rich.text import Text

        _console(stderr=True).print(Text(text, style="dim"), soft_wrap=True)


def event(text: str) -> None:
    """Print on stderr what has just happened, only without a terminal, where no progress is shown."""
    if not is_terminal() and sys.stderr is not None:
        sys.stderr.write(f"{text}\n")


@contextmanager
def progress(text: str) -> "Iterator[Callable[[str], None]]":
    """Show a spinner while the block runs; call what it yields to replace the text behind the spinner."""
    if not is_terminal():
        with _reporting(lambda: text):
            yield lambda _: None
        return
    from rich.markup import escape

    console = _console(stderr=True)
    with console.status(escape(text)) as status:

        def update(more: str) -> None:
            if any(letter.isalnum() for letter in more):
                status.update(escape(f"{text}: {more.strip()}"[: console.width - 4]))

        yield update


@contextmanager
def steps(text: str, total: int) -> "Iterator[Callable[[str], None]]":
    """Show a bar of `total` steps while the block runs; call what it yields with the name of each finished step."""
    if not is_terminal():
        finished: list[str] = []
        with _reporting(lambda: f"{text}: {len(finished)} of {total} done"):
            yield finished.append
        return
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(text), total=total)

        def advance(name: str) -> None:
            bar.update(task, advance=1, description=escape(f"{text} {name}"))

        yield advance


@contextmanager
def _reporting(describe: "Callable[[], str]") -> "Iterator[None]":
    """Print on stderr what is being done, and since when, every few seconds while the block runs."""
    import threading
    import time

    started, ended = time.monotonic(), threading.Event()

    def report() -> None:
        while not ended.wait(INTERVAL_S):
            event(f"{describe()}, {time.monotonic() - started:.0f} s so far")

    reporter = threading.Thread(target=report, daemon=True)
    reporter.start()
    try:
        yield
    finally:
        ended.set()
        reporter.join()


def is_terminal() -> bool:
    """Return whether stderr is a terminal that can show progress."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"


def is_interactive() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


def ask(question: str) -> str:
    """Return the answer typed on the terminal, stripped; empty at the end of the input."""
    from rich.markup import escape

    try:
        return _console(stderr=False).input(f"{escape(question)} ").strip()
    except EOFError:
        result()  # what is printed next has a line of its own
        return ""


def ask_hidden(question: str) -> str:
    """Return the answer typed on the terminal without showing it, stripped; empty at the end of the input."""
    import getpass

    try:
        return getpass.getpass(f"{question} ").strip()
    except EOFError:
        return ""
