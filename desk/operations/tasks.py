"""The tasks of the person on duty: `trading.*` and `run.*`. Each imports what it needs, so that all start fast."""

import os
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import Task, task

ROOT = Path(__file__).resolve().parents[2]
_ENV = {"env": "the name of an environment in pyproject.toml"}
_YES = {"yes": "confirm in advance, for use without a terminal"}
_JSON = {"json": "print JSON"}


@task(auto_shortflags=False, help={**_ENV, **_JSON})
def status(_context: Context, env: str = "", json: bool = False) -> None:
    """Show switch, market, account, run, orders; exit 3 if trading is hindered."""
    from desk.operations import trading_status

    trading_status.report(ROOT, env, as_json=json)


@task(
    auto_shortflags=False,
    help={**_ENV, "cancel_open": "also cancel the open orders of runs, and show what they have filled meanwhile"},
)
def pause(_context: Context, env: str = "", cancel_open: bool = False) -> None:
    """Stop all trading at once, and show what is left open; asks nothing."""
    from desk.operations import pausing

    pausing.pause(ROOT, env, variables=os.environ, cancel_open=cancel_open)


@task(auto_shortflags=False, help={**_ENV, **_YES})
def resume(_context: Context, env: str = "", yes: bool = False) -> None:
    """Show why trading is paused, ask, and let the system trade again."""
    from desk.operations import pausing

    pausing.resume(ROOT, env, yes=yes)


@task(auto_shortflags=False, help=_ENV)
def sweep(_context: Context, env: str = "") -> None:
    """Let the coordinator sweep now: settle ended runs, check the books."""
    from desk.operations import requests

    requests.sweep(ROOT, env)


@task(
    auto_shortflags=False,
    help={**_ENV, **_YES, "replaces": "today's latest run, which has ended and is settled; only for a second run"},
)
def start(_context: Context, env: str = "", replaces: str = "", yes: bool = False) -> None:
    """Start today's run, or one in the place of another, after asking."""
    from desk.operations import starting

    starting.start(ROOT, env, replaces=replaces, yes=yes)


@task(
    iterable=["names"],
    auto_shortflags=False,
    help={**_ENV, **_JSON, "names": "one run: its id, a date for the latest run of that day, or latest"},
)
def show(_context: Context, names: list[str], env: str = "", json: bool = False) -> None:
    """Show everything about a run: `inv run.show RUN|DATE|latest --env E`."""
    from desk.operations import run_show

    run_show.report(ROOT, env, names, as_json=json)


@task(
    auto_shortflags=False,
    help={
        **_ENV,
        **_YES,
        **_JSON,
        "accept": "after asking: what the account holds is right, so the next run may start",
    },
)
def reconcile(_context: Context, env: str = "", accept: bool = False, yes: bool = False, json: bool = False) -> None:
    """Compare account, books, lots and last plan; exit 3 if account and books differ."""
    from desk.operations import reconcile

    reconcile.reconcile(ROOT, env, accept=accept, yes=yes, as_json=json)


def trading_collection(refresh: "Task[Any]") -> Collection:
    """Return the tasks `trading.status`, `.pause`, `.resume` and `.sweep`, and `data.refresh` as `trading.refresh`."""
    return Collection("trading", status, pause, resume, sweep, refresh)


def run_collection() -> Collection:
    """Return the tasks `run.start` and `run.show`."""
    return Collection("run", start, show)
