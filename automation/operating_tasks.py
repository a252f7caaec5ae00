"""The tasks for deployed functions: dead letters, logs, single events, and the code of edits."""

import os

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

from automation import commands

ROOT = commands.ROOT
_ENV = {"env": "the name of an environment in pyproject.toml"}
_QUEUE = {"names": "the dead-letter queue, by logical id"}
_CHANGE = {
    **_ENV,
    **_QUEUE,
    "id": "only this message; repeat it for more",
    "yes": "confirm in advance, for use without a terminal",
}


@task(name="list", auto_shortflags=False, help={**_ENV, "json": "print JSON"})
def list_queues(_context: Context, env: str = "", json: bool = False) -> None:
    """List the dead-letter queues; exit 3 when there are dead letters."""
    from automation import dlq

    dlq.report(ROOT, env, variables=os.environ, json=json)


@task(
    iterable=["names"],
    auto_shortflags=False,
    help={**_ENV, **_QUEUE, "limit": "how many messages (default: 10)", "json": "print JSON, with whole bodies"},
)
def show(_context: Context, names: list[str], env: str = "", limit: int = 10, json: bool = False) -> None:
    """Print dead letters and leave them there: `inv dlq.show QUEUE --env E`."""
    from automation import dlq

    dlq.show(ROOT, env, " ".join(names), variables=os.environ, limit=limit, json=json)


@task(
    iterable=["names", "id"],
    positional=["names"],
    auto_shortflags=False,
    help={
        **_CHANGE,
        "to": "send them to this queue, by logical id, and not to the one that they were meant for",
        "file": "send the messages that inv dlq.drop saved in this file",
    },
)
def redrive(
    _context: Context,
    names: list[str],
    id: list[str],  # noqa: A002 - Invoke names the option after the parameter
    env: str = "",
    to: str = "",
    file: str = "",
    yes: bool = False,
) -> None:
    """Send dead letters back to their queue: `inv dlq.redrive QUEUE --env E`."""
    from automation import dlq

    options = dlq.Options(tuple(id), to, file, yes)
    dlq.redrive(ROOT, env, " ".join(names), variables=os.environ, options=options)


@task(iterable=["names", "id"], positional=["names"], auto_shortflags=False, help=_CHANGE)
def drop(
    _context: Context,
    names: list[str],
    id: list[str],  # noqa: A002 - Invoke names the option after the parameter
    env: str = "",
    yes: bool = False,
) -> None:
    """Save dead letters to a file and delete them: `inv dlq.drop QUEUE --env E`."""
    from automation import dlq

    options = dlq.Options(tuple(id), yes=yes)
    dlq.drop(ROOT, env, " ".join(names), variables=os.environ, options=options)


@task(
    iterable=["function"],
    positional=[],
    auto_shortflags=False,
    help={
        **_ENV,
        "run": "only lines that contain this text, such as the id of a run or of a message",
        "function": "only this function, by logical id or code folder; repeat it for more",
        "level": "this and more serious ones: debug (with Lambda's lines), info (default), warning, error, critical",
        "since": "an age such as 90s, 5m, 2h or 3d, or a time in UTC (default: 1h)",
        "follow": "go on until Ctrl-C",
        "json": "print one JSON document per line",
    },
)
def logs(
    _context: Context,
    function: list[str],
    env: str = "",
    run: str = "",
    level: str = "info",
    since: str = "1h",
    follow: bool = False,
    json: bool = False,
) -> None:
    """Print the logs of all functions, merged in the order of time."""
    from automation import logs as front

    options = front.Options(run, tuple(function), level, since, follow, json)
    front.show(ROOT, env, variables=os.environ, options=options)


@task(
    iterable=["names"],
    auto_shortflags=False,
    help={
        **_ENV,
        "names": "the function, by logical id or code folder",
        "event": "a file with the event as JSON; - is the standard input (default: the message of the smoke test)",
        "message": "send a sample of this message of the registry, as it reaches the function",
        "local": "run the built artifact on this machine, with the settings of the environment if there is one",
        "debug_port": "wait for a debugger on this port; needs --local",
        "yes": "confirm in advance, for use without a terminal",
        "json": "print JSON",
    },
)
def invoke(
    _context: Context,
    names: list[str],
    env: str = "",
    event: str = "",
    message: str = "",
    local: bool = False,
    debug_port: int = 0,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Send an event to one function, or run it here: `inv invoke NAME --env E`."""
    from automation import invoke as front

    options = front.Options(event, message, local, debug_port, yes, json)
    front.invoke(ROOT, " ".join(names), env, variables=os.environ, options=options)


@task(
    positional=[],
    auto_shortflags=False,
    help={**_ENV, "invoke": "send the message of the smoke test to each updated function, and print the answer"},
)
def watch(_context: Context, env: str = "", invoke: bool = False) -> None:
    """Give functions the code of each edit at once, proven first; Ctrl-C ends it."""
    from automation import watch as front

    front.watch(ROOT, env, variables=os.environ, options=front.Options(invoke))


TASKS = (logs, invoke, watch)
COLLECTION = Collection("dlq", list_queues, show, redrive, drop)
