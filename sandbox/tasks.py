"""The sandbox's tasks: `sandbox.up`, `.down`, `.status`, `.reset`; `deploy` and `run-day` for the top level.

Each task imports what it runs, so that the others stay quick.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import Task, task

from automation.system import console
from automation.tasks import DEPLOY_HELP

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.run_day import WriteReport

ROOT = Path(__file__).resolve().parent.parent
_LOCAL = "local"
RUN_DAY_HELP = {
    "env": "local: days are played in the sandbox alone",
    "date": "a session, as 2022-03-16; without it the one after the last that was traded",
    "days": "how many sessions in a row",
    "json": "print JSON",
}


@task
def up(_context: Context) -> None:
    """Start what does not run of emulator and exchange."""
    from sandbox import lifecycle

    _tell("started", lifecycle.up(ROOT), otherwise="both ran already")


@task
def down(_context: Context) -> None:
    """Stop emulator and exchange; their state is kept."""
    from sandbox import lifecycle

    _tell("stopped", lifecycle.down(ROOT), otherwise="neither ran")


@task(help={"json": "print JSON"})
def status(_context: Context, json: bool = False) -> None:
    """Show whether emulator and exchange run, and where."""
    from sandbox import lifecycle

    servers = lifecycle.status(ROOT)
    if json:
        console.result_json([lifecycle.as_json(server) for server in servers])
    else:
        console.table(("server", "state", "pid", "url", "log"), [lifecycle.row(server) for server in servers])


@task
def reset(_context: Context) -> None:
    """Forget everything of emulator and exchange: stacks, data, orders, mail."""
    from sandbox import lifecycle

    _tell("runs again, empty", lifecycle.reset(ROOT), otherwise="everything is forgotten; neither ran")


@task(help=DEPLOY_HELP)
def deploy(_context: Context, env: str = "", yes: bool = False, dry_run: bool = False) -> None:
    """Build and deploy every stack to an environment; --env local starts the sandbox for it."""
    from automation import deploy as deployment
    from sandbox import lifecycle

    def ready() -> None:
        if env == _LOCAL:
            _tell("started", lifecycle.prepare(ROOT))

    deployment.deploy(ROOT, env, variables=os.environ, yes=yes, dry_run=dry_run, ready=ready)


def run_day_task(reporter: "Callable[[], WriteReport]") -> "Task[Any]":
    """The task `run-day`.

    Args:
        reporter: gives what writes the report of a day; it is asked when a day is run.
    """

    @task(name="run-day", help=RUN_DAY_HELP)
    def run_day(_context: Context, env: str = _LOCAL, date: str = "", days: int = 1, json: bool = False) -> None:
        """Trade a day in the sandbox: send what the scheduler would, follow the run, verify it."""
        from sandbox.preflight import read_universe
        from sandbox.run_day import Request, run_days

        run_days(ROOT, Request(env, date, days, json), reporter(), read_universe)

    return run_day  # type: ignore[no-any-return]  # invoke's decorator has no types


def collection() -> Collection:
    """`sandbox.up`, `sandbox.down`, `sandbox.status`, `sandbox.reset`."""
    return Collection("sandbox", up, down, status, reset)


def _tell(verb: str, names: tuple[str, ...], *, otherwise: str = "") -> None:
    console.results(f"{name}: {verb}" for name in names)
    if not names and otherwise:
        console.result(otherwise)
