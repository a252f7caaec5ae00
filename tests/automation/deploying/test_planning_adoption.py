"""The plan of a stack that adopts resources, or that a failed creation has left: provisional, and then exact."""

from dataclasses import replace
from typing import Any

import pytest

from automation.deploying import assessing, planning
from automation.deploying.adoption import import_template
from automation.deploying.adoption.model import Adoption
from automation.deploying.changes.model import Action, PropertyChange, Replacement, ResourceChange
from automation.deploying.planning import PlannedStack
from automation.deploying.verdict import permissions
from automation.project.model import Project
from automation.system.holdings import QUEUE
from tests.automation.deploying.adoption.retained_examples import definition, retained
from tests.automation.deploying.planned_changes import compare
from tests.automation.deploying.test_planning import Planner, lines, template
from tests.automation.fake_aws import FakeTables

OLD = retained("Queue", "https://sqs/1/queue", definition(QUEUE, {"DelaySeconds": 1}), stack_name="shop-data")
ADOPTION = Adoption((OLD,))
POLICY = {
    "Type": "AWS::SQS::QueuePolicy",
    "Properties": {
        "Queues": [{"Ref": "Queue"}],
        "PolicyDocument": {
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
                }
            ]
        },
    },
}


@pytest.fixture
def planner(shop: Project) -> Planner:
    return Planner(shop)


def plan(planner: Planner, content: dict[str, Any], adoption: Adoption | None = ADOPTION) -> PlannedStack:
    return planning.plan_stack(
        planner.candidate("data", content), planner.cloud, planner.surroundings, exports={}, adoption=adoption
    )


def with_import(planner: Planner) -> None:
    """Let the stack have what an import has created."""
    planner.deploy(planner.candidate("data", import_template.template([OLD])))


def test_plan_adopting_stack_compares_with_the_old_definition(planner: Planner) -> None:
    stack = plan(planner, template(2))

    assert lines(stack)[:1] == [("Queue.Properties.DelaySeconds", 1, 2)]
    assert (stack.change_set, stack.before, stack.adoption) == (None, None, ADOPTION)
    assert (stack.deployed_before, stack.adopted) == (None, frozenset({"Queue"}))
    assert planner.cloud.calls == []


def test_plan_adopting_stack_adds_the_rest(planner: Planner) -> None:
    stack = plan(planner, {"Resources": {"Queue": OLD.definition, "Policy": POLICY}})

    assert [(change.logical_id, change.action) for change in stack.changes] == [("Policy", Action.ADD)]


def test_plan_stacks_gives_each_stack_its_own_adoption(planner: Planner) -> None:
    candidates = [planner.candidate("data", template()), planner.candidate("other", template())]

    data, other = planning.plan_stacks(
        candidates, planner.cloud, planner.surroundings, adoptions={"shop-data": ADOPTION}
    )

    assert (data.adoption, other.adoption) == (ADOPTION, Adoption())
    assert planner.cloud.calls == ["create shop-other"]


def test_plan_keeps_decisions_without_an_adoption(planner: Planner) -> None:
    decided = Adoption(decisions={"Queue": "new"}, left=(OLD,))

    stack = plan(planner, template(), decided)

    assert stack.adoption == decided
    assert stack.change_set is not None


def test_plan_failed_creation_waits_for_its_deletion(planner: Planner) -> None:
    planner.deploy(planner.candidate("data", template()))
    planner.cloud.stacks["shop-data"].status = "ROLLBACK_COMPLETE"

    stack = plan(planner, template(), None)

    assert (stack.replaces_failed_creation, stack.change_set, stack.before) == (True, None, None)
    assert [change.action for change in stack.changes] == [Action.ADD]
    assert planner.cloud.calls == []


def test_plan_after_the_import_is_an_update_of_a_stack_without_a_release(planner: Planner) -> None:
    with_import(planner)

    stack = plan(planner, template(2), None)

    assert lines(stack)[:1] == [("Queue.Properties.DelaySeconds", 1, 2)]
    assert stack.change_set is not None
    assert stack.before is not None
    assert (stack.deployed_before, stack.adopted) == (None, frozenset({"Queue"}))
    assert not stack.replaces_failed_creation


def test_plan_of_an_ordinary_stack_has_adopted_nothing(planner: Planner) -> None:
    planner.deploy(planner.candidate("data", template()))

    stack = plan(planner, template(2), None)

    assert (stack.deployed_before, stack.adopted) == (stack.before, frozenset())


def test_plan_after_the_import_has_no_echo_of_parameters(planner: Planner) -> None:
    """An emulator's change set names what refers to a parameter that is new; the value is the imported one."""
    with_import(planner)
    content = {
        "Parameters": {"Delay": {"Type": "Number", "Default": 1}},
        "Resources": {"Queue": {**OLD.definition, "Properties": {"DelaySeconds": {"Ref": "Delay"}}}, "Policy": POLICY},
    }
    described = planner.cloud.describe_change_set
    echo = {
        "Action": "Modify",
        "LogicalResourceId": "Queue",
        "ResourceType": QUEUE,
        "Replacement": "Conditional",
        "Scope": ["Properties"],
        "Details": [{"Target": {"Attribute": "Properties", "Name": "DelaySeconds", "RequiresRecreation": "Never"}}],
    }

    def with_echo(change_set: str) -> Any:
        answer = described(change_set)
        changes = [entry for entry in answer["Changes"] if entry["ResourceChange"]["LogicalResourceId"] != "Queue"]
        return {**answer, "Changes": [*changes, {"Type": "Resource", "ResourceChange": echo}]}

    planner.cloud.describe_change_set = with_echo  # type: ignore[method-assign] # as an emulator answers

    assert [change.logical_id for change in plan(planner, content, None).changes] == ["Policy"]


CHANGE = ResourceChange("app", "Queue", QUEUE, Action.MODIFY)
ENTRY = PropertyChange("Properties.DelaySeconds", 1, 2)


@pytest.mark.parametrize(
    ("change", "compared", "adopted", "is_echo"),
    [
        (CHANGE, set(), {"Queue"}, True),
        (replace(CHANGE, replacement=Replacement.CONDITIONAL), set(), {"Queue"}, True),
        (CHANGE, {"Queue"}, {"Queue"}, False),
        (CHANGE, set(), {"Other"}, False),
        (replace(CHANGE, properties=(ENTRY,)), set(), {"Queue"}, False),
        (replace(CHANGE, properties=(replace(ENTRY, after=1),)), set(), {"Queue"}, True),
    ],
)
def test_echo_is_an_adopted_resource_without_a_difference(
    change: ResourceChange, compared: set[str], adopted: set[str], is_echo: bool
) -> None:
    assert planning._is_echo(change, compared, frozenset(adopted)) is is_echo


def test_assess_adopting_stack_lists_neither_parameters_nor_outputs(planner: Planner) -> None:
    with_import(planner)
    content = {
        "Parameters": {"Delay": {"Type": "Number", "Default": 2}},
        "Resources": {"Queue": {**OLD.definition, "Properties": {"DelaySeconds": {"Ref": "Delay"}}}},
        "Outputs": {"Url": {"Value": {"Ref": "Queue"}}},
    }

    assessment = assessing.assess(
        [plan(planner, content, None)],
        watched=(),
        tables=FakeTables(planner.cloud),
        allow=(),
        enforce=True,
    )

    assert [(change.resource, change.what) for change in assessment.changes] == [("Queue", "DelaySeconds: 1 -> 2")]


@pytest.mark.parametrize(
    ("adopted", "is_danger"), [([("main", "Queue")], False), ([("app", "Queue")], True), ([], True)]
)
def test_permissions_on_an_adopted_queue_are_those_of_a_new_one(
    adopted: list[tuple[str, str]], is_danger: bool
) -> None:
    [change] = compare({"Queue": OLD.definition}, {"Queue": OLD.definition, "Policy": POLICY})

    [aspect] = permissions.aspects(change, [change], adopted)

    assert (aspect.kind == "widen") is is_danger
