"""Each call to the services that hold data. Answers are composed; Stubber validates them."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from botocore.stub import Stubber

from automation.system import aws, data_resources
from automation.system.data_resources import DataResources
from automation.system.errors import DeploymentError
from automation.system.holdings import BUCKET, LOG_GROUP, PARAMETER, QUEUE, TABLE, TOPIC, Holding
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-data")
DATA = DataResources(TARGET)
QUEUE_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/shop-inbox"
TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:shop-alerts"
LISTED = {"Bucket": "shop-lake"}

type Stubs = dict[str, Stubber]


@pytest.fixture
def stubs() -> Iterator[Stubs]:
    services = ("dynamodb", "s3", "sqs", "logs", "ssm", "sns")
    with ExitStack() as stack:
        stubs = {name: stack.enter_context(Stubber(aws.client(name, TARGET))) for name in services}
        yield stubs
        for stub in stubs.values():
            stub.assert_no_pending_responses()


def described(*, protected: bool = False, items: int = 0, status: str = "ACTIVE") -> dict[str, Any]:
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    names = ("pk", "sk", "day")
    table = {
        "TableStatus": status,
        "ItemCount": items,
        "DeletionProtectionEnabled": protected,
        "KeySchema": keys,
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in names],
    }
    return {"Table": table}


def table(stubs: Stubs, count: int, *, has_more: bool = False, **description: Any) -> Holding | None:
    """Look at a table whose first page has `count` items."""
    stubs["dynamodb"].add_response("describe_table", described(**description), {"TableName": "shop-sales"})
    page = {"Count": count, **({"LastEvaluatedKey": {"pk": {"S": "x"}}} if has_more else {})}
    request = {"TableName": "shop-sales", "Select": "COUNT", "ConsistentRead": True}
    stubs["dynamodb"].add_response("scan", page, request)
    return DATA.look(TABLE, "shop-sales")


def version(key: str, *, size: int = 0, latest: bool = True) -> dict[str, Any]:
    return {"Key": key, "VersionId": f"v-{key}", "Size": size, "IsLatest": latest}


def test_look_at_a_table_counts_its_items(stubs: Stubs) -> None:
    keys = ("pk HASH S", "sk RANGE S")

    assert table(stubs, 1234, items=7) == Holding("1,234 items", is_empty=False, keys=keys)
    assert table(stubs, 0, items=7, protected=True) == Holding("0 items", is_empty=True, is_protected=True, keys=keys)


@pytest.mark.parametrize(("counted", "known", "text"), [(10, 5000, "about 5,000 items"), (10, 3, "about 10 items")])
def test_look_at_a_large_table_takes_the_greater_count(stubs: Stubs, counted: int, known: int, text: str) -> None:
    holding = table(stubs, counted, has_more=True, items=known)

    assert holding is not None
    assert (holding.text, holding.is_empty) == (text, False)


def test_look_at_a_bucket_counts_objects_versions_and_bytes(stubs: Stubs) -> None:
    first = {"Versions": [version("a", size=1000), version("b", size=500, latest=False)], "IsTruncated": True}
    marker = {"Key": "b", "VersionId": "m", "IsLatest": True}
    stubs["s3"].add_response("list_object_versions", first | {"NextKeyMarker": "b", "NextVersionIdMarker": "v"}, LISTED)
    stubs["s3"].add_response("list_object_versions", {"DeleteMarkers": [marker], "IsTruncated": False})

    assert DATA.look(BUCKET, "shop-lake") == Holding("1 object, 3 versions, 1.5 kB", is_empty=False)


def test_look_at_an_empty_bucket(stubs: Stubs) -> None:
    stubs["s3"].add_response("list_object_versions", {"IsTruncated": False}, LISTED)

    assert DATA.look(BUCKET, "shop-lake") == Holding("0 objects, 0 versions, 0 bytes", is_empty=True)


def test_look_at_a_huge_bucket_stops_counting(stubs: Stubs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_resources, "MAX_PAGES", 1)
    page = {"Versions": [version("a")], "IsTruncated": True, "NextKeyMarker": "a", "NextVersionIdMarker": "v"}
    stubs["s3"].add_response("list_object_versions", page, LISTED)

    assert DATA.look(BUCKET, "shop-lake") == Holding("more than 1 object, 1 version, 0 bytes", is_empty=False)


@pytest.mark.parametrize(
    ("counts", "text"), [((1, 2, 3), "6 messages"), ((0, 1, 0), "1 message"), ((0, 0, 0), "0 messages")]
)
def test_look_at_a_queue_counts_every_message(stubs: Stubs, counts: tuple[int, ...], text: str) -> None:
    names = (
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    )
    attributes = {name: str(count) for name, count in zip(names, counts, strict=True)}
    request = {"QueueUrl": QUEUE_URL, "AttributeNames": ["All"]}
    stubs["sqs"].add_response("get_queue_attributes", {"Attributes": attributes}, request)

    assert DATA.look(QUEUE, QUEUE_URL) == Holding(text, is_empty=not sum(counts))


@pytest.mark.parametrize(("stored", "is_empty"), [(0, True), (1500, False)])
def test_look_at_a_log_group(stubs: Stubs, stored: int, is_empty: bool) -> None:
    groups = [{"logGroupName": "/shop", "storedBytes": stored}, {"logGroupName": "/shop/2"}]
    stubs["logs"].add_response("describe_log_groups", {"logGroups": groups}, {"logGroupNamePrefix": "/shop"})

    text = "1.5 kB of logs" if stored else "0 bytes of logs"
    assert DATA.look(LOG_GROUP, "/shop") == Holding(text, is_empty=is_empty)


@pytest.mark.parametrize("names", [[], ["/shop/2"]])
def test_look_at_a_missing_log_group(stubs: Stubs, names: list[str]) -> None:
    stubs["logs"].add_response("describe_log_groups", {"logGroups": [{"logGroupName": name} for name in names]})

    assert DATA.look(LOG_GROUP, "/shop") is None


def test_look_at_a_parameter_never_says_its_value(stubs: Stubs) -> None:
    stubs["ssm"].add_response("get_parameter", {"Parameter": {"Value": "on"}}, {"Name": "/shop/on"})

    assert DATA.look(PARAMETER, "/shop/on") == Holding("a value", is_empty=False)


@pytest.mark.parametrize(("confirmed", "holding"), [("1", Holding("1 subscriber", is_empty=False)), ("0", None)])
def test_look_at_a_topic_counts_subscribers(stubs: Stubs, confirmed: str, holding: Holding | None) -> None:
    answer = {"Attributes": {"SubscriptionsConfirmed": confirmed}}
    stubs["sns"].add_response("get_topic_attributes", answer, {"TopicArn": TOPIC_ARN})

    assert DATA.look(TOPIC, TOPIC_ARN) == (holding or Holding("0 subscribers", is_empty=True))


MISSING = [
    (TABLE, "dynamodb", "describe_table", "ResourceNotFoundException"),
    (BUCKET, "s3", "list_object_versions", "NoSuchBucket"),
    (QUEUE, "sqs", "get_queue_attributes", "AWS.SimpleQueueService.NonExistentQueue"),
    (QUEUE, "sqs", "get_queue_attributes", "QueueDoesNotExist"),
    (PARAMETER, "ssm", "get_parameter", "ParameterNotFound"),
    (TOPIC, "sns", "get_topic_attributes", "NotFound"),
]


@pytest.mark.parametrize(("kind", "service", "operation", "code"), MISSING)
def test_look_at_what_is_missing(stubs: Stubs, kind: str, service: str, operation: str, code: str) -> None:
    stubs[service].add_client_error(operation, code)

    assert DATA.look(kind, "shop") is None


def test_look_refused_is_an_error(stubs: Stubs) -> None:
    stubs["dynamodb"].add_client_error("describe_table", "AccessDeniedException")

    with pytest.raises(DeploymentError, match="shop-sales: AWS refused the request"):
        DATA.look(TABLE, "shop-sales")


def test_find_a_queue_returns_its_url(stubs: Stubs) -> None:
    stubs["sqs"].add_response("get_queue_url", {"QueueUrl": QUEUE_URL}, {"QueueName": "shop-inbox"})
    stubs["sqs"].add_client_error("get_queue_url", "QueueDoesNotExist")

    assert [DATA.find(QUEUE, "shop-inbox"), DATA.find(QUEUE, "shop-inbox")] == [QUEUE_URL, ""]


@pytest.mark.parametrize(("name", "arn"), [("shop-alerts", TOPIC_ARN), ("alerts", "")])
def test_find_a_topic_returns_its_arn(stubs: Stubs, name: str, arn: str) -> None:
    stubs["sns"].add_response("list_topics", {"Topics": [{"TopicArn": TOPIC_ARN}]})

    assert DATA.find(TOPIC, name) == arn


def test_find_anything_else_returns_its_name(stubs: Stubs) -> None:
    stubs["ssm"].add_response("get_parameter", {"Parameter": {"Value": "on"}}, {"Name": "/shop/on"})
    stubs["ssm"].add_client_error("get_parameter", "ParameterNotFound")

    assert [DATA.find(PARAMETER, "/shop/on"), DATA.find(PARAMETER, "/shop/on")] == ["/shop/on", ""]


def test_find_refused_is_an_error(stubs: Stubs) -> None:
    stubs["sqs"].add_client_error("get_queue_url", "AccessDenied")

    with pytest.raises(DeploymentError):
        DATA.find(QUEUE, "shop-inbox")


def test_release_takes_the_protection_of_a_table_and_waits(stubs: Stubs) -> None:
    stubs["dynamodb"].add_response("describe_table", described(protected=True), {"TableName": "shop-sales"})
    request = {"TableName": "shop-sales", "DeletionProtectionEnabled": False}
    stubs["dynamodb"].add_response("update_table", {}, request)
    stubs["dynamodb"].add_response("describe_table", described(), {"TableName": "shop-sales"})

    DATA.release(TABLE, "shop-sales")


def test_release_leaves_an_unprotected_table_alone(stubs: Stubs) -> None:
    stubs["dynamodb"].add_response("describe_table", described(), {"TableName": "shop-sales"})

    DATA.release(TABLE, "shop-sales")


def test_release_empties_a_bucket_with_all_versions(stubs: Stubs) -> None:
    first = {
        "Versions": [version("a")],
        "DeleteMarkers": [{"Key": "b", "VersionId": "m"}],
        "IsTruncated": True,
        "NextKeyMarker": "b",
        "NextVersionIdMarker": "m",
    }
    stubs["s3"].add_response("list_object_versions", first, LISTED)
    names = [{"Key": "a", "VersionId": "v-a"}, {"Key": "b", "VersionId": "m"}]
    request = {"Bucket": "shop-lake", "Delete": {"Objects": names, "Quiet": True}}
    stubs["s3"].add_response("delete_objects", {}, request)
    stubs["s3"].add_response("list_object_versions", {"IsTruncated": False})

    DATA.release(BUCKET, "shop-lake")


def test_release_of_a_locked_object_is_an_error(stubs: Stubs) -> None:
    stubs["s3"].add_response("list_object_versions", {"Versions": [version("a")], "IsTruncated": False}, LISTED)
    stubs["s3"].add_response("delete_objects", {"Errors": [{"Key": "a", "Message": "locked"}]})

    with pytest.raises(DeploymentError, match=r"shop-lake: 1 object\(s\) could not be deleted: a: locked"):
        DATA.release(BUCKET, "shop-lake")


def test_release_of_anything_else_makes_no_call(stubs: Stubs) -> None:
    for kind in (QUEUE, LOG_GROUP, PARAMETER, TOPIC):
        DATA.release(kind, "shop")


DELETIONS = [
    (BUCKET, "s3", "delete_bucket", {"Bucket": "shop"}),
    (QUEUE, "sqs", "delete_queue", {"QueueUrl": "shop"}),
    (LOG_GROUP, "logs", "delete_log_group", {"logGroupName": "shop"}),
    (PARAMETER, "ssm", "delete_parameter", {"Name": "shop"}),
    (TOPIC, "sns", "delete_topic", {"TopicArn": "shop"}),
]


@pytest.mark.parametrize(("kind", "service", "operation", "request_"), DELETIONS)
def test_delete_names_the_resource(stubs: Stubs, kind: str, service: str, operation: str, request_: Any) -> None:
    stubs[service].add_response(operation, {}, request_)

    DATA.delete(kind, "shop")


def test_delete_waits_until_a_table_is_gone(stubs: Stubs) -> None:
    stubs["dynamodb"].add_response("delete_table", {}, {"TableName": "shop-sales"})
    stubs["dynamodb"].add_client_error("describe_table", "ResourceNotFoundException")

    DATA.delete(TABLE, "shop-sales")


def test_delete_again_does_nothing(stubs: Stubs) -> None:
    stubs["dynamodb"].add_client_error("delete_table", "ResourceNotFoundException")
    stubs["logs"].add_client_error("delete_log_group", "ResourceNotFoundException")

    DATA.delete(TABLE, "shop-sales")
    DATA.delete(LOG_GROUP, "/shop")


def test_delete_refused_is_an_error(stubs: Stubs) -> None:
    stubs["s3"].add_client_error("delete_bucket", "BucketNotEmpty")

    with pytest.raises(DeploymentError, match="shop-lake: AWS refused the request"):
        DATA.delete(BUCKET, "shop-lake")


def test_parameter_is_read_and_written(stubs: Stubs) -> None:
    stubs["ssm"].add_response("get_parameter", {"Parameter": {"Value": "on"}}, {"Name": "/shop/on"})
    stubs["ssm"].add_response("put_parameter", {}, {"Name": "/shop/on", "Value": "off", "Overwrite": True})

    assert DATA.read_parameter("/shop/on") == "on"
    DATA.write_parameter("/shop/on", "off")
