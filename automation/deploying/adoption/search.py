"""Find what earlier stacks of an environment have left in the account, and what it contains.

`inv destroy` writes it down in the table of releases. What was deleted in another way is found with CloudFormation,
which knows a deleted stack for 90 days.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any, Protocol

from automation.deploying.adoption import model
from automation.deploying.adoption.model import RetainedResource
from automation.deploying.changes import resolution
from automation.deploying.changes.model import Expanded
from automation.deploying.stacks import stack_states
from automation.system.holdings import Holding
from automation.system.stacks import StackDescription, StackResource

_CONCURRENT_CALLS = 8
_RETAINING = frozenset({"Retain", "RetainExceptOnCreate"})


class Stacks(Protocol):
    """The calls to CloudFormation; cloudformation.CloudFormation is the real one."""

    def describe(self, stack: str) -> StackDescription:
        """Return a stack with its parameters."""
        ...

    def deleted_stacks(self, name: str) -> tuple[str, ...]:
        """Return the ids of the deleted stacks that had a name, the newest first."""
        ...

    def retained(self, stack_id: str) -> tuple[StackResource, ...]:
        """Return the resources that the deletion of a stack has left."""
        ...

    def owner(self, physical_id: str) -> str:
        """Return the name of the stack that has a resource; empty when no stack that exists has it."""
        ...


class Table(Protocol):
    """The record in the table of releases; release_table.ReleaseTable is the real one."""

    def retained(self, stack: str) -> tuple[Mapping[str, Any], ...]:
        """Return what was written down for a stack."""
        ...


class Data(Protocol):
    """The calls to the services that hold data; data_resources.DataResources is the real one."""

    def look(self, resource_type: str, physical_id: str) -> Holding | None:
        """Return what a resource contains; None when it does not exist."""
        ...


@dataclass(frozen=True, slots=True)
class Searcher:
    """Where to search.

    Attributes:
        read_template: returns the template of a stack after the transforms, by its id.
        pseudo: the values of AWS::Region and the like, by the stack's name.
        exports: the values of the account's exports.
    """

    stacks: Stacks
    table: Table
    data: Data
    read_template: Callable[[str], Mapping[str, Any]]
    pseudo: Callable[[str], Mapping[str, str]]
    exports: Mapping[str, str]

    def find(self, stack_names: Iterable[str]) -> tuple[RetainedResource, ...]:
        """Return what exists of that which the deleted stacks of these names have left, and no other stack has.

        Raises:
            DeploymentError: AWS did not answer.
        """
        with ThreadPoolExecutor(_CONCURRENT_CALLS) as pool:
            known = chain.from_iterable(pool.map(self._known, stack_names))
            looked_at = pool.map(self._with_holding, known)
        return tuple(resource for resource in looked_at if resource is not None)

    def _known(self, stack_name: str) -> tuple[RetainedResource, ...]:
        """Return what is known of a stack, each resource once, the newest knowledge of it first."""
        written = [model.from_document(document) for document in self.table.retained(stack_name)]
        known = {resource.physical_id: resource for resource in written}
        for stack_id in self._former_stacks(stack_name):
            left = [entry for entry in self.stacks.retained(stack_id) if entry.physical_id not in known]
            if left:
                described = self.stacks.describe(stack_id)
                expanded = self.expanded(described, stack_id)
                # The deletion of a failed creation is still due: it deletes what its template does not retain.
                is_due = stack_states.is_failed_creation(described.state)
                resources = defined(left, expanded, stack_name)
                kept = [resource for resource in resources if is_retained(resource) or not is_due]
                known |= {resource.physical_id: resource for resource in kept}
        return tuple(known.values())

    def _former_stacks(self, stack_name: str) -> tuple[str, ...]:
        """Return the ids of the stacks that have lost their resources: a failed creation, and deleted ones."""
        state = self.stacks.describe(stack_name).state
        failed = (state.stack_id,) if stack_states.is_failed_creation(state) else ()
        return (*failed, *self.stacks.deleted_stacks(stack_name))

    def expanded(self, described: StackDescription, stack: str) -> Expanded:
        """Return the template of a stack that exists, or of a deleted one by its id, with its values.

        Raises:
            DeploymentError: CloudFormation did not answer.
        """
        values = {**self.pseudo(described.state.name), **described.parameters}
        return Expanded(self.read_template(stack), values, self.exports)

    def _with_holding(self, resource: RetainedResource) -> RetainedResource | None:
        """Return the resource with what it contains; None when it is gone, or a stack has it again."""
        if not resource.is_importable:
            return resource
        holding = self.data.look(resource.type, resource.physical_id)
        if holding is None or self.stacks.owner(resource.physical_id):
            return None
        return model.with_holding(resource, holding)


def defined(resources: Iterable[StackResource], expanded: Expanded, stack_name: str) -> tuple[RetainedResource, ...]:
    """Return resources with the definitions of their template, without those that the template does not have."""
    resolved = resolution.resolve(expanded)
    names = {logical_id: name for name, logical_id in resolved.logical_ids.items()}
    return tuple(
        RetainedResource(
            stack_name, entry.logical_id, entry.type, entry.physical_id, resolved.resources[names[entry.logical_id]]
        )
        for entry in resources
        if entry.logical_id in names
    )


def is_retained(resource: RetainedResource) -> bool:
    """Return whether CloudFormation leaves the resource when its stack is deleted."""
    return resource.definition.get("DeletionPolicy") in _RETAINING
