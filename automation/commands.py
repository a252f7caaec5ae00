"""Make Invoke tasks behave: errors in one paragraph with their exit code, and a bare `inv` that lists the tasks."""

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

from automation import console, words
from automation.errors import BROKEN_PIPE, INTERRUPTED, AutomationError, CheckFailedError


def assemble(*collections: Collection, tasks: tuple["Task[Any]", ...] = ()) -> Collection:
    """One namespace of all tasks at the top, and each named collection under its name.

    A later task takes the place of an earlier one of the same name. Every task reports an AutomationError
    without a traceback. The default task lists the others.
    """
    words.accept()
    namespace = Collection()
    for collection in collections:
        if collection.name is None:
            for name in collection.tasks:
                namespace.add_task(collection.tasks[name], name=name)
        else:
            namespace.add_collection(collection)
    for task in tasks:
        namespace.add_task(task)
    _guard_all(namespace)
    namespace.add_task(_listing(namespace), default=True)
    return namespace


def guarded(body: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, ending Invoke with the exit code of the AutomationError it raises."""

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
            # Whoever read our output has read enough; the interpreter's last flush must not fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise Exit(code=BROKEN_PIPE) from cause
        except KeyboardInterrupt as cause:
            console.error("interrupted")
            raise Exit(code=INTERRUPTED) from cause

    return run


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
