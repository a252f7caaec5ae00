"""`inv bootstrap`: what it shows and asks, what it prepares, and that a killed run is completed."""

from collections.abc import Callable
from typing import Any

import pytest

from automation.deploying import plans
from automation.deploying.stacks.execution import DetachedError
from automation.project.settings import PYPROJECT
from automation.system.accounts import CallError, Problem
from automation.system.errors import CheckFailedError, DeploymentError, UsageError
from tests.automation.bootstrapped_shop import ANN, CREATED, STACK, SUBSCRIPTION, Bootstraps
from tests.automation.deploying.changing_stacks import Person


def test_bootstrap_prepares_a_new_account(account: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    account.name_no_bucket()

    assert account.run() == 0

    out = capsys.readouterr().out
    assert account.shop.take_calls() == CREATED
    assert account.providers.calls == ["create https://token.actions.githubusercontent.com"]
    assert account.parts() == ["ArtifactBucket", "ArtifactBucketPolicy", "DeployRole", "PlanRole"]
    for line in (
        "identity provider of GitHub: exists; the environments of the account share it",
        "the account is prepared for live",
        f"GitHub, octocat/shop, environment live: AWS_ROLE_ARN = {account.outputs()['DeployRole']}",
        f"GitHub, octocat/shop, environment live-plan: AWS_ROLE_ARN = {account.outputs()['PlanRole']}",
    ):
        assert line in out.splitlines()


def test_bootstrap_shows_the_plan_first(account: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    account.run()

    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert rows[1] == f"bootstrap {STACK}: new"
    assert "! permissions bootstrap DeployRole may be assumed by repo:octocat/shop:environment:live" in rows
    assert "other account identity provider of GitHub create it for https://token.actions.githubusercontent.com" in rows
    assert [row for row in rows if row.startswith("note: not rehearsed: what the role may do only through CloudForm")]
    assert [row for row in rows if row.startswith("needs consent: ")]


def test_bootstrap_again_changes_nothing(account: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    account.add_hook()
    account.run()
    account.shop.take_calls()
    account.providers.calls.clear()
    capsys.readouterr()

    assert account.run() == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "nothing to change: the account is prepared for live"
    assert f"GitHub, octocat/shop, environment live: AWS_ROLE_ARN = {account.outputs()['DeployRole']}" in lines
    assert (account.shop.take_calls(), account.providers.calls) == ([f"create {STACK}", f"discard {STACK}"], [])
    assert account.shop.aws.stacks.sets == {}


def test_bootstrap_dry_run_changes_nothing_and_exits_with_7(
    account: Bootstraps, capsys: pytest.CaptureFixture[str]
) -> None:
    account.add_hook()

    assert account.run(dry_run=True, yes=False) == 7

    assert "hang it" in capsys.readouterr().out
    assert (account.shop.aws.stacks.stacks, account.shop.aws.stacks.sets, account.providers.calls) == ({}, {}, [])
    assert not (account.shop.root / "prepared").exists()


def test_bootstrap_dry_run_of_a_prepared_account_exits_with_0(account: Bootstraps) -> None:
    account.run()

    assert account.run(dry_run=True) == 0


def test_bootstrap_asks_for_the_word_of_the_environment(account: Bootstraps, person: Person) -> None:
    person.answers = ["live"]

    account.run(yes=False)

    assert person.questions == ["Type live to change live:"]
    assert account.shop.take_calls() == CREATED


def test_bootstrap_wrong_word_leaves_nothing(account: Bootstraps, person: Person) -> None:
    person.answers = ["yes"]

    with pytest.raises(UsageError, match=r"cancelled: nothing was changed \(type live to confirm\)"):
        account.run(yes=False)

    assert (account.shop.aws.stacks.stacks, account.shop.aws.stacks.sets, account.providers.calls) == ({}, {}, [])


def test_bootstrap_without_a_terminal_must_be_confirmed_in_advance(account: Bootstraps) -> None:
    with pytest.raises(UsageError, match="bootstrap --env live: must be confirmed, and there is no terminal"):
        account.run(yes=False)

    assert account.shop.take_calls() == []


def test_bootstrap_of_another_account_is_refused(account: Bootstraps) -> None:
    account.shop.edit(PYPROJECT, '"123456789012"', '"999999999999"')

    with pytest.raises(CheckFailedError, match="live cannot be used with these credentials; nothing was changed"):
        account.run()

    assert (account.shop.take_calls(), account.providers.calls) == ([], [])


def fail_at(name: str) -> Callable[[str, str], None]:
    def fail(called: str, _argument: str) -> None:
        if called == name:
            raise DeploymentError("the connection is gone", where="shop")

    return fail


@pytest.mark.parametrize("step", ["create_change_set", "execute_change_set", "protect"])
def test_bootstrap_killed_at_any_step_is_completed_by_the_next_run(account: Bootstraps, step: str) -> None:
    account.add_hook()
    account.shop.aws.stacks.on_call = fail_at(step)
    with pytest.raises(DeploymentError, match="the connection is gone"):
        account.run()
    account.shop.aws.stacks.on_call = lambda _name, _argument: None

    assert account.run() == 0

    assert account.run(dry_run=True) == 0
    assert account.shop.aws.stacks.stacks[STACK].status == "CREATE_COMPLETE"
    assert (account.shop.root / "prepared").exists()


def test_bootstrap_failed_creation_is_deleted_and_made_again(
    account: Bootstraps, capsys: pytest.CaptureFixture[str]
) -> None:
    account.shop.aws.stacks.failing = {STACK: "the quota of roles is used up"}
    with pytest.raises(DeploymentError, match="the quota of roles is used up"):
        account.run()
    account.shop.aws.stacks.failing = {}
    account.shop.take_calls()

    assert account.run() == 0

    assert f"{STACK}: its failed creation is deleted" in capsys.readouterr().out
    assert account.shop.take_calls() == [f"delete {STACK}", *CREATED]


def test_bootstrap_interrupt_at_the_question_leaves_nothing(account: Bootstraps, person: Person) -> None:
    person.answers = [KeyboardInterrupt]

    with pytest.raises(DetachedError, match=r"bootstrap --env live: interrupted; nothing was changed$"):
        account.run(yes=False)

    assert account.shop.aws.stacks.stacks == {}


def test_bootstrap_stack_that_cannot_be_changed_is_named(account: Bootstraps) -> None:
    account.run()
    account.shop.aws.stacks.stacks[STACK].status = "UPDATE_ROLLBACK_FAILED"

    with pytest.raises(CheckFailedError) as caught:
        account.run()

    assert [finding.where for finding in caught.value.findings] == [STACK]


def test_bootstrap_without_a_verdict_leaves_no_change_set(account: Bootstraps, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise DeploymentError("DynamoDB does not answer")

    monkeypatch.setattr(plans, "assess", fail)

    with pytest.raises(DeploymentError, match="DynamoDB does not answer"):
        account.run()

    assert (account.shop.aws.stacks.stacks, account.shop.aws.stacks.sets, account.providers.calls) == ({}, {}, [])


def test_bootstrap_of_a_sandbox_asks_nothing_and_protects_nothing(account: Bootstraps, person: Person) -> None:
    account.shop.ask_for_owner()

    assert account.run("here", yes=False) == 0

    assert person.questions == []
    assert account.shop.take_calls() == ["create bootstrap-shop-here", "execute bootstrap-shop-here"]


def test_bootstrap_interrupt_between_the_steps_says_how_to_finish(account: Bootstraps) -> None:
    def interrupt(_name: str) -> None:
        raise KeyboardInterrupt

    account.shop.ask_for_owner()
    account.shop.edit("app.yaml", "Resources:\n", f"Resources:\n  {SUBSCRIPTION}\n")
    account.providers.on_call = interrupt
    options: dict[str, Any] = {"alerts": ANN, "set": (f"Owner={ANN}",), "allow": ("delete:Oven",)}
    words = f"--repository octocat/shop --alerts {ANN} --set Owner={ANN} --yes --allow delete:Oven"

    with pytest.raises(DetachedError) as caught:
        account.run(**options)

    rest = f"the rest is done by the same command: inv bootstrap --env live {words}"
    assert str(caught.value) == f"bootstrap --env live: interrupted; {rest}"
    account.providers.on_call = lambda _name: None
    assert account.run(**options) == 0


def test_bootstrap_says_when_the_setup_cannot_be_checked(
    account: Bootstraps, capsys: pytest.CaptureFixture[str]
) -> None:
    account.shop.aws.account.failing = {"stack": CallError(Problem.DENIED, "no DescribeStacks")}

    assert account.run() == 0

    assert "live: what must be set up could not be checked: no DescribeStacks" in capsys.readouterr().err


def test_bootstrap_names_the_secrets_that_are_missing(account: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    pyproject = account.shop.root / PYPROJECT
    pyproject.write_text(pyproject.read_text() + '\n[[tool.alchemiser.secrets]]\nname = "/shop/{env}/till"\n')

    account.run()

    captured = capsys.readouterr()
    assert "/shop/live/till: the secret does not exist; inv secrets.set --env live /shop/live/till" in captured.err
    assert "secret:/shop/live/till-??????" in str(account.resources())


def test_bootstrap_follows_a_change_that_a_killed_run_has_left(account: Bootstraps) -> None:
    account.shop.aws.stacks.looks = 3
    stacks = account.shop.aws.stacks

    def lose_connection(name: str, _argument: str) -> None:
        if name == "events" and stacks.stacks[STACK].status == "CREATE_IN_PROGRESS":
            raise KeyboardInterrupt

    stacks.on_call = lose_connection
    command = "inv bootstrap --env live --repository octocat/shop --yes"
    with pytest.raises(DetachedError, match=f"to attach again and finish it, run {command}$"):
        account.run()
    stacks.on_call = lambda _name, _argument: None

    assert account.run() == 0

    assert account.run(dry_run=True) == 0
