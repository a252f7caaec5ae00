"""Stacks, their resources and their events as CloudFormation describes them. No SDK is imported here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from automation.system.errors import DeploymentError

STACK_TYPE = "AWS::CloudFormation::Stack"
_IN_PROGRESS = "_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as CloudFormation describes it; `status` is empty when there is no such stack.

    Attributes:
        stack_id: changes when the stack is deleted and created again.
        changed_at: when it was last created or updated, RFC 3339.
    """

    name: str
    status: str = ""
    stack_id: str = ""
    changed_at: str = ""

    @property
    def exists(self) -> bool:
        return bool(self.status)


@dataclass(frozen=True, slots=True)
class StackDescription:
    """A deployed stack with its values.

    Attributes:
        parameters: by name; a value that CloudFormation hides (NoEcho) is `****`.
        is_protected: whether CloudFormation refuses to delete it.
    """

    state: StackState
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    is_protected: bool = False


@dataclass(frozen=True, slots=True)
class StackResource:
    """A resource of a deployed stack."""

    logical_id: str
    physical_id: str
    type: str


@dataclass(frozen=True, slots=True)
class StackEvent:
    """One event of a stack.

    Attributes:
        id: unique among the events of the stack.
    """

    id: str
    stack_id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""

    @property
    def is_of_stack(self) -> bool:
        """Whether it is about the stack itself and not about a resource or a nested stack."""
        return self.type == STACK_TYPE and self.physical_id == self.stack_id

    @property
    def is_running(self) -> bool:
        """Whether what it is about was still changing."""
        return self.status.endswith(_IN_PROGRESS)


class Stage(StrEnum):
    """A template as it was sent, or as it is after the transforms."""

    ORIGINAL = "Original"
    PROCESSED = "Processed"


class NoSuchStackError(DeploymentError):
    """CloudFormation has no stack of that name."""


class StaleChangeSetError(DeploymentError):
    """A change set no longer exists, or can no longer be executed because its stack has changed since."""


def failure_reason(events: Iterable[StackEvent]) -> str:
    """Return the first failure that is not the consequence of another, as `Resource (Type): reason`.

    Args:
        events: the oldest first.

    Returns:
        Empty when no event gives a reason.
    """
    for event in events:
        if event.status.endswith("_FAILED") and "cancelled" not in event.reason.lower():
            return f"{event.logical_id} ({event.type}): {event.reason or 'no reason'}"
    return ""
