"""The change set of each stack and what it changes; whatever interrupts this, no change set is left behind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from automation.deploying import planning
from automation.deploying.candidates import Candidate
from automation.deploying.changes.model import Action
from automation.deploying.planning import PlannedStack, Surroundings
from automation.deploying.releases.records import ReleasedStack
from automation.project.environments import StackSettings
from automation.project.model import Project
from automation.system.errors import DeploymentError
from automation.system.stacks import Stage
from automation.system.targets import Target
from tests.automation.fake_aws import FakeStore
from tests.automation.fake_stacks import FakeStacks

LOCAL = Target("eu-west-1", "http://127.0.0.1:1")
QUEUE = "AWS::SQS::Queue"
EXPORT = {"Export": {"Name": "orders"}}
IMPORT = {"Fn::ImportValue": "orders"}

type Template = dict[str, Any]


def template(delay: Any = 1, **sections: Any) -> Template:
    return {"Resources": {"Queue": {"Type": QUEUE, "Properties": {"DelaySeconds": delay}}}, **sections}


@dataclass
class StackYamls(FakeStacks):
    """CloudFormation that answers with the text of YAML templates, not with JSON."""

    def template(self, stack: str, stage: Stage, *, change_set: str = "") -> Any:
        return json.dumps(super().template(stack, stage, change_set=change_set))


@dataclass
class Planner:
    """Plans templates for the stacks `one` and `two` of a project, and executes them."""

    project: Project
    store: FakeStore = field(default_factory=FakeStore)
    cloud: FakeStacks = field(default_factory=lambda: FakeStacks(lambda _: b""))
    account: str = "123456789012"

    def __post_init__(self) -> None:
        self.cloud.read = self.store.read_url

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(self.project.root, LOCAL, self.account)

    def candidate(self, name: str, content: Template, parameters: Mapping[str, str] | None = None) -> Candidate:
        key = f"{name}-{len(self.store.objects)}.json"
        self.store.objects["bucket", key] = json.dumps(content).encode()
        settings = StackSettings(self.project.stacks[0], f"shop-{name}", "live", parameters or {})
        released = ReleasedStack(name, f"shop-{name}", template=f"s3://bucket/{key}")
        return Candidate(settings, released, content, self.store.url("bucket", key))

    def plan(self, *candidates: Candidate) -> tuple[PlannedStack, ...]:
        return planning.plan_stacks(candidates, self.cloud, self.surroundings)

    def deploy(self, *candidates: Candidate) -> None:
        for candidate in candidates:
            for stack in self.plan(candidate):
                assert stack.change_set is not None
                self.cloud.execute_change_set(stack.change_set.id, token="t")
                self.cloud.stack_state(stack.stack_name)
        self.cloud.calls.clear()


@pytest.fixture
def planner(shop: Project) -> Planner:
    return Planner(shop)


def lines(stack: PlannedStack) -> list[tuple[str, Any, Any]]:
    """Return the path of each change with its values."""
    changes: list[tuple[str, Any, Any]] = []
    for change in stack.changes:
        changes += [(f"{change.logical_id}.{entry.path}", entry.before, entry.after) for entry in change.properties]
    return changes


def test_plan_new_stack_adds_everything(planner: Planner) -> None:
    (stack,) = planner.plan(planner.candidate("data", template()))

    assert (stack.name, stack.stack_name) == ("data", "shop-data")
    assert (stack.before, stack.awaited) == (None, ())
    assert [(change.logical_id, change.action) for change in stack.changes] == [("Queue", Action.ADD)]
    assert stack.change_set is not None
    assert (stack.change_set.is_new_stack, stack.change_set.is_empty) == (True, False)


def test_plan_changed_property_has_both_values(planner: Planner) -> None:
    planner.deploy(planner.candidate("data", template(1)))

    (stack,) = planner.plan(planner.candidate("data", template(2)))

    assert lines(stack) == [("Queue.Properties.DelaySeconds", 1, 2)]
    assert stack.deployed.state.status == "CREATE_COMPLETE"
    assert planner.cloud.calls == ["create shop-data"]


def test_plan_same_template_is_empty_and_discarded(planner: Planner) -> None:
    planner.deploy(planner.candidate("data", template()))

    (stack,) = planner.plan(planner.candidate("data", template()))

    assert stack.changes == ()
    assert stack.change_set is not None
    assert stack.change_set.is_empty
    assert stack.after == stack.before
    assert planner.cloud.calls == ["create shop-data", "discard shop-data"]


def test_plan_other_tags_only_is_empty_and_discarded(planner: Planner) -> None:
    """CloudFormation would write each resource again, only to tag it."""
    candidate = planner.candidate("data", template())
    planner.deploy(candidate)
    settings = replace(candidate.settings, section={"tags": ["team=shop"]})

    (stack,) = planner.plan(replace(candidate, settings=settings))

    assert stack.changes == ()
    assert stack.change_set is not None
    assert stack.change_set.is_empty
    assert planner.cloud.calls == ["create shop-data", "discard shop-data"]


@pytest.mark.parametrize("added", [{"Value": "a"}, {"Value": "a", "Export": {"Name": "b"}}], ids=["output", "export"])
def test_plan_other_outputs_only_is_a_change(planner: Planner, added: Mapping[str, Any]) -> None:
    planner.deploy(planner.candidate("data", template()))

    (stack,) = planner.plan(planner.candidate("data", template(Outputs={"A": added})))

    assert stack.changes == ()
    assert stack.change_set is not None
    assert not stack.change_set.is_empty
    assert stack.change_set.id in planner.cloud.sets


def test_plan_export_of_another_name_only_is_a_change(planner: Planner) -> None:
    outputs = {"A": {"Value": "a", "Export": {"Name": "old"}}}
    planner.deploy(planner.candidate("data", template(Outputs=outputs)))
    outputs = {"A": {"Value": "a", "Export": {"Name": "new"}}}

    (stack,) = planner.plan(planner.candidate("data", template(Outputs=outputs)))

    assert stack.change_set is not None
    assert not stack.change_set.is_empty


def test_plan_stack_with_only_a_change_set_is_new(planner: Planner) -> None:
    planner.plan(planner.candidate("data", template()))

    (stack,) = planner.plan(planner.candidate("data", template()))

    assert stack.before is None
    assert stack.deployed.state.status == "REVIEW_IN_PROGRESS"


def test_plan_yaml_templates_are_read(shop: Project) -> None:
    planner = Planner(shop, cloud=StackYamls(lambda _: b""))
    planner.deploy(planner.candidate("data", template(1)))

    (stack,) = planner.plan(planner.candidate("data", template(2)))

    assert lines(stack) == [("Queue.Properties.DelaySeconds", 1, 2)]


def test_plan_parameters_are_resolved_on_both_sides(planner: Planner) -> None:
    parameters = {"Delay": {"Type": "Number", "Default": 3}, "On": {"Type": "String", "Default": True}}
    content = template({"Ref": "Delay"}, Parameters=parameters)
    planner.deploy(planner.candidate("data", content))

    (stack,) = planner.plan(planner.candidate("data", content, {"Delay": "4"}))

    assert lines(stack) == [("Queue.Properties.DelaySeconds", "3", "4")]
    assert [stack.after.parameters[name] for name in ("Delay", "On")] == ["4", "true"]


def test_plan_default_replaces_the_deployed_value(planner: Planner) -> None:
    """Without a value in samconfig.toml, CloudFormation takes the default, not what the stack has."""
    content = template({"Ref": "Delay"}, Parameters={"Delay": {"Type": "Number", "Default": 3}})
    planner.deploy(planner.candidate("data", content, {"Delay": "4"}))

    (stack,) = planner.plan(planner.candidate("data", content))

    assert lines(stack) == [("Queue.Properties.DelaySeconds", "4", "3")]


def test_plan_parameter_without_default_keeps_the_deployed_value(planner: Planner) -> None:
    hidden = {"Type": "String", "NoEcho": True}
    content = template(1, Parameters={"Key": hidden})
    planner.deploy(planner.candidate("data", content, {"Key": "secret"}))

    (stack,) = planner.plan(planner.candidate("data", template(2, Parameters={"Key": hidden, "New": hidden})))

    assert stack.after.parameters["Key"] == "secret"
    assert "New" not in stack.after.parameters


def test_plan_parameter_that_is_gone_is_not_kept(planner: Planner) -> None:
    content = template(1, Parameters={"Key": {"Type": "String"}})
    planner.deploy(planner.candidate("data", content, {"Key": "a"}))

    (stack,) = planner.plan(planner.candidate("data", template(2)))

    assert "Key" not in stack.after.parameters


def test_plan_pseudo_parameters_are_known_on_both_sides(planner: Planner) -> None:
    planner.deploy(planner.candidate("data", template({"Ref": "AWS::StackName"})))

    (stack,) = planner.plan(planner.candidate("data", template({"Fn::Sub": "${AWS::StackName}-${AWS::Region}"})))

    assert lines(stack) == [("Queue.Properties.DelaySeconds", "shop-data", "shop-data-eu-west-1")]


def test_plan_import_of_an_export_that_stays_has_a_change_set(planner: Planner) -> None:
    data = template(Outputs={"Orders": {"Value": "q-1", **EXPORT}})
    planner.deploy(planner.candidate("data", data), planner.candidate("app", template(1)))

    stacks = planner.plan(planner.candidate("data", data), planner.candidate("app", template(IMPORT)))

    assert stacks[1].awaited == ()
    assert stacks[1].change_set is not None
    assert lines(stacks[1]) == [("Queue.Properties.DelaySeconds", 1, "q-1")]


def test_plan_import_of_a_new_export_is_provisional(planner: Planner) -> None:
    planner.deploy(planner.candidate("data", template()), planner.candidate("app", template(1)))
    data = template(Outputs={"Orders": {"Value": "q-1", **EXPORT}, "Other": {"Value": "a"}})

    stacks = planner.plan(planner.candidate("data", data), planner.candidate("app", template(IMPORT)))

    assert (stacks[1].awaited, stacks[1].change_set) == (("orders",), None)
    assert lines(stacks[1]) == [("Queue.Properties.DelaySeconds", 1, IMPORT)]
    assert planner.cloud.calls == ["create shop-data"]


def test_plan_import_of_a_changing_export_shows_the_change(planner: Planner) -> None:
    """The old value, which is known, would hide that what uses it changes."""
    old = template(Outputs={"Orders": {"Value": "q-1", **EXPORT}})
    planner.deploy(planner.candidate("data", old), planner.candidate("app", template(IMPORT)))
    new = template(Outputs={"Orders": {"Value": "q-2", **EXPORT}})

    stacks = planner.plan(planner.candidate("data", new), planner.candidate("app", template(IMPORT)))

    assert stacks[1].awaited == ("orders",)
    assert lines(stacks[1]) == [("Queue.Properties.DelaySeconds", "q-1", IMPORT)]


def test_plan_provisional_new_stack_adds_everything(planner: Planner) -> None:
    data = template(Outputs={"Orders": {"Value": "q-1", **EXPORT}})
    app = template({"Fn::Join": ["-", [{"Ref": "Colour"}, IMPORT]]}, Parameters={"Colour": {"Type": "String"}})

    stacks = planner.plan(planner.candidate("data", data), planner.candidate("app", app, {"Colour": "red"}))

    assert [change.action for change in stacks[1].changes] == [Action.ADD]
    assert stacks[1].after.parameters["Colour"] == "red"
    assert stacks[1].after.parameters["AWS::StackName"] == "shop-app"


def test_plan_awaited_exports_are_sorted(planner: Planner) -> None:
    names = ("orders-c", "orders-a", "orders-b")
    outputs = {name.partition("-")[2]: {"Value": "v", "Export": {"Name": name}} for name in names}
    imports = [{"Fn::ImportValue": name} for name in names]

    stacks = planner.plan(
        planner.candidate("data", template(Outputs=outputs)),
        planner.candidate("app", template({"Fn::Join": ["", imports]})),
    )

    assert stacks[1].awaited == ("orders-a", "orders-b", "orders-c")


def test_plan_refused_change_set_discards_those_before_it(planner: Planner) -> None:
    app = planner.candidate("app", template({"Fn::ImportValue": "nobody-exports-this"}))

    with pytest.raises(DeploymentError, match="shop-app: the changes could not be computed: No export named nobody"):
        planner.plan(planner.candidate("data", template()), app)

    assert planner.cloud.sets == {}
    assert planner.cloud.stacks == {}


def test_plan_clean_up_that_fails_hides_no_failure(planner: Planner) -> None:
    app = planner.candidate("app", template({"Fn::ImportValue": "nobody-exports-this"}))

    def refuse(name: str, _argument: str) -> None:
        if name == "delete_change_set":
            raise DeploymentError("does not answer")

    planner.cloud.on_call = refuse

    with pytest.raises(DeploymentError, match="No export named nobody-exports-this"):
        planner.plan(planner.candidate("data", template()), app)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DeploymentError("does not answer")])
@pytest.mark.parametrize("is_deaf", [False, True])
def test_plan_template_without_an_answer_leaves_no_change_set(
    planner: Planner, error: BaseException, is_deaf: bool
) -> None:
    """The change set exists already when its template is read."""

    def fail(name: str, _argument: str) -> None:
        if name == "template":
            raise error
        if name == "delete_change_set" and is_deaf:
            raise DeploymentError("is deaf")

    planner.cloud.on_call = fail

    with pytest.raises(type(error)) as caught:
        planner.plan(planner.candidate("data", template()))

    assert caught.value is error
    assert bool(planner.cloud.sets) is is_deaf


def test_discard_deletes_what_was_not_executed(planner: Planner) -> None:
    planner.deploy(planner.candidate("data", template()))
    stacks = planner.plan(planner.candidate("data", template()), planner.candidate("app", template()))
    provisional = replace(stacks[1], change_set=None)
    planner.cloud.calls.clear()

    planning.discard((*stacks, provisional), planner.cloud)

    assert planner.cloud.calls == ["discard shop-app", "delete shop-app"]


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("eu-west-1", "aws", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("us-east-1", "aws", "amazonaws.com"),
    ],
)
def test_pseudo_parameters_follow_the_region(region: str, partition: str, suffix: str) -> None:
    surroundings = Surroundings(Path(), Target(region), "123456789012")

    assert planning.pseudo_parameters("shop", surroundings) == {
        "AWS::StackName": "shop",
        "AWS::Region": region,
        "AWS::AccountId": "123456789012",
        "AWS::Partition": partition,
        "AWS::URLSuffix": suffix,
    }


def test_pseudo_parameters_leave_out_an_unknown_account() -> None:
    surroundings = Surroundings(Path(), Target("eu-west-1"), "")

    assert "AWS::AccountId" not in planning.pseudo_parameters("shop", surroundings)
