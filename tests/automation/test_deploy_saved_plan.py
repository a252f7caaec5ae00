"""`inv deploy --plan`: exactly what was saved is deployed, and refused when anything has moved since."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automation.system.errors import CheckFailedError, ConfigurationError
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.deploying.changing_stacks import Person
from tests.automation.deploying.fake_accounts import TIMELESS
from tests.automation.repositories import commit, commit_all, git


@pytest.fixture
def changed(deployments: ShopDeployments) -> ShopDeployments:
    """Return a deployment whose till has changed since."""
    deployments.deploy()
    deployments.change_till()
    deployments.take_calls()
    return deployments


def stale(deployments: ShopDeployments, file: str, name: str = "live") -> tuple[list[str], str]:
    """Execute a plan that is refused; return what has moved, and the fix."""
    with pytest.raises(CheckFailedError, match=r"the plan is stale: .*; nothing was changed") as caught:
        deployments.deploy(name, plan=file)
    findings = caught.value.findings
    assert not any("execute" in call for call in deployments.take_calls())
    return [f"{finding.where}: {finding.what}" for finding in findings], findings[0].fix


def test_saved_plan_executes_its_own_change_sets(changed: ShopDeployments) -> None:
    file = changed.save_plan()
    (change_set,) = changed.aws.stacks.sets
    changed.take_calls()
    executed: list[str] = []
    changed.aws.stacks.on_call = lambda name, argument: executed.append(argument) if "execute" in name else None

    release = changed.deploy(plan=file)

    assert executed == [change_set]
    assert release == changed.releases[1]
    assert changed.history[1] == ("deploy", "deployed", "passed")


def test_saved_plan_is_shown_and_confirmed(
    changed: ShopDeployments, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    file = changed.save_plan()
    capsys.readouterr()
    person.answers = ["live"]

    changed.deploy(yes=False, plan=file)

    assert person.questions == ["Type live to change live:"]
    output = capsys.readouterr().out
    assert "code  app    Till      code: changed" in output
    assert "app shop-live: changes\n" in output


def test_saved_plan_of_a_first_deployment_creates_both_stacks(deployments: ShopDeployments) -> None:
    """The first stack exists as far as its change set needs it; that of the second has to wait."""
    file = deployments.save_plan()
    deployments.take_calls()

    deployments.deploy(plan=file)

    protected = ["protect shop-live-base", "protect shop-live"]
    assert deployments.take_calls() == ["execute shop-live-base", "create shop-live", "execute shop-live", *protected]
    assert deployments.history == [("deploy", "deployed", "passed")]


def test_saved_plan_with_what_it_allows_is_deployed_with_yes(changed: ShopDeployments) -> None:
    changed.sell("on")
    file = changed.save_plan(allow=("watched:Selling",))

    changed.deploy(plan=file)

    assert changed.releases[1].allowed == ("watched:Selling",)


def test_saved_plan_that_is_forbidden_names_the_command_that_makes_it(changed: ShopDeployments) -> None:
    changed.sell("on")
    file = changed.save_plan()

    with pytest.raises(CheckFailedError) as caught:
        changed.deploy(plan=file)

    command = f"inv diff --env live --out {file} --allow watched:Selling"
    assert str(caught.value).endswith(f"if that is what you want: {command}")
    assert changed.aws.stacks.sets == {}
    assert len(changed.releases) == 1


def test_saved_plan_that_is_forbidden_keeps_what_it_allows_in_the_command(changed: ShopDeployments) -> None:
    changed.sell("on")
    changed.edit("base.yaml", "    DeletionPolicy: Retain\n", "")
    changed.edit("base.yaml", "    UpdateReplacePolicy: Retain\n", "")
    file = changed.save_plan(allow=("watched:Selling",))

    with pytest.raises(CheckFailedError) as caught:
        changed.deploy(plan=file)

    command = f"inv diff --env live --out {file} --allow watched:Selling --allow unretain:Sales"
    assert str(caught.value).endswith(f"if that is what you want: {command}")


def test_saved_plan_of_other_code_is_stale(changed: ShopDeployments) -> None:
    file = changed.save_plan()
    changed.change_till("# changed again\n")

    what, fix = stale(changed, file)

    assert [line.partition(" was ")[0] for line in what] == [
        "shop-live: digest of template, code and parameters",
        "shop-live: code: Till",
    ]
    assert fix == f"make the plan again: inv diff --env live --out {file}"


def test_saved_plan_of_another_commit_is_stale(deployments: ShopDeployments) -> None:
    ignored = "/functions/\n/layers/common/python/\n/.alchemiser/\n/.aws-sam/\nplan.json\n"
    (deployments.root / ".gitignore").write_text(ignored)
    commit_all(deployments.root)
    git(deployments.root, "remote", "add", "origin", "https://example.com/shop.git")
    git(deployments.root, "update-ref", "refs/remotes/origin/main", "HEAD")
    file = deployments.save_plan()
    (deployments.root / "notes.md").write_text("more\n")
    commit(deployments.root)
    git(deployments.root, "update-ref", "refs/remotes/origin/main", "HEAD")

    what, _ = stale(deployments, file)

    assert [line.partition(" was ")[0] for line in what] == ["live: commit"]


def test_saved_plan_of_a_stack_that_moved_is_stale(changed: ShopDeployments) -> None:
    file = changed.save_plan()
    changed.aws.stacks.stacks["shop-live-base"].changed_at = "2026-02-03T04:05:06+00:00"

    what, _ = stale(changed, file)

    assert [line.partition(" was ")[0] for line in what] == ["shop-live-base: last change"]


def test_saved_plan_of_another_account_is_stale(deployments: ShopDeployments) -> None:
    """The environment pins none, so the plan is what notices."""
    deployments.edit("pyproject.toml", 'account = "123456789012"\nconsent = "word"', 'consent = "confirm"')
    file = deployments.save_plan()
    deployments.aws.account.who = replace(TIMELESS, account="999999999999")

    what, _ = stale(deployments, file)

    assert what == ["live: account was 123456789012, is now 999999999999"]


def test_saved_plan_whose_change_set_is_gone_is_refused(changed: ShopDeployments) -> None:
    file = changed.save_plan()
    changed.aws.stacks.sets.clear()

    with pytest.raises(CheckFailedError) as caught:
        changed.deploy(plan=file)

    (finding,) = caught.value.findings
    assert (finding.what, finding.fix) == ("it no longer exists", "plan again, then deploy: inv diff --env live")
    assert len(changed.releases) == 1


def test_saved_plan_for_a_stack_made_again_is_refused(deployments: ShopDeployments) -> None:
    """The stack that its first change set was made for was deleted, and made again by another one."""
    file = deployments.save_plan()
    stacks = deployments.aws.stacks.stacks
    stacks["shop-live-base"] = replace(stacks["shop-live-base"], id="arn:another")

    with pytest.raises(CheckFailedError) as caught:
        deployments.deploy(plan=file)

    (finding,) = caught.value.findings
    assert finding.what == "the stack shop-live-base is another one than when it was made"


def test_saved_plan_of_another_format_is_refused(changed: ShopDeployments) -> None:
    file = changed.save_plan()
    document = json.loads(Path(file).read_text())
    Path(file).write_text(json.dumps(document | {"format": 99}))

    with pytest.raises(ConfigurationError, match="make the plan again: inv diff --env live"):
        changed.deploy(plan=file)


def test_saved_plan_that_runs_already_changes_nothing(
    changed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    file = changed.save_plan()
    changed.deploy(plan=file)
    capsys.readouterr()

    changed.deploy(plan=file)

    assert capsys.readouterr().out == "nothing has changed in live: r2 runs\n"
