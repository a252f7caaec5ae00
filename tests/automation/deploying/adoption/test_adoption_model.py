"""What is known of a resource that a stack has left."""

from typing import Any

import pytest

from automation.deploying.adoption import model
from automation.deploying.adoption.model import RetainedResource
from automation.deploying.changes.model import Action, Rank, RankedChange
from automation.system.holdings import BUCKET, LOG_GROUP, QUEUE, TABLE, TOPIC, Holding
from tests.automation.deploying.adoption.retained_examples import (
    INBOX,
    LOGS,
    SALES,
    SWITCH,
    definition,
    retained,
    table_definition,
)

TOPIC_ARN = "arn:aws:sns:eu-west-1:123456789012:shop-Alerts-1"


def test_document_there_and_back_loses_only_the_content() -> None:
    document = model.as_document(SALES)

    assert model.from_document(document) == model.with_holding(SALES, None)
    assert model.from_document({**document, "value": "on"}) == model.with_holding(SALES, None)
    assert document["definition"] == SALES.definition


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        (SALES, "shop-live-Sales-1"),
        (INBOX, "shop-inbox.fifo"),
        (LOGS, "/aws/lambda/shop-Till-1"),
        (SWITCH, "/shop/on"),
        (retained("Alerts", TOPIC_ARN, definition(TOPIC)), "shop-Alerts-1"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_name_is_what_a_template_could_fix(resource: RetainedResource, name: str) -> None:
    assert resource.name == name


def test_name_property_of_a_queue_and_a_topic_differ_from_their_identifiers() -> None:
    assert [model.name_property(kind) for kind in (QUEUE, TOPIC, TABLE)] == ["QueueName", "TopicName", "TableName"]
    assert [model.IDENTIFIERS[kind] for kind in (QUEUE, TOPIC, TABLE)] == ["QueueUrl", "TopicArn", "TableName"]


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (
            table_definition(GlobalSecondaryIndexes=[1], SSESpecification={}),
            table_definition(GlobalSecondaryIndexes=[1]),
        ),
        (definition(QUEUE, {"QueueName": "a", "FifoQueue": True, "KmsMasterKeyId": "k"}), {"QueueName", "FifoQueue"}),
        (definition(BUCKET, {"BucketName": "a", "VersioningConfiguration": {}}), {"BucketName"}),
        (definition(LOG_GROUP, {"LogGroupName": "a", "RetentionInDays": 9}), {"LogGroupName"}),
        (definition(TOPIC, {"TopicName": "a", "FifoTopic": True, "KmsMasterKeyId": "k"}), {"TopicName", "FifoTopic"}),
        (SWITCH.definition, SWITCH.definition),
        ({"Type": QUEUE}, {"Type": QUEUE, "Properties": {}}),
    ],
    ids=["table", "queue", "bucket", "log group", "topic", "parameter", "bare"],
)
def test_stranger_has_only_what_cannot_be_otherwise(wanted: dict[str, Any], kept: dict[str, Any] | set[str]) -> None:
    """The update after the import then writes the rest, such as backups and protection."""
    stranger = model.of_stranger(wanted)

    assert (stranger if isinstance(kept, dict) else set(stranger["Properties"])) == kept
    assert stranger.keys() == {*wanted, "Properties"}


def test_text_has_name_and_content() -> None:
    assert SALES.text == "shop-live-Sales-1, 3 items"
    assert model.with_holding(INBOX, None).text == "shop-inbox.fifo"
    assert model.with_holding(INBOX, Holding("", is_empty=True)).text == "shop-inbox.fifo"


def test_is_importable_by_type() -> None:
    assert SALES.is_importable
    assert not retained("Db", "db-1", definition("AWS::RDS::DBInstance")).is_importable


def test_line_is_an_import_that_needs_no_attention() -> None:
    assert model.line("app", SALES) == RankedChange(
        Rank.OTHER, "app", "Sales", TABLE, Action.IMPORT, "adopt shop-live-Sales-1, 3 items", needs_attention=False
    )
