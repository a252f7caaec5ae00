"""Whether this is a good moment to deploy: the day's run, open runs, queued trades, and changes of stored data."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from desk.deployment import account
from desk.deployment.account import Account
from desk.deployment.context import Context, Level, Line, line, parse
from sandbox.exchange.sessions import NEW_YORK, Session, session_on
from the_alchemiser.shared.formats import plural

# The run starts 15 minutes before the close; a quarter of an hour after it, the last trade has long been recorded.
BEFORE_CLOSE = timedelta(minutes=30)
AFTER_CLOSE = timedelta(minutes=15)

Connect = Callable[[Context], Account]


def market_hours(hook_context: Mapping[str, Any]) -> list[Line]:
    """Stop a deployment around the close, when the day's run trades; warn while the market is open.

    On a half day the window is earlier. An emulator has no market, so there it is only a warning.
    """
    context = parse(hook_context)
    session = session_on(context.today)
    if not context.is_deployed or context.is_sandbox or not context.has_schedules or session is None:
        return []

    starts, ends = session.closes - BEFORE_CLOSE, session.closes + AFTER_CLOSE
    if starts <= context.now < ends:
        level = Level.WARN if context.target.is_loopback else Level.STOP
        what = f"it is {_time(context.now)} in New York; the day's run trades between {_time(starts)} and {_time(ends)}"
        fix = f"wait until {_time(ends)} New York time, then run inv deploy --env {context.environment}"
        return [line(level, "market hours", what, fix)]
    return [_open_market(context.now, starts, session)] if session.opens <= context.now < starts else []


def open_runs(hook_context: Mapping[str, Any], *, connect: Connect = account.connect) -> list[Line]:
    """Stop a deployment while a run of today has not ended."""
    context = parse(hook_context)
    if not _is_guarded(context):
        return []

    fix = f"wait until it is COMPLETED or FAILED: inv status --env {context.environment}"
    runs = connect(context).open_runs(context.today)
    return [line(Level.STOP, run_id, f"the run is {state}", fix) for run_id, state in runs.items()]


def queued_messages(hook_context: Mapping[str, Any], *, connect: Connect = account.connect) -> list[Line]:
    """Stop a deployment while trades are queued; warn about other messages in inboxes."""
    context = parse(hook_context)
    if not _is_guarded(context):
        return []

    fix = f"wait until the queue is empty: inv status --env {context.environment}"
    queues = [queue for queue in connect(context).inboxes() if queue.messages]
    return [
        line(Level.STOP, queue.name, f"{plural(queue.messages, 'trade')} queued", fix)
        if queue.has_trades
        else line(Level.WARN, queue.name, f"{plural(queue.messages, 'message')} queued", fix)
        for queue in queues
    ]


def changed_contracts(hook_context: Mapping[str, Any], *, connect: Connect = account.connect) -> list[Line]:
    """Stop a deployment that changes messages or items incompatibly while some of them are in use."""
    context = parse(hook_context)
    if not _is_guarded(context) or not context.breaking_contracts:
        return []

    deployed = connect(context)
    runs, messages = len(deployed.open_runs(context.today)), sum(queue.messages for queue in deployed.inboxes())
    if not runs and not messages:
        return []
    in_use = f"{plural(runs, 'open run')} and {plural(messages, 'queued message')}"
    what = f"the new release changes their form while there are {in_use}"
    fix = f"wait until the runs have ended and the queues are empty: inv status --env {context.environment}"
    return [line(Level.STOP, ", ".join(context.breaking_contracts), what, fix)]


def _is_guarded(context: Context) -> bool:
    return context.is_deployed and not context.is_sandbox


def _open_market(now: datetime, run_starts: datetime, session: Session) -> Line:
    hours = f"{_time(session.opens)} to {_time(session.closes)}"
    what = f"it is {_time(now)} in New York and the market is open ({hours})"
    return line(
        Level.WARN, "market hours", what, f"finish before {_time(run_starts)}, because the day's run comes next"
    )


def _time(moment: datetime) -> str:
    return moment.astimezone(NEW_YORK).strftime("%H:%M")
