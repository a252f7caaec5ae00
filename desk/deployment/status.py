"""The product's lines in `inv status`: the last run, the kill switch, and whether the system is ready to trade."""

from collections.abc import Callable, Mapping
from typing import Any

from automation.system import aws_commands
from desk.deployment import account
from desk.deployment.account import Account, LastRun
from desk.deployment.context import Context, Level, Line, line, parse
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
    reasons = _not_ready(context, deployed, name, is_enabled=is_enabled)
    return [
        _last_run(deployed.last_run()),
        line(Level.INFO, "kill switch", ENABLED if is_enabled else PAUSED),
        *(reasons or [line(Level.INFO, "trading", "ready to trade")]),
    ]


def enable_command(context: Context, kill_switch: str) -> str:
    """Return the command that lets the system trade."""
    words = ("ssm", "put-parameter", "--name", kill_switch, "--value", ENABLED, "--overwrite")
    return aws_commands.line(context.target, *words)


def _last_run(run: LastRun | None) -> Line:
    if run is None:
        return line(Level.INFO, "last run", "none yet")
    failed = f", {run.failed_trades} of them failed" if run.failed_trades else ""
    level = Level.WARN if run.state is RunState.FAILED or run.failed_trades else Level.INFO
    return line(level, "last run", f"{run.run_id}: {run.state}, {plural(run.trades, 'trade')}{failed}")


def _not_ready(context: Context, deployed: Account, kill_switch: str, *, is_enabled: bool) -> list[Line]:
    """Return a line for each reason why the system cannot trade, or nobody would hear of it."""
    paused = None if is_enabled else _paused(context, kill_switch)
    reasons = [_missing_secret(context, deployed.missing_secret()), paused]
    # The sandbox keeps its mails, so it needs no sender and no subscriber.
    if not context.is_sandbox:
        reasons.append(_unverified(context, deployed))
        reasons += [_unheard(context, topic) for topic in deployed.topics_without_subscriber()]
    return [reason for reason in reasons if reason]


def _missing_secret(context: Context, name: str) -> Line | None:
    fix = f"inv secrets.set --env {context.environment} {name}"
    return _reason(f"the secret {name} does not exist", fix) if name else None


def _paused(context: Context, kill_switch: str) -> Line:
    if not kill_switch:
        return _reason("there is no kill switch", f"inv deploy --env {context.environment}")
    return _reason("the kill switch is paused", enable_command(context, kill_switch))


def _unverified(context: Context, deployed: Account) -> Line | None:
    sender = context.parameters.get("MailFrom", "")
    if deployed.is_verified(sender):
        return None
    verify = aws_commands.line(context.target, "sesv2", "create-email-identity", "--email-identity", sender)
    return _reason(f"SES has not verified the sender {sender}", f"{verify}, then open the link in the mail")


def _unheard(context: Context, topic: str) -> Line:
    address = context.parameters.get("MailTo", "").partition(",")[0].strip()
    words = ("sns", "subscribe", "--topic-arn", topic, "--protocol", "email", "--notification-endpoint", address)
    fix = f"{aws_commands.line(context.target, *words)}, then open the link in the mail"
    return _reason(f"the topic {topic.rpartition(':')[2]} has no confirmed subscriber", fix)


def _reason(what: str, fix: str) -> Line:
    return line(Level.WARN, "trading", f"not ready to trade: {what}", fix)
