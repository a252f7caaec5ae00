"""Read what deployed stacks contain: their resources, and the templates that they were deployed from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from automation.deploying.changes import resolution
from automation.deploying.changes.model import Expanded
from automation.project import yamls
from automation.system.stacks import STACK_TYPE, StackDescription, StackResource, Stage


class Stacks(Protocol):
    """The calls to CloudFormation; cloudformation.CloudFormation is the real one."""

    def describe(self, stack: str) -> StackDescription:
        """Return a stack; without a status when there is no such stack."""
        ...

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        """Return the resources of a stack."""
        ...

    def template(self, stack: str, stage: Stage) -> str | Mapping[str, Any]:
        """Return the template of a stack: its YAML text, or a mapping if it is JSON."""
        ...

    def exports(self) -> Mapping[str, str]:
        """Return the value of every export, by its name."""
        ...


@dataclass(frozen=True, slots=True)
class StackContents:
    """What a deployed stack contains.

    Attributes:
        name: the name of the stack in the project; that of a nested stack follows, as in `app/Inner`.
        physical_ids: by logical id.
        types: by logical id.
        properties: of each resource by logical id, resolved as far as their values are known.
    """

    name: str
    physical_ids: Mapping[str, str]
    types: Mapping[str, str]
    properties: Mapping[str, Mapping[str, Any]]

    def of_type(self, resource_type: str) -> dict[str, str]:
        """Return the physical ids of the resources of a type, by logical id."""
        return {name: self.physical_ids[name] for name, kind in self.types.items() if kind == resource_type}

    def referred(self, value: Any) -> str:
        """Return the logical id of the one resource that a value refers to; empty when it refers to none or several."""
        names = resolution.references(value) & self.physical_ids.keys()
        return next(iter(names)) if len(names) == 1 else ""


def read(stacks: Mapping[str, str], cloud: Stacks) -> tuple[StackContents, ...]:
    """Read stacks and the stacks that are nested in them; a stack that does not exist is left out.

    Args:
        stacks: the deployed name of each stack, by its name in the project.

    Raises:
        DeploymentError: CloudFormation did not answer.
    """
    contents: list[StackContents] = []
    for name, stack in stacks.items():
        description = cloud.describe(stack)
        if not description.state.exists:
            continue
        resources = cloud.resources(stack)
        contents.append(_contents(name, description, resources, cloud))
        nested = [resource for resource in resources if resource.type == STACK_TYPE]
        contents += read({f"{name}/{resource.logical_id}": resource.physical_id for resource in nested}, cloud)
    return tuple(contents)


def _contents(
    name: str, description: StackDescription, resources: tuple[StackResource, ...], cloud: Stacks
) -> StackContents:
    body = cloud.template(description.state.stack_id or description.state.name, Stage.PROCESSED)
    template = yamls.load(body, name=f"the deployed template of {name}") if isinstance(body, str) else body
    expanded = Expanded(template, {**_pseudo_parameters(description), **description.parameters})
    if resolution.imported_names(expanded):
        expanded = Expanded(template, expanded.parameters, cloud.exports())

    resolved = resolution.resolve(expanded)
    return StackContents(
        name,
        physical_ids={resource.logical_id: resource.physical_id for resource in resources},
        types={resource.logical_id: resource.type for resource in resources},
        properties={
            resolved.logical_ids[key]: resource.get("Properties") or {} for key, resource in resolved.resources.items()
        },
    )


def _pseudo_parameters(description: StackDescription) -> dict[str, str]:
    """Return what the id of a stack says: arn:<partition>:cloudformation:<region>:<account>:stack/<name>/<uuid>."""
    known = {"AWS::StackName": description.state.name}
    match description.state.stack_id.split(":"):
        case ["arn", partition, _, region, account, *_]:
            known |= {"AWS::Partition": partition, "AWS::Region": region, "AWS::AccountId": account}
    return known
