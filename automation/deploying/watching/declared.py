"""What CloudFormation has declared the code of each deployed function to be: its zip in S3, and its layers.

It is read from the deployed template, so that it is right whatever somebody has put into the functions since.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from automation.deploying import planning
from automation.deploying.changes import resolution
from automation.deploying.changes.model import Expanded
from automation.deploying.changes.resolution import ResolvedTemplate
from automation.deploying.stacks import stack_states
from automation.project.environments import StackSettings
from automation.system.stacks import StackDescription, StackResource

FUNCTION = "AWS::Lambda::Function"
_VERSION = "AWS::Lambda::Version"


class Stacks(planning.Templates, Protocol):
    """The calls to CloudFormation; cloudformation.CloudFormation is the real one."""

    def describe(self, stack: str) -> StackDescription:
        """Return a stack with its parameters; without a status when there is no such stack."""
        ...

    def resources(self, stack: str) -> tuple[StackResource, ...]:
        """Return the resources of a stack."""
        ...

    def exports(self) -> Mapping[str, str]:
        """Return the value of every export of the account in this region, by its name."""
        ...


@dataclass(frozen=True, slots=True)
class DeclaredLayer:
    """A layer that a function mounts.

    Attributes:
        name: its logical id in SAM's template; empty for a layer of another stack.
        arn: of the layer version, its number included.
    """

    name: str
    arn: str

    @property
    def layer(self) -> str:
        """The layer's name in the account."""
        return self.arn.split(":")[-2]


@dataclass(frozen=True, slots=True)
class DeclaredFunction:
    """A deployed function.

    Attributes:
        stack: the stack's name in pyproject.toml.
        name: its logical id.
        bucket, key: where its zip is.
        obstacle: why its code cannot be replaced, as the end of a sentence about it; empty when it can.
    """

    stack: str
    stack_name: str
    name: str
    physical_id: str
    bucket: str = ""
    key: str = ""
    layers: tuple[DeclaredLayer, ...] = ()
    obstacle: str = ""

    @property
    def arns(self) -> tuple[str, ...]:
        """The ARNs of its layers, in the order of mounting."""
        return tuple(layer.arn for layer in self.layers)


def find(
    stacks: Sequence[StackSettings], cloud: Stacks, surroundings: planning.Surroundings
) -> tuple[DeclaredFunction, ...]:
    """Return the functions of every stack that exists, in the order of deployment.

    Raises:
        DeploymentError: CloudFormation did not answer.
    """
    exports, functions = cloud.exports(), list[DeclaredFunction]()
    for settings in stacks:
        described = cloud.describe(settings.stack_name)
        # A deletion that has begun may have taken the functions away.
        if not (stack_states.can_be_created(described.state) or described.state.status.startswith("DELETE_")):
            functions += _of_stack(settings, cloud, surroundings, described, exports)
    return tuple(functions)


def _of_stack(
    settings: StackSettings,
    cloud: Stacks,
    surroundings: planning.Surroundings,
    described: StackDescription,
    exports: Mapping[str, str],
) -> Iterator[DeclaredFunction]:
    name = settings.stack_name
    values = {**planning.pseudo_parameters(name, surroundings), **described.parameters}
    template = planning.expanded_template(name, cloud)
    resolved = resolution.resolve(Expanded(template, values, exports))
    physical_ids = {resource.logical_id: resource.physical_id for resource in cloud.resources(name)}
    published = _published(resolved)
    for logical_id, resource in resolved.resources.items():
        if resource["Type"] == FUNCTION and logical_id in physical_ids:
            function = DeclaredFunction(settings.stack.name, name, logical_id, physical_ids[logical_id])
            properties = resource.get("Properties") or {}
            yield _with_code(function, properties, resolved, physical_ids, is_published=logical_id in published)


def _with_code(
    function: DeclaredFunction,
    properties: Mapping[str, Any],
    resolved: ResolvedTemplate,
    physical_ids: Mapping[str, str],
    *,
    is_published: bool,
) -> DeclaredFunction:
    code, mounted = properties.get("Code") or {}, properties.get("Layers") or []
    bucket, key = (code.get(name) for name in ("S3Bucket", "S3Key"))
    layers = [_layer(value, resolved, physical_ids) for value in (mounted if isinstance(mounted, list) else [mounted])]
    obstacle = ""
    if not (isinstance(bucket, str) and isinstance(key, str)):
        obstacle = "its code is not a zip in S3"
    elif is_published:
        obstacle = "its events go to a published version, which only a deployment makes"
    elif None in layers:
        obstacle = "its template does not say which layers it mounts"
    known = tuple(layer for layer in layers if layer is not None)
    return replace(
        function,
        bucket=bucket if isinstance(bucket, str) else "",
        key=key if isinstance(key, str) else "",
        layers=known,
        obstacle=obstacle,
    )


def _layer(value: Any, resolved: ResolvedTemplate, physical_ids: Mapping[str, str]) -> DeclaredLayer | None:
    """Return the layer that an entry of `Layers` stands for; None when only CloudFormation knows it."""
    match value:
        case str():
            return DeclaredLayer("", value)
        case {"Ref": str() as name} if resolved.logical_ids.get(name) in physical_ids:
            return DeclaredLayer(name, physical_ids[resolved.logical_ids[name]])
    return None


def _published(resolved: ResolvedTemplate) -> frozenset[str]:
    """Return the functions of which a version is published."""
    names: set[str] = set()
    for resource in resolved.resources.values():
        if resource["Type"] == _VERSION:
            names |= resolution.references((resource.get("Properties") or {}).get("FunctionName"))
    return frozenset(names)
