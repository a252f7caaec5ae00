"""The deployed tables keep the same contract as the fakes of the unit tests."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from automation.project import templates
from tests.e2e.conftest import ROOT, Sandbox
from tests.the_alchemiser.contracts import BooksStoreContract, LedgerContract, RunStoreContract
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.books.store import BooksStore
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.ledger.ledger import Ledger
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.runs import RunStore

TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")


def make_table(client: Any, logical_id: str) -> str:
    """Create a table as template.yaml defines it, and return its name."""
    properties = templates.read(Path(ROOT / "template.yaml"), name="template.yaml").resources[logical_id]["Properties"]
    name = f"{logical_id}-{uuid4()}"
    client.create_table(TableName=name, **{key: properties[key] for key in TABLE_PROPERTIES if key in properties})
    return name


class TestDynamoRunStore(RunStoreContract):
    @pytest.fixture
    def store(self, running: Sandbox) -> RunStore:
        client = running.client("dynamodb", account="000000000001")
        return DynamoRunStore(client, make_table(client, "Runs"))


class TestDynamoBooks(BooksStoreContract):
    @pytest.fixture
    def books(self, running: Sandbox) -> BooksStore:
        client = running.client("dynamodb", account="000000000001")
        return DynamoBooks(client, make_table(client, "Runs"))


class TestDynamoLedger(LedgerContract):
    @pytest.fixture
    def ledger(self, running: Sandbox) -> Ledger:
        client = running.client("dynamodb", account="000000000001")
        return DynamoLedger(client, make_table(client, "Ledger"))
