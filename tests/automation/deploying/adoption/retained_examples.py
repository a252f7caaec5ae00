"""Resources that a stack has left, for the tests of what becomes of them."""

from typing import Any

from automation.deploying.adoption.model import RetainedResource
from automation.system.holdings import BUCKET, LOG_GROUP, PARAMETER, QUEUE, TABLE, Holding

RETAIN = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
KEYS = ("id HASH S",)
ITEMS = Holding("3 items", is_empty=False, keys=KEYS)
EMPTY = Holding("0 items", is_empty=True, keys=KEYS)
NOTHING = Holding("", is_empty=True)


def definition(kind: str, properties: dict[str, Any] | None = None, **attributes: str) -> dict[str, Any]:
    return {"Type": kind, "Properties": properties or {}, **(attributes or RETAIN)}


def table_definition(key: str = "id", **properties: Any) -> dict[str, Any]:
    keys = {
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
    }
    return definition(TABLE, {**keys, **properties})


def retained(
    logical_id: str,
    physical_id: str,
    described: dict[str, Any],
    *,
    holding: Holding | None = NOTHING,
    stack_name: str = "shop-live",
) -> RetainedResource:
    return RetainedResource(stack_name, logical_id, described["Type"], physical_id, described, holding)


SALES = retained("Sales", "shop-live-Sales-1", table_definition(), holding=ITEMS)
OLD_SALES = retained("Sales", "shop-live-Sales-0", table_definition(), holding=EMPTY)
LAKE = retained("Lake", "shop-lake", definition(BUCKET))
DEAD = retained("Dead", "https://sqs/123456789012/shop-Dead-1", definition(QUEUE, {"MessageRetentionPeriod": 9}))
INBOX = retained(
    "Inbox",
    "https://sqs/123456789012/shop-inbox.fifo",
    definition(
        QUEUE,
        {"QueueName": "shop-inbox.fifo", "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}},
    ),
)
LOGS = retained("Logs", "/aws/lambda/shop-Till-1", definition(LOG_GROUP, {"RetentionInDays": 30}))
SWITCH = retained("Switch", "/shop/on", definition(PARAMETER, {"Name": "/shop/on", "Type": "String", "Value": "off"}))
