"""The task `desk`. It imports what it needs, so that the other tasks start fast."""

from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

ROOT = Path(__file__).resolve().parents[2]


@task(
    auto_shortflags=False,
    help={
        "env": "the name of an environment in pyproject.toml",
        "open": "also open the page in the browser",
        "port": "the port of loopback to listen on (default: 8642; 0 for any free one)",
    },
)
def desk(_context: Context, env: str = "", open: bool = False, port: str = "") -> None:  # noqa: A002 - the option's name
    """Serve a page about runs, account, data, queues and releases: `inv desk --env E`."""
    from desk.page import command

    command.serve(ROOT, env, port=port, is_opened=open)
