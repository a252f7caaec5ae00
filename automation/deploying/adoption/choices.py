"""Decide which resources of an earlier stack a new one adopts. Pure.

A resource is adopted without a question when it is the only one of its logical id and type, and nothing would replace
it. Everything else is a finding with the command that decides: `--adopt Ledger=<physical id>` or `--adopt Ledger=new`.
"""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from automation.deploying.adoption import import_template
from automation.deploying.adoption.model import IDENTIFIERS, Adoption, RetainedResource, name_property
from automation.deploying.changes import comparison, resolution, schemas
from automation.deploying.changes.model import Expanded, PropertyChange, Replacement
from automation.system import aws_commands
from automation.system.errors import Finding, UsageError
from automation.system.targets import Target

NEW = "new"
OPTION = "--adopt"


@dataclass(frozen=True, slots=True)
class Namesake:
    """A resource that has the name of one that a new stack would create, and that no earlier stack has left.

    Attributes:
        owner: the stack that has it; empty for none.
    """

    resource: RetainedResource
    owner: str = ""


@dataclass(frozen=True, slots=True)
class NewStack:
    """A stack that does not exist, and what it may adopt.

    Attributes:
        stack: its name in pyproject.toml.
        wanted: the definitions of its template by logical id, resolved as far as known.
        retained: what earlier stacks of its name have left.
        namesakes: by logical id.
        labels: what a person calls its resources: `Ledger`, or `trading/Claims` where two stacks have one.
        decisions: a physical id or `new`, by logical id.
    """

    stack: str
    wanted: Mapping[str, Mapping[str, Any]]
    retained: Sequence[RetainedResource] = ()
    namesakes: Mapping[str, Namesake] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    decisions: Mapping[str, str] = field(default_factory=dict)


def parse(words: Iterable[str]) -> dict[str, str]:
    """Return the decisions of the command line by what a person called the resource.

    Raises:
        UsageError: one of them is not NAME=VALUE.
    """
    decisions: dict[str, str] = {}
    for word in words:
        name, separator, value = word.partition("=")
        if not (name and separator and value):
            message = f"{word!r} is not NAME=PHYSICAL-ID or NAME={NEW}; write it as {OPTION} Ledger={NEW}"
            raise UsageError(message, where=OPTION)
        decisions[name] = value
    return decisions


def labels(wanted: Mapping[str, Iterable[str]]) -> dict[str, dict[str, str]]:
    """Return what a person calls each resource, by stack and logical id: with the stack where the id is not unique.

    Args:
        wanted: the logical ids of each stack.
    """
    ids = {stack: tuple(logical_ids) for stack, logical_ids in wanted.items()}
    return {
        stack: {name: name if _is_unique(name, stack, ids) else f"{stack}/{name}" for name in logical_ids}
        for stack, logical_ids in ids.items()
    }


@dataclass(frozen=True, slots=True)
class Commands:
    """What the findings tell a person to type.

    Attributes:
        deploy: what the user typed, to which --adopt can be added.
    """

    environment: str
    deploy: str
    target: Target

    def adopt(self, label: str, value: str) -> str:
        """Return the command that decides about a resource, in place of what it said about it before."""
        words = shlex.split(self.deploy)
        earlier = {number for number, word in enumerate(words) if word.startswith(f"{label}=")}
        kept = [word for number, word in enumerate(words) if not {number, number + 1} & earlier]
        return shlex.join([*kept, OPTION, f"{label}={value}"])

    def delete(self, label: str) -> str:
        """Return the command that deletes what earlier stacks have left of a resource."""
        return shlex.join(["inv", "destroy", "--env", self.environment, "--data-only", "--delete-data", label])

    def look(self, stack: str) -> str:
        """Return the command that shows the resources of a stack."""
        return aws_commands.line(self.target, "cloudformation", "describe-stack-resources", "--stack-name", stack)


def choose(new_stack: NewStack, *, commands: Commands) -> tuple[Adoption, tuple[Finding, ...]]:
    """Return what a new stack adopts, and what a person must decide first."""
    chosen: list[RetainedResource] = []
    findings: list[Finding] = []
    for logical_id, definition in new_stack.wanted.items():
        outcome = _Decision(new_stack, logical_id, definition, commands).outcome()
        if isinstance(outcome, Finding):
            findings.append(outcome)
        elif outcome is not None:
            chosen.append(outcome)
    adopted = {resource.physical_id for resource in chosen}
    left = tuple(resource for resource in new_stack.retained if resource.physical_id not in adopted)
    return Adoption(tuple(chosen), new_stack.decisions, left), tuple(findings)


@dataclass(frozen=True, slots=True)
class _Decision:
    """The decision about one resource of a new stack."""

    new_stack: NewStack
    logical_id: str
    definition: Mapping[str, Any]
    commands: Commands

    @property
    def _label(self) -> str:
        return self.new_stack.labels.get(self.logical_id, self.logical_id)

    @property
    def _candidates(self) -> list[RetainedResource]:
        """What is left over of this resource; what holds no data and cannot be adopted is not worth a question."""
        return [
            resource
            for resource in self.new_stack.retained
            if (resource.logical_id, resource.type) == (self.logical_id, self.definition.get("Type"))
            and (resource.is_importable or schemas.is_stateful(resource.type))
        ]

    def outcome(self) -> RetainedResource | Finding | None:
        """Return what is adopted, what must be decided first, or None for a new resource."""
        decision = self.new_stack.decisions.get(self.logical_id, "")
        if decision == NEW:
            return self._as_new()
        if decision:
            return self._as_named(decision)

        namesake = self.new_stack.namesakes.get(self.logical_id)
        candidates = [resource for resource in self._candidates if self._may_be_same(resource)]
        if not candidates:
            return self._about(namesake) if namesake else None
        if len(candidates) > 1:
            what = f"{len(candidates)} earlier ones are left over; choose which to adopt"
            return self._finding(what, self._options(candidates))
        return self._checked(candidates[0])

    def _as_new(self) -> Finding | None:
        """Return why a new one cannot be created; None when it can."""
        namesake = self.new_stack.namesakes.get(self.logical_id)
        taken = [namesake.resource] if namesake else [entry for entry in self._candidates if self._has_same_name(entry)]
        if not taken:
            return None
        delete = "delete it first" if namesake else f"delete it first: {self.commands.delete(self._label)}"
        what = f"a new one cannot be created: its name is taken by {taken[0].text}"
        return self._finding(what, f"adopt it: {self._decide(taken[0].physical_id)}; or {delete}")

    def _as_named(self, physical_id: str) -> RetainedResource | Finding:
        """Return the resource with a physical id that a person named."""
        kind = self.definition.get("Type")
        known = [entry for entry in self.new_stack.retained if (entry.type, entry.physical_id) == (kind, physical_id)]
        if known:
            # A person may also name what had another logical id in the earlier stack.
            return self._checked(replace(known[0], logical_id=self.logical_id))
        namesake = self.new_stack.namesakes.get(self.logical_id)
        if namesake is None or namesake.resource.physical_id != physical_id:
            what = f"{physical_id} does not exist, or has another type than {kind}"
            return self._finding(what, self._options(self._candidates))
        return self._owned(namesake) if namesake.owner else self._checked(namesake.resource)

    def _options(self, candidates: Iterable[RetainedResource]) -> str:
        """Return the commands of which one must be chosen."""
        options = [f"{resource.text}: {self._decide(resource.physical_id)}" for resource in candidates]
        return "; ".join([*options, f"a new one: {self._decide(NEW)}"])

    def _about(self, namesake: Namesake) -> Finding:
        if namesake.owner:
            return self._owned(namesake)
        what = f"one of this name exists already, and no stack has or had it: {namesake.resource.text}"
        adopt = self._decide(namesake.resource.physical_id)
        return self._finding(what, f"if it is the right one, adopt it: {adopt}; otherwise delete it")

    def _owned(self, namesake: Namesake) -> Finding:
        what = f"{namesake.resource.name} belongs to the stack {namesake.owner}"
        look = self.commands.look(namesake.owner)
        return self._finding(what, f"look: {look}; remove it from that stack, or give {self.logical_id} another name")

    def _checked(self, resource: RetainedResource) -> RetainedResource | Finding:
        """Return the resource, or why it cannot be adopted."""
        if not resource.is_importable:
            what = f"{resource.name} is left over, and inv deploy cannot adopt its type, {resource.type}"
            return self._finding(what, f"create a new one and leave it: {self._decide(NEW)}")
        if replacing := self._replacing(resource):
            what = f"{resource.text} would be replaced right after its adoption: {', '.join(replacing)} differs"
            return self._finding(what, f"restore the old value in the template; or leave it: {self._decide(NEW)}")
        return resource

    def _replacing(self, resource: RetainedResource) -> list[str]:
        """Return the properties for whose change CloudFormation would replace an adopted resource."""
        before = import_template.template([resource])
        imported = before["Resources"][self.logical_id].get("Properties") or {}
        # What the import has to leave out is not different.
        left_out = (resource.definition.get("Properties") or {}).keys() - imported.keys()
        after = {"Resources": {self.logical_id: self.definition}}
        entries: list[PropertyChange] = []
        for change in comparison.compare(self.new_stack.stack, Expanded(before), Expanded(after)):
            entries += [entry for entry in change.properties if entry.replacement is not Replacement.NO]
        paths = [entry.path.removeprefix("Properties.") for entry in entries]
        replacing = [path for path in paths if path.partition(".")[0] not in left_out]
        keys = resource.holding.keys if resource.holding else ()
        is_rekeyed = bool(keys) and keys != _keys(self.definition) and "KeySchema" not in replacing
        return [*replacing, *(["KeySchema"] if is_rekeyed else [])]

    def _may_be_same(self, resource: RetainedResource) -> bool:
        """Return whether the new template can mean this resource: not if it derives the name from a new resource."""
        return not resource.is_importable or not resolution.is_intrinsic(self._fixed_name(resource))

    def _has_same_name(self, resource: RetainedResource) -> bool:
        return resource.is_importable and self._fixed_name(resource) == resource.name

    def _fixed_name(self, resource: RetainedResource) -> Any:
        return (self.definition.get("Properties") or {}).get(name_property(resource.type))

    def _decide(self, value: str) -> str:
        return self.commands.adopt(self._label, value)

    def _finding(self, what: str, fix: str) -> Finding:
        return Finding(self._label, what, fix)


def fixed_names(wanted: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, str]]:
    """Return type and name of the definitions whose name the template fixes, by logical id."""
    names: dict[str, tuple[str, str]] = {}
    for logical_id, definition in wanted.items():
        kind = str(definition.get("Type"))
        if kind in IDENTIFIERS:
            name = (definition.get("Properties") or {}).get(name_property(kind))
            if isinstance(name, str):
                names[logical_id] = (kind, name)
    return names


def _is_unique(logical_id: str, stack: str, ids: Mapping[str, Sequence[str]]) -> bool:
    return not any(logical_id in others for name, others in ids.items() if name != stack)


def _keys(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of a table as Holding has them."""
    properties = definition.get("Properties") or {}
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in properties.get("AttributeDefinitions") or ()}
    schema = properties.get("KeySchema") or ()
    return tuple(f"{key['AttributeName']} {key['KeyType']} {types.get(key['AttributeName'], '')}" for key in schema)
