"""The product's lines in `inv status`: the last run, kill switch, books, and whether the system is ready to trade."""

from collections.abc import Callable, Mapping
from typing import Any

from desk.deployment import account
from desk.deployment.account import Account, LastRun
from desk.deployment.context import Context, Level, Line, line, parse
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.formats import plural
from the_alchemiser.shared.run.kill_switch import ENABLED, PAUSED
from the_alchemiser.shared.run.runs import RunState


def status(hook_context: Mapping[str, Any], *, connect: Callable[[Context], Account] = account.connect) -> list[Line]:
    """Return the lines about a deployed environment; none before the first deployment."""
    context = parse(hook_context)
    if not context.is_deployed:
        return []

    deployed = connect(context)
    name = deployed.kill_switch()
    is_enabled = bool(name) and deployed.is_enabled(name)
    return [
        _last_run(deployed.last_run()),
        line(Level.INFO, "kill switch", ENABLED if is_enabled else PAUSED),
        _books(context, deployed.books()),
        *_any_account(context),
        _trading(context, name, is_enabled=is_enabled),
    ]


def resume_command(context: Context) -> str:
    """Return the command that lets the system trade."""
    return f"inv trading.resume --env {context.environment}"


def books_text(check: BooksCheck | None) -> str:
    """Return the result of the latest check of the books."""
    if check is None:
        return "not checked yet: the first run opens them"
    by = f" by {check.accepted_by}" if check.accepted_by else ""
    return f"{check.state} on {check.trading_date}{by}"


def _books(context: Context, check: BooksCheck | None) -> Line:
    if check is None or not check.differs:
        return line(Level.INFO, "books", books_text(check))
    what = f"{books_text(check)} in {plural(len(check.differences), 'place')}: no run starts until that is accepted"
    return line(Level.WARN, "books", what, f"inv reconcile --env {context.environment}")


def _any_account(context: Context) -> list[Line]:
    """Remark that keys of any account are used; the sandbox has only one."""
    if context.is_sandbox or context.is_temporary or context.parameters.get("BrokerAccount"):
        return []
    what = "not named: set BrokerAccount in samconfig.toml, so that keys of another account trade nothing"
    return [line(Level.INFO, "broker account", what)]


def _last_run(run: LastRun | None) -> Line:
    if run is None:
        return line(Level.INFO, "last run", "none yet")
    failed = f", {run.failed_trades} of them failed" if run.failed_trades else ""
    level = Level.WARN if run.state is RunState.FAILED or run.failed_trades else Level.INFO
    return line(level, "last run", f"{run.run_id}: {run.state}, {plural(run.trades, 'trade')}{failed}")


def _trading(context: Context, kill_switch: str, *, is_enabled: bool) -> Line:
    """Return whether the system can trade; the automation itself names what must be set up, with what helps."""
    if context.is_temporary:
        return line(Level.INFO, "trading", "never ready to trade: a temporary environment has no broker")
    if not kill_switch:
        return _reason("there is no kill switch", f"inv deploy --env {context.environment}")
    if not is_enabled:
        return _reason("the kill switch is paused", resume_command(context))
    if context.missing:
        return line(Level.INFO, "trading", f"not ready to trade: set up first: {', '.join(context.missing)}")
    return line(Level.INFO, "trading", "ready to trade")


def _reason(what: str, fix: str) -> Line:
    return line(Level.WARN, "trading", f"not ready to trade: {what}", fix)
