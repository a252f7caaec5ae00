"""Look into the resources that hold data, and delete them: tables, buckets, queues, log groups, parameters, topics."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from automation.system import aws, holdings
from automation.system.errors import DeploymentError
from automation.system.holdings import BUCKET, LOG_GROUP, PARAMETER, QUEUE, TABLE, TOPIC, Holding
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TableDescriptionTypeDef
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient

MAX_PAGES = 100  # of 1,000 versions each: a larger bucket is not counted to its end
_WAIT = {"Delay": 1, "MaxAttempts": 120}
_MISSING = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NotFound",
        "NotFoundException",
        "ParameterNotFound",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)


@dataclass(frozen=True, slots=True)
class DataResources:
    """The calls to the services that hold data. A resource is named by its type and its physical id in a stack."""

    target: Target

    def look(self, resource_type: str, physical_id: str) -> Holding | None:
        """Return what a resource contains; None when it does not exist.

        Raises:
            DeploymentError: the service refused the request, or did not answer.
        """
        lookups: Mapping[str, Callable[[str], Holding | None]] = {
            TABLE: self._table,
            BUCKET: self._bucket,
            QUEUE: self._queue,
            LOG_GROUP: self._log_group,
            PARAMETER: self._parameter,
            TOPIC: self._topic,
        }
        try:
            with aws.translate_errors(physical_id, self.target):
                return lookups[resource_type](physical_id)
        except DeploymentError as cause:
            if _is_missing(cause.__cause__):
                return None
            raise

    def find(self, resource_type: str, name: str) -> str:
        """Return the physical id of the resource that has a name; empty when there is none.

        Raises:
            DeploymentError: the service refused the request, or did not answer.
        """
        try:
            with aws.translate_errors(name, self.target):
                if resource_type == QUEUE:
                    return self._sqs.get_queue_url(QueueName=name)["QueueUrl"]
                if resource_type == TOPIC:
                    topics = self._sns.get_paginator("list_topics").paginate().build_full_result()["Topics"]
                    return next((arn for topic in topics if (arn := topic["TopicArn"]).endswith(f":{name}")), "")
        except DeploymentError as cause:
            if _is_missing(cause.__cause__):
                return ""
            raise
        return name if self.look(resource_type, name) is not None else ""

    def release(self, resource_type: str, physical_id: str) -> None:
        """Take away what keeps AWS from deleting a resource: the protection of a table, the content of a bucket.

        Destructive for a bucket: all its objects and versions are deleted.

        Raises:
            DeploymentError: the service refused the request, or did not answer.
        """
        with aws.translate_errors(physical_id, self.target):
            if resource_type == TABLE:
                self._unprotect_table(physical_id)
            elif resource_type == BUCKET:
                self._empty_bucket(physical_id)

    def delete(self, resource_type: str, physical_id: str) -> None:
        """Delete a resource that `release` has released; do nothing when it does not exist.

        Raises:
            DeploymentError: the service refused the request, or did not answer.
        """
        deletions: Mapping[str, Callable[[str], object]] = {
            TABLE: self._delete_table,
            BUCKET: lambda name: self._s3.delete_bucket(Bucket=name),
            QUEUE: lambda url: self._sqs.delete_queue(QueueUrl=url),
            LOG_GROUP: lambda name: self._logs.delete_log_group(logGroupName=name),
            PARAMETER: lambda name: self._ssm.delete_parameter(Name=name),
            TOPIC: lambda arn: self._sns.delete_topic(TopicArn=arn),
        }
        try:
            with aws.translate_errors(physical_id, self.target):
                deletions[resource_type](physical_id)
        except DeploymentError as cause:
            if not _is_missing(cause.__cause__):
                raise

    def read_parameter(self, name: str) -> str:
        """Return the value of a parameter in the Parameter Store.

        Raises:
            DeploymentError: it does not exist, or SSM did not answer.
        """
        with aws.translate_errors(name, self.target):
            return self._ssm.get_parameter(Name=name)["Parameter"]["Value"]

    def write_parameter(self, name: str, value: str) -> None:
        """Write the value of a parameter that exists.

        Raises:
            DeploymentError: SSM refused the value, or did not answer.
        """
        with aws.translate_errors(name, self.target):
            self._ssm.put_parameter(Name=name, Value=value, Overwrite=True)

    @property
    def _dynamodb(self) -> "DynamoDBClient":
        client: DynamoDBClient = aws.client("dynamodb", self.target)
        return client

    @property
    def _s3(self) -> "S3Client":
        client: S3Client = aws.client("s3", self.target)
        return client

    @property
    def _sqs(self) -> "SQSClient":
        client: SQSClient = aws.client("sqs", self.target)
        return client

    @property
    def _logs(self) -> "CloudWatchLogsClient":
        client: CloudWatchLogsClient = aws.client("logs", self.target)
        return client

    @property
    def _ssm(self) -> "SSMClient":
        client: SSMClient = aws.client("ssm", self.target)
        return client

    @property
    def _sns(self) -> "SNSClient":
        client: SNSClient = aws.client("sns", self.target)
        return client

    def _table(self, name: str) -> Holding:
        table = self._dynamodb.describe_table(TableName=name)["Table"]
        # DynamoDB's own count is up to six hours old, so a table that fits into one page is counted.
        page = self._dynamodb.scan(TableName=name, Select="COUNT", ConsistentRead=True)
        has_more = "LastEvaluatedKey" in page
        number = max(page["Count"], table.get("ItemCount", 0)) if has_more else page["Count"]
        return Holding(
            text=holdings.count(number, "item", at_least="about" if has_more else ""),
            is_empty=not number,
            is_protected=table.get("DeletionProtectionEnabled", False),
            keys=_keys(table),
        )

    def _bucket(self, name: str) -> Holding:
        objects = versions = size_bytes = pages = 0
        for page in self._version_pages(name):
            pages += 1
            versions += len(page.get("Versions", ())) + len(page.get("DeleteMarkers", ()))
            objects += sum(version["IsLatest"] for version in page.get("Versions", ()))
            size_bytes += sum(version["Size"] for version in page.get("Versions", ()))
            if pages == MAX_PAGES:
                break
        beginning = "more than " if pages == MAX_PAGES else ""
        counts = f"{holdings.count(objects, 'object')}, {holdings.count(versions, 'version')}"
        return Holding(f"{beginning}{counts}, {holdings.size(size_bytes)}", is_empty=not versions)

    def _queue(self, url: str) -> Holding:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        attributes: Mapping[str, str] = {str(name): value for name, value in answer["Attributes"].items()}
        kinds = ("", "NotVisible", "Delayed")
        number = sum(int(attributes.get(f"ApproximateNumberOfMessages{kind}", 0)) for kind in kinds)
        return Holding(holdings.count(number, "message"), is_empty=not number)

    def _log_group(self, name: str) -> Holding | None:
        groups = self._logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        # The first one in alphabetical order is the shortest, so it is the group itself when that exists.
        if not groups or groups[0]["logGroupName"] != name:
            return None
        stored = groups[0].get("storedBytes", 0)
        return Holding(f"{holdings.size(stored)} of logs", is_empty=not stored)

    def _parameter(self, name: str) -> Holding:
        self._ssm.get_parameter(Name=name)
        return Holding("a value", is_empty=False)

    def _topic(self, arn: str) -> Holding:
        attributes = self._sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        number = int(attributes.get("SubscriptionsConfirmed", 0))
        return Holding(holdings.count(number, "subscriber"), is_empty=not number)

    def _unprotect_table(self, name: str) -> None:
        if self._dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
            self._dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
            self._dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig=_WAIT)  # type: ignore[arg-type] # a plain dict

    def _delete_table(self, name: str) -> None:
        self._dynamodb.delete_table(TableName=name)
        # A table of that name can only be created once this one is gone.
        self._dynamodb.get_waiter("table_not_exists").wait(TableName=name, WaiterConfig=_WAIT)  # type: ignore[arg-type] # a plain dict

    def _empty_bucket(self, name: str) -> None:
        # The versions of one page are deleted before the next is read: what is interrupted is continued.
        for page in self._version_pages(name):
            entries = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            self._delete_versions(name, [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries])

    def _version_pages(self, bucket: str) -> Iterator[Mapping[str, Any]]:
        yield from self._s3.get_paginator("list_object_versions").paginate(Bucket=bucket)

    def _delete_versions(self, bucket: str, versions: Sequence["ObjectIdentifierTypeDef"]) -> None:
        if not versions:
            return
        answer = self._s3.delete_objects(Bucket=bucket, Delete={"Objects": list(versions), "Quiet": True})
        if errors := answer.get("Errors"):
            message = f"{len(errors)} object(s) could not be deleted: {errors[0]['Key']}: {errors[0]['Message']}"
            raise DeploymentError(message, where=bucket)


def _keys(table: "TableDescriptionTypeDef") -> tuple[str, ...]:
    types = {entry["AttributeName"]: entry["AttributeType"] for entry in table.get("AttributeDefinitions", ())}
    keys = table.get("KeySchema", ())
    return tuple(f"{key['AttributeName']} {key['KeyType']} {types.get(key['AttributeName'], '')}" for key in keys)


def _is_missing(cause: BaseException | None) -> bool:
    return isinstance(cause, ClientError) and str(cause.response["Error"]["Code"]) in _MISSING
