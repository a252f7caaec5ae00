"""What the contracts of DynamoDB have in common: a table of runs that holds one row."""

from abc import ABC, abstractmethod
from typing import Any

import pytest

from tests.fidelity.backend import DynamoSide

KEY = {"pk": {"S": "RUN#1"}, "sk": {"S": "META"}}
ROW = {**KEY, "state": {"S": "SELLING"}, "timeline": {"L": [{"S": "a"}]}, "figure": {"N": "2"}}
INVALID = "ValidationException"


class TableContract(ABC):
    """A subclass says on which side it runs."""

    @pytest.fixture
    @abstractmethod
    def dynamo(self) -> DynamoSide: ...

    @pytest.fixture
    def runs(self, dynamo: DynamoSide) -> str:
        """Return a table of runs that holds ROW."""
        table = dynamo.table("Runs")
        dynamo.client.put_item(TableName=table, Item=ROW)
        return table

    @pytest.fixture
    def client(self, dynamo: DynamoSide) -> Any:
        return dynamo.client


def stored(client: Any, table: str, key: Any = None) -> Any:
    """Return an item; ROW's without a key."""
    return client.get_item(TableName=table, Key=key or KEY, ConsistentRead=True)["Item"]
