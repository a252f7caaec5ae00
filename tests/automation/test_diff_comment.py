"""`inv diff --comment`: the plan on the pull request; changes are reported, not failed, and a fork is skipped."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automation import diff
from automation.system.errors import ToolError, UsageError
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.github_server import Fault, GitHub, served
from tests.automation.test_deploy_saved_plan import stale

pytestmark = pytest.mark.enable_socket

MARKER = "<!-- inv diff --env live -->\n### Deployment plan\n\nlive: "


@pytest.fixture
def github() -> Iterator[GitHub]:
    with served() as github:
        yield github


def run(deployments: ShopDeployments, github: GitHub, *, number: int = 7, fork: bool = False, **options: Any) -> int:
    variables = {**deployments.variables, **github.variables(deployments.root.parent, number=number, fork=fork)}
    chosen = diff.Options(comment=True, **options)
    return diff.diff(deployments.root, "live", variables=variables, options=chosen, connect=deployments.aws.connect)


def test_diff_with_changes_comments_and_ends_with_0(deployments: ShopDeployments, github: GitHub) -> None:
    assert run(deployments, github) == 0

    (body,) = github.bodies()
    assert body.startswith(MARKER)
    assert "| other | app | new stack | added: 2 functions, 2 layer versions |" in body
    assert deployments.aws.stacks.sets == {}


def test_diff_again_replaces_the_comment(deployments: ShopDeployments, github: GitHub) -> None:
    run(deployments, github)
    deployments.deploy()

    assert run(deployments, github) == 0

    (body,) = github.bodies()
    assert "**nothing to do**" in body


def test_diff_forbidden_comments_and_still_fails(deployments: ShopDeployments, github: GitHub) -> None:
    deployments.deploy()
    deployments.sell("on")

    assert run(deployments, github) == 3

    assert "forbidden" in github.bodies()[0]


def test_diff_of_a_fork_makes_no_call_and_ends_with_0(
    deployments: ShopDeployments, github: GitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[str] = []
    deployments.aws.stacks.on_call = lambda name, _argument: called.append(name)

    assert run(deployments, github, fork=True) == 0

    assert (github.requests, called) == ([], [])
    assert capsys.readouterr().out.startswith("skipped: this pull request comes from a fork, whose jobs have no cred")
    assert (deployments.root.parent / "summary.md").read_text().startswith("skipped: ")


def test_diff_of_a_tag_saves_its_plan_and_adds_to_the_summary(
    deployments: ShopDeployments, github: GitHub, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"

    assert run(deployments, github, number=0, out=str(file)) == 0

    assert github.requests == []
    assert (deployments.root.parent / "summary.md").read_text().startswith("### Deployment plan\n\nlive: ")
    deployments.deploy(plan=str(file))
    assert deployments.history == [("deploy", "deployed", "passed")]


def test_diff_without_changes_saves_a_plan_that_can_be_deployed(
    deployments: ShopDeployments, github: GitHub, tmp_path: Path
) -> None:
    """Who deploys a stored plan need not know whether there was anything to do."""
    deployments.deploy()
    file = tmp_path / "plan.json"
    assert run(deployments, github, number=0, out=str(file)) == 0
    deployments.take_calls()

    deployments.deploy(plan=str(file))

    assert deployments.take_calls() == []
    assert len(deployments.history) == 1


def test_plan_without_changes_is_refused_when_the_world_has_changed(
    deployments: ShopDeployments, github: GitHub, tmp_path: Path
) -> None:
    deployments.deploy()
    file = tmp_path / "plan.json"
    run(deployments, github, number=0, out=str(file))
    deployments.change_till()
    deployments.take_calls()

    moved, _ = stale(deployments, str(file))

    assert any(line.startswith("shop-live: digest of template, code and parameters was ") for line in moved)


def test_diff_whose_comment_fails_leaves_no_change_set(deployments: ShopDeployments, github: GitHub) -> None:
    github.faults = [Fault(403, '{"message": "Resource not accessible by integration"}')]

    with pytest.raises(ToolError, match="give the job the permission pull-requests: write"):
        run(deployments, github)

    assert deployments.aws.stacks.sets == {}


def test_diff_against_a_revision_has_no_comment(deployments: ShopDeployments, github: GitHub) -> None:
    with pytest.raises(UsageError, match=r"^diff: --comment is about the deployed stacks, but --against only compares"):
        run(deployments, github, against="HEAD")
