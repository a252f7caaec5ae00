"""The product's steps that prepare an account: the sender of mails, and the report of the kill switch."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from desk.deployment.bootstrap import kill_switch, sender
from tests.desk.deployment.accounts import SANDBOX, FakeAccount, hook_context

BOT = "bot@fund.test"


class NotFoundError(Exception):
    """SES does not know an identity."""


@dataclass
class FakeMail:
    """SES: whether each identity is verified. A new one is verified when `verifies_at_once`, as on the emulator."""

    identities: dict[str, bool] = field(default_factory=dict)
    verifies_at_once: bool = False
    created: list[str] = field(default_factory=list)

    class exceptions:  # noqa: N801 - as a client of botocore has it
        NotFoundException = NotFoundError

    def __call__(self, _context: Any) -> "FakeMail":
        return self

    def get_email_identity(self, *, EmailIdentity: str) -> dict[str, bool]:  # noqa: N803 - as botocore names it
        if EmailIdentity not in self.identities:
            raise NotFoundError
        return {"VerifiedForSendingStatus": self.identities[EmailIdentity]}

    def create_email_identity(self, *, EmailIdentity: str) -> None:  # noqa: N803 - as botocore names it
        self.created.append(EmailIdentity)
        self.identities[EmailIdentity] = self.verifies_at_once


def steps(mail: FakeMail, *, applies: bool = False, **changes: Any) -> list[tuple[str, str]]:
    found = sender(hook_context(applies=applies, **changes), connect=mail)
    assert {step["where"] for step in found} == {"MailFrom"}
    return [(step["state"], step["what"]) for step in found]


def test_sender_is_registered_only_when_steps_are_applied() -> None:
    mail = FakeMail()

    assert steps(mail) == [("due", f"register {BOT} with SES, which mails a link to it")]
    assert mail.created == []
    assert steps(mail, applies=True) == [("person", f"SES has mailed a link to {BOT}")]
    assert mail.created == [BOT]


def test_sender_again_is_not_registered_twice() -> None:
    mail = FakeMail({BOT: False})

    assert steps(mail) == steps(mail, applies=True) == [("person", f"SES has mailed a link to {BOT}")]
    assert mail.created == []


@pytest.mark.parametrize("identity", [BOT, "fund.test"])
def test_sender_that_is_verified_by_address_or_domain_is_done(identity: str) -> None:
    mail = FakeMail({identity: True})

    assert steps(mail, applies=True) == [("done", f"SES may send from {BOT}")]
    assert mail.created == []


def test_sender_that_is_verified_at_once_is_done() -> None:
    assert steps(FakeMail(verifies_at_once=True), applies=True) == [("done", f"SES may send from {BOT}")]


@pytest.mark.parametrize("address", ["", "bot@example.com"])
def test_sender_that_nobody_has_chosen_is_asked_for(address: str) -> None:
    mail = FakeMail()

    [step] = sender(hook_context(applies=True, parameters={"Stage": "prod", "MailFrom": address}), connect=mail)

    assert (step["state"], step["fix"]) == ("person", "give it: --set MailFrom=you@your-company.com")
    assert mail.created == []


def test_sender_of_the_sandbox_is_an_example() -> None:
    mail = FakeMail()

    assert steps(mail, applies=True, parameters={**SANDBOX, "MailFrom": "bot@example.com"})
    assert mail.created == ["bot@example.com"]


@pytest.mark.parametrize(
    ("account", "parameters", "what"),
    [
        (FakeAccount(switch=""), {"Stage": "prod"}, "the first deployment creates it paused"),
        (FakeAccount(switch=""), SANDBOX, "the first deployment creates it enabled, because only run-day trades there"),
        (FakeAccount(), {"Stage": "prod"}, "enabled: this environment trades"),
        (FakeAccount(is_switch_enabled=False), {"Stage": "prod"}, "paused"),
    ],
)
def test_kill_switch_is_reported_and_never_set(account: FakeAccount, parameters: dict[str, str], what: str) -> None:
    context = hook_context(applies=True, parameters=parameters)

    assert kill_switch(context, connect=account) == [{"state": "done", "where": "kill switch", "what": what, "fix": ""}]
    assert account.paused == []
