"""One aspect of a resource's change: what a rule of the verdict says about it, in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from automation.deploying.changes.model import Action, Danger, Rank, RankedChange, ResourceChange
from automation.project.settings import Watched

WHOLE = ""
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
# AWS refuses these changes, so there is nothing to allow.
REFUSED_BY_AWS = frozenset({"gsi", "retype"})


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """A template parameter whose value changes; None on the side where the template does not have it."""

    stack: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules need besides the changes of the resources.

    Attributes:
        watched: the settings that pyproject.toml names.
        parameters: the template parameters whose values change.
        code_reasons: why the code of a function changes, by logical id.
        layer_users: the functions of each layer that has a new version, by stack and layer; see code_changes.py.
        deployed_indexes: the global indexes that each table has in AWS now, by stack and logical id; a missing table
            has those of the deployed template.
        lines: changes that no resource shows, such as those of outputs.
        hidden: values that no text may show, such as those of NoEcho parameters.
        adopted: stack and logical id of the resources that a new stack adopts; for permissions they are new.
    """

    watched: tuple[Watched, ...] = ()
    parameters: tuple[ParameterChange, ...] = ()
    code_reasons: Mapping[str, str] = field(default_factory=dict)
    layer_users: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    deployed_indexes: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    lines: tuple[RankedChange, ...] = ()
    hidden: frozenset[str] = field(default_factory=frozenset, repr=False)
    adopted: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Aspect:
    """What one rule says about a change.

    Attributes:
        kind: the kind of danger; empty for what is harmless or only needs attention.
        fix: of a danger, what to do instead.
        paths: the properties that need no line of their own any more; WHOLE for every property.
    """

    rank: Rank
    what: str
    kind: str = ""
    fix: str = ""
    needs_attention: bool = False
    paths: tuple[str, ...] = ()

    def covers(self, path: str) -> bool:
        """Return whether this aspect already says what there is to say about the property at `path`."""
        return any(_is_below(path, covered) or _is_below(covered, path) for covered in self.paths)

    def danger(self, change: ResourceChange) -> Danger:
        """Return the aspect as the danger of a change."""
        return Danger(self.kind, change.stack, change.logical_id, self.rank, self.what, self.fix)

    def line(self, change: ResourceChange) -> RankedChange:
        """Return the aspect as one line of the plan; a danger needs attention."""
        needs_attention = self.needs_attention or bool(self.kind)
        return ranked(change, self.rank, self.what, needs_attention=needs_attention)


def ranked(change: ResourceChange, rank: Rank, what: str, *, needs_attention: bool = False) -> RankedChange:
    """Return one line of the plan about a change."""
    return RankedChange(rank, change.stack, change.logical_id, change.type, change.action, what, needs_attention)


def is_update(change: ResourceChange) -> bool:
    """Return whether the resource exists before and after, with both sides known."""
    return change.action is Action.MODIFY and change.before is not None and change.after is not None


def noun(resource_type: str) -> str:
    """Return the everyday name of a resource type: `table` for AWS::DynamoDB::Table, `log group` for a LogGroup."""
    return _WORD_START.sub(" ", resource_type.rsplit("::", 1)[-1]).lower()


def _is_below(path: str, parent: str) -> bool:
    return parent in {WHOLE, path} or path.startswith(f"{parent}.")
