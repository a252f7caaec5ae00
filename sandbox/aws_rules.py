"""The rules by which AWS refuses or replaces resources of a stack, where the emulator does not.

A rehearsal must not accept what AWS refuses. A rule returns AWS's own words for a refusal; an empty text accepts.
`emulator_rules.py` puts the rules into the emulator. It runs there, so this module imports only the standard library.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

# Source: AWS CloudFormation user guide, "Stack status codes" and "Stack failure options".
_UPDATABLE = frozenset(
    {
        "CREATE_COMPLETE",
        "CREATE_FAILED",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_FAILED",
        "UPDATE_ROLLBACK_COMPLETE",
    }
)
_NOT_EXECUTED = "REVIEW_IN_PROGRESS"
_FIXED_INDEX_KEYS = ("KeySchema", "Projection")


def is_table_replaced(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether AWS replaces a table: its keys, its local indexes, or the type of an attribute change."""
    is_rekeyed = any(before.get(key) != after.get(key) for key in ("KeySchema", "LocalSecondaryIndexes"))
    types, new_types = _attribute_types(before), _attribute_types(after)
    return is_rekeyed or any(types[name] != new_types[name] for name in types.keys() & new_types.keys())


def refuse_attributes(table: Mapping[str, Any]) -> str:
    """Refuse attributes that no key uses, and keys without an attribute."""
    schemas = [table.get("KeySchema") or (), *(index.get("KeySchema") or () for index in _indexes(table))]
    used: set[str] = set()
    for schema in schemas:
        used |= {str(key.get("AttributeName")) for key in schema}

    defined = set(_attribute_types(table))
    names, keys = f"[{', '.join(sorted(defined))}]", f"[{', '.join(sorted(used))}]"
    prefix = "One or more parameter values were invalid: Some"
    if used - defined:
        fault = "index key attributes are not defined in AttributeDefinitions"
        return f"{prefix} {fault}. Keys: {keys}, AttributeDefinitions: {names}"
    if defined - used:
        return f"{prefix} AttributeDefinitions are not used. AttributeDefinitions: {names}, keys used: {keys}"
    return ""


def refuse_indexes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Refuse more than one global index created or deleted, and new keys or a new projection of an existing one."""
    old, new = _global_indexes(before), _global_indexes(after)
    for name in sorted(old.keys() & new.keys()):
        if any(old[name].get(key) != new[name].get(key) for key in _FIXED_INDEX_KEYS):
            return (
                "Cannot update GSI's properties other than Provisioned Throughput and Contributor Insights "
                "Specification. You can create a new GSI with a different name."
            )
    if len(old.keys() ^ new.keys()) > 1:
        return "Cannot perform more than one GSI creation or deletion in a single update"
    return ""


def refuse_change_set(stack: Mapping[str, Any], kind: str, change_set: str) -> str:
    """Refuse to create or execute a change set while the stack is busy or in a state that cannot be changed.

    Args:
        stack: the emulator's record, with StackName, StackId and StackStatus.
        kind: CREATE, UPDATE or IMPORT.
    """
    status = str(stack.get("StackStatus", ""))
    if kind == "CREATE" and status == "ROLLBACK_COMPLETE":
        name = stack.get("StackName")
        return f"Stack [{name}] already exists and cannot be created again with the changeSet [{change_set}]."
    is_open = status in _UPDATABLE or (kind != "UPDATE" and status == _NOT_EXECUTED)
    return "" if is_open else f"Stack:{stack.get('StackId')} is in {status} state and can not be updated."


def refuse_deletion(stack: Mapping[str, Any]) -> str:
    """Refuse to delete a stack while it is being updated."""
    status = str(stack.get("StackStatus", ""))
    is_busy = status.startswith("UPDATE_") and status.endswith("_IN_PROGRESS")
    return f"Stack [{stack.get('StackId')}] cannot be deleted while in status {status}" if is_busy else ""


def refuse_exports(
    before: Mapping[str, str], after: Mapping[str, str], importers: Callable[[str], Sequence[str]]
) -> str:
    """Refuse a new value, or the removal, of an export that another stack imports.

    Args:
        before, after: the values of a stack's exports, by export name.
        importers: returns the stacks that import an export.
    """
    for name, value in before.items():
        stacks = importers(name) if after.get(name) != value else ()
        if stacks:
            verb = "updated" if name in after else "deleted"
            return f"Export {name} cannot be {verb} as it is in use by {' and '.join(stacks)}"
    return ""


def _attribute_types(table: Mapping[str, Any]) -> dict[str, str]:
    return {entry["AttributeName"]: entry.get("AttributeType", "") for entry in table.get("AttributeDefinitions") or ()}


def _global_indexes(table: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {index["IndexName"]: index for index in table.get("GlobalSecondaryIndexes") or ()}


def _indexes(table: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*(table.get("GlobalSecondaryIndexes") or ()), *(table.get("LocalSecondaryIndexes") or ())]
