import boto3
import pytest
from botocore.stub import ANY, Stubber

from the_alchemiser.notifications_v2.channels import DynamoDeliveries, NotDeliveredError, SesMail, SnsTopic
from the_alchemiser.notifications_v2.mail import Mail

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


def test_ses_mail_refused_raises_retryable_not_delivered() -> None:
    client = session().client("sesv2")
    with Stubber(client) as ses:
        ses.add_client_error("send_email", "MessageRejected", "not verified")

        with pytest.raises(NotDeliveredError, match="not verified") as caught:
            SesMail(client, sender="from@example.com", recipients=("a@example.com",)).send(MAIL)

    assert caught.value.retryable


def test_sns_topic_subject_is_converted_to_ascii() -> None:
    client = session().client("sns")
    with Stubber(client) as sns:
        sns.add_response("publish", {"MessageId": "1"}, {"TopicArn": ARN, "Subject": "?quity up", "Message": "short"})

        SnsTopic(client, ARN).send(MAIL)

        sns.assert_no_pending_responses()


def test_sns_topic_refused_raises_not_delivered() -> None:
    client = session().client("sns")
    with Stubber(client) as sns:
        sns.add_client_error("publish", "AuthorizationError", "no grant")

        with pytest.raises(NotDeliveredError, match="no grant"):
            SnsTopic(client, ARN).send(MAIL)


def test_dynamo_deliveries_recorded_notice_is_sent() -> None:
    client = session().client("dynamodb")
    with Stubber(client) as table:
        key = {"claim": {"S": "k"}}
        table.add_response("get_item", {}, {"TableName": "claims", "Key": key, "ConsistentRead": True})
        table.add_response("put_item", {}, {"TableName": "claims", "Item": {**key, "expires_at": ANY}})
        table.add_response("get_item", {"Item": key}, {"TableName": "claims", "Key": key, "ConsistentRead": True})
        deliveries = DynamoDeliveries(client, "claims")

        before = deliveries.is_sent("k")
        deliveries.record_sent("k")

        assert not before
        assert deliveries.is_sent("k")
