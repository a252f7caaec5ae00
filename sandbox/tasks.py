"""The sandbox's tasks: `sandbox.up`, `.down`, `.status`, `.reset`, `.plant`, `.transfer`; and `deploy` and `run-day`.

Each task imports the modules it needs, so that the other tasks start quickly.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import Task, task

from automation.bootstrap_tasks import BOOTSTRAP_HELP
from automation.system import console
from automation.tasks import DEPLOY_HELP

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.run_day import WriteReport

ROOT = Path(__file__).resolve().parent.parent
_LOCAL = "local"
RUN_DAY_HELP = {
    "env": "must be local, the default: days are traded in the sandbox",
    "date": "the session to trade, such as 2022-03-16 (default: the one after the last traded session)",
    "days": "how many sessions in a row to trade (default: 1)",
    "json": "print JSON",
}


@task
def up(_context: Context) -> None:
    """Start the AWS emulator and the paper exchange, unless they are running."""
    from sandbox import lifecycle

    _report("started", lifecycle.up(ROOT), otherwise="emulator and exchange were already running")


@task
def down(_context: Context) -> None:
    """Stop the AWS emulator and the paper exchange; keep their state."""
    from sandbox import lifecycle

    _report("stopped", lifecycle.down(ROOT), otherwise="emulator and exchange were not running")


@task(help={"json": "print JSON"})
def status(_context: Context, json: bool = False) -> None:
    """Show whether emulator and exchange are running, and where."""
    from sandbox import lifecycle

    servers = lifecycle.status(ROOT)
    if json:
        console.result_json([lifecycle.status_as_json(server) for server in servers])
    else:
        rows = [lifecycle.status_row(server) for server in servers]
        console.table(("server", "state", "pid", "url", "log"), rows)


@task
def reset(_context: Context) -> None:
    """Delete all state of emulator and exchange: stacks, data, orders, mails."""
    from sandbox import lifecycle

    restarted = lifecycle.reset(ROOT)
    _report("deleted its state and restarted", restarted, otherwise="deleted all state; emulator and exchange are down")


@task(
    auto_shortflags=False,
    help={
        "kind": "missing, duplicate, zero, negative, inverted, spike, level, stale, flat or volume (default: list)",
        "symbol": "such as SPY",
        "day": "the session, such as 2022-03-15",
        "last": "the last session of a fault that lasts",
        "factor": "of spike, level and volume, such as 1.3",
        "side": "whose bars: broker (default) or second",
        "clear": "first remove what is planted, of the symbol and the side if they are given",
    },
)
def plant(
    _context: Context,
    kind: str = "",
    symbol: str = "",
    day: str = "",
    last: str = "",
    factor: str = "",
    side: str = "",
    clear: bool = False,
) -> None:
    """Plant faults in the bars of the exchange or the second source."""
    from sandbox import planting

    planting.plant(ROOT, planting.PlantRequest(kind, symbol, day, last, factor, side, clear))


@task(
    auto_shortflags=False,
    help={
        "amount": "USD, such as 10000, or -250.50 to withdraw",
        "type": "the broker's type: CSD (default), CSW (default if negative), JNLC, FEE, DIV, INT, ...",
        "symbol": "of a dividend, such as SPY",
    },
)
def transfer(
    _context: Context,
    amount: str = "",
    type: str = "",  # noqa: A002 - Invoke names the option after the parameter
    symbol: str = "",
) -> None:
    """Deposit money at the paper exchange, withdraw it, or book a fee or a dividend."""
    from sandbox import transfers

    transfers.transfer(ROOT, amount, kind=type, symbol=symbol)


@task(iterable=["allow", "adopt", "set"], positional=[], auto_shortflags=False, help=DEPLOY_HELP)
def deploy(
    _context: Context,
    allow: list[str],
    adopt: list[str],
    set: list[str],  # noqa: A002 - Invoke names the option after the parameter
    env: str = "",
    yes: bool = False,
    plan: str = "",
    dry_run: bool = False,
    ttl: str = "",
) -> None:
    """Check, plan, confirm, deploy and test; --env local starts the sandbox."""
    from automation import deploy as deployment

    options = deployment.Options(yes, tuple(allow), plan, dry_run, tuple(adopt), tuple(set), ttl)
    deployment.deploy(ROOT, env, variables=os.environ, options=options, start_target=lambda: _start_sandbox(env))


@task(iterable=["allow", "set"], positional=[], auto_shortflags=False, help=BOOTSTRAP_HELP)
def bootstrap(
    _context: Context,
    allow: list[str],
    set: list[str],  # noqa: A002 - Invoke names the option after the parameter
    env: str = "",
    repository: str = "",
    alerts: str = "",
    yes: bool = False,
    dry_run: bool = False,
) -> None:
    """Prepare an account: bucket, roles for GitHub, the product's steps."""
    from automation import bootstrap as preparation
    from automation import commands

    options = preparation.Options(repository, alerts, tuple(set), tuple(allow), yes, dry_run)
    exit_code = preparation.bootstrap(
        ROOT, env, variables=os.environ, options=options, start_target=lambda: _start_sandbox(env)
    )
    commands.end_with(exit_code)


def _start_sandbox(env: str) -> None:
    """Start the sandbox for its own environment."""
    from sandbox import lifecycle

    if env == _LOCAL:
        _report("started", lifecycle.up_with_account(ROOT))


def run_day_task(reporter: "Callable[[], WriteReport]") -> "Task[Any]":
    """Return the task `run-day`.

    Args:
        reporter: returns the function that writes the report on a day; called only when a day is run.
    """

    @task(name="run-day", help=RUN_DAY_HELP)
    def run_day(_context: Context, env: str = _LOCAL, date: str = "", days: int = 1, json: bool = False) -> None:
        """Trade one or more days in the sandbox, and verify the result."""
        from sandbox.preflight import read_universe
        from sandbox.run_day import DayRequest, run_days

        run_days(ROOT, DayRequest(env, date, days, json), reporter(), read_universe)

    return run_day  # type: ignore[no-any-return]  # invoke's decorator has no types


def collection() -> Collection:
    """Return the collection of `sandbox.up`, `.down`, `.status`, `.reset`, `.plant` and `.transfer`."""
    return Collection("sandbox", up, down, status, reset, plant, transfer)


def _report(verb: str, names: tuple[str, ...], *, otherwise: str = "") -> None:
    console.results(f"{name}: {verb}" for name in names)
    if not names and otherwise:
        console.result(otherwise)
