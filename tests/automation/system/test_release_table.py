"""The contract over the fake, and the requests of the real table; tests/e2e runs the contract over an emulator."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from automation.system import aws, release_table
from automation.system.errors import DeploymentError
from automation.system.release_table import ReleaseTable
from automation.system.targets import Target
from tests.automation.release_tables import LOCK, FakeReleaseTable, ReleaseTableContract, Table

TARGET = Target("eu-west-1", "http://127.0.0.1:9", "test", "test")
TABLE = ReleaseTable(TARGET, "shop-releases")
LOCK_KEY = {"pk": {"S": "LOCK"}, "sk": {"S": "deployer"}}
LOCK_ITEM = {
    **LOCK_KEY,
    "arn": {"S": "arn:aws:iam::123456789012:user/ann"},
    "person": {"S": "ann@desk"},
    "process_id": {"S": "11"},
    "token": {"S": "t1"},
    "since": {"S": "2026-01-02T03:04:05+00:00"},
    "expires_at": {"S": "2026-01-02T04:04:05+00:00"},
}
OF_TOKEN = {
    "ConditionExpression": "#token = :token",
    "ExpressionAttributeNames": {"#token": "token"},
    "ExpressionAttributeValues": {":token": {"S": "t1"}},
}
DATE = {"ResponseMetadata": {"HTTPHeaders": {"date": "Fri, 02 Jan 2026 03:04:05 GMT"}}}


class TestFakeReleaseTable(ReleaseTableContract):
    @pytest.fixture
    def missing(self) -> Table:
        return FakeReleaseTable()


@pytest.fixture
def dynamodb() -> Iterator[Stubber]:
    with Stubber(aws.client("dynamodb", TARGET)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def described(status: str = "ACTIVE") -> dict[str, Any]:
    return {"Table": {"TableStatus": status}}


def release_item(number: str, document: str) -> dict[str, Any]:
    return {"pk": {"S": "RELEASE"}, "sk": {"S": number}, "document": {"S": document}}


def test_create_makes_a_protected_table_and_waits(dynamodb: Stubber) -> None:
    dynamodb.add_client_error("describe_table", "ResourceNotFoundException")
    request = {
        "TableName": "shop-releases",
        "BillingMode": "PAY_PER_REQUEST",
        "DeletionProtectionEnabled": True,
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "Tags": [{"Key": "created-by", "Value": "inv deploy"}],
    }
    dynamodb.add_response("create_table", {}, request)
    dynamodb.add_response("describe_table", described(), {"TableName": "shop-releases"})

    TABLE.create(tags={"created-by": "inv deploy"})


def test_create_existing_table_is_only_described(dynamodb: Stubber) -> None:
    dynamodb.add_response("describe_table", described("CREATING"))
    dynamodb.add_response("describe_table", described())

    TABLE.create(tags={})


def test_create_of_a_table_that_another_is_creating_waits(dynamodb: Stubber) -> None:
    dynamodb.add_client_error("describe_table", "ResourceNotFoundException")
    dynamodb.add_client_error("create_table", "ResourceInUseException")
    dynamodb.add_response("describe_table", described())

    TABLE.create(tags={"created-by": "inv deploy"})


def test_create_refused_is_an_error(dynamodb: Stubber) -> None:
    dynamodb.add_client_error("describe_table", "AccessDeniedException", "may not")

    with pytest.raises(DeploymentError, match=r"shop-releases: AWS refused the request: .*may not"):
        TABLE.create(tags={})


def test_documents_reads_consistently_newest_first(dynamodb: Stubber) -> None:
    request = {
        "TableName": "shop-releases",
        "ConsistentRead": True,
        "ScanIndexForward": False,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "RELEASE"}},
    }
    key = {"pk": {"S": "RELEASE"}, "sk": {"S": "00000012"}}
    dynamodb.add_response("query", {"Items": [release_item("00000012", "{}")], "LastEvaluatedKey": key}, request)
    dynamodb.add_response(
        "query", {"Items": [release_item("00000011", '{"a": 1}')]}, request | {"ExclusiveStartKey": key}
    )

    assert TABLE.documents(5) == ((12, {}), (11, {"a": 1}))


def test_documents_stops_at_the_limit(dynamodb: Stubber) -> None:
    dynamodb.add_response("query", {"Items": [release_item("00000002", "{}"), release_item("00000001", "{}")]})

    assert TABLE.documents(1) == ((2, {}),)


def test_documents_of_a_missing_table_are_none(dynamodb: Stubber) -> None:
    dynamodb.add_client_error("query", "ResourceNotFoundException")

    assert TABLE.documents(5) == ()


def test_documents_refused_is_an_error(dynamodb: Stubber) -> None:
    dynamodb.add_client_error("query", "AccessDeniedException")

    with pytest.raises(DeploymentError, match="shop-releases: AWS refused"):
        TABLE.documents(5)


def test_add_takes_the_next_number_that_is_free(dynamodb: Stubber) -> None:
    dynamodb.add_response("query", {"Items": [release_item("00000006", "{}")]})
    dynamodb.add_client_error("put_item", "ConditionalCheckFailedException")
    request = {
        "TableName": "shop-releases",
        "Item": release_item("00000008", '{"a": 1}'),
        "ConditionExpression": "attribute_not_exists(pk)",
    }
    dynamodb.add_response("put_item", {}, request)

    assert TABLE.add({"a": 1}) == 8


def test_add_first_release_is_number_1(dynamodb: Stubber) -> None:
    dynamodb.add_response("query", {"Items": []})
    dynamodb.add_response(
        "put_item", {}, {"TableName": ANY, "Item": release_item("00000001", "{}"), "ConditionExpression": ANY}
    )

    assert TABLE.add({}) == 1


def test_replace_needs_the_release(dynamodb: Stubber) -> None:
    request = {
        "TableName": "shop-releases",
        "Item": release_item("00000003", "{}"),
        "ConditionExpression": "attribute_exists(pk)",
    }
    dynamodb.add_response("put_item", {}, request)
    dynamodb.add_client_error("put_item", "ConditionalCheckFailedException")

    TABLE.replace(3, {})
    with pytest.raises(DeploymentError, match="shop-releases: has no release r3"):
        TABLE.replace(3, {})


def test_read_lock_has_the_time_of_aws(dynamodb: Stubber) -> None:
    request = {"TableName": "shop-releases", "Key": LOCK_KEY, "ConsistentRead": True}
    dynamodb.add_response("get_item", {"Item": LOCK_ITEM, **DATE}, request)

    reading = TABLE.read_lock()

    assert (reading.lock, reading.now) == (LOCK, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_read_lock_free_lock_is_none(dynamodb: Stubber) -> None:
    dynamodb.add_response("get_item", DATE)

    assert TABLE.read_lock().lock is None


def test_read_lock_of_a_missing_table_is_free(dynamodb: Stubber) -> None:
    dynamodb.add_client_error("get_item", "ResourceNotFoundException", response_meta=DATE["ResponseMetadata"])

    reading = TABLE.read_lock()

    assert (reading.lock, reading.now) == (None, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("expected", "condition"), [("", {"ConditionExpression": "attribute_not_exists(pk)"}), ("t1", OF_TOKEN)]
)
def test_write_lock_is_conditional(dynamodb: Stubber, expected: str, condition: dict[str, Any]) -> None:
    dynamodb.add_response("put_item", {}, {"TableName": "shop-releases", "Item": LOCK_ITEM, **condition})
    dynamodb.add_client_error("put_item", "ConditionalCheckFailedException")

    assert TABLE.write_lock(LOCK, expected=expected)
    assert TABLE.write_lock(LOCK, expected=expected) is False


def test_write_lock_refused_is_an_error(dynamodb: Stubber) -> None:
    dynamodb.add_client_error("put_item", "AccessDeniedException")

    with pytest.raises(DeploymentError, match="shop-releases: AWS refused"):
        TABLE.write_lock(LOCK, expected="")


def test_remove_lock_is_conditional(dynamodb: Stubber) -> None:
    dynamodb.add_response("delete_item", {}, {"TableName": "shop-releases", "Key": LOCK_KEY, **OF_TOKEN})
    dynamodb.add_client_error("delete_item", "ConditionalCheckFailedException")
    dynamodb.add_client_error("delete_item", "AccessDeniedException")

    TABLE.remove_lock("t1")
    TABLE.remove_lock("t1")
    with pytest.raises(DeploymentError, match="shop-releases: AWS refused"):
        TABLE.remove_lock("t1")


def test_find_all_is_every_table_with_our_name_and_keys(dynamodb: Stubber) -> None:
    ours = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    pages = [["a-releases", "bbb"], ["c-releases"]]
    dynamodb.add_response("list_tables", {"TableNames": pages[0], "LastEvaluatedTableName": "bbb"}, {})
    dynamodb.add_response("list_tables", {"TableNames": pages[1]}, {"ExclusiveStartTableName": "bbb"})
    dynamodb.add_response("describe_table", {"Table": {"KeySchema": ours}}, {"TableName": "a-releases"})
    dynamodb.add_response("describe_table", {"Table": {"KeySchema": ours[:1]}}, {"TableName": "c-releases"})

    assert release_table.find_all(TARGET, pattern="*-releases") == (ReleaseTable(TARGET, "a-releases"),)


def test_find_all_refused_is_an_error(dynamodb: Stubber) -> None:
    dynamodb.add_client_error("list_tables", "AccessDeniedException", "not you")

    with pytest.raises(DeploymentError, match=r"^tables: AWS refused the request: .*not you"):
        release_table.find_all(TARGET, pattern="*-releases")


def test_retained_reads_its_own_item(dynamodb: Stubber) -> None:
    key = {"pk": {"S": "RETAINED"}, "sk": {"S": "shop"}}
    request = {"TableName": "shop-releases", "Key": key, "ConsistentRead": True}
    dynamodb.add_response("get_item", {"Item": {**key, "document": {"S": '[{"type": "T"}]'}}}, request)
    dynamodb.add_response("get_item", {}, request)
    dynamodb.add_client_error("get_item", "ResourceNotFoundException")

    assert [TABLE.retained("shop") for _ in range(3)] == [({"type": "T"},), (), ()]


def test_write_retained_puts_the_whole_list(dynamodb: Stubber) -> None:
    item = {"pk": {"S": "RETAINED"}, "sk": {"S": "shop"}, "document": {"S": '[{"type": "T"}]'}}
    dynamodb.add_response("put_item", {}, {"TableName": "shop-releases", "Item": item})

    TABLE.write_retained("shop", ({"type": "T"},))


def test_delete_takes_the_protection_first(dynamodb: Stubber) -> None:
    request = {"TableName": "shop-releases", "DeletionProtectionEnabled": False}
    dynamodb.add_response("update_table", {}, request)
    dynamodb.add_response("describe_table", described())
    dynamodb.add_response("delete_table", {}, {"TableName": "shop-releases"})

    TABLE.delete()


def test_delete_of_a_missing_table_does_nothing(dynamodb: Stubber) -> None:
    dynamodb.add_client_error("update_table", "ResourceNotFoundException")

    TABLE.delete()


def test_exists_asks_for_the_table(dynamodb: Stubber) -> None:
    dynamodb.add_response("describe_table", described(), {"TableName": "shop-releases"})
    dynamodb.add_client_error("describe_table", "ResourceNotFoundException")

    assert [TABLE.exists(), TABLE.exists()] == [True, False]
