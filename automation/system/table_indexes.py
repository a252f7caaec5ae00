"""Ask DynamoDB which indexes a table has."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from automation.system import aws
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class TableIndexes:
    """The call to DynamoDB that a plan makes."""

    target: Target

    def global_indexes(self, table: str) -> frozenset[str]:
        """Return the names of the global secondary indexes that a table has now.

        Raises:
            DeploymentError: DynamoDB refused the request, or did not answer.
        """
        client: DynamoDBClient = aws.client("dynamodb", self.target)
        with aws.translate_errors(table, self.target):
            description = client.describe_table(TableName=table)["Table"]
        return frozenset(index["IndexName"] for index in description.get("GlobalSecondaryIndexes", ()))
