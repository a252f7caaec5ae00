"""Give queues and log groups names as CloudFormation does; runs inside the emulator's process, before it serves.

The emulator's generated names are always the same, and it replaces what has the name already: a new stack would empty
the queues and the logs that an earlier stack of the same name left behind.
"""

import uuid
from collections.abc import Mapping
from typing import Any

_QUEUE, _LOG_GROUP = "AWS::SQS::Queue", "AWS::Logs::LogGroup"
type _Properties = Mapping[str, Any]


def apply() -> None:
    """Replace the emulator's functions that create queues, and create and update log groups."""
    from ministack.services.cloudformation import provisioners  # type: ignore[import-not-found]  # noqa: PLC0415 - lives in the emulator's environment

    name_queues(provisioners)
    name_log_groups(provisioners)


def name_queues(provisioners: Any) -> None:
    """Create each queue without a name under a new name, and refuse the name of a queue that exists."""
    handlers = provisioners._RESOURCE_HANDLERS[_QUEUE]
    create = handlers["create"]

    def create_named(logical_id: str, properties: _Properties, stack: str) -> Any:
        _refuse(_QUEUE, properties.get("QueueName"), provisioners._sqs._queue_name_to_url)
        # The seed travels on the resource's record, so an update finds the same name.
        if not properties.get("QueueName") and not provisioners._NAME_SEED.get():
            provisioners._NAME_SEED.set(uuid.uuid4().hex[:8])
        return create(logical_id, properties, stack)

    handlers["create"] = create_named


def name_log_groups(provisioners: Any) -> None:
    """Create each log group without a name under a new name, keep it, and refuse the name of a group that exists."""
    handlers = provisioners._RESOURCE_HANDLERS[_LOG_GROUP]
    create, update = handlers["create"], handlers["update"]

    def create_named(logical_id: str, properties: _Properties, stack: str) -> Any:
        _refuse(_LOG_GROUP, properties.get("LogGroupName"), provisioners._cw_logs._log_groups)
        return create(
            logical_id, {"LogGroupName": f"{stack}-{logical_id}-{uuid.uuid4().hex[:12]}", **properties}, stack
        )

    def update_named(name: str, before: _Properties, after: _Properties, *rest: Any) -> Any:
        kept = {} if before.get("LogGroupName") else {"LogGroupName": name}
        return update(name, {**kept, **before}, {**kept, **after}, *rest)

    handlers |= {"create": create_named, "update": update_named}


def _refuse(kind: str, name: str | None, names: Mapping[str, Any]) -> None:
    """Refuse a name that exists.

    Raises:
        ValueError: as ministack's handlers raise it, so that the resource fails.
    """
    if name and name in names:
        raise ValueError(f"Resource of type '{kind}' with identifier '{name}' already exists.")
