"""The table of releases on the emulator keeps the same contract as the fake of the unit tests."""

from uuid import uuid4

import pytest

from automation.system.release_table import ReleaseTable
from automation.system.targets import Target
from tests.automation.release_tables import ReleaseTableContract, Table
from tests.e2e.conftest import Sandbox


class TestReleaseTable(ReleaseTableContract):
    @pytest.fixture
    def missing(self, running: Sandbox) -> Table:
        target = Target("us-east-1", running.emulator_url, "000000000003", "test")
        return ReleaseTable(target, f"shop-{uuid4()}-releases")


def test_create_protects_the_table_and_tags_it(running: Sandbox) -> None:
    table = ReleaseTable(Target("us-east-1", running.emulator_url, "000000000003", "test"), f"shop-{uuid4()}-releases")

    table.create(tags={"created-by": "inv deploy"})

    client = running.client("dynamodb", account="000000000003")
    described = client.describe_table(TableName=table.name)["Table"]
    assert described["DeletionProtectionEnabled"] is True
    assert client.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"] == [
        {"Key": "created-by", "Value": "inv deploy"}
    ]
