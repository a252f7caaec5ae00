"""Read and write the table of an environment's releases, which also holds the deployer lock.

A release is an item with `pk` RELEASE, its number in `sk` (`00000007`) and JSON in `document`; the lock is the item
LOCK, deployer; what a deleted stack has retained is the item RETAINED, name of the stack; the mark of `inv watch` is
the item WATCH, code. Permissions:
dynamodb:CreateTable, TagResource, DescribeTable, Query, GetItem, PutItem, DeleteItem; also ListTables for `inv prune`.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from automation.system import aws
from automation.system.deployers import Deployer, DeployerLock, LockReading
from automation.system.errors import DeploymentError
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import KeySchemaElementTypeDef

_KEYS: "Sequence[KeySchemaElementTypeDef]" = [
    {"AttributeName": "pk", "KeyType": "HASH"},
    {"AttributeName": "sk", "KeyType": "RANGE"},
]
_RELEASE = "RELEASE"
_RETAINED = "RETAINED"
_LOCK = {"pk": {"S": "LOCK"}, "sk": {"S": "deployer"}}
_WATCH = {"pk": {"S": "WATCH"}, "sk": {"S": "code"}}
_IS_NEW = "attribute_not_exists(pk)"
_EXISTS = "attribute_exists(pk)"
_UNCHANGED = "#token = :token"
_WAIT = {"Delay": 1, "MaxAttempts": 120}


@dataclass(frozen=True, slots=True)
class ReleaseTable:
    """The table of one environment. Reads are strongly consistent; a missing table reads as an empty one."""

    target: Target
    name: str

    @property
    def _client(self) -> "DynamoDBClient":
        client: DynamoDBClient = aws.client("dynamodb", self.target)
        return client

    def create(self, *, tags: Mapping[str, str]) -> None:
        """Create the table, protected from deletion, and wait until it can be used. Idempotent.

        Raises:
            DeploymentError: DynamoDB refused it or did not answer.
        """
        with aws.translate_errors(self.name, self.target):
            if not self._exists():
                with suppress(self._client.exceptions.ResourceInUseException):  # another deployer was faster
                    self._create(tags)
            self._client.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig=_WAIT)  # type: ignore[arg-type] # a plain dict

    def documents(self, limit: int) -> tuple[tuple[int, Mapping[str, Any]], ...]:
        """Return the numbers and documents of the newest releases, newest first.

        Raises:
            DeploymentError: DynamoDB did not answer.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self.name,
            ConsistentRead=True,
            ScanIndexForward=False,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": _RELEASE}},
            PaginationConfig={"MaxItems": limit},
        )
        items: list[Mapping[str, Any]] = []
        with aws.translate_errors(self.name, self.target), suppress(self._client.exceptions.ResourceNotFoundException):
            for page in pages:
                items += page["Items"]
        return tuple((int(item["sk"]["S"]), json.loads(item["document"]["S"])) for item in items)

    def add(self, document: Mapping[str, Any]) -> int:
        """Store a new release and return its number: the next that nobody has.

        Raises:
            DeploymentError: DynamoDB refused it or did not answer.
        """
        newest = self.documents(1)
        number = newest[0][0] + 1 if newest else 1
        # Put only if missing: of two deployers that want a number, one gets it and the other takes the next.
        while not self._put(_item(number, document), _IS_NEW):
            number += 1
        return number

    def replace(self, number: int, document: Mapping[str, Any]) -> None:
        """Store the new state of a release.

        Raises:
            DeploymentError: there is no such release, or DynamoDB did not answer.
        """
        if not self._put(_item(number, document), _EXISTS):
            raise DeploymentError(f"has no release r{number}", where=self.name)

    def read_lock(self) -> LockReading:
        """Return the lock and AWS's time.

        Raises:
            DeploymentError: DynamoDB did not answer.
        """
        with aws.translate_errors(self.name, self.target):
            try:
                answer: Mapping[str, Any] = self._client.get_item(TableName=self.name, Key=_LOCK, ConsistentRead=True)
            except self._client.exceptions.ResourceNotFoundException as cause:
                answer = cause.response
        return LockReading(_lock(answer["Item"]) if "Item" in answer else None, _date(answer))

    def write_lock(self, lock: DeployerLock, *, expected: str) -> bool:
        """Write the lock if its token is still `expected` (empty: if there is no lock), and return whether it was.

        Raises:
            DeploymentError: DynamoDB refused it or did not answer.
        """
        # The condition is what keeps two deployers from holding the lock at once.
        return self._put(_lock_item(lock), _UNCHANGED if expected else _IS_NEW, token=expected)

    def remove_lock(self, token: str) -> None:
        """Remove the lock, unless it has another token: then it belongs to another deployer, and stays.

        Raises:
            DeploymentError: DynamoDB refused it or did not answer.
        """
        with (
            aws.translate_errors(self.name, self.target),
            suppress(self._client.exceptions.ConditionalCheckFailedException),
        ):
            self._client.delete_item(TableName=self.name, Key=_LOCK, **_condition(_UNCHANGED, token))

    def retained(self, stack: str) -> tuple[Mapping[str, Any], ...]:
        """Return what `write_retained` has stored for a stack; empty when it has stored nothing.

        Raises:
            DeploymentError: DynamoDB did not answer.
        """
        return tuple(self._document({"pk": {"S": _RETAINED}, "sk": {"S": stack}}) or ())

    def write_retained(self, stack: str, documents: Sequence[Mapping[str, Any]]) -> None:
        """Store what the deletion of a stack leaves in the account, in place of what was stored before.

        Raises:
            DeploymentError: DynamoDB refused it or did not answer.
        """
        self._write({"pk": {"S": _RETAINED}, "sk": {"S": stack}}, list(documents))

    def watch_mark(self) -> Mapping[str, Any] | None:
        """Return what `write_watch_mark` has stored; None when it has stored nothing.

        Raises:
            DeploymentError: DynamoDB did not answer.
        """
        mark: Mapping[str, Any] | None = self._document(_WATCH)
        return mark

    def write_watch_mark(self, document: Mapping[str, Any]) -> None:
        """Store who replaces code outside of a deployment, in place of what was stored before.

        Raises:
            DeploymentError: DynamoDB refused it or did not answer.
        """
        self._write(_WATCH, document)

    def remove_watch_mark(self) -> None:
        """Remove what `write_watch_mark` has stored; do nothing when there is nothing.

        Raises:
            DeploymentError: DynamoDB refused it or did not answer.
        """
        with aws.translate_errors(self.name, self.target):
            self._client.delete_item(TableName=self.name, Key=_WATCH)

    def delete(self) -> None:
        """Delete the table with all releases; do nothing when it is missing.

        Raises:
            DeploymentError: DynamoDB refused it or did not answer.
        """
        with aws.translate_errors(self.name, self.target), suppress(self._client.exceptions.ResourceNotFoundException):
            self._client.update_table(TableName=self.name, DeletionProtectionEnabled=False)
            self._client.get_waiter("table_exists").wait(TableName=self.name, WaiterConfig=_WAIT)  # type: ignore[arg-type] # a plain dict
            self._client.delete_table(TableName=self.name)

    def exists(self) -> bool:
        """Return whether the table exists.

        Raises:
            DeploymentError: DynamoDB did not answer.
        """
        with aws.translate_errors(self.name, self.target):
            return self._exists()

    def tags(self) -> Mapping[str, str]:
        """Return the tags of the table; none when it is missing.

        Raises:
            DeploymentError: DynamoDB did not answer.
        """
        with aws.translate_errors(self.name, self.target), suppress(self._client.exceptions.ResourceNotFoundException):
            pages = self._client.get_paginator("list_tags_of_resource").paginate(ResourceArn=self._arn())
            return {tag["Key"]: tag["Value"] for tag in pages.build_full_result()["Tags"]}
        return {}

    def tag(self, tags: Mapping[str, str]) -> None:
        """Add tags to the table, or replace their values.

        Raises:
            DeploymentError: DynamoDB refused it or did not answer.
        """
        with aws.translate_errors(self.name, self.target):
            named = [{"Key": key, "Value": value} for key, value in tags.items()]
            self._client.tag_resource(ResourceArn=self._arn(), Tags=named)  # type: ignore[arg-type] # plain dicts

    def _arn(self) -> str:
        return self._client.describe_table(TableName=self.name)["Table"]["TableArn"]

    def _document(self, key: Mapping[str, Any]) -> Any:
        """Return the document of an item; None when there is no such item."""
        with aws.translate_errors(self.name, self.target):
            try:
                answer: Mapping[str, Any] = self._client.get_item(TableName=self.name, Key=key, ConsistentRead=True)
            except self._client.exceptions.ResourceNotFoundException:
                return None
        return json.loads(answer["Item"]["document"]["S"]) if "Item" in answer else None

    def _write(self, key: Mapping[str, Any], document: Any) -> None:
        with aws.translate_errors(self.name, self.target):
            self._client.put_item(TableName=self.name, Item={**key, "document": {"S": json.dumps(document)}})

    def _exists(self) -> bool:
        try:
            self._client.describe_table(TableName=self.name)
        except self._client.exceptions.ResourceNotFoundException:
            return False
        return True

    def _create(self, tags: Mapping[str, str]) -> None:
        self._client.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            DeletionProtectionEnabled=True,
            KeySchema=_KEYS,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )

    def _put(self, item: Mapping[str, Any], condition: str, *, token: str = "") -> bool:
        """Put an item if the condition holds, and return whether it did."""
        with aws.translate_errors(self.name, self.target):
            try:
                self._client.put_item(TableName=self.name, Item=item, **_condition(condition, token))
            except self._client.exceptions.ConditionalCheckFailedException:
                return False
        return True


def find_all(target: Target, *, pattern: str) -> tuple[ReleaseTable, ...]:
    """Return tables of releases of the account in the target's region; others are not even looked at.

    Args:
        pattern: what their names fit, such as `*-releases`.

    Raises:
        DeploymentError: DynamoDB did not answer.
    """
    client: DynamoDBClient = aws.client("dynamodb", target)
    with aws.translate_errors("tables", target):
        names = client.get_paginator("list_tables").paginate().build_full_result()["TableNames"]
        named = [name for name in names if fnmatchcase(name, pattern)]
        # Any other table may have such a name too; only ours has these keys.
        keys = {name: client.describe_table(TableName=name)["Table"]["KeySchema"] for name in named}
    return tuple(ReleaseTable(target, name) for name in named if keys[name] == _KEYS)


def _condition(expression: str, token: str) -> dict[str, Any]:
    condition: dict[str, Any] = {"ConditionExpression": expression}
    if token:
        condition["ExpressionAttributeNames"] = {"#token": "token"}  # a reserved word of DynamoDB
        condition["ExpressionAttributeValues"] = {":token": {"S": token}}
    return condition


def _item(number: int, document: Mapping[str, Any]) -> dict[str, Any]:
    return {"pk": {"S": _RELEASE}, "sk": {"S": f"{number:08d}"}, "document": {"S": json.dumps(document)}}


def _lock_item(lock: DeployerLock) -> dict[str, Any]:
    values = {
        "arn": lock.deployer.arn,
        "person": lock.deployer.person,
        "process_id": str(lock.deployer.process_id),
        "token": lock.token,
        "since": lock.since.isoformat(),
        "expires_at": lock.expires_at.isoformat(),
    }
    return _LOCK | {name: {"S": value} for name, value in values.items()}


def _lock(item: Mapping[str, Any]) -> DeployerLock:
    values = {name: attribute["S"] for name, attribute in item.items()}
    return DeployerLock(
        deployer=Deployer(values["arn"], values["person"], int(values["process_id"])),
        token=values["token"],
        since=datetime.fromisoformat(values["since"]),
        expires_at=datetime.fromisoformat(values["expires_at"]),
    )


def _date(answer: Mapping[str, Any]) -> datetime:
    """Return the time of an answer by AWS's clock, so that a skewed clock here cannot make a lock lapse early."""
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
