"""What the deployed template says about the code of each function."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from automation.deploying import scope as scopes
from automation.deploying.planning import Surroundings
from automation.deploying.releases.records import Release, ReleasedStack
from automation.deploying.watching import declared, replaced
from automation.deploying.watching.declared import DeclaredFunction, DeclaredLayer
from automation.system.digests import base64_of
from automation.system.stacks import StackDescription, StackResource, StackState, Stage
from automation.system.targets import Target
from tests.automation.projects import make_shop

LAYER = "arn:aws:lambda:r:1:layer:Code:3"
OUTSIDE = "arn:aws:lambda:r:2:layer:extension:7"
HASHED = "Code0123456789"
UNKNOWN = "its template does not say which layers it mounts"


def function(**properties: Any) -> dict[str, Any]:
    code = {"S3Bucket": "b", "S3Key": "a/k.zip"}
    return {"Type": "AWS::Lambda::Function", "Properties": {"Code": code, "Handler": "a.b", **properties}}


@dataclass
class FakeStack:
    """CloudFormation with one stack, shop-live, which has a layer beside what a test gives it."""

    resources_of_template: Mapping[str, Any]
    status: str = "CREATE_COMPLETE"
    parameters: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        layer = {"Type": "AWS::Lambda::LayerVersion", "Properties": {}}
        self.resources_of_template = {HASHED: layer, **self.resources_of_template}

    def describe(self, stack: str) -> StackDescription:
        status = self.status if stack == "shop-live" else ""
        return StackDescription(StackState(stack, status), self.parameters)

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        known = self.resources_of_template.items()
        ids = {name: LAYER if name == HASHED else f"{stack}-{name}" for name, _ in known}
        return tuple(StackResource(name, ids[name], resource["Type"]) for name, resource in known if name != "Gone")

    def template(self, stack: str, stage: Stage, *, change_set: str = "") -> Mapping[str, Any]:
        assert stage is Stage.PROCESSED
        parameters = {name: {"Type": "String"} for name in self.parameters}
        return {"Parameters": parameters, "Resources": self.resources_of_template}

    def exports(self) -> Mapping[str, str]:
        return {"extension": OUTSIDE}


@pytest.fixture
def scope(tmp_path: Path) -> scopes.Scope:
    return scopes.read(make_shop(tmp_path), "live", variables={})


def find(scope: scopes.Scope, stack: FakeStack) -> dict[str, DeclaredFunction]:
    surroundings = Surroundings(scope.root, Target("eu-west-1"), "1")
    return {entry.name: entry for entry in declared.find(scope.stacks, stack, surroundings)}


def test_find_has_zip_and_layers_of_each_function(scope: scopes.Scope) -> None:
    layers = [{"Ref": HASHED}, {"Fn::ImportValue": "extension"}]

    functions = find(scope, FakeStack({"Till": function(Layers=layers), "Gone": function()}))

    assert list(functions) == ["Till"]
    till = functions["Till"]
    assert (till.stack, till.stack_name, till.physical_id) == ("app", "shop-live", "shop-live-Till")
    assert (till.bucket, till.key, till.obstacle) == ("b", "a/k.zip", "")
    assert till.layers == (DeclaredLayer("Code", LAYER), DeclaredLayer("", OUTSIDE))
    assert till.arns == (LAYER, OUTSIDE)
    assert till.layers[0].layer == "Code"


def test_find_layer_of_a_parameter_has_its_value(scope: scopes.Scope) -> None:
    stack = FakeStack({"Till": function(Layers=[{"Ref": "Extension"}])}, parameters={"Extension": OUTSIDE})

    assert find(scope, stack)["Till"].layers == (DeclaredLayer("", OUTSIDE),)


@pytest.mark.parametrize(
    ("resources", "obstacle"),
    [
        ({"Till": function(Code={"ZipFile": "pass"})}, "its code is not a zip in S3"),
        ({"Till": function(Code={"ImageUri": "x"})}, "its code is not a zip in S3"),
        ({"Till": function(Code={"S3Bucket": "b", "S3Key": {"Ref": "X"}})}, "its code is not a zip in S3"),
        ({"Till": function(Layers=[{"Fn::GetAtt": "X.Y"}])}, UNKNOWN),
        ({"Till": function(Layers={"Fn::Split": [",", {"Ref": "X"}]})}, UNKNOWN),
        (
            {
                "Till": function(),
                "TillVersion": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Till"}}},
            },
            "its events go to a published version, which only a deployment makes",
        ),
    ],
)
def test_find_says_why_code_cannot_be_replaced(
    scope: scopes.Scope, resources: Mapping[str, Any], obstacle: str
) -> None:
    assert find(scope, FakeStack(resources))["Till"].obstacle == obstacle


@pytest.mark.parametrize("status", ["", "REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "DELETE_FAILED"])
def test_find_of_a_stack_without_resources_is_empty(scope: scopes.Scope, status: str) -> None:
    assert find(scope, FakeStack({"Till": function()}, status=status)) == {}


@pytest.mark.parametrize(
    ("key", "digest"),
    [
        (f"alchemiser/{'a' * 64}.zip", base64_of("a" * 64)),
        ("sam/0123456789abcdef0123456789abcdef", base64_of("b" * 64)),
    ],
)
def test_declared_digest_is_in_the_key_or_in_the_release(key: str, digest: str) -> None:
    """`sam package` names a zip by another digest."""
    till = DeclaredFunction("app", "shop-live", "Till", "till-1", bucket="b", key=key)
    stacks = (ReleasedStack(stack_name="shop-base", code={"Till": "c" * 64}), ReleasedStack(stack_name="shop-live"))
    release = Release(stacks=(stacks[0], ReleasedStack(stack_name="shop-live", code={"Till": "b" * 64})))

    assert replaced.declared_digest(till, release) == digest
    is_known = key.startswith("alchemiser")
    assert replaced.declared_digest(till, None) == (digest if is_known else "")
    assert replaced.declared_digest(till, Release(stacks=stacks)) == (digest if is_known else "")
