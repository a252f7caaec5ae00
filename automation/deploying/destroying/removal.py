"""Decide what goes with an environment and what stays, by what a person has named. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from automation.deploying.adoption import search
from automation.deploying.adoption.model import RetainedResource
from automation.deploying.destroying.inventory import Inventory
from automation.system.errors import CheckFailedError, Finding, UsageError
from automation.system.holdings import BUCKET

ALL, RELEASES, ARTIFACTS = "all", "releases", "artifacts"
EVERYTHING = (ALL, RELEASES, ARTIFACTS)
OPTION = "--delete-data"


@dataclass(frozen=True, slots=True)
class Removal:
    """What is destroyed.

    Attributes:
        data: the resources that a person has named, with what they contain.
        is_all: whether all data were named at once.
        releases: whether the table of releases goes too.
        artifacts: whether what deployments have uploaded goes too.
    """

    inventory: Inventory
    data: tuple[RetainedResource, ...] = ()
    is_all: bool = False
    releases: bool = False
    artifacts: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to destroy."""
        return not (self.inventory.stacks or self.data or self.releases or self.artifacts)

    @property
    def staying(self) -> tuple[RetainedResource, ...]:
        """What is in no stack afterwards, and still exists."""
        named = {resource.physical_id for resource in self.data}
        stays = {resource.physical_id for resource in self.inventory.left}
        for stack in self.inventory.stacks:
            stays |= {resource.physical_id for resource in stack.retained}
        return tuple(entry for entry in self.inventory.data if entry.physical_id in stays - named)

    def is_named(self, resource: RetainedResource) -> bool:
        """Return whether a person has named a resource."""
        return any(entry.physical_id == resource.physical_id for entry in self.data)


def plan(inventory: Inventory, names: Sequence[str], *, command: str) -> Removal:
    """Return what is destroyed.

    Args:
        names: of --delete-data.
        command: what the user typed, to which --delete-data can be added.

    Raises:
        UsageError: a name is unknown, or several resources have it.
        CheckFailedError: what was named cannot be deleted, or CloudFormation would refuse to delete a stack.
    """
    words = {ALL, RELEASES, ARTIFACTS}
    chosen: dict[str, RetainedResource] = {}
    if ALL in names:
        chosen = {resource.physical_id: resource for resource in inventory.data if resource.is_importable}
    for name in [name for name in names if name not in words]:
        chosen |= {resource.physical_id: resource for resource in _named(name, inventory)}

    removal = Removal(
        inventory,
        tuple(chosen.values()),
        is_all=ALL in names,
        releases=RELEASES in names and inventory.releases is not None,
        artifacts=ARTIFACTS in names and inventory.releases is not None,
    )
    findings = [*_undeletable(removal), *_refused(removal, command)]
    if findings:
        message = f"{len(findings)} finding(s) stop this; nothing was changed"
        raise CheckFailedError(message, where=command, findings=findings)
    return removal


def label(resource: RetainedResource, inventory: Inventory) -> str:
    """Return what a person calls a resource: `Ledger`; with the stack, or by its own name, where that is not enough."""
    twins = [entry for entry in inventory.data if entry.logical_id == resource.logical_id]
    if len(twins) == 1:
        return resource.logical_id
    stack = inventory.names.get(resource.stack_name, resource.stack_name)
    is_unique = sum(entry.stack_name == resource.stack_name for entry in twins) == 1
    return f"{stack}/{resource.logical_id}" if is_unique else resource.physical_id


def _named(name: str, inventory: Inventory) -> tuple[RetainedResource, ...]:
    """Return the resource that a person means; none when it is deleted already.

    Raises:
        UsageError: there is no such resource, or there are several.
    """
    matches = [resource for resource in inventory.data if name in _names_of(resource, inventory)]
    if len({resource.physical_id for resource in matches}) > 1:
        options = ", ".join(label(resource, inventory) for resource in matches)
        raise UsageError(f"{len(matches)} resources are called {name}; write one of: {options}", where=OPTION)
    if not matches and not _is_known(name, inventory):
        known = ", ".join(sorted({label(resource, inventory) for resource in inventory.data}))
        message = f"{name} does not name any data of this environment" if known else f"{name}: there are no data here"
        raise UsageError(f"{message}; the names are: {known or 'none'}", where=OPTION)
    return tuple(matches[:1])


def _names_of(resource: RetainedResource, inventory: Inventory) -> Collection[str]:
    stack = inventory.names.get(resource.stack_name, resource.stack_name)
    return {resource.logical_id, f"{stack}/{resource.logical_id}", resource.physical_id, resource.name}


def _is_known(name: str, inventory: Inventory) -> bool:
    """Return whether the templates have a resource of this name, whose data are then deleted already."""
    stack, separator, last = name.rpartition("/")
    templates = [inventory.ids.get(stack, ())] if separator else inventory.ids.values()
    generated = chain.from_iterable(_generated_names(stack_name, inventory) for stack_name in inventory.names)
    return any(last in ids for ids in templates) or last.lower().startswith(tuple(generated))


def _generated_names(stack_name: str, inventory: Inventory) -> list[str]:
    """Return how the names begin that CloudFormation gives to the resources of a stack, in lower case."""
    return [f"{stack_name}-{logical_id}-".lower() for logical_id in inventory.ids.get(inventory.names[stack_name], ())]


def _undeletable(removal: Removal) -> Iterator[Finding]:
    for resource in removal.data:
        if not resource.is_importable:
            what = f"inv destroy cannot delete its type, {resource.type}"
            yield Finding(resource.logical_id, what, f"leave it out, and delete {resource.physical_id} in AWS by hand")


def _refused(removal: Removal, command: str) -> Iterator[Finding]:
    """Yield the resources whose data keep CloudFormation from deleting their stack."""
    for stack in removal.inventory.stacks:
        for resource in stack.data:
            holding = resource.holding
            if search.is_retained(resource) or removal.is_named(resource) or holding is None:
                continue
            is_filled = resource.type == BUCKET and not holding.is_empty
            if is_filled or holding.is_protected:
                reason = "is not empty" if is_filled else "is protected from deletion"
                what = f"{resource.text}: the template does not retain it, and it {reason}"
                name_it = f"{command} {OPTION} {label(resource, removal.inventory)}"
                fix = f"delete its data too: {name_it}; or set DeletionPolicy: Retain and deploy first"
                yield Finding(f"{stack.name}: {resource.logical_id}", what, fix)
