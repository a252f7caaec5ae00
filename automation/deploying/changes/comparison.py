"""Compare two expanded templates, property by property, as CloudFormation would. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from automation.deploying.changes import resolution, schemas
from automation.deploying.changes.model import Action, Expanded, PropertyChange, Replacement, ResourceChange
from automation.deploying.changes.resolution import ResolvedTemplate

LOGICAL_ID = "LogicalId"
_ATTRIBUTES = ("Type", "Properties", "DeletionPolicy", "UpdateReplacePolicy", "CreationPolicy", "UpdatePolicy")
# Code is one value: a new zip changes the key, and inline code that becomes a zip is still a change of the code.
_WHOLE = frozenset({("AWS::Lambda::Function", "Properties.Code"), ("AWS::Lambda::LayerVersion", "Properties.Content")})
_POLICIES = {"Retain": "Retain", "RetainExceptOnCreate": "Retain", "Snapshot": "Snapshot"}


def compare(stack: str, before: Expanded | None, after: Expanded | None) -> tuple[ResourceChange, ...]:
    """Return what changes in a stack: the resources of `after` in their order, then those removed.

    A layer, version or API deployment, for whose every content SAM makes a new resource, is one modified resource under
    its name without the hash. A property that refers to a replaced resource changes with it; its two values are equal,
    because only AWS knows the new one.

    Args:
        stack: the stack's name in pyproject.toml.
        before: what is deployed; None for a stack that does not exist yet.
        after: what it becomes; None for a stack that is removed.

    Raises:
        ToolError: cfn-lint, whose schemas say what replaces a resource, is not installed.
    """
    old, new = resolution.resolve(before), resolution.resolve(after)
    names = [*new.resources, *(name for name in old.resources if name not in new.resources)]
    changes = {name: change for name in names if (change := _change(stack, name, old, new))}
    changes = _with_dependants(stack, changes, old, new)
    return tuple(changes[name] for name in names if name in changes)


def changed_exports(before: Expanded | None, after: Expanded | None) -> frozenset[str]:
    """Return the names of the exports that are new or removed, or whose value changes.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    old, new = resolution.resolve(before).exports, resolution.resolve(after).exports
    replaced = {change.logical_id for change in compare("", before, after) if _replaces(change)}
    return frozenset(
        name
        for name in {*old, *new}
        if not is_same(old.get(name), new.get(name)) or resolution.references(new.get(name)) & replaced
    )


def is_same(before: Any, after: Any) -> bool:
    """Return whether two values mean the same to CloudFormation, for which 30 and "30", true and "true" are equal."""
    return bool(_canonical(before) == _canonical(after))


def policy_action(
    action: Action,
    replacement: Replacement,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> str:
    """Return what CloudFormation does with the old resource, as in a change set; empty when it stays."""
    if action is Action.REMOVE:
        return _policy(before, "DeletionPolicy")
    if action is Action.MODIFY and replacement is Replacement.YES:
        return f"ReplaceAnd{_policy(after, 'UpdateReplacePolicy')}"
    return ""


def _policy(resource: Mapping[str, Any] | None, attribute: str) -> str:
    return _POLICIES.get(str((resource or {}).get(attribute)), "Delete")


def _change(stack: str, name: str, old: ResolvedTemplate, new: ResolvedTemplate) -> ResourceChange | None:
    before, after = old.resources.get(name), new.resources.get(name)
    resource_type = str((after or before or {}).get("Type"))
    if before is None or after is None:
        action = Action.ADD if before is None else Action.REMOVE
        policy = policy_action(action, Replacement.NO, before, after)
        return ResourceChange(stack, name, resource_type, action, policy_action=policy, before=before, after=after)

    properties = tuple(_property_changes(before, after))
    old_id, new_id = old.logical_ids[name], new.logical_ids[name]
    if not properties and old_id != new_id:
        properties = (PropertyChange(LOGICAL_ID, old_id, new_id),)
    if not properties:
        return None
    return with_properties(
        ResourceChange(stack, name, resource_type, Action.MODIFY, before=before, after=after), properties
    )


def with_properties(change: ResourceChange, properties: tuple[PropertyChange, ...]) -> ResourceChange:
    """Return the change with these properties, and the replacement and policy action that follow from them."""
    replacement = schemas.worst(change.replacement, *(entry.replacement for entry in properties))
    action = policy_action(change.action, replacement, change.before, change.after)
    return replace(change, properties=properties, replacement=replacement, policy_action=action)


def _property_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[PropertyChange]:
    resource_type = str(after["Type"])
    for attribute in _ATTRIBUTES:
        sides = (before.get(attribute), after.get(attribute))
        if attribute == "Properties":
            sides = (sides[0] or {}, sides[1] or {})
        for path, old, new in _differences(attribute, *sides, resource_type):
            yield PropertyChange(path, old, new, _replacement(resource_type, path, old, new))


def _replacement(resource_type: str, path: str, before: Any, after: Any) -> Replacement:
    if resolution.is_hashed(resource_type):
        return Replacement.NO
    if path == "Type":
        return Replacement.YES
    return schemas.replacement_of(resource_type, path, before=before, after=after)


def _differences(path: str, before: Any, after: Any, resource_type: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the path of each differing leaf, with its values; a list is one leaf."""
    if is_same(before, after):
        return
    if (resource_type, path) in _WHOLE or not (_is_table(before) and _is_table(after)):
        yield path, before, after
        return
    for key in {**before, **after}:
        yield from _differences(f"{path}.{key}", before.get(key), after.get(key), resource_type)


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) and not resolution.is_intrinsic(value)


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _canonical(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_canonical(inner) for inner in value]
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def _replaces(change: ResourceChange) -> bool:
    return change.action is Action.MODIFY and change.replacement is not Replacement.NO


def _with_dependants(
    stack: str, changes: dict[str, ResourceChange], old: ResolvedTemplate, new: ResolvedTemplate
) -> dict[str, ResourceChange]:
    """Add the properties that refer to a replaced resource, until no further resource is replaced by that."""
    replaced: dict[str, Replacement] = {}
    while True:
        current = {name: change.replacement for name, change in changes.items() if _replaces(change)}
        if current == replaced:
            return changes
        replaced, changes = current, dict(changes)
        for name in [name for name in new.resources if name in old.resources]:
            before, after = old.resources[name], new.resources[name]
            change = changes.get(name) or ResourceChange(
                stack, name, str(after["Type"]), Action.MODIFY, before=before, after=after
            )
            known_paths = {entry.path for entry in change.properties}
            followers = tuple(entry for entry in _followers(after, replaced) if entry.path not in known_paths)
            if followers:
                changes[name] = with_properties(change, (*change.properties, *followers))


def _followers(resource: Mapping[str, Any], replaced: Mapping[str, Replacement]) -> Iterator[PropertyChange]:
    resource_type = str(resource["Type"])
    for path, value in _leaves("Properties", resource.get("Properties") or {}):
        causes = [replaced[name] for name in resolution.references(value) if name in replaced]
        if causes:
            answer = _replacement(resource_type, path, value, value)
            if Replacement.YES not in causes:
                answer = schemas.uncertain(resource_type, answer)
            yield PropertyChange(path, value, value, answer)


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not _is_table(value):
        yield path, value
        return
    for key, inner in value.items():
        yield from _leaves(f"{path}.{key}", inner)
