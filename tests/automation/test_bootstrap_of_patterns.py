"""`inv bootstrap --env "pr-*"`: one role and one bucket for all temporary environments, and for nothing else."""

import json
from typing import Any

import pytest

from automation.deploying.destroying import steps
from automation.project.settings import PYPROJECT
from automation.system.accounts import CallError, Problem
from automation.system.errors import CheckFailedError, ConfigurationError, UsageError
from tests.automation.bootstrapped_shop import ANN, SUBSCRIPTION, Bootstraps
from tests.automation.temporary_shop import SECTIONS, TABLE

PULL_REQUESTS, STACK, LIVE = "pr-*", "bootstrap-shop-pr", "bootstrap-shop-live"
SECRETS = '[[tool.alchemiser.secrets]]\nname = "/shop/{env}/till"\n'
HERE = "[tool.alchemiser.environments.here]"


@pytest.fixture
def pattern(account: Bootstraps) -> Bootstraps:
    """Return the command beside a project with temporary environments and no bucket in samconfig.toml."""
    account.name_no_bucket()
    sections = SECTIONS.replace('s3_bucket = "shop-artifacts"', "")
    for name, more in (("pyproject.toml", TABLE), ("samconfig.toml", sections)):
        path = account.shop.root / name
        path.write_text(path.read_text() + more)
    return account


def resources(account: Bootstraps, stack: str = STACK) -> dict[str, Any]:
    return dict(account.shop.aws.stacks.stacks[stack].content.resources)


def outputs(account: Bootstraps) -> dict[str, str]:
    return dict(account.shop.aws.stacks.describe(STACK).outputs)


def statements(account: Bootstraps, stack: str = STACK) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for resource in resources(account, stack).values():
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            found += resource["Properties"]["PolicyDocument"]["Statement"]
    return found


def test_pattern_gets_one_role_and_a_bucket(pattern: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    assert pattern.run(PULL_REQUESTS) == 0

    out = capsys.readouterr().out.splitlines()
    assert f"GitHub, octocat/shop, environment pr: AWS_ROLE_ARN = {outputs(pattern)['DeployRole']}" in out
    assert "the account is prepared for pr-*" in out
    assert sorted(outputs(pattern)) == ["ArtifactBucket", "DeployRole", "Repository"]
    trust = resources(pattern)["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]
    assert "repo:octocat/shop:environment:pr" in json.dumps(trust)


def test_pattern_is_never_asked_for_as_a_stack(pattern: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    """AWS refuses a name with a star; the fake does not."""
    asked: list[str] = []
    pattern.shop.aws.stacks.on_call = lambda _name, argument: asked.append(argument)

    pattern.shop.aws.account.failing = {"stack": CallError(Problem.OTHER, "no stack has such a name")}

    pattern.run(PULL_REQUESTS)

    assert STACK in asked
    assert [name for name in asked if "*" in name] == []
    assert "could not be checked" not in capsys.readouterr().err


def test_pattern_again_changes_nothing(pattern: Bootstraps) -> None:
    pattern.run(PULL_REQUESTS)

    assert pattern.run(PULL_REQUESTS, dry_run=True) == 0


def test_role_of_a_pattern_deploys_and_destroys_by_its_names(pattern: Bootstraps) -> None:
    pattern.run(PULL_REQUESTS)

    tables = [
        (statement["Resource"], "Condition" in statement)
        for statement in statements(pattern)
        if "dynamodb:DeleteTable" in statement["Action"]
    ]
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/shop-pr-*-*"
    assert tables == [([arn], False), ([arn], True)]
    assert "shop-live" not in json.dumps(statements(pattern))


def test_role_of_a_named_environment_deletes_no_data_by_itself(pattern: Bootstraps) -> None:
    pattern.run()

    deleting = [statement for statement in statements(pattern, LIVE) if "dynamodb:DeleteTable" in statement["Action"]]
    assert [statement["Condition"] for statement in deleting] == [
        {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}
    ]


def test_deployments_of_the_pattern_share_its_bucket(pattern: Bootstraps) -> None:
    pattern.run(PULL_REQUESTS)

    for name in ("pr-1", "pr-22"):
        pattern.shop.deploy(name)

    assert {bucket for bucket, _ in pattern.shop.aws.store.objects} == {outputs(pattern)["ArtifactBucket"]}


def test_pattern_needs_no_hook_and_no_person(pattern: Bootstraps, capsys: pytest.CaptureFixture[str]) -> None:
    pattern.add_hook()
    pattern.shop.ask_for_owner()
    pattern.shop.edit(PYPROJECT, HERE, f"{SECRETS}\n{HERE}")

    assert pattern.run(PULL_REQUESTS, yes=False) == 0

    captured = capsys.readouterr()
    assert ("hang it" in captured.out, captured.err.count("warning")) == (False, 0)
    assert not (pattern.shop.root / "prepared").exists()
    described = [
        entry["Resource"] for entry in statements(pattern) if "secretsmanager:DescribeSecret" in entry["Action"]
    ]
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:/shop/pr-*/till"
    assert described == [[arn, f"{arn}-??????"]]


@pytest.mark.parametrize("options", [{"set": (f"Owner={ANN}",)}, {"alerts": ANN}])
def test_pattern_takes_no_answers(pattern: Bootstraps, options: dict[str, Any]) -> None:
    pattern.shop.ask_for_owner()
    pattern.shop.edit("app.yaml", "Resources:\n", f"Resources:\n  {SUBSCRIPTION}\n")

    with pytest.raises(UsageError, match=r"--set Owner: pr-\* takes its parameters from samconfig.toml"):
        pattern.run(PULL_REQUESTS, **options)


def test_pattern_whose_role_would_reach_another_environment_is_refused(pattern: Bootstraps) -> None:
    """Planted fault: the stack of live has a name that fits the pattern."""
    pattern.shop.edit("samconfig.toml", 'stack_name = "shop-live"', 'stack_name = "shop-pr-live-x"')

    with pytest.raises(CheckFailedError, match="the role would reach other environments; nothing was") as caught:
        pattern.run(PULL_REQUESTS)

    assert {finding.where for finding in caught.value.findings} == {"environment live"}
    assert (pattern.shop.take_calls(), pattern.providers.calls) == ([], [])


@pytest.mark.parametrize("env", ["live", PULL_REQUESTS])
def test_environment_that_shares_one_at_github_is_refused(pattern: Bootstraps, env: str) -> None:
    """Planted fault: jobs of the environment `pr` at GitHub could assume two roles."""
    pattern.shop.edit(
        PYPROJECT, HERE, f'[tool.alchemiser.environments.pr]\nregion = "eu-west-1"\nconsent = "none"\n\n{HERE}'
    )

    with pytest.raises(ConfigurationError, match="two environments would use pr at GitHub"):
        pattern.run(env)

    assert pattern.shop.take_calls() == []


def test_environment_of_a_pattern_is_not_bootstrapped_alone(pattern: Bootstraps) -> None:
    """Otherwise the role of all of them could only deploy this one."""
    pattern.run(PULL_REQUESTS)

    with pytest.raises(
        UsageError, match=r"pr-1 has no role of its own; prepare all of its kind: inv bootstrap --env 'pr-"
    ):
        pattern.run("pr-1", dry_run=True)


def test_unknown_pattern_is_refused(pattern: Bootstraps) -> None:
    with pytest.raises(UsageError, match="the environments are: "):
        pattern.run("qa-*")


def test_destroy_of_one_environment_says_nothing_of_what_all_share(
    pattern: Bootstraps, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it would say, how to delete the bootstrap stack, would take the role and the bucket of all others."""
    monkeypatch.setattr(steps, "delete_artifacts", lambda *_arguments: None)
    pattern.run(PULL_REQUESTS)
    pattern.shop.deploy("pr-1")
    capsys.readouterr()

    pattern.shop.destroy(name="pr-1", yes=True, confirm="pr-1")

    assert "bootstrap" not in capsys.readouterr().out
    assert STACK in pattern.shop.aws.stacks.stacks
