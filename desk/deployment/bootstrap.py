"""What the product needs in an account before its first deployment: a sender of mails, and a paused kill switch."""

from collections.abc import Callable, Mapping
from typing import Any

from automation.deploying.asked_parameters import is_example
from automation.system import aws
from desk.deployment import account
from desk.deployment.account import Account
from desk.deployment.context import Context, parse

_SENDER, _SWITCH = "MailFrom", "kill switch"

type Step = dict[str, str]


def sender(
    hook_context: Mapping[str, Any],
    *,
    connect: Callable[[Context], Any] = lambda context: aws.client("sesv2", context.target),
) -> list[Step]:
    """Register the address that mails are sent from with SES, unless the address or its domain is known there."""
    context = parse(hook_context)
    address = context.parameters.get(_SENDER, "")
    if not address or (is_example(address) and not context.is_sandbox):
        return [_step("person", _SENDER, "is not known yet", f"give it: --set {_SENDER}=you@your-company.com")]

    mail = connect(context)
    state = _verification(mail, address) or _verification(mail, address.rpartition("@")[2])
    if state == "verified":
        return [_step("done", _SENDER, f"SES may send from {address}")]
    if not state and not hook_context["applies"]:
        return [_step("due", _SENDER, f"register {address} with SES, which mails a link to it")]
    if not state:
        mail.create_email_identity(EmailIdentity=address)
        if _verification(mail, address) == "verified":
            return [_step("done", _SENDER, f"SES may send from {address}")]
    return [_step("person", _SENDER, f"SES has mailed a link to {address}", "open it")]


def kill_switch(
    hook_context: Mapping[str, Any], *, connect: Callable[[Context], Account] = account.connect
) -> list[Step]:
    """Report the kill switch. A new stack creates it paused, and this never switches a running system."""
    context = parse(hook_context)
    deployed = connect(context)
    name = deployed.kill_switch()
    if not name:
        starts = "enabled, because only run-day trades there" if context.is_sandbox else "paused"
        return [_step("done", _SWITCH, f"the first deployment creates it {starts}")]
    state = "enabled: this environment trades" if deployed.is_enabled(name) else "paused"
    return [_step("done", _SWITCH, state)]


def _verification(mail: Any, identity: str) -> str:
    """Return `verified`, `pending`, or nothing when SES does not know an address or a domain."""
    try:
        answer = mail.get_email_identity(EmailIdentity=identity)
    except mail.exceptions.NotFoundException:
        return ""
    return "verified" if answer.get("VerifiedForSendingStatus") else "pending"


def _step(state: str, where: str, what: str, fix: str = "") -> Step:
    return {"state": state, "where": where, "what": what, "fix": fix}
