from datetime import UTC, datetime
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import ANY, Stubber

from the_alchemiser.notifications_v2.channels import (
    SENT,
    Delivery,
    DynamoDeliveries,
    NotDeliveredError,
    RefusedError,
    SesMail,
    SnsTopic,
)
from the_alchemiser.notifications_v2.mail import Mail
from the_alchemiser.shared.messaging.wiring import CLAIM_KEPT_S

MAIL = Mail(subject="Équity up", html="<p>ü</p>", text="ü", short="short")
ARN = "arn:aws:sns:us-east-1:000000000000:alerts"


def session() -> boto3.Session:
    return boto3.Session(region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def test_ses_mail_several_recipients_is_one_mail_with_html_and_text() -> None:
    client = session().client("sesv2")
    with Stubber(client) as ses:
        body = {
            "Html": {"Data": MAIL.html, "Charset": "UTF-8"},
            "Text": {"Data": MAIL.text, "Charset": "UTF-8"},
        }
        expected = {
            "FromEmailAddress": "from@example.com",
            "Destination": {"ToAddresses": ["a@example.com", "b@example.com"]},
            "Content": {"Simple": {"Subject": {"Data": MAIL.subject, "Charset": "UTF-8"}, "Body": body}},
        }
        ses.add_response("send_email", {"MessageId": "1"}, expected)

        SesMail(client, sender="from@example.com", recipients=("a@example.com", "b@example.com")).send(MAIL)

        ses.assert_no_pending_responses()


def refuse(stub: Stubber, operation: str, code: str, text: str, *, status: int = 400) -> None:
    stub.add_client_error(operation, code, text, http_status_code=status)


def test_ses_mail_refused_raises_retryable_refusal() -> None:
    client = session().client("sesv2")
    with Stubber(client) as ses:
        refuse(ses, "send_email", "MessageRejected", "not verified")

        with pytest.raises(RefusedError, match=r"mail from from@example\.com to a@x, b@x: .*not verified") as caught:
            SesMail(client, sender="from@example.com", recipients=("a@x", "b@x")).send(MAIL)

    assert caught.value.retryable


@pytest.mark.parametrize(("status", "kind"), [(499, RefusedError), (500, NotDeliveredError), (503, NotDeliveredError)])
def test_ses_mail_server_error_leaves_open_whether_it_was_sent(status: int, kind: type[NotDeliveredError]) -> None:
    client = session().client("sesv2")
    with Stubber(client) as ses:
        refuse(ses, "send_email", "InternalFailure", "try again", status=status)

        with pytest.raises(NotDeliveredError) as caught:
            SesMail(client, sender="from@example.com", recipients=("a@x",)).send(MAIL)

    assert type(caught.value) is kind
    assert caught.value.retryable


@pytest.mark.parametrize("channel", ["mail", "topic"])
def test_channel_lost_answer_leaves_open_whether_it_was_sent(channel: str) -> None:
    class Silent:
        def send_email(self, **_: object) -> None:
            raise ReadTimeoutError(endpoint_url="https://aws")

        publish = send_email

    client = cast("Any", Silent())
    sender = SesMail(client, sender="from@x", recipients=("a@x",)) if channel == "mail" else SnsTopic(client, ARN)

    where = "mail from from@x to a@x" if channel == "mail" else f"topic {ARN}"
    with pytest.raises(NotDeliveredError, match=f"^{where}: Read timeout on endpoint") as caught:
        sender.send(MAIL)

    assert type(caught.value) is NotDeliveredError


def test_sns_topic_subject_is_converted_to_ascii() -> None:
    client = session().client("sns")
    with Stubber(client) as sns:
        sns.add_response("publish", {"MessageId": "1"}, {"TopicArn": ARN, "Subject": "?quity up", "Message": "short"})

        SnsTopic(client, ARN).send(MAIL)

        sns.assert_no_pending_responses()


def test_sns_topic_subject_is_cut_below_a_hundred_characters() -> None:
    client = session().client("sns")
    with Stubber(client) as sns:
        sns.add_response("publish", {"MessageId": "1"}, {"TopicArn": ARN, "Subject": "x" * 99, "Message": "short"})

        SnsTopic(client, ARN).send(MAIL.changed(subject="x" * 101))

        sns.assert_no_pending_responses()


def test_channels_keep_their_names() -> None:
    """They are in the keys of what was sent: another name would send old notices again."""
    assert (SesMail.name, SnsTopic.name) == ("mail", "topic")


def test_sns_topic_refused_raises_refusal() -> None:
    client = session().client("sns")
    with Stubber(client) as sns:
        refuse(sns, "publish", "AuthorizationError", "no grant")

        with pytest.raises(RefusedError, match=f"topic {ARN}: An error occurred .*no grant"):
            SnsTopic(client, ARN).send(MAIL)


@pytest.mark.parametrize(
    ("item", "delivery"),
    [
        (None, Delivery()),
        ({"claim": {"S": "k"}, "attempts": {"N": "1"}}, Delivery(unanswered=1)),
        ({"claim": {"S": "k"}, "attempts": {"N": "2"}}, Delivery(unanswered=2)),
        # The release before this one wrote an item only once the notice was sent.
        ({"claim": {"S": "k"}, "expires_at": {"N": "1"}}, SENT),
    ],
    ids=["nothing", "one attempt", "two attempts", "sent"],
)
def test_dynamo_deliveries_read_is_consistent(item: dict[str, Any] | None, delivery: Delivery) -> None:
    client = session().client("dynamodb")
    with Stubber(client) as table:
        expected = {"TableName": "claims", "Key": {"claim": {"S": "k"}}, "ConsistentRead": True}
        table.add_response("get_item", {} if item is None else {"Item": item}, expected)

        assert DynamoDeliveries(client, "claims").read("k") == delivery


@pytest.mark.parametrize(
    ("delivery", "attempts"), [(SENT, {}), (Delivery(unanswered=1), {"attempts": {"N": "1"}})], ids=["sent", "attempt"]
)
def test_dynamo_deliveries_record_outlives_the_message(delivery: Delivery, attempts: dict[str, Any]) -> None:
    client = session().client("dynamodb")
    with Stubber(client) as table:
        item = {"claim": {"S": "k"}, "expires_at": {"N": str(1_000 + CLAIM_KEPT_S)}, **attempts}
        table.add_response("put_item", {}, {"TableName": "claims", "Item": item})

        DynamoDeliveries(client, "claims", now=lambda: datetime.fromtimestamp(1_000, UTC)).record("k", delivery)

        table.assert_no_pending_responses()


def test_dynamo_deliveries_count_by_the_wall_clock() -> None:
    client = session().client("dynamodb")
    with Stubber(client) as table:
        table.add_response("put_item", {}, {"TableName": "claims", "Item": ANY})

        DynamoDeliveries(client, "claims").record("k", SENT)
