"""A plan is carried out: the release is recorded before its first change, and again as it left the stacks."""

import json

import pytest

from automation.deploying.stacks.execution import DetachedError
from automation.system.errors import DeploymentError
from tests.automation.deployable_shop import ShopDeployments

BASE_ID, APP_ID = "shop-live-base", "shop-live"


@pytest.fixture
def deployed(deployments: ShopDeployments) -> ShopDeployments:
    deployments.deploy()
    deployments.take_calls()
    return deployments


def test_apply_failed_stack_is_recorded_with_reason_and_next_step(deployed: ShopDeployments) -> None:
    deployed.change_till()
    deployed.aws.stacks.failing["shop-live"] = "name is taken"

    with pytest.raises(DeploymentError) as caught:
        deployed.deploy()

    reason = (
        "shop-live: Queue (AWS::SQS::Queue): name is taken; the stack is UPDATE_ROLLBACK_COMPLETE, as it was before"
    )
    assert str(caught.value) == f"{reason}; fix the cause, then run inv deploy --env live"
    assert deployed.history[1] == ("deploy", "failed", "pending")
    assert [stack.content_of for stack in deployed.releases[1].stacks] == [1, 1]
    assert len(deployed.aws.functions.requests) == 3


def test_apply_after_a_failed_stack_goes_on(deployed: ShopDeployments) -> None:
    deployed.change_till()
    deployed.aws.stacks.failing["shop-live"] = "name is taken"
    with pytest.raises(DeploymentError):
        deployed.deploy()
    deployed.aws.stacks.failing.clear()

    deployed.deploy()

    assert deployed.history[2] == ("deploy", "deployed", "passed")


def test_apply_failed_first_stack_leaves_the_second_as_it_was(deployed: ShopDeployments) -> None:
    """Its change set is not left behind: nobody would execute it."""
    deployed.change_both()
    deployed.aws.stacks.failing[BASE_ID] = "name is taken"

    with pytest.raises(DeploymentError, match="shop-live-base: Queue"):
        deployed.deploy()

    assert deployed.take_calls() == [
        "create shop-live-base",
        "create shop-live",
        "execute shop-live-base",
        "discard shop-live",
    ]


def test_apply_failed_second_stack_records_what_each_has(deployed: ShopDeployments) -> None:
    deployed.change_both()
    deployed.aws.stacks.failing[APP_ID] = "name is taken"

    with pytest.raises(DeploymentError, match="shop-live: Queue"):
        deployed.deploy()

    assert [stack.content_of for stack in deployed.releases[1].stacks] == [2, 1]


def test_apply_record_that_cannot_be_stored_changes_nothing(deployed: ShopDeployments) -> None:
    deployed.change_till()

    def refuse(name: str, _argument: str) -> None:
        if name == "add":
            raise DeploymentError("DynamoDB does not answer")

    deployed.aws.table.on_call = refuse

    with pytest.raises(DeploymentError, match="DynamoDB does not answer"):
        deployed.deploy()

    assert "execute shop-live" not in deployed.aws.stacks.calls
    assert deployed.aws.stacks.sets == {}


def test_apply_clean_up_that_fails_hides_no_failure(deployed: ShopDeployments) -> None:
    deployed.change_both()
    stacks = deployed.aws.stacks
    stacks.failing[BASE_ID] = "name is taken"

    def refuse(name: str, argument: str) -> None:
        if name == "delete_change_set" and stacks.sets[argument].stack.name == APP_ID:
            raise DeploymentError("does not answer")

    stacks.on_call = refuse

    with pytest.raises(DeploymentError, match="name is taken"):
        deployed.deploy()


def test_apply_lost_connection_leaves_the_release_unfinished(
    deployed: ShopDeployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation goes on, so nobody knows yet how it ends; the next deployment finds out."""
    monkeypatch.setattr("automation.deploying.stacks.execution.MAX_FAILED_LOOKS", 1)
    deployed.change_till()
    stacks = deployed.aws.stacks
    stacks.looks = 2

    def lose(name: str, argument: str) -> None:
        if name == "stack_state" and argument == stacks.stacks[APP_ID].id and stacks.stacks[APP_ID].coming:
            stacks.on_call = lambda _name, _argument: None
            raise DeploymentError("does not answer")

    stacks.on_call = lose
    with pytest.raises(DeploymentError, match="CloudFormation goes on with this change; to attach again, run inv"):
        deployed.deploy()
    history = deployed.history

    deployed.deploy()

    assert history[1] == ("deploy", "deploying", "pending")
    assert deployed.history[1:] == [("deploy", "deployed", "passed")]


def test_apply_stack_without_an_answer_after_a_failure_reports_the_failure(
    deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.change_till()
    stacks = deployed.aws.stacks
    stacks.failing[APP_ID] = "name is taken"

    def lose(name: str, argument: str) -> None:
        if name == "stack_state" and argument == BASE_ID and "execute shop-live" in stacks.calls:
            raise DeploymentError("does not answer")

    stacks.on_call = lose

    with pytest.raises(DeploymentError, match="name is taken"):
        deployed.deploy()

    assert "how r2 left the stacks could not be recorded: does not answer" in capsys.readouterr().err
    assert deployed.history[1] == ("deploy", "deploying", "pending")


def test_apply_record_of_a_success_that_cannot_be_stored_is_an_error(deployed: ShopDeployments) -> None:
    deployed.change_till()

    def refuse(name: str, argument: str) -> None:
        if (name, argument) == ("replace", "2"):
            raise DeploymentError("DynamoDB does not answer")

    deployed.aws.table.on_call = refuse
    deployed.aws.functions.requests.clear()

    with pytest.raises(DeploymentError, match="DynamoDB does not answer"):
        deployed.deploy()

    assert deployed.aws.functions.requests == {}


def test_apply_stack_that_somebody_else_changes_leaves_the_release_unfinished(deployed: ShopDeployments) -> None:
    """How the release leaves that stack is not known yet; the next deployment finds out."""
    deployed.change_till()
    stacks = deployed.aws.stacks

    def begin_another(name: str, _argument: str) -> None:
        if name == "execute_change_set":
            stacks.stacks[BASE_ID].status = "UPDATE_IN_PROGRESS"

    stacks.on_call = begin_another

    release = deployed.deploy()

    assert release is not None
    assert (release.name, release.status, release.smoke) == ("r2", "deploying", "passed")


def test_apply_stack_of_another_name_in_the_record_is_another_content(deployed: ShopDeployments) -> None:
    row = json.loads(deployed.aws.table.rows[1])
    renamed = [stack | {"stack_name": f"{stack['stack_name']}-old"} for stack in row["stacks"]]
    deployed.aws.table.rows[1] = json.dumps(row | {"stacks": renamed, "status": "deploying"})

    deployed.deploy()

    assert [release.number for release in deployed.releases] == [1, 2]


@pytest.mark.parametrize(("call", "stack"), [("create_change_set", APP_ID), ("protect", BASE_ID)])
def test_apply_interrupted_between_two_changes_is_finished_by_the_next(
    deployments: ShopDeployments, call: str, stack: str
) -> None:
    """The release is neither failed nor made again."""
    stacks = deployments.aws.stacks

    def interrupt(name: str, argument: str) -> None:
        if (name, argument) == (call, stack):
            stacks.on_call = lambda _name, _argument: None
            raise KeyboardInterrupt

    stacks.on_call = interrupt
    with pytest.raises(DetachedError) as caught:
        deployments.deploy()
    assert str(caught.value) == "live: interrupted; r1 is deployed in part; finish it: inv deploy --env live"
    assert deployments.history == [("deploy", "deploying", "pending")]

    deployments.deploy()

    assert deployments.history == [("deploy", "deployed", "passed")]
