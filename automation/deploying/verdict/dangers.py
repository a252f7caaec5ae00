"""The verdict on a plan: what changes, ranked, and which changes are forbidden unless they are allowed by name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from automation.deploying.changes import schemas
from automation.deploying.changes.comparison import LOGICAL_ID, is_same
from automation.deploying.changes.model import (
    Action,
    Assessment,
    Danger,
    PropertyChange,
    Rank,
    RankedChange,
    Replacement,
    ResourceChange,
)
from automation.deploying.verdict import (
    code_changes,
    data_loss,
    monitoring,
    permissions,
    protections,
    public_access,
    role_changes,
    watched_settings,
)
from automation.deploying.verdict.aspects import REFUSED_BY_AWS, WHOLE, Aspect, Facts, ranked
from automation.deploying.verdict.property_texts import HIDDEN, change_text

# The kinds of danger, as in `--allow KIND:RESOURCE`. Where two stacks have a danger of the same name, the resource is
# STACK/RESOURCE.
KINDS: Mapping[str, str] = {
    "delete": "a resource that holds data is removed; a retained one stays in AWS, but no stack manages it any more",
    "replace": "a resource that holds data is, or can be, replaced by a new, empty one",
    "rename": "a resource that holds data gets another logical id, so a new, empty one takes its place",
    "unretain": "`DeletionPolicy` or `UpdateReplacePolicy` no longer keeps the data",
    "unprotect": "encryption, versioning, backups, deletion protection or a dead-letter queue goes, or data expires",
    "widen": "a new action, resource, principal or policy; a condition, a denial or a permissions boundary goes",
    "public": "everybody can reach it",
    "unwatch": "an alarm is deleted or disabled, or reports to fewer",
    "watched": "a watched setting gets a value that pyproject.toml forbids",
    "gsi": "a table gets more than one change of its global indexes; AWS refuses it, so it cannot be allowed",
    "retype": "a logical id gets another type; AWS refuses it, so it cannot be allowed",
}
# Hiding a shorter value would hide parts of other words.
_SHORTEST_HIDDEN = 4
_VERSIONS = frozenset({code_changes.LAYER, code_changes.VERSION})


def assess(
    changes: Sequence[ResourceChange], facts: Facts | None = None, *, allow: Iterable[str] = (), enforce: bool = True
) -> Assessment:
    """Rank the changes of a plan, and say which of them are dangers.

    Args:
        changes: those of every stack of the plan, since a resource may move from one stack to another.
        allow: names of dangers, such as `replace:Ledger`; names without a colon, such as `dirty`, are not for dangers.
        enforce: whether dangers must be allowed by name; not in a sandbox. What AWS refuses stays a danger.

    Raises:
        ToolError: cfn-lint, whose data say which types hold data, is not installed.
    """
    facts = facts or Facts()
    lines: list[RankedChange] = [*facts.lines]
    dangers: list[Danger] = []
    for change in changes:
        aspects = _aspects(change, changes, facts)
        lines += _lines(change, aspects)
        dangers += [aspect.danger(change) for aspect in aspects if aspect.kind]
    lines += watched_settings.parameter_lines(facts.parameters, facts.watched)
    lines += code_changes.layer_lines(changes, facts.layer_users)
    dangers += watched_settings.parameter_dangers(facts.parameters, facts.watched)

    names = [name for name in allow if ":" in name]
    merged = _with_distinct_names(_merged(replace(danger, what=_hide(danger.what, facts)) for danger in dangers))
    is_allowed = {
        danger.name: danger.kind not in REFUSED_BY_AWS and (not enforce or danger.name in names) for danger in merged
    }
    shown = (replace(line, what=_hide(line.what, facts)) for line in lines)
    return Assessment(
        changes=tuple(sorted(shown, key=lambda line: line.rank)),
        dangers=tuple(danger for danger in merged if not is_allowed[danger.name]),
        allowed=tuple(danger for danger in merged if is_allowed[danger.name]),
        unused=tuple(name for name in dict.fromkeys(names) if name not in is_allowed),
    )


def _aspects(change: ResourceChange, changes: Sequence[ResourceChange], facts: Facts) -> tuple[Aspect, ...]:
    """Return what all rules say; what a watched setting says already, such as a schedule's state, is not repeated."""
    settings = tuple(watched_settings.aspects(change, facts.watched))
    watched = {aspect.paths for aspect in settings if aspect.paths}
    rules = _rules(change, changes, facts)
    return (*(aspect for aspect in rules if aspect.kind or aspect.paths not in watched), *settings)


def _rules(change: ResourceChange, changes: Sequence[ResourceChange], facts: Facts) -> Iterator[Aspect]:
    yield from data_loss.aspects(change, changes, facts.deployed_indexes)
    yield from protections.aspects(change)
    yield from permissions.aspects(change, changes, facts.adopted)
    yield from role_changes.aspects(change, changes)
    yield from public_access.aspects(change)
    yield from monitoring.aspects(change, changes)
    yield from code_changes.aspects(change, facts.code_reasons)


def _lines(change: ResourceChange, aspects: Sequence[Aspect]) -> Iterator[RankedChange]:
    for aspect in aspects:
        yield aspect.line(change)
    if code_changes.is_new_version(change) or any(WHOLE in aspect.paths for aspect in aspects):
        return
    if change.action is Action.MODIFY:
        for entry in change.properties:
            if entry.path != LOGICAL_ID and not any(aspect.covers(entry.path) for aspect in aspects):
                yield ranked(change, _rank(change, entry), _text(entry))
    else:
        yield _whole(change)


def _whole(change: ResourceChange) -> RankedChange:
    """Return the line of an added, imported or removed resource."""
    is_permission = permissions.is_permission_type(change.type)
    rank = Rank.LAYERS if change.type in _VERSIONS else Rank.PERMISSIONS if is_permission else Rank.OTHER
    if change.action is not Action.REMOVE:
        return ranked(change, rank, "imported" if change.action is Action.IMPORT else "added")
    # A permission or a version that goes takes nothing else with it.
    return ranked(change, rank, "removed", needs_attention=rank is Rank.OTHER)


def _rank(change: ResourceChange, entry: PropertyChange) -> Rank:
    if entry.replacement is Replacement.NO or data_loss.replacement_of(change) is Replacement.NO:
        return Rank.OTHER
    return Rank.DATA_LOSS if schemas.is_stateful(change.type) else Rank.REPLACEMENT


def _text(entry: PropertyChange) -> str:
    if entry.before is None and entry.after is None:
        # Only the change set names this property, without values.
        return f"{entry.path.removeprefix('Properties.')}: may change with a resource that it refers to"
    if is_same(entry.before, entry.after):
        return f"{entry.path.removeprefix('Properties.')}: refers to a resource that is replaced"
    return change_text(entry.path, entry.before, entry.after)


def _merged(dangers: Iterable[Danger]) -> list[Danger]:
    """Return one danger per kind and resource, the most important first."""
    merged: dict[tuple[str, str, str], Danger] = {}
    for danger in sorted(dangers, key=lambda danger: danger.rank):
        key = (danger.kind, danger.stack, danger.resource)
        earlier = merged.get(key)
        merged[key] = danger if earlier is None else _joined(earlier, danger)
    return list(merged.values())


def _joined(first: Danger, second: Danger) -> Danger:
    fixes = dict.fromkeys(fix for fix in (first.fix, second.fix) if fix)
    return replace(first, what=f"{first.what}; {second.what}", fix="; ".join(fixes))


def _with_distinct_names(dangers: Sequence[Danger]) -> tuple[Danger, ...]:
    """Put the stack in front of the resource where two dangers would have the same name."""
    stacks: dict[str, set[str]] = {}
    for danger in dangers:
        stacks.setdefault(danger.name, set()).add(danger.stack)
    return tuple(_with_stack(danger) if len(stacks[danger.name]) > 1 else danger for danger in dangers)


def _with_stack(danger: Danger) -> Danger:
    return replace(danger, resource=f"{danger.stack}/{danger.resource}")


def _hide(text: str, facts: Facts) -> str:
    for value in sorted(facts.hidden, key=len, reverse=True):
        text = text.replace(value, HIDDEN) if len(value) >= _SHORTEST_HIDDEN else text
    return text
