"""Dangers to stored data: a stateful resource that is removed, renamed, replaced, or no longer retained."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from automation.deploying.changes import schemas
from automation.deploying.changes.model import Action, Rank, Replacement, ResourceChange
from automation.deploying.verdict.aspects import WHOLE, Aspect, is_update, noun
from automation.deploying.verdict.property_texts import as_list, text_of, value_of

_IMPORTS = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html"
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")
_ATTRIBUTES = "Properties.AttributeDefinitions"
_INDEXES = "GlobalSecondaryIndexes"
# What is left of a resource under each policy; RetainExceptOnCreate keeps whatever was created successfully.
_KEPT = {"Delete": 0, "Snapshot": 1, "RetainExceptOnCreate": 2, "Retain": 2}
# Names, labels and texts do not tell two resources apart that hold the same kind of data.
_LABELS = frozenset({"Tags", "Description", "AlarmName", "AlarmDescription", "TableName", "QueueName", "BucketName"})


def aspects(
    change: ResourceChange,
    changes: Sequence[ResourceChange],
    deployed_indexes: Mapping[tuple[str, str], Collection[str]],
) -> Iterator[Aspect]:
    """Yield what a change does to stored data.

    Args:
        changes: those of every stack, among which a renamed resource has its twin.
        deployed_indexes: the global indexes that tables have in AWS now, by stack and logical id.
    """
    if change.before and change.after and change.before.get("Type") != change.after.get("Type"):
        yield _changed_type(str(change.before.get("Type")), str(change.after.get("Type")))
    elif change.action is Action.REMOVE and schemas.is_stateful(change.type):
        yield _removed(change, twin_of(change, changes))
    elif change.action is Action.MODIFY:
        replacement = replacement_of(change)
        if replacement is not Replacement.NO:
            yield _replaced(change, replacement)
        elif change.type in schemas.TABLES and is_update(change):
            yield from _changed_indexes(change, deployed_indexes.get((change.stack, change.logical_id)))
        yield from _not_retained(change)


def replacement_of(change: ResourceChange) -> Replacement:
    """Return whether a change replaces the resource; new attribute definitions of a table do not.

    A new index needs new attributes, and only an edited definition replaces the table, although CloudFormation calls
    both "conditional".
    """
    if change.type not in schemas.TABLES or not is_update(change):
        return change.replacement
    replacing = [entry for entry in change.properties if entry.replacement is not Replacement.NO]
    is_only_attributes = bool(replacing) and all(entry.path.startswith(_ATTRIBUTES) for entry in replacing)
    return Replacement.NO if is_only_attributes and not _retypes_attribute(change) else change.replacement


def twin_of(change: ResourceChange, changes: Sequence[ResourceChange]) -> ResourceChange | None:
    """Return the added resource that looks like the removed one: its type, and its keys or all its properties."""
    identity = _identity(change.type, change.before)
    twins = (
        candidate
        for candidate in changes
        if candidate.action is Action.ADD and candidate.type == change.type
        if _identity(candidate.type, candidate.after) == identity
    )
    return min(twins, key=lambda twin: (twin.stack != change.stack, twin.stack, twin.logical_id), default=None)


def _changed_type(before: str, after: str) -> Aspect:
    what = f"the type changes from {before} to {after}: CloudFormation refuses this"
    fix = "give the new resource a logical id of its own"
    return Aspect(Rank.DATA_LOSS, what, "retype", fix, paths=(WHOLE,))


def _removed(change: ResourceChange, twin: ResourceChange | None) -> Aspect:
    name, what = noun(change.type), _fate(change, "the")
    if twin is None:
        return Aspect(Rank.DATA_LOSS, what, "delete", f"keep {change.logical_id} in the template", paths=(WHOLE,))

    place = "" if twin.stack == change.stack else f" in the stack {twin.stack}"
    what = f"renamed to {twin.logical_id}{place}, which starts as a new, empty {name}; {what}"
    fix = f"keep the logical id {change.logical_id}, or import the existing {name} as {twin.logical_id}: {_IMPORTS}"
    return Aspect(Rank.DATA_LOSS, what, "rename", fix, paths=(WHOLE,))


def _fate(change: ResourceChange, article: str) -> str:
    subject = f"{article} {noun(change.type)}"
    match change.policy_action.removeprefix("ReplaceAnd"):
        case "Retain":
            return f"{subject} is orphaned: it stays in AWS with its data, but no stack manages it any more"
        case "Snapshot":
            return f"{subject} is deleted after a last snapshot"
        case _:
            return f"{subject} is deleted with its data"


def _replaced(change: ResourceChange, replacement: Replacement) -> Aspect:
    causes = [
        entry.path.removeprefix("Properties.") for entry in change.properties if entry.replacement is not Replacement.NO
    ]
    verb = "changes" if len(causes) == 1 else "change"
    because = f", because {', '.join(causes)} {verb}" if causes else ""
    is_certain = replacement is Replacement.YES
    if not schemas.is_stateful(change.type):
        what = f"{'is' if is_certain else 'may be'} replaced by a new {noun(change.type)}{because}"
        return Aspect(Rank.REPLACEMENT, what, needs_attention=True)

    replaced = "is replaced" if is_certain else "can be replaced"
    what = f"{replaced} by a new, empty {noun(change.type)}{because}; {_fate(change, 'the old')}"
    fix = (
        f"keep {', '.join(causes) or 'the resource'} as deployed, or add a second {noun(change.type)} and move the data"
    )
    return Aspect(Rank.DATA_LOSS, what, "replace", fix)


def _not_retained(change: ResourceChange) -> Iterator[Aspect]:
    if not schemas.is_stateful(change.type):
        return
    for entry in change.properties:
        before, after = (text_of(value or "Delete") for value in (entry.before, entry.after))
        # A policy that is only known at deploy time counts as Delete.
        if entry.path in _POLICIES and _KEPT.get(after, 0) < _KEPT.get(before, 0):
            event = "removed" if entry.path == "DeletionPolicy" else "replaced"
            what = f"{entry.path}: {before} -> {after}: the {noun(change.type)} would be lost once it is {event}"
            yield Aspect(Rank.DATA_LOSS, what, "unretain", f"keep {entry.path}: {before}", paths=(entry.path,))


def _changed_indexes(change: ResourceChange, deployed: Collection[str] | None) -> Iterator[Aspect]:
    before, after = _indexes(change.before), _indexes(change.after)
    existing = set(before) if deployed is None else set(deployed)
    added, removed = sorted(set(after) - existing), sorted(existing - set(after))
    changed = sorted(
        name for name in existing & set(after) & set(before) if _layout(before[name]) != _layout(after[name])
    )
    steps = [f"adds {name}" for name in added] + [f"removes {name}" for name in removed]
    steps += [f"changes {name}" for name in changed]

    # An index cannot be changed in place: a changed one is a removal and an addition.
    if len(steps) + len(changed) > 1:
        what = f"{', '.join(steps)}: AWS refuses more than one addition or removal of an index per update of a table"
        fix = "deploy one index at a time; to change an index, add it under a new name and then remove the old one"
        yield Aspect(Rank.DATA_LOSS, what, "gsi", fix, paths=(f"Properties.{_INDEXES}",))
    elif steps:
        what = f"{_INDEXES}: {steps[0]}"
        yield Aspect(Rank.OTHER, what, needs_attention=bool(removed), paths=(f"Properties.{_INDEXES}",))


def _indexes(resource: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    indexes = as_list(value_of(resource, _INDEXES))
    return {text_of(index.get("IndexName")): index for index in indexes if isinstance(index, Mapping)}


def _layout(index: Mapping[str, Any]) -> tuple[str, str]:
    return text_of(index.get("KeySchema")), text_of(index.get("Projection"))


def _retypes_attribute(change: ResourceChange) -> bool:
    before, after = (value_of(resource, "AttributeDefinitions") for resource in (change.before, change.after))
    return schemas.retypes_attribute(before, after)


def _identity(resource_type: str, resource: Mapping[str, Any] | None) -> str:
    if resource_type in schemas.TABLES:
        return text_of(value_of(resource, "KeySchema"))
    properties = (resource or {}).get("Properties") or {}
    return text_of({key: properties[key] for key in sorted(properties) if key not in _LABELS})
