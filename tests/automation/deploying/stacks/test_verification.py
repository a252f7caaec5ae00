"""The running code is that of the build, or there is a finding with the command that puts it back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from automation.deploying.stacks import verification
from automation.system.digests import base64_of
from automation.system.errors import Finding
from automation.system.stacks import StackResource
from automation.system.targets import Target

TARGET = Target("eu-west-1")
FUNCTION, LAYER = "AWS::Lambda::Function", "AWS::Lambda::LayerVersion"
TILL, SHARED, OTHER = "11" * 32, "22" * 32, "33" * 32
CODE = {"S3Bucket": "code", "S3Key": "alchemiser/1.zip"}
TEMPLATE: Mapping[str, Any] = {
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Till": {"Type": FUNCTION, "Properties": {"Code": CODE}},
        "Shared0123456789": {"Type": LAYER, "Properties": {"Content": CODE}},
    }
}
BUILD = {"Till": TILL, "Shared": SHARED}


@dataclass
class FakeStack:
    """A stack with a function and a layer; `running` is the code of each, by physical id."""

    resource_ids: Mapping[str, str] = field(
        default_factory=lambda: {"Till": "shop-Till", "Shared0123456789": "arn:layer:1", "Queue": "q"}
    )
    functions: Mapping[str, str] = field(default_factory=lambda: {"shop-Till": TILL})
    layers: Mapping[str, str] = field(default_factory=lambda: {"arn:layer:1": SHARED})

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        return tuple(StackResource(name, physical_id, "any") for name, physical_id in self.resource_ids.items())

    def function_digest(self, function: str) -> str:
        return base64_of(self.functions[function])

    def layer_digest(self, arn: str) -> str:
        return base64_of(self.layers[arn])


def verify(
    stack: FakeStack, build: Mapping[str, str] = BUILD, template: Mapping[str, Any] = TEMPLATE
) -> tuple[Finding, ...]:
    return verification.verify("shop", template, build, stacks=stack, code=stack, target=TARGET)


def test_verify_same_code_has_no_findings() -> None:
    assert verify(FakeStack()) == ()


def test_verify_other_function_code_offers_the_build() -> None:
    [finding] = verify(FakeStack(functions={"shop-Till": OTHER}))

    digests = f"its SHA-256 is {base64_of(OTHER)}, that of the zip is {base64_of(TILL)}"
    command = "aws lambda update-function-code --function-name shop-Till --s3-bucket code --s3-key alchemiser/1.zip"
    assert finding == Finding(
        "shop: Till",
        f"runs other code than the build: {digests}",
        f"it was changed outside of the deployment; put the build's code back: {command} --region eu-west-1",
    )


def test_verify_other_layer_content_is_a_finding() -> None:
    [finding] = verify(FakeStack(layers={"arn:layer:1": OTHER}))

    assert finding == Finding(
        "shop: Shared",
        f"runs other code than the build: its SHA-256 is {base64_of(OTHER)}, that of the zip is {base64_of(SHARED)}",
        "a layer version never changes: edit the layer's description, then deploy again",
    )


def test_verify_reports_every_mismatch_in_the_order_of_the_build() -> None:
    stack = FakeStack(functions={"shop-Till": OTHER}, layers={"arn:layer:1": OTHER})

    assert [finding.where for finding in verify(stack)] == ["shop: Till", "shop: Shared"]


@pytest.mark.parametrize("build", [BUILD | {"Gone": OTHER}, {"Gone": OTHER}])
def test_verify_code_that_was_not_deployed_is_a_finding(build: dict[str, str]) -> None:
    what = "was built but does not exist in the stack"

    assert verify(FakeStack(), build) == (Finding("shop: Gone", what, "check its events, then deploy again"),)


def test_verify_resource_missing_from_the_stack_is_a_finding() -> None:
    [finding] = verify(FakeStack({"Shared0123456789": "arn:layer:1"}))

    assert finding.where == "shop: Till"


def test_verify_resource_left_out_by_its_condition_is_fine() -> None:
    till = TEMPLATE["Resources"]["Till"] | {"Condition": "IsLive"}
    template = {"Resources": TEMPLATE["Resources"] | {"Till": till}}

    assert verify(FakeStack({"Shared0123456789": "arn:layer:1"}), template=template) == ()
    assert len(verify(FakeStack(functions={"shop-Till": OTHER}), template=template)) == 1


def test_verify_plain_layer_keeps_its_name() -> None:
    template = {"Resources": {"Wheels0123456789": {"Type": LAYER, "Properties": {"Content": CODE}}}}
    stack = FakeStack({"Wheels0123456789": "arn:layer:1"})

    assert verify(stack, {"Wheels0123456789": SHARED}, template) == ()
    assert len(verify(stack, {"Wheels0123456789": OTHER}, template)) == 1


def test_verify_code_that_was_not_built_is_not_checked() -> None:
    assert verify(FakeStack(functions={"shop-Till": OTHER}), {"Shared": SHARED}) == ()
