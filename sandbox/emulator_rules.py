"""Put the rules of `aws_rules.py` into the emulator; runs inside the emulator's process, before it serves.

It replaces functions of ministack by checked ones, so it belongs to one version: launcher.MINISTACK.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sandbox import aws_rules

_TABLE, _BUCKET = "AWS::DynamoDB::Table", "AWS::S3::Bucket"
_PROTECTED = (
    "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
)
_NOT_EMPTY = "The bucket you tried to delete is not empty"
type _Request = dict[str, Any]


def apply() -> None:
    """Replace the emulator's functions by checked ones."""
    from ministack.services import cloudformation  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment

    _replace_tables(cloudformation.provisioners, cloudformation.stacks)
    _check_tables(cloudformation.provisioners)
    _check_buckets(cloudformation.provisioners)
    _check_busy_stacks(cloudformation)
    _check_exports(cloudformation)
    _leave_out_conditional(cloudformation.changesets)


def _replace_tables(provisioners: Any, stacks: Any) -> None:
    """Create the table anew under a new name, and delete or retain the old one, when AWS does."""
    is_replaced = provisioners._replacing_change

    def is_replaced_on_aws(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
        return is_replaced(kind, before, after) or (kind == _TABLE and aws_rules.is_table_replaced(before, after))

    provisioners._replacing_change = stacks._replacing_change = is_replaced_on_aws


def _check_tables(provisioners: Any) -> None:
    handlers, tables = provisioners._RESOURCE_HANDLERS[_TABLE], provisioners._dynamodb._tables
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def create_checked(logical_id: str, properties: Mapping[str, Any], stack: str) -> Any:
        name = properties.get("TableName")
        _fail_if(aws_rules.refuse_attributes(properties))
        _fail_if(f"{name} already exists" if name in tables else "")
        # The emulator's generated name is always the same. It would overwrite the table that a removed logical id left.
        if not name and not provisioners._NAME_SEED.get():
            provisioners._NAME_SEED.set(uuid.uuid4().hex[:8])
        return create(logical_id, properties, stack)

    def update_checked(name: str, before: Mapping[str, Any], after: Mapping[str, Any], *rest: Any) -> Any:
        _fail_if(aws_rules.refuse_attributes(after) or aws_rules.refuse_indexes(before, after))
        return update(name, before, after, *rest)

    def delete_checked(name: str, properties: Mapping[str, Any]) -> Any:
        _fail_if(_PROTECTED if tables.get(name, {}).get("DeletionProtectionEnabled") else "")
        return delete(name, properties)

    handlers |= {"create": create_checked, "update": update_checked, "delete": delete_checked}


def _check_buckets(provisioners: Any) -> None:
    handlers, s3 = provisioners._RESOURCE_HANDLERS[_BUCKET], provisioners._s3
    delete = handlers["delete"]

    def delete_checked(name: str, properties: Mapping[str, Any]) -> Any:
        is_filled = s3._buckets.get(name, {}).get("objects") or s3._bucket_has_versions(name)
        _fail_if(_NOT_EMPTY if is_filled else "")
        return delete(name, properties)

    handlers["delete"] = delete_checked


def _check_busy_stacks(cloudformation: Any) -> None:
    actions, text = cloudformation.handlers._ACTION_HANDLERS, cloudformation.helpers._p

    def refuse_creation(request: _Request) -> str:
        stack = cloudformation.handlers._resolve_stack(text(request, "StackName"))
        # The emulator itself handles stacks that do not exist.
        if not stack or stack["StackStatus"] == "DELETE_COMPLETE":
            return ""
        kind = text(request, "ChangeSetType", "UPDATE")
        return aws_rules.refuse_change_set(stack, kind, text(request, "ChangeSetName"))

    def refuse_execution(request: _Request) -> str:
        name = text(request, "ChangeSetName")
        _, change_set = cloudformation.changesets._find_change_set(name, text(request, "StackName"))
        stack = cloudformation._stacks.get(change_set["StackName"]) if change_set else None
        return aws_rules.refuse_change_set(stack, change_set["ChangeSetType"], name) if stack else ""

    def refuse_deletion(request: _Request) -> str:
        stack = cloudformation.handlers._resolve_stack(text(request, "StackName"))
        return aws_rules.refuse_deletion(stack) if stack else ""

    refusals = {
        "CreateChangeSet": refuse_creation,
        "ExecuteChangeSet": refuse_execution,
        "DeleteStack": refuse_deletion,
    }
    for action, refuse in refusals.items():
        actions[action] = _checked(actions[action], refuse, cloudformation.helpers._error)


def _checked(
    handler: Callable[[_Request], Any], refuse: Callable[[_Request], str], error: Callable[[str, str], Any]
) -> Callable[[_Request], Any]:
    """Return an action that answers ValidationError when a rule refuses the request."""

    def handle(request: _Request) -> Any:
        reason = refuse(request)
        return error("ValidationError", reason) if reason else handler(request)

    return handle


def _check_exports(cloudformation: Any) -> None:
    stacks, exports = cloudformation.stacks, cloudformation._exports
    resolve = stacks._resolve_stack_outputs

    def resolve_checked(*arguments: Any) -> Any:
        name, stack_id = arguments[-2:]
        outputs, resolved = resolve(*arguments)
        before = {export: entry["Value"] for export, entry in exports.items() if entry["StackId"] == stack_id}
        after = {export: entry["Value"] for export, entry in resolved.items()}

        _fail_if(aws_rules.refuse_exports(before, after, lambda export: _importers(cloudformation, export, name)))
        for export in before.keys() - after.keys():
            del exports[export]
        return outputs, resolved

    stacks._resolve_stack_outputs = resolve_checked


def _leave_out_conditional(changesets: Any) -> None:
    """Leave the resources whose condition is false out of a change set; the emulator would list them as changes."""
    resolve = changesets._resolve_props_for_diff

    def resolve_existing(template: Mapping[str, Any], parameters: Mapping[str, Any], *rest: Any) -> Mapping[str, Any]:
        resolved = resolve(template, parameters, *rest)
        conditions = changesets._evaluate_conditions(template, parameters) if resolved else {}
        resources = resolved.get("Resources", {}).items()
        return {**resolved, "Resources": {name: r for name, r in resources if conditions.get(r.get("Condition"), True)}}

    changesets._resolve_props_for_diff = resolve_existing


def _importers(cloudformation: Any, export: str, exporter: str) -> list[str]:
    """Return the stacks that import an export."""
    imported = cloudformation.handlers._imported_export_names
    return [
        name
        for name, stack in cloudformation._stacks.items()
        if name != exporter and stack["StackStatus"] != "DELETE_COMPLETE" and export in imported(stack, name)
    ]


def _fail_if(reason: str) -> None:
    """Fail the resource's change, as ministack's handlers do; an empty reason passes.

    Raises:
        ValueError: there is a reason.
    """
    if reason:
        raise ValueError(reason)
