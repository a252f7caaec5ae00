"""Merge what a change set says into what the comparison of the templates found. Pure.

On AWS the change set knows more: values that only AWS can resolve, and what follows from them. An emulator's has no
values and misses replacements, so of two answers on a replacement the worse holds.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from automation.deploying.changes import comparison, resolution, schemas
from automation.deploying.changes.model import Action, PropertyChange, Replacement, ResourceChange

_ACTIONS = {"Add": Action.ADD, "Remove": Action.REMOVE, "Import": Action.IMPORT}
_REPLACEMENTS = {"True": Replacement.YES, "Conditional": Replacement.CONDITIONAL}
_RECREATIONS = {"Always": Replacement.YES, "Conditionally": Replacement.CONDITIONAL}
# Every deployment sets the stack's tags, which CloudFormation passes on to each resource; Metadata has no effect.
_WITHOUT_EFFECT = frozenset({"Tags", "Metadata"})
_FUNCTION = "AWS::Lambda::Function"
_LAYERS = "Properties.Layers"


def with_change_set(
    stack: str, changes: Sequence[ResourceChange], described: Mapping[str, Any]
) -> tuple[ResourceChange, ...]:
    """Return the changes with what a change set says about them, then those that only the change set has.

    Args:
        stack: the stack's name in pyproject.toml.
        changes: from `comparison.compare`.
        described: the answer of DescribeChangeSet with IncludePropertyValues, with all pages under `Changes`.

    Raises:
        ToolError: cfn-lint, whose schemas say which types hold data, is not installed.
    """
    merged = {change.logical_id: change for change in changes}
    entries = [change["ResourceChange"] for change in described.get("Changes") or () if "ResourceChange" in change]
    for entry in filter(_has_effect, entries):
        resource_type = str(entry["ResourceType"])
        if resolution.is_hashed(resource_type):
            _add_new_version(merged, entry, stack)
        else:
            logical_id = str(entry["LogicalResourceId"])
            change = _merge(merged.get(logical_id) or _unseen(stack, logical_id, entry), entry)
            if change.action is not Action.MODIFY or change.properties or change.replacement is not Replacement.NO:
                merged[logical_id] = change
    return tuple(merged.values())


def _add_new_version(merged: dict[str, ResourceChange], entry: Mapping[str, Any], stack: str) -> None:
    """Fold the old and the new resource of a layer, which have an id each, into one modified resource.

    The comparison knows both templates, so its own change of the resource stays as it is.
    """
    logical_id, resource_type = str(entry["LogicalResourceId"]), str(entry["ResourceType"])
    name = resolution.stable_name(logical_id, resource_type)
    if logical_id in merged:
        return
    earlier = merged.get(name)
    if earlier is None:
        merged[name] = ResourceChange(stack, name, resource_type, _ACTIONS.get(str(entry["Action"]), Action.MODIFY))
    elif earlier.before is None and earlier.after is None:
        merged[name] = replace(earlier, action=Action.MODIFY, policy_action="")


def _has_effect(entry: Mapping[str, Any]) -> bool:
    scope = entry.get("Scope") or ()
    return not scope or not _WITHOUT_EFFECT.issuperset(scope)


def _unseen(stack: str, logical_id: str, entry: Mapping[str, Any]) -> ResourceChange:
    resource_type = str(entry["ResourceType"])
    before, after = (_context(resource_type, entry.get(side)) for side in ("BeforeContext", "AfterContext"))
    return ResourceChange(stack, logical_id, resource_type, Action.MODIFY, before=before, after=after)


def _context(resource_type: str, text: Any) -> Mapping[str, Any] | None:
    """Return the whole resource, which a change set has as JSON without its type; None where it has none."""
    content = _value(text)
    return {"Type": resource_type, **content} if isinstance(content, Mapping) else None


def _merge(change: ResourceChange, entry: Mapping[str, Any]) -> ResourceChange:
    action = _ACTIONS.get(str(entry["Action"]), Action.MODIFY)
    answer = schemas.counted(change.type, _REPLACEMENTS.get(str(entry.get("Replacement")), Replacement.NO))
    details = [
        detail for detail in entry.get("Details") or () if detail["Target"].get("Attribute") not in _WITHOUT_EFFECT
    ]
    properties = _merged_properties(change, [_property_change(change.type, detail) for detail in details])
    combined = comparison.with_properties(replace(change, action=action, replacement=answer), properties)
    return replace(combined, policy_action=str(entry.get("PolicyAction") or combined.policy_action))


def _merged_properties(change: ResourceChange, details: Iterable[PropertyChange]) -> tuple[PropertyChange, ...]:
    merged = {entry.path: entry for entry in change.properties}
    for detail in details:
        overlapping = [path for path in merged if _overlap(path, detail.path)]
        for path in overlapping:
            merged[path] = _combined(merged[path], detail)
        if not overlapping and _is_news(change.type, detail):
            merged[detail.path] = detail
    return tuple(merged.values())


def _overlap(path: str, detail_path: str) -> bool:
    """Return whether one path contains the other: an emulator names the property only, AWS an item of a list."""
    return f"{path}.".startswith(f"{detail_path}.") or f"{detail_path}.".startswith(f"{path}.")


def _combined(entry: PropertyChange, detail: PropertyChange) -> PropertyChange:
    combined = replace(entry, replacement=schemas.worst(entry.replacement, detail.replacement))
    if entry.path != detail.path:
        return combined
    before = entry.before if detail.before is None else detail.before
    after = entry.after if detail.after is None else detail.after
    return replace(combined, before=before, after=after)


def _is_news(resource_type: str, detail: PropertyChange) -> bool:
    """Return whether a detail that the comparison lacks is a change.

    A value that AWS resolves to the same is not. A function's layers were compared by their names, so what is left is
    the number of a layer's version.
    """
    is_same = detail.before is not None and detail.before == detail.after
    has_new_layer_version = resource_type == _FUNCTION and _overlap(_LAYERS, detail.path)
    return not is_same and not has_new_layer_version


def _property_change(resource_type: str, detail: Mapping[str, Any]) -> PropertyChange:
    target = detail["Target"]
    path = str(target.get("Path") or "").strip("/").replace("/", ".")
    name = [str(target[key]) for key in ("Attribute", "Name") if target.get(key)]
    replacement = _RECREATIONS.get(str(target.get("RequiresRecreation")), Replacement.NO)
    is_uncertain = detail.get("Evaluation") == "Dynamic"
    counted = schemas.uncertain if is_uncertain else schemas.counted
    return PropertyChange(
        path=path or ".".join(name),
        before=_value(target.get("BeforeValue")),
        after=_value(target.get("AfterValue")),
        replacement=counted(resource_type, replacement),
    )


def _value(text: Any) -> Any:
    """Return a value of a change set: text, or JSON for a list or a mapping."""
    if not isinstance(text, str) or not text.startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
