"""Stacks on the real emulator: small resources, and a stack that a test creates, updates and looks into."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

NUMBERS = count(1)
RETAIN: dict[str, Any] = {"UpdateReplacePolicy": "Retain", "DeletionPolicy": "Retain"}
NEVER = {"Type": "AWS::CloudFormation::WaitCondition", "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "60"}}
HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
QUEUE, LOG_GROUP = "AWS::SQS::Queue", "AWS::Logs::LogGroup"


def table(*keys: str, indexes: tuple[str, ...] = (), kind: str = "S", **attributes: Any) -> dict[str, Any]:
    """Return a table with a key, a sort key where given, and global indexes named after their keys."""
    roles = zip(keys, ("HASH", "RANGE"), strict=False)
    properties: dict[str, Any] = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name in (*keys, *indexes)],
        "KeySchema": [{"AttributeName": name, "KeyType": role} for name, role in roles],
    }
    if indexes:
        properties["GlobalSecondaryIndexes"] = [index(name) for name in indexes]
    return {"Type": "AWS::DynamoDB::Table", "Properties": properties, **attributes}


def index(name: str, projection: str = "ALL") -> dict[str, Any]:
    keys = [{"AttributeName": name, "KeyType": "HASH"}]
    return {"IndexName": f"by-{name}", "KeySchema": keys, "Projection": {"ProjectionType": projection}}


def with_unused_attribute() -> dict[str, Any]:
    wrong = table("pk", indexes=("a",))
    del wrong["Properties"]["GlobalSecondaryIndexes"]
    return wrong


@dataclass(frozen=True)
class Clients:
    cloudformation: Any
    dynamodb: Any
    s3: Any
    sqs: Any


class Stack:
    """A stack of the emulator, and the clients that look at it."""

    def __init__(self, clients: Clients) -> None:
        self.name = f"stack-{next(NUMBERS)}"
        self.cloudformation, self.dynamodb, self.s3 = clients.cloudformation, clients.dynamodb, clients.s3
        self.sqs = clients.sqs

    def create(self, **resources: Any) -> "Stack":
        self.cloudformation.create_stack(StackName=self.name, TemplateBody=body(resources))
        self.settle()
        return self

    def update(self, *, outputs: Mapping[str, Any] | None = None, **resources: Any) -> str:
        """Update the stack; return its status, once it is settled."""
        self.cloudformation.update_stack(StackName=self.name, TemplateBody=body(resources, outputs))
        return self.settle()

    def delete(self) -> dict[str, Any]:
        """Delete the stack; return its summary, once it is deleted."""
        self.cloudformation.delete_stack(StackName=self.name)
        while not (deleted := self._deleted()):
            time.sleep(0.02)
        return deleted[0]

    def owners(self, physical_id: str) -> list[dict[str, Any]]:
        return list(self.cloudformation.describe_stack_resources(PhysicalResourceId=physical_id)["StackResources"])

    def _deleted(self) -> list[dict[str, Any]]:
        summaries = self.cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
        return [summary for summary in summaries if summary["StackName"] == self.name]

    def settle(self) -> str:
        while (status := self.status()).endswith("_IN_PROGRESS"):
            time.sleep(0.02)
        return status

    def status(self) -> str:
        return str(self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"])

    def physical_id(self, logical_id: str = "Ledger") -> str:
        resource = self.cloudformation.describe_stack_resource(StackName=self.name, LogicalResourceId=logical_id)
        return str(resource["StackResourceDetail"]["PhysicalResourceId"])

    def reasons(self) -> list[str]:
        events = self.cloudformation.describe_stack_events(StackName=self.name)["StackEvents"]
        return [
            event.get("ResourceStatusReason", "") for event in events if event["ResourceStatus"].endswith("_FAILED")
        ]

    def change_set(self, name: str, kind: str = "UPDATE", **resources: Any) -> None:
        self.cloudformation.create_change_set(
            StackName=self.name, ChangeSetName=name, ChangeSetType=kind, TemplateBody=body(resources)
        )

    def put(self, key: str = "pk") -> str:
        """Write an item to the ledger; return the table's name."""
        name = self.physical_id()
        self.dynamodb.put_item(TableName=name, Item={key: {"S": "kept"}})
        return name

    def tables(self) -> list[str]:
        names = self.dynamodb.list_tables()["TableNames"]
        return [name for name in names if name.startswith(f"{self.name}-")]

    def messages(self, url: str) -> int:
        name = "ApproximateNumberOfMessages"
        return int(self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])

    def count(self, table_name: str) -> int:
        return int(self.dynamodb.scan(TableName=table_name)["Count"])


def body(resources: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> str:
    return json.dumps({"Resources": resources, "Outputs": outputs or {}})
