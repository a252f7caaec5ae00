"""Lambda's code in memory: what the stacks of a fake account declare, but for what was replaced since."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from automation.system.digests import base64_of
from automation.system.files import digest
from automation.system.invocations import RunningCode
from tests.automation.fake_stacks import FakeStack, FakeStacks

FUNCTION = "AWS::Lambda::Function"
_CODE = {FUNCTION: "Code", "AWS::Lambda::LayerVersion": "Content"}


@dataclass
class FakeCode:
    """Lambda's digests: those of the zips that the stacks name, but for what somebody has changed by hand.

    A stack's update gives a function its code or its layers only when the stack itself names others than before.

    Attributes:
        replaced: the digest of each function's zip, with what the stack then named; the same of its layers.
        own: the versions of layers that no stack has published: digest and description, by ARN.
        calls: the calls that change something.
        on_call: called before each of them, with its name and the function or layer, and may raise.
    """

    cloud: FakeStacks
    by_hand: dict[str, str] = field(default_factory=dict)
    replaced: dict[str, tuple[str, str]] = field(default_factory=dict)
    mounted: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    own: dict[str, tuple[str, str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    on_call: Callable[[str, str], None] = lambda _name, _argument: None
    numbers: Any = field(default_factory=lambda: count(100))

    def function_digest(self, function: str) -> str:
        return self.running(function).digest

    def layer_digest(self, arn: str) -> str:
        return self.own[arn][0] if arn in self.own else self._declared(arn)

    def running(self, function: str) -> RunningCode:
        key, layers = located(function, self.cloud)["S3Key"], self._layers(function)
        properties = deployed(function, self.cloud)["Properties"]
        digest_now, of_key = self.replaced.get(function, ("", ""))
        mounted, of_layers = self.mounted.get(function, ((), ()))
        return RunningCode(
            digest_now if of_key == key else self._declared(function),
            mounted if mounted and of_layers == layers else layers,
            properties["Handler"],
            properties["Runtime"],
        )

    def replace(self, function: str, content: bytes) -> None:
        self._note("replace", function)
        self.replaced[function] = base64_of(digest(content)), located(function, self.cloud)["S3Key"]

    def restore(self, function: str, bucket: str, key: str) -> None:
        self._note("restore", function)
        assert {"S3Bucket": bucket, "S3Key": key} == located(function, self.cloud)
        self.replaced.pop(function, None)

    def mount(self, function: str, layers: Sequence[str]) -> None:
        self._note("mount", function)
        assert all(arn in self.own or deployed(arn, self.cloud) for arn in layers)
        self.mounted[function] = tuple(layers), self._layers(function)

    def publish_layer(self, name: str, content: bytes, *, model_arn: str, description: str) -> str:
        self._note("publish", name)
        arn = f"{model_arn.rpartition(':')[0]}:{next(self.numbers)}"
        self.own[arn] = base64_of(digest(content)), description
        return arn

    def published_layers(self, name: str, description: str) -> tuple[str, ...]:
        return tuple(arn for arn, (_, text) in self.own.items() if text == description and arn.split(":")[-2] == name)

    def delete_layer(self, arn: str) -> None:
        self._note("delete", arn.split(":")[-2])
        del self.own[arn]

    def _declared(self, physical_id: str) -> str:
        key = located(physical_id, self.cloud)["S3Key"]
        return self.by_hand.get(physical_id) or base64_of(key.rpartition("/")[2].removesuffix(".zip"))

    def _layers(self, function: str) -> tuple[str, ...]:
        stack = _stack_of(function, self.cloud)
        layers = deployed(function, self.cloud)["Properties"].get("Layers", [])
        return tuple(stack.physical_ids[layer["Ref"]] for layer in layers)

    def _note(self, name: str, argument: str) -> None:
        self.on_call(name, argument)
        self.calls.append(f"{name} {argument.split(':')[-2] if ':' in argument else argument}")


def _stack_of(physical_id: str, cloud: FakeStacks) -> FakeStack:
    return next(stack for stack in cloud.stacks.values() if physical_id in stack.physical_ids.values())


def deployed(physical_id: str, cloud: FakeStacks) -> Mapping[str, Any]:
    """Return a deployed resource."""
    for stack in cloud.stacks.values():
        for name, known_id in stack.physical_ids.items():
            if known_id == physical_id:
                return stack.content.resources[name]
    raise AssertionError(physical_id)


def located(physical_id: str, cloud: FakeStacks) -> Mapping[str, str]:
    """Return where the code of a deployed function or layer is."""
    resource = deployed(physical_id, cloud)
    code: Mapping[str, str] = resource["Properties"][_CODE[resource["Type"]]]
    return code
