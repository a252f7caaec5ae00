"""Keep deleted stacks as AWS does for 90 days, with what they retained; runs inside the emulator's process.

A deleted stack is only known by its id, says when it was deleted, and lists its resources: DELETE_SKIPPED are those
that still exist. A stack whose creation could not be rolled back lists what could not be deleted as DELETE_FAILED. The
emulator forgets both. This module runs there, so it imports only the standard library.
"""

import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from itertools import dropwhile
from typing import Any

_DELETED = "DELETE_COMPLETE"
_ENDS = frozenset({_DELETED, "DELETE_SKIPPED"})
_STACK = "AWS::CloudFormation::Stack"
_BEGINNINGS = frozenset({"DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"})
type _Stacks = MutableMapping[str, dict[str, Any]]


def apply() -> None:
    """Replace the emulator's deletion of a stack, and its search for the stack that has a resource."""
    from ministack.services import cloudformation  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment

    handlers, stacks = cloudformation.handlers, cloudformation.stacks
    delete = stacks._delete_stack_async

    async def delete_and_keep(name: str, stack_id: str, *rest: Any, **options: Any) -> None:
        await delete(name, stack_id, *rest, **options)
        keep_deleted(cloudformation._stacks, name, cloudformation._stack_events.get(stack_id, ()))

    roll_back = stacks._roll_back_operation

    async def roll_back_and_keep(name: str, stack_id: str, stack: dict[str, Any], *rest: Any, **options: Any) -> None:
        await roll_back(name, stack_id, stack, *rest, **options)
        keep_undeleted(stack)

    handlers._delete_stack_async = stacks._delete_stack_async = delete_and_keep
    stacks._roll_back_operation = roll_back_and_keep
    actions = handlers._ACTION_HANDLERS
    actions["DescribeStackResources"] = _by_physical_id(
        actions["DescribeStackResources"], cloudformation._stacks, cloudformation.helpers
    )


def keep_deleted(stacks: _Stacks, name: str, events: Sequence[Mapping[str, Any]]) -> None:
    """File a stack whose deletion has succeeded under its id, with the resources that its events name.

    Args:
        stacks: by name.
        events: of the stack, the oldest first.
    """
    stack = stacks.get(name)
    if stack is None or stack["StackStatus"] != _DELETED:
        return
    del stacks[name]
    stack["DeletionTime"] = _now()
    stack["_resources"] = {
        event["LogicalResourceId"]: {
            "LogicalResourceId": event["LogicalResourceId"],
            "PhysicalResourceId": event["PhysicalResourceId"],
            "ResourceType": event["ResourceType"],
            "ResourceStatus": event["ResourceStatus"],
            "Timestamp": event["Timestamp"],
        }
        for event in _of_deletion(events)
        if event["ResourceStatus"] in _ENDS and event["ResourceType"] != _STACK
    }
    stacks[stack["StackId"]] = stack


def keep_undeleted(stack: MutableMapping[str, Any]) -> None:
    """Leave the resources in a stack that the rollback of its creation could not delete."""
    if stack["StackStatus"] == "ROLLBACK_FAILED":
        for logical_id, record in stack["_rollback_failed"].items():
            stack["_resources"][logical_id] = {**record, "ResourceStatus": "DELETE_FAILED", "Timestamp": _now()}


def owner(stacks: Mapping[str, Mapping[str, Any]], physical_id: str) -> str:
    """Return the name or the id of the stack that has a resource, a live one before a deleted one; empty for none."""
    holders = [
        (stack["StackStatus"] == _DELETED, name)
        for name, stack in stacks.items()
        if any(entry["PhysicalResourceId"] == physical_id for entry in stack["_resources"].values())
    ]
    return min(holders)[1] if holders else ""


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())


def _of_deletion(events: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Return the events since the deletion began; what an earlier update has removed is not the stack's any more."""

    def is_before(event: Mapping[str, Any]) -> bool:
        return event["ResourceType"] != _STACK or event["ResourceStatus"] not in _BEGINNINGS

    return dropwhile(is_before, events)


def _by_physical_id(handler: Callable[[dict[str, Any]], Any], stacks: _Stacks, helpers: Any) -> Callable[..., Any]:
    """Return the action that also finds a stack by the physical id of one of its resources."""

    def describe(request: dict[str, Any]) -> Any:
        physical_id = helpers._p(request, "PhysicalResourceId")
        if not physical_id:
            return handler(request)
        name = owner(stacks, physical_id)
        if not name:
            return helpers._error("ValidationError", f"Stack for {physical_id} does not exist")
        return handler({**request, "StackName": [name]})

    return describe
