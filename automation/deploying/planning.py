"""Plan a deployment: the change set of each stack, and what it changes, property by property.

A stack that imports an export which is new or changes cannot have its change set before the earlier stack is deployed,
nor can one that adopts resources first, or whose failed creation must be deleted first. It is planned by comparing
templates, and counts as provisional.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from automation.deploying.adoption import import_template
from automation.deploying.adoption.model import Adoption
from automation.deploying.candidates import Candidate
from automation.deploying.changes import comparison, expansion, merging, resolution
from automation.deploying.changes.expansion import SamTemplate
from automation.deploying.changes.model import Expanded, ResourceChange
from automation.deploying.connections import Stacks
from automation.deploying.stacks import change_sets, stack_states
from automation.deploying.stacks.change_sets import ChangeSet, Request
from automation.project import loops, yamls
from automation.system.errors import DeploymentError
from automation.system.stacks import StackDescription, Stage
from automation.system.targets import Target

_PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov"}


class Templates(Protocol):
    """The call to CloudFormation that reads a template; cloudformation.CloudFormation is the real one."""

    def template(self, stack: str, stage: Stage, *, change_set: str = "") -> str | Mapping[str, Any]:
        """Return the template of a stack, or of one of its change sets: its YAML text, or a mapping if it is JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the stacks of a plan are.

    Attributes:
        root: of the project, whose SAM CLI expands provisional templates.
    """

    root: Path
    target: Target
    account: str


@dataclass(frozen=True, slots=True)
class PlannedStack:
    """The plan of one stack.

    Attributes:
        deployed: the stack as it is now.
        before, after: the template after the transforms, deployed and new; `before` is None for a new stack.
        changes: what differs, resource by resource; of an adopted resource, what the update after its adoption changes.
        change_set: None for a provisional plan.
        awaited: the exports that a provisional plan waits for.
        adoption: what a new stack adopts before the rest of it is created.
    """

    candidate: Candidate
    deployed: StackDescription
    before: Expanded | None
    after: Expanded
    changes: tuple[ResourceChange, ...]
    change_set: ChangeSet | None = None
    awaited: tuple[str, ...] = ()
    adoption: Adoption = field(default_factory=Adoption)

    @property
    def replaces_failed_creation(self) -> bool:
        """Whether the stack must be deleted first, because it is what a failed creation has left."""
        return stack_states.is_failed_creation(self.deployed.state)

    @property
    def deployed_before(self) -> Expanded | None:
        """The deployed template; None for a stack that is new, or has only adopted resources so far."""
        return None if self.before and import_template.is_ours(self.before.template) else self.before

    @property
    def adopted(self) -> frozenset[str]:
        """The logical ids that the stack adopts, or has adopted without the update that adds the rest."""
        if self.before and self.deployed_before is None:
            return frozenset(self.before.template["Resources"])
        return frozenset(resource.logical_id for resource in self.adoption.resources)

    @property
    def name(self) -> str:
        """The stack's name in pyproject.toml."""
        return self.candidate.released.stack

    @property
    def stack_name(self) -> str:
        """The stack's name in the account."""
        return self.candidate.released.stack_name


def plan_stacks(
    candidates: Sequence[Candidate],
    cloud: Stacks,
    surroundings: Surroundings,
    *,
    adoptions: Mapping[str, Adoption] = MappingProxyType({}),
) -> tuple[PlannedStack, ...]:
    """Create the change set of each stack, in the given order; when one fails, delete those before it.

    Args:
        adoptions: what new stacks adopt, by their names in the account.

    Raises:
        DeploymentError: CloudFormation refused a change set, or did not answer.
        ConfigurationError, ToolError: a provisional template cannot be expanded.
    """
    exports = cloud.exports()
    changing: set[str] = set()
    planned: list[PlannedStack] = []
    try:
        for candidate in candidates:
            adoption = adoptions.get(candidate.settings.stack_name, Adoption())
            stack = plan_stack(candidate, cloud, surroundings, exports=exports, changing=changing, adoption=adoption)
            changing |= comparison.changed_exports(stack.before, stack.after)
            planned.append(stack)
    except BaseException:
        # Ctrl-C included. The first error is the one to report, not one of the clean-up.
        with suppress(DeploymentError):
            discard(planned, cloud)
        raise
    return tuple(planned)


def plan_stack(
    candidate: Candidate,
    cloud: Stacks,
    surroundings: Surroundings,
    *,
    exports: Mapping[str, str],
    changing: set[str] | frozenset[str] = frozenset(),
    adoption: Adoption | None = None,
) -> PlannedStack:
    """Plan one stack.

    Args:
        exports: the values of the account's exports.
        changing: the exports that the stacks before it add, change or remove.
        adoption: what it adopts; None for nothing.

    Raises:
        DeploymentError, ConfigurationError, ToolError: as `plan_stacks`.
    """
    deployed = cloud.describe(candidate.settings.stack_name)
    before = _before(deployed, cloud, surroundings, exports)
    unexpanded = to_deploy(candidate, candidate.template, deployed, surroundings, exports)
    awaited = sorted(resolution.imported_names(unexpanded) & changing)
    adopted = adoption or Adoption()
    if awaited or adopted.resources or stack_states.is_failed_creation(deployed.state):
        # The new values are not known, and the old ones would hide that what uses them changes.
        known = {name: value for name, value in exports.items() if name not in changing}
        after = _expanded_here(candidate, replace(unexpanded, exports=known), surroundings)
        imported = Expanded(import_template.template(adopted.resources)) if adopted.resources else before
        changes = comparison.compare(candidate.released.stack, imported, after)
        return PlannedStack(candidate, deployed, before, after, changes, awaited=tuple(awaited), adoption=adopted)

    text = "" if candidate.url else json.dumps(candidate.template)
    request = Request(candidate.settings, candidate.url, candidate.template.get("Parameters") or {}, text)
    change_set = change_sets.create(request, deployed, cloud, poll_s=stack_states.poll_s(surroundings.target))
    if change_set.is_empty and before is not None:
        return PlannedStack(candidate, deployed, before, before, (), change_set)
    try:
        body = expanded_template(change_set.stack_id, cloud, change_set=change_set.id)
        after = to_deploy(candidate, body, deployed, surroundings, exports)
        return _compared(PlannedStack(candidate, deployed, before, after, (), adoption=adopted), change_set, cloud)
    except BaseException:
        with suppress(DeploymentError):
            change_sets.discard(change_set, cloud)
        raise


def discard(stacks: Sequence[PlannedStack], cloud: Stacks) -> None:
    """Delete the change sets of a plan that is not carried out.

    Raises:
        DeploymentError: CloudFormation refused, or did not answer.
    """
    for stack in stacks:
        if stack.change_set is not None and not stack.change_set.is_empty:
            change_sets.discard(stack.change_set, cloud)


def expanded_template(stack: str, cloud: Templates, *, change_set: str = "") -> Mapping[str, Any]:
    """Return the template of a stack, or of one of its change sets, after the transforms.

    Raises:
        DeploymentError: CloudFormation did not answer.
    """
    body = cloud.template(stack, Stage.PROCESSED, change_set=change_set)
    content: Mapping[str, Any] = yamls.load(body, name="the deployed template") if isinstance(body, str) else body
    return content


def pseudo_parameters(stack_name: str, surroundings: Surroundings) -> dict[str, str]:
    """Return the values of AWS::Region and the like."""
    region = surroundings.target.region
    known = {"AWS::StackName": stack_name, "AWS::Region": region, "AWS::AccountId": surroundings.account}
    prefix = next((prefix for prefix in _PARTITIONS if region.startswith(f"{prefix}-")), "")
    suffix = "amazonaws.com.cn" if prefix == "cn" else "amazonaws.com"
    known |= {"AWS::Partition": _PARTITIONS.get(prefix, "aws"), "AWS::URLSuffix": suffix}
    return {name: value for name, value in known.items() if value}


def _before(
    deployed: StackDescription, cloud: Stacks, surroundings: Surroundings, exports: Mapping[str, str]
) -> Expanded | None:
    if stack_states.can_be_created(deployed.state):
        return None
    body = expanded_template(deployed.state.name, cloud)
    pseudo = pseudo_parameters(deployed.state.name, surroundings)
    return Expanded(body, {**pseudo, **deployed.parameters}, exports)


def to_deploy(
    candidate: Candidate,
    template: Mapping[str, Any],
    deployed: StackDescription,
    surroundings: Surroundings,
    exports: Mapping[str, str],
) -> Expanded:
    """Return a template of a candidate, before or after the transforms, with the values that it will have.

    Args:
        exports: the values of the account's exports.
    """
    settings = candidate.settings
    defined = template.get("Parameters") or {}
    defaults = {name: loops.as_text(entry["Default"]) for name, entry in defined.items() if "Default" in entry}
    kept = {name: value for name, value in deployed.parameters.items() if name in defined and name not in defaults}
    values = {**kept, **defaults, **settings.parameters}
    return Expanded(template, {**pseudo_parameters(settings.stack_name, surroundings), **values}, exports)


def _expanded_here(candidate: Candidate, after: Expanded, surroundings: Surroundings) -> Expanded:
    source = SamTemplate(
        name=candidate.settings.stack.template.path,
        template=after.template,
        parameters=after.parameters,
    )
    (expanded,) = expansion.expand([source], root=surroundings.root, region=surroundings.target.region)
    return Expanded(expanded, after.parameters, after.exports)


def _compared(stack: PlannedStack, change_set: ChangeSet, cloud: Stacks) -> PlannedStack:
    """Return the stack with its change set, and with what the templates and the change set say that changes."""
    before, after = stack.before, stack.after
    changes = comparison.compare(stack.name, before, after)
    merged = merging.with_change_set(stack.name, changes, change_set.described)
    if stack.deployed_before is None:
        compared = {change.logical_id for change in changes}
        merged = tuple(change for change in merged if not _is_echo(change, compared, stack.adopted))
    if before is not None and not merged and _has_same_outputs(before, after):
        # Only tags would change: CloudFormation would write each resource again, and reset values that people have set.
        change_sets.discard(change_set, cloud)
        change_set = replace(change_set, is_empty=True)
    return replace(stack, changes=merged, change_set=change_set)


def _is_echo(change: ResourceChange, compared: set[str], adopted: frozenset[str]) -> bool:
    """Return whether a change set names an adopted resource only because its template has a parameter now.

    The import has the values in place of the parameters, and the comparison has found them equal.
    """
    differs = any(entry.before != entry.after for entry in change.properties)
    return change.logical_id in adopted and change.logical_id not in compared and not differs


def _has_same_outputs(before: Expanded, after: Expanded) -> bool:
    old, new = resolution.resolve(before), resolution.resolve(after)
    return comparison.is_same(old.outputs, new.outputs) and comparison.is_same(old.exports, new.exports)
