"""A change set is created for a new or an existing stack, waited for, and deleted again when it is not wanted.

The answers of the fake are composed, and validated against the model of CloudFormation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from automation.deploying.stacks import change_sets
from automation.deploying.stacks.change_sets import ChangeSet, Request
from automation.project import environments
from automation.project.environments import StackSettings
from automation.project.model import Project
from automation.system.errors import CheckFailedError, ConfigurationError, DeploymentError
from automation.system.stacks import NoSuchStackError, StackDescription, StackState, StaleChangeSetError
from tests.automation.answers import validated

STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop-live/1"
SET_ID = "arn:aws:cloudformation:eu-west-1:123456789012:changeSet/release-1/1"
NEW = StackDescription(StackState("shop-live"))
DEPLOYED = StackDescription(StackState("shop-live", "UPDATE_COMPLETE", STACK_ID), {"Secret": "****", "Colour": "red"})
EMPTY = "The submitted information didn't contain changes. Submit different information to create a change set."
ADDED = {"Type": "Resource", "ResourceChange": {"Action": "Add", "LogicalResourceId": "Queue"}}


def description(status: str = "CREATE_COMPLETE", reason: str = "", execution: str = "AVAILABLE") -> dict[str, Any]:
    answer = {
        "ChangeSetId": SET_ID,
        "StackId": STACK_ID,
        "StackName": "shop-live",
        "Status": status,
        "StatusReason": reason,
        "ExecutionStatus": execution,
        "Changes": [] if reason else [ADDED],
    }
    return validated("cloudformation", "DescribeChangeSet", answer)


@dataclass
class FakeCloud:
    """A stack with change sets; the descriptions follow each other, the last stays."""

    descriptions: list[dict[str, Any]] = field(default_factory=lambda: [description()])
    state: StackState = DEPLOYED.state
    others: tuple[str, ...] = ()
    requests: list[Mapping[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    on_describe: Callable[[], None] = lambda: None
    refusal: str = ""

    def stack_state(self, stack: str) -> StackState:
        return self.state

    def create_change_set(self, request: Mapping[str, Any]) -> tuple[str, str]:
        self.requests.append(request)
        return SET_ID, STACK_ID

    def describe_change_set(self, change_set: str) -> Mapping[str, Any]:
        self.on_describe()
        return self.descriptions.pop(0) if len(self.descriptions) > 1 else self.descriptions[0]

    def change_sets(self, stack: str) -> tuple[str, ...]:
        return self.others

    def delete_change_set(self, change_set: str) -> None:
        if self.refusal:
            raise DeploymentError(self.refusal)
        self.deleted.append(change_set)

    def delete_stack(self, stack_id: str) -> None:
        self.deleted.append(stack_id)


def stack_settings(shop: Project, **section: Any) -> StackSettings:
    environment = environments.load(shop, "live", variables={}, machine="x86_64")
    settings = environments.stack_settings(shop, environment, environments.read_samconfig(shop.root))[1]
    return replace(settings, section={**settings.section, **section})


def make_request(shop: Project, **section: Any) -> Request:
    parameters = {"BaseStack": {"Type": "String"}, "Secret": {"Type": "String", "NoEcho": True}}
    return Request(stack_settings(shop, **section), "https://s3/template.json", parameters)


def create(shop: Project, cloud: FakeCloud, deployed: StackDescription = DEPLOYED) -> ChangeSet:
    return change_sets.create(
        make_request(shop), deployed, cloud, poll_s=2.0, sleep=lambda _: None, new_id=lambda: "1a2b"
    )


def test_create_existing_stack_is_an_update(shop: Project) -> None:
    cloud = FakeCloud()

    change_set = create(shop, cloud)

    assert cloud.requests == [
        {
            "StackName": "shop-live",
            "ChangeSetName": "release-1a2b",
            "ChangeSetType": "UPDATE",
            "TemplateURL": "https://s3/template.json",
            "Parameters": [
                {"ParameterKey": "BaseStack", "ParameterValue": "shop-live-base"},
                {"ParameterKey": "Secret", "UsePreviousValue": True},
            ],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        }
    ]
    assert change_set == ChangeSet(
        SET_ID,
        STACK_ID,
        "shop-live",
        is_new_stack=False,
        status="CREATE_COMPLETE",
        is_empty=False,
        described=description(),
    )
    assert cloud.deleted == []


@pytest.mark.parametrize("status", ["", "REVIEW_IN_PROGRESS", "DELETE_COMPLETE"])
def test_create_missing_stack_is_a_creation(shop: Project, status: str) -> None:
    cloud = FakeCloud()
    deployed = StackDescription(StackState("shop-live", status))

    change_set = create(shop, cloud, deployed)

    assert cloud.requests[0]["ChangeSetType"] == "CREATE"
    assert cloud.requests[0]["Parameters"] == [{"ParameterKey": "BaseStack", "ParameterValue": "shop-live-base"}]
    assert change_set.is_new_stack


def test_create_gives_each_set_a_name_of_its_own(shop: Project) -> None:
    cloud = FakeCloud()

    for _ in range(2):
        change_sets.create(make_request(shop), DEPLOYED, cloud, poll_s=2.0)

    first, second = (request["ChangeSetName"] for request in cloud.requests)
    assert len(first) == len(second) == len("release-") + 8
    assert first != second


@pytest.mark.parametrize(
    ("definition", "is_kept"),
    [({"NoEcho": True}, True), ({"NoEcho": "true"}, True), ({"NoEcho": False}, False), ({}, False), (None, False)],
)
def test_api_request_hidden_parameter_keeps_its_value(shop: Project, definition: Any, is_kept: bool) -> None:
    request = replace(make_request(shop), parameters={"Secret": definition})

    parameters = change_sets.api_request(request, DEPLOYED, "release-1")["Parameters"]

    assert ({"ParameterKey": "Secret", "UsePreviousValue": True} in parameters) is is_kept


def test_api_request_hidden_parameter_with_a_value_gets_it(shop: Project) -> None:
    request = make_request(shop)
    settings = replace(request.settings, parameters={"Secret": "new"})

    parameters = change_sets.api_request(replace(request, settings=settings), DEPLOYED, "release-1")["Parameters"]

    assert parameters == [{"ParameterKey": "Secret", "ParameterValue": "new"}]


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ("CAPABILITY_NAMED_IAM", ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]),
        (
            "CAPABILITY_IAM CAPABILITY_NAMED_IAM",
            ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        ),
        (["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"], ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]),
        ("CAPABILITY_IAM,CAPABILITY_AUTO_EXPAND", ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]),
    ],
)
def test_api_request_capabilities_of_samconfig(shop: Project, capabilities: Any, expected: list[str]) -> None:
    request = make_request(shop, capabilities=capabilities)

    assert change_sets.api_request(request, NEW, "release-1")["Capabilities"] == expected


def test_api_request_role_notifications_and_tags_of_samconfig(shop: Project) -> None:
    request = make_request(shop, role_arn="arn:role", notification_arns="arn:a arn:b", tags="team=till stage=1")

    sent = change_sets.api_request(request, NEW, "release-1")

    assert (sent["RoleARN"], sent["NotificationARNs"]) == ("arn:role", ["arn:a", "arn:b"])
    assert sent["Tags"] == [{"Key": "team", "Value": "till"}, {"Key": "stage", "Value": "1"}]


def test_api_request_wrong_tag_is_refused(shop: Project) -> None:
    with pytest.raises(ConfigurationError, match=r"\[live\.deploy\.parameters\]: tags: 'team' is not Name=value$"):
        change_sets.api_request(make_request(shop, tags=["team"]), NEW, "release-1")


def test_create_waits_until_the_set_is_computed(shop: Project) -> None:
    cloud, slept = (
        FakeCloud([description("CREATE_PENDING"), description("CREATE_IN_PROGRESS"), description()]),
        list[float](),
    )

    change_set = change_sets.create(make_request(shop), DEPLOYED, cloud, poll_s=0.5, sleep=slept.append)

    assert (change_set.status, slept) == ("CREATE_COMPLETE", [0.5, 0.5])


@pytest.mark.parametrize(("poll_s", "polls"), [(200.0, 3), (599.5, 2)])
def test_create_endless_computation_is_an_error(shop: Project, poll_s: float, polls: int) -> None:
    cloud, slept = FakeCloud([description("CREATE_IN_PROGRESS")]), list[float]()

    with pytest.raises(DeploymentError) as caught:
        change_sets.create(make_request(shop), DEPLOYED, cloud, poll_s=poll_s, sleep=slept.append)

    message = "shop-live: the changes were not computed within 600 s; nothing was changed; try again"
    assert str(caught.value) == message
    assert slept == [poll_s] * polls
    assert cloud.deleted == [SET_ID]


@pytest.mark.parametrize("reason", [EMPTY, "No updates are to be performed."])
def test_create_without_changes_is_empty_and_deleted(shop: Project, reason: str) -> None:
    cloud = FakeCloud([description("FAILED", reason)])

    change_set = create(shop, cloud)

    assert (change_set.is_empty, change_set.status) == (True, "FAILED")
    assert cloud.deleted == [SET_ID]


def test_create_complete_set_is_never_empty(shop: Project) -> None:
    assert not create(shop, FakeCloud([description("CREATE_COMPLETE", EMPTY)])).is_empty


@pytest.mark.parametrize(
    ("reason", "shown"), [("Transform failed", "Transform failed"), ("", "CloudFormation gives no reason")]
)
def test_create_failed_set_is_deleted_and_explained(shop: Project, reason: str, shown: str) -> None:
    cloud = FakeCloud([description("FAILED", reason)])

    with pytest.raises(DeploymentError) as caught:
        create(shop, cloud)

    what = f"shop-live: the changes could not be computed: {shown}; nothing was changed"
    assert str(caught.value) == f"{what}; fix app.yaml and try again"
    assert cloud.deleted == [SET_ID]


def test_create_failed_set_of_a_new_stack_leaves_no_stack(shop: Project) -> None:
    cloud = FakeCloud([description("FAILED", "no")], StackState("shop-live", "REVIEW_IN_PROGRESS", STACK_ID))

    with pytest.raises(DeploymentError):
        create(shop, cloud, NEW)

    assert cloud.deleted == [SET_ID, STACK_ID]


def test_create_interrupted_wait_deletes_the_set(shop: Project) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    cloud = FakeCloud(on_describe=interrupt)

    with pytest.raises(KeyboardInterrupt):
        create(shop, cloud)

    assert cloud.deleted == [SET_ID]


def test_create_failed_clean_up_does_not_hide_the_reason(shop: Project) -> None:
    cloud = FakeCloud([description("FAILED", "Transform failed")], refusal="cannot delete")

    with pytest.raises(DeploymentError, match="Transform failed"):
        create(shop, cloud)


@pytest.mark.parametrize(
    ("status", "others", "deleted"),
    [
        ("REVIEW_IN_PROGRESS", (), [SET_ID, STACK_ID]),
        ("REVIEW_IN_PROGRESS", (SET_ID,), [SET_ID, STACK_ID]),
        ("REVIEW_IN_PROGRESS", ("another",), [SET_ID]),
        ("CREATE_IN_PROGRESS", (), [SET_ID]),
        ("CREATE_COMPLETE", (), [SET_ID]),
    ],
    ids=["empty", "listed for a moment longer", "another set waits", "was just executed", "was executed"],
)
def test_discard_deletes_only_an_empty_stack(status: str, others: tuple[str, ...], deleted: list[str]) -> None:
    cloud = FakeCloud(state=StackState("shop-live", status, STACK_ID), others=others)
    change_set = ChangeSet(
        SET_ID, STACK_ID, "shop-live", is_new_stack=True, status="CREATE_COMPLETE", is_empty=False, described={}
    )

    change_sets.discard(change_set, cloud)

    assert cloud.deleted == deleted


def test_discard_keeps_an_existing_stack() -> None:
    cloud = FakeCloud(state=StackState("shop-live", "REVIEW_IN_PROGRESS", STACK_ID))
    change_set = ChangeSet(
        SET_ID, STACK_ID, "shop-live", is_new_stack=False, status="CREATE_COMPLETE", is_empty=False, described={}
    )

    change_sets.discard(change_set, cloud)

    assert cloud.deleted == [SET_ID]


@pytest.mark.parametrize(("status", "is_new"), [("REVIEW_IN_PROGRESS", True), ("UPDATE_COMPLETE", False)])
def test_reopen_returns_the_saved_set(status: str, is_new: bool) -> None:
    cloud = FakeCloud(state=StackState("shop-live", status, STACK_ID))

    change_set = change_sets.reopen(SET_ID, cloud, stack_id=STACK_ID, environment="live")

    assert (change_set.id, change_set.stack_name, change_set.stack_id) == (SET_ID, "shop-live", STACK_ID)
    assert (change_set.is_new_stack, change_set.is_empty, change_set.described) == (is_new, False, description())


@pytest.mark.parametrize("execution", ["OBSOLETE", "UNAVAILABLE", "EXECUTE_COMPLETE"])
def test_reopen_set_that_cannot_run_is_refused(execution: str) -> None:
    cloud = FakeCloud([description(execution=execution)])

    finding = refusal(cloud)

    assert finding == (
        f"change set {SET_ID}",
        f"it can no longer be executed: {execution}",
        "plan again, then deploy: inv diff --env live",
    )


def test_reopen_set_of_another_stack_is_refused() -> None:
    replaced = FakeCloud(state=StackState("shop-live", "CREATE_COMPLETE", "arn:another"))
    foreign = FakeCloud([description() | {"StackId": "arn:another"}])
    what = "the stack shop-live is another one than when it was made"

    assert [refusal(cloud)[1] for cloud in (replaced, foreign)] == [what, what]


@pytest.mark.parametrize("error", [StaleChangeSetError, NoSuchStackError])
def test_reopen_missing_set_is_refused(error: type[DeploymentError]) -> None:
    def missing() -> None:
        raise error("gone")

    assert refusal(FakeCloud(on_describe=missing))[1] == "it no longer exists"


def refusal(cloud: FakeCloud) -> tuple[str, str, str]:
    with pytest.raises(CheckFailedError) as caught:
        change_sets.reopen(SET_ID, cloud, stack_id=STACK_ID, environment="live")
    assert str(caught.value) == "the planned changes can no longer be made; nothing was changed"
    [finding] = caught.value.findings
    return finding.where, finding.what, finding.fix


def test_api_request_of_an_import_sets_neither_parameters_nor_tags(shop: Project) -> None:
    imports = [{"ResourceType": "T", "LogicalResourceId": "Queue", "ResourceIdentifier": {"QueueUrl": "q"}}]
    request = replace(make_request(shop, tags=["team=a"], role_arn="arn:role"), imports=imports)

    assert change_sets.api_request(request, NEW, "release-1") == {
        "StackName": "shop-live",
        "ChangeSetName": "release-1",
        "ChangeSetType": "IMPORT",
        "TemplateURL": request.template_url,
        "ResourcesToImport": imports,
        "RoleARN": "arn:role",
    }
    assert "RoleARN" not in change_sets.api_request(replace(make_request(shop), imports=imports), NEW, "release-1")
