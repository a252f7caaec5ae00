"""Deployed stacks in memory: a template with its parameters, and a physical id for each of its resources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automation.project import yamls
from automation.system.stacks import StackDescription, StackResource, StackState, Stage
from tests.automation.fake_queues import url_of

QUEUE = "AWS::SQS::Queue"


@dataclass
class FakeDeployedStack:
    """A stack; `text` decides whether CloudFormation answers with the text of its template or with its content."""

    template: Mapping[str, Any]
    text: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass
class FakeContents:
    """CloudFormation. The physical id of a queue is its URL; that of another resource is `shop-` and its logical id."""

    stacks: dict[str, FakeDeployedStack] = field(default_factory=dict)
    exported: Mapping[str, str] = field(default_factory=dict)
    asked_exports: int = 0
    physical_ids: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, text: str, *, as_text: bool = True, parameters: Mapping[str, str] | None = None) -> None:
        self.stacks[name] = FakeDeployedStack(yamls.load(text, name=name), text if as_text else "", parameters or {})

    def describe(self, stack: str) -> StackDescription:
        if stack not in self.stacks:
            return StackDescription(StackState(stack))
        stack_id = f"arn:aws:cloudformation:eu-west-1:123456789012:stack/{stack}/uuid"
        return StackDescription(StackState(stack, "CREATE_COMPLETE", stack_id), self.stacks[stack].parameters)

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        resources = self.stacks[stack].template["Resources"]
        return tuple(
            StackResource(name, self._physical_id(name, resource), resource["Type"])
            for name, resource in resources.items()
            if resource.get("Condition") != "Never"
        )

    def template(self, stack: str, stage: Stage) -> str | Mapping[str, Any]:
        assert stage is Stage.PROCESSED
        name = stack.split("/")[1] if "/" in stack else stack
        return self.stacks[name].text or self.stacks[name].template

    def exports(self) -> Mapping[str, str]:
        self.asked_exports += 1
        return self.exported

    def _physical_id(self, name: str, resource: Mapping[str, Any]) -> str:
        default = url_of(name.lower()) if resource["Type"] == QUEUE else f"shop-{name}"
        return self.physical_ids.get(name, default)
