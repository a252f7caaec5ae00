"""What must be confirmed, with which word, and what no option confirms."""

from dataclasses import replace

import pytest

from automation.deploying import consent
from automation.deploying.changes.model import Action, Assessment, Danger, Rank, RankedChange
from automation.project.environments import Consent, Environment
from automation.system.errors import CheckFailedError, Finding, UsageError
from tests.automation.deploying.changing_stacks import Person

LIVE = Environment("live", "eu-west-1", Consent.WORD, account="123456789012")
STAGE = replace(LIVE, name="stage", consent=Consent.CONFIRM)
FREE = replace(LIVE, name="free", consent=Consent.NONE)
HERE = replace(LIVE, name="here", endpoint="http://127.0.0.1:4566")

CHANGE = RankedChange(Rank.CODE, "app", "Till", "AWS::Lambda::Function", Action.MODIFY, "code: changed")
REPLACE = Danger("replace", "app", "Ledger", Rank.DATA_LOSS, "the table is replaced", "keep its keys")
WIDEN = Danger("widen", "app", "Role", Rank.PERMISSIONS, "may s3:*")
REFUSED = Danger("gsi", "app", "Runs", Rank.DATA_LOSS, "adds two indexes", "deploy one at a time")
ORDINARY = Assessment((CHANGE,))
ALLOWED = Assessment((CHANGE,), allowed=(REPLACE, WIDEN))


def ask(assessment: Assessment, environment: Environment, *answers: str, yes: bool = False) -> list[str]:
    """Return the questions; every answer is used up."""
    person = Person(list(answers))
    consent.ask(assessment, environment, yes=yes, ask=person.reply)
    assert person.answers == []
    return person.questions


@pytest.mark.parametrize("environment", [LIVE, STAGE])
def test_require_possible_without_terminal_names_command_and_option(environment: Environment) -> None:
    with pytest.raises(UsageError) as caught:
        consent.require_possible(environment, yes=False, is_interactive=False, command="rollback")

    assert str(caught.value) == (
        f"rollback --env {environment.name}: must be confirmed, and there is no terminal to confirm it on; "
        "run it in a terminal, or add --yes"
    )


def test_require_possible_is_about_a_deployment_by_default() -> None:
    with pytest.raises(UsageError, match=r"^deploy --env live: "):
        consent.require_possible(LIVE, yes=False, is_interactive=False)


@pytest.mark.parametrize(
    ("environment", "yes", "is_interactive"), [(LIVE, True, False), (LIVE, False, True), (FREE, False, False)]
)
def test_require_possible_with_yes_terminal_or_nothing_to_confirm(
    environment: Environment, yes: bool, is_interactive: bool
) -> None:
    consent.require_possible(environment, yes=yes, is_interactive=is_interactive)


@pytest.mark.parametrize("assessment", [Assessment(), ORDINARY, ALLOWED])
def test_require_allowed_passes_what_is_not_forbidden(assessment: Assessment) -> None:
    consent.require_allowed(assessment, command="inv deploy --env live")


def test_require_allowed_forbidden_names_each_danger_and_the_command() -> None:
    with pytest.raises(CheckFailedError) as caught:
        consent.require_allowed(Assessment(dangers=(REPLACE, WIDEN)), command="inv deploy --env live")

    assert caught.value.findings == (
        Finding("replace:Ledger", "the table is replaced", "instead: keep its keys"),
        Finding("widen:Role", "may s3:*", ""),
    )
    assert str(caught.value) == (
        "inv deploy --env live: forbidden; nothing was changed; if that is what you want: "
        "inv deploy --env live --allow replace:Ledger --allow widen:Role"
    )


def test_require_allowed_refused_by_aws_offers_no_option() -> None:
    with pytest.raises(CheckFailedError) as caught:
        consent.require_allowed(Assessment(dangers=(REFUSED,)), command="inv deploy --env live")

    assert str(caught.value) == "inv deploy --env live: forbidden; nothing was changed; AWS would refuse it"


def test_ask_wants_the_name_of_the_environment() -> None:
    assert ask(ORDINARY, LIVE, "live") == ["Type live to change live:"]


def test_ask_wants_y_where_a_confirmation_is_enough() -> None:
    assert ask(ORDINARY, STAGE, "y") == ["Type y to change stage:"]


@pytest.mark.parametrize("answer", ["", "y", "Live", "live ", "liv"])
def test_ask_any_other_answer_cancels(answer: str) -> None:
    with pytest.raises(UsageError) as caught:
        ask(ORDINARY, LIVE, answer)

    assert str(caught.value) == "--env live: cancelled: nothing was changed (type live to confirm)"
    assert caught.value.exit_code == 2


def test_ask_wants_the_resource_of_each_allowed_danger() -> None:
    assert ask(ALLOWED, LIVE, "live", "Ledger", "Role") == [
        "Type live to change live:",
        "the table is replaced. Type Ledger to confirm:",
        "may s3:*. Type Role to confirm:",
    ]


def test_ask_danger_is_not_confirmed_by_the_name_of_the_environment() -> None:
    with pytest.raises(UsageError, match=r"--env live: cancelled: nothing was changed \(type Ledger to confirm\)"):
        ask(ALLOWED, LIVE, "live", "live")


def test_ask_environment_without_consent_asks_about_dangers_only() -> None:
    assert ask(ORDINARY, FREE) == []
    assert ask(ALLOWED, FREE, "Ledger", "Role") == [
        "the table is replaced. Type Ledger to confirm:",
        "may s3:*. Type Role to confirm:",
    ]


def test_ask_confirmed_in_advance_or_sandbox_asks_nothing() -> None:
    assert ask(ALLOWED, LIVE, yes=True) == []
    assert ask(ALLOWED, HERE) == []


def test_ask_without_terminal_asks_nothing() -> None:
    consent.ask(ALLOWED, LIVE, yes=False, ask=None)


def test_confirm_has_the_effect_in_its_question() -> None:
    person = Person(["live", "no"])

    consent.confirm("create a secret", LIVE, ask=person.reply)
    with pytest.raises(UsageError, match="cancelled"):
        consent.confirm("create a secret", LIVE, ask=person.reply)

    assert person.questions == ["Type live to create a secret:"] * 2


def test_confirm_nothing_to_confirm_asks_nothing() -> None:
    consent.confirm("create a secret", FREE, ask=Person([]).reply)
