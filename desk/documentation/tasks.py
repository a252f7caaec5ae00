"""The task `docs`. It imports what it needs, so that the other tasks start fast."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import Task

ROOT = Path(__file__).resolve().parents[2]
_PORT = 8643
_HELP = {
    "open": "also open it in the browser",
    "serve": "serve it on this machine until Ctrl-C; the search of the pages needs that",
    "port": "the port of loopback to serve it on; 0 for any free one",
}


def docs_task(namespace: Callable[[], Collection]) -> "Task[Any]":
    """Return the task `docs`.

    Args:
        namespace: returns all tasks, which the reference lists.
    """

    def docs(_context: Context, serve: bool = False, open: bool = False, port: int = _PORT) -> None:  # noqa: A002 - the option's name
        """Build the guides and the reference as a site; a broken link is an error."""
        from desk.documentation import command

        first_page = command.build(ROOT, namespace())
        if serve:
            command.serve(first_page.parent, port, is_opened=open)
        elif open:
            command.open_page(first_page.as_uri())

    return Task(docs, auto_shortflags=False, help=_HELP)
