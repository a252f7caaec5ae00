"""The values of a deployment plan: property changes, the dangers among them, and the verdict."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class Action(StrEnum):
    """What CloudFormation does with a resource."""

    ADD = "add"
    MODIFY = "modify"
    REMOVE = "remove"
    IMPORT = "import"


class Replacement(StrEnum):
    """Whether a change replaces the resource. CONDITIONAL: it depends on the values, and only AWS knows."""

    NO = "no"
    CONDITIONAL = "conditional"
    YES = "yes"


class Rank(IntEnum):
    """The kinds of changes, the most important first."""

    DATA_LOSS = 1
    REPLACEMENT = 2
    PERMISSIONS = 3
    MONITORING = 4
    WATCHED = 5
    CODE = 6
    LAYERS = 7
    OTHER = 8


class Verdict(StrEnum):
    """The verdict on a plan, from the most harmless to the worst."""

    NOTHING = "nothing to do"
    SAFE = "safe"
    CONSENT = "needs consent"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class Expanded:
    """A template after SAM's transform, with the values that its intrinsics refer to.

    Attributes:
        template: the sections of the CloudFormation template, intrinsics in long form.
        parameters: the values of its parameters, and of pseudo parameters such as AWS::Region; a missing one has its
            default.
        exports: the values of `Fn::ImportValue`, by export name, as far as they are known.
    """

    template: Mapping[str, Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """The change of one property.

    Attributes:
        path: from the resource, such as `Properties.KeySchema`, `DeletionPolicy` or `Properties.Environment.STAGE`.
        before, after: the values, resolved as far as they are known; None when the property is missing on that side.
            They are equal when the property only follows a resource that is replaced.
    """

    path: str
    before: Any = None
    after: Any = None
    replacement: Replacement = Replacement.NO


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """The change of one resource of a stack.

    Attributes:
        stack: the stack's name in pyproject.toml.
        replacement: the worst of its properties; YES when the type changes.
        policy_action: what CloudFormation does with the old resource: Delete, Retain, Snapshot, ReplaceAndDelete,
            ReplaceAndRetain, ReplaceAndSnapshot; empty when it stays.
        before, after: the whole resource (Type, Properties, DeletionPolicy, …), resolved as far as it is known; None on
            the side where it does not exist.
    """

    stack: str
    logical_id: str
    type: str
    action: Action
    replacement: Replacement = Replacement.NO
    policy_action: str = ""
    properties: tuple[PropertyChange, ...] = ()
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Danger:
    """A change that is forbidden unless it is named with `--allow`.

    Attributes:
        kind: such as `replace`, `delete`, `widen`; see dangers.py.
        resource: its logical id; `stack/id` where two stacks have a danger of the same name.
        what: what would happen, as one sentence without a full stop.
        fix: what to do instead; empty when the only way is to allow it.
    """

    kind: str
    stack: str
    resource: str
    rank: Rank
    what: str
    fix: str = ""

    @property
    def name(self) -> str:
        """The name for `--allow`, such as `replace:Ledger`."""
        return f"{self.kind}:{self.resource}"


@dataclass(frozen=True, slots=True)
class RankedChange:
    """One line of a plan: a change, or one aspect of it, in words.

    Attributes:
        resource: a logical id; of a line that sums up several resources, such as layers, what they are.
        what: what changes, such as `MemorySize: 512 -> 600`.
        needs_attention: whether a safe plan becomes one that needs consent.
    """

    rank: Rank
    stack: str
    resource: str
    type: str
    action: Action
    what: str
    needs_attention: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """The ranked changes of a plan and its dangers.

    Attributes:
        changes: the most important first.
        dangers: those that were not allowed.
        allowed: the dangers that were allowed by name.
        unused: the names given with --allow that no danger has.
    """

    changes: tuple[RankedChange, ...] = ()
    dangers: tuple[Danger, ...] = ()
    allowed: tuple[Danger, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict on the whole plan."""
        if self.dangers:
            return Verdict.FORBIDDEN
        if self.allowed or any(change.needs_attention for change in self.changes):
            return Verdict.CONSENT
        return Verdict.SAFE if self.changes else Verdict.NOTHING
