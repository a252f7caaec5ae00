"""Pause trading after a deployment that failed and could not be undone."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from desk.deployment import account
from desk.deployment.account import Account
from desk.deployment.context import Context, Level, Line, line, parse
from desk.deployment.kill_switch import set_command
from desk.deployment.status import resume_command
from the_alchemiser.shared.run.kill_switch import PAUSED


def pause(hook_context: Mapping[str, Any], *, connect: Callable[[Context], Account] = account.connect) -> list[Line]:
    """Set the kill switch to paused: no run starts, and no order is sent, until a person enables it again. Idempotent.

    The sandbox is left as it is, because it trades only when a person runs a day.
    """
    context = parse(hook_context)
    if context.is_sandbox:
        return []

    deployed = connect(context)
    name = deployed.kill_switch()
    if not name:
        return [line(Level.INFO, "kill switch", "is not deployed, so nothing trades")]
    try:
        deployed.pause_trading(name)
    except (BotoCoreError, ClientError) as error:
        what = f"{name} could not be paused: {error}"
        return [line(Level.WARN, "kill switch", what, set_command(context.target, name, PAUSED))]
    what = "paused: no run starts and no order is sent"
    return [line(Level.WARN, "kill switch", what, f"to trade again: {resume_command(context)}")]
