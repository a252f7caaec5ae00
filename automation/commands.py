"""Make Invoke tasks behave: errors in one paragraph with their exit code, and a bare `inv` that lists the tasks."""

import atexit
import functools
import gc
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.parser.parser import ParseMachine
from invoke.program import Program
from invoke.tasks import Task

from automation.system import console, packages
from automation.system.errors import BROKEN_PIPE, INTERRUPTED, AutomationError, CheckFailedError, ToolError

TASKS_FILES = ("tasks.py", "tasks/__init__.py")  # Invoke loads the first one
_INVOKES_HANDLE = ParseMachine.handle
_HELP_TEXTS = "help_texts"
_INVOKES_LISTINGS = Program.parse_cleanup


def find_root(folder: Path) -> Path:
    """Return the project of a working folder: the nearest folder above, or itself, whose tasks.py is one of ours.

    Without one it is the working folder itself.
    """
    return next((parent for parent in (folder, *folder.parents) if has_our_tasks(parent)), folder)


def has_our_tasks(folder: Path) -> bool:
    """Return whether the tasks.py of a folder uses this automation."""
    try:
        path = next((folder / name for name in TASKS_FILES if (folder / name).is_file()), None)
        return path is not None and "automation" in path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # a folder above that we may not read
        return False


ROOT = find_root(Path.cwd())
gc.freeze()  # what Invoke has loaded stays until the end: no collection need visit it, which saves 10 ms
atexit.register(gc.freeze)  # nor does Python look for cycles among all objects before it ends, for up to 0.15 s


def assemble(*collections: Collection, tasks: tuple["Task[Any]", ...] = ()) -> Collection:
    """Return one namespace: all tasks at the top, and each named collection under its name.

    A later task replaces an earlier one of the same name. Every task reports an AutomationError without a traceback.
    The default task lists the others.
    """
    accept_positional_names()
    console.accept_any_text()
    _guard_listings()
    namespace = Collection()
    for collection in collections:
        if collection.name is None:
            for name in collection.tasks:
                namespace.add_task(collection.tasks[name], name=name)
            for inner in collection.collections.values():
                namespace.add_collection(inner)
        else:
            namespace.add_collection(collection)
    for task in tasks:
        namespace.add_task(task)
    namespace.add_task(_listing(namespace), default=True)
    _guard_all(namespace)
    return namespace


def tasks_of(module: str) -> Collection:
    """Return the tasks and the namespace of a loaded module, such as a tasks.py that adds ours to its own."""
    own = Collection.from_module(sys.modules[module])
    own.name = None
    return own


def accept_positional_names() -> None:
    """Teach Invoke's parser to take names after a task, as in `inv build StrategyFunction SharedCodeLayer`.

    A parameter without a default that its task declares iterable receives them. Invoke's own program creates the
    parser, so the only way in is to replace its method. Idempotent.
    """
    ParseMachine.handle = _handle_token  # type: ignore[assignment]  # mypy reads its self twice


def end_with(exit_code: int) -> None:
    """End Invoke with an exit code that is a result, not an error; 0 ends nothing."""
    if exit_code:
        raise Exit(code=exit_code)


def guarded(body: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a task's body: print the AutomationError that it raises, and end Invoke with its exit code."""

    @functools.wraps(body)
    def run(*args: Any, **kwargs: Any) -> Any:
        with _ending_quietly(), _reporting_errors():
            return body(*args, **kwargs)

    return run


@contextmanager
def _reporting_errors() -> Iterator[None]:
    try:
        yield
    except AutomationError as cause:
        if isinstance(cause, CheckFailedError):
            console.findings(cause.findings)
        console.flush()  # stdout and stderr may be the same file: the error comes last
        console.error(str(cause))
        raise Exit(code=cause.exit_code) from cause
    except ModuleNotFoundError as cause:
        package = (cause.name or "").partition(".")[0]
        if package not in packages.EXTRAS:
            raise
        console.error(f"{package} is not installed; run: {packages.how_to_install(package)}")
        raise Exit(code=ToolError.exit_code) from cause
    except KeyboardInterrupt as cause:
        console.error("interrupted")
        raise Exit(code=INTERRUPTED) from cause


@contextmanager
def _ending_quietly() -> Iterator[None]:
    """End Invoke without a word when the reader of the output, such as `head`, has closed the pipe."""
    try:
        try:
            yield
        except Exit:
            console.flush()
            raise
        console.flush()
    except BrokenPipeError as cause:
        _drop_output()
        raise Exit(code=BROKEN_PIPE) from cause


def _drop_output() -> None:
    """Drop what a closed pipe did not take, so that the interpreter's last flush does not fail, too."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _guard_listings() -> None:
    """Let Invoke's own output, of `--list` and `--help`, end like that of a task. Idempotent."""

    def parse_cleanup(program: Program) -> None:
        with _ending_quietly():
            _INVOKES_LISTINGS(program)

    Program.parse_cleanup = parse_cleanup  # type: ignore[assignment]  # mypy reads its self twice


def _handle_token(machine: ParseMachine, token: str) -> None:
    """Give a token to the task before it, unless it is a flag, a flag's value or the name of a task."""
    names = _positional_names(machine)
    if names is None or token.startswith("-") or token in machine.contexts or machine.waiting_for_flag_value:
        _INVOKES_HANDLE(machine, token)
    else:
        names.value = token


def _positional_names(machine: ParseMachine) -> Argument | None:
    if machine.current_state != "context" or machine.context is None:
        return None
    return next((argument for argument in machine.context.positional_args if argument.kind is list), None)


def _guard_all(collection: Collection) -> None:
    seen = {id(task): task for task in collection.tasks.values()}
    for task in seen.values():
        task.body = guarded(task.body)
        # Invoke takes the texts out of `help` when it parses a command line.
        vars(task)[_HELP_TEXTS] = {**help_texts(task), **task.help}
    for inner in collection.collections.values():
        _guard_all(inner)


def help_texts(task: "Task[Any]") -> Mapping[str, str]:
    """Return the help text of each option of an assembled task, by the name of its parameter."""
    texts: Mapping[str, str] = vars(task).get(_HELP_TEXTS, {})
    return texts


def _listing(namespace: Collection) -> "Task[Any]":
    def tasks(_context: Context) -> None:
        """List the tasks."""
        rows = [(name, _first_line(namespace[name])) for name in sorted(namespace.task_names)]
        console.table(("task", "does"), rows)

    return Task(tasks, name="tasks")


def _first_line(task: "Task[Any]") -> str:
    return (task.__doc__ or "").strip().partition("\n")[0]
