"""Make Invoke tasks behave: errors in one paragraph with their exit code, and a bare `inv` that lists the tasks."""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.parser.parser import ParseMachine
from invoke.tasks import Task

from automation.system import console
from automation.system.errors import BROKEN_PIPE, INTERRUPTED, AutomationError, CheckFailedError

_INVOKES_HANDLE = ParseMachine.handle


def assemble(*collections: Collection, tasks: tuple["Task[Any]", ...] = ()) -> Collection:
    """Return one namespace: all tasks at the top, and each named collection under its name.

    A later task replaces an earlier one of the same name. Every task reports an AutomationError without a traceback.
    The default task lists the others.
    """
    accept_positional_names()
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
    _guard_all(namespace)
    namespace.add_task(_listing(namespace), default=True)
    return namespace


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
        try:
            return body(*args, **kwargs)
        except CheckFailedError as cause:
            console.findings(cause.findings)
            console.error(str(cause))
            raise Exit(code=cause.exit_code) from cause
        except AutomationError as cause:
            console.error(str(cause))
            raise Exit(code=cause.exit_code) from cause
        except BrokenPipeError as cause:
            # The reader has closed the pipe; the interpreter's last flush must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise Exit(code=BROKEN_PIPE) from cause
        except KeyboardInterrupt as cause:
            console.error("interrupted")
            raise Exit(code=INTERRUPTED) from cause

    return run


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
    for inner in collection.collections.values():
        _guard_all(inner)


def _listing(namespace: Collection) -> "Task[Any]":
    def tasks(_context: Context) -> None:
        """List the tasks."""
        rows = [(name, _first_line(namespace[name])) for name in sorted(namespace.task_names)]
        console.table(("task", "does"), rows)

    return Task(tasks, name="tasks")


def _first_line(task: "Task[Any]") -> str:
    return (task.__doc__ or "").strip().partition("\n")[0]
