"""EventBridge, S3, SSM, Secrets Manager, SES, SNS and CloudWatch, call by call, as the ten functions call them."""

import hashlib
import json
from abc import ABC, abstractmethod
from typing import Any

import pytest

from tests.fidelity.backend import BROKER_KEYS, RECIPIENT, SENDER, SWITCH, Backend, answered, refused


class ServicesContract(ABC):
    """A subclass says on which side it runs."""

    @pytest.fixture
    @abstractmethod
    def backend(self) -> Backend: ...

    # --- EventBridge ------------------------------------------------------------------------------------------------

    def test_put_events_delivers_what_the_rule_selects(self, backend: Backend) -> None:
        entries = [entry(backend, "RunFailed", 1), entry(backend, "Ignored", 2), entry(backend, "RunCompleted", 3)]

        answer = backend.client("events").put_events(Entries=entries)

        assert answer["FailedEntryCount"] == 0
        assert [row.keys() & {"ErrorCode", "ErrorMessage"} for row in answer["Entries"]] == [set()] * 3
        events = sorted(backend.delivered(), key=lambda event: str(event["detail"]["message_id"]))
        assert [(event["source"], event["detail-type"], event["detail"]) for event in events] == [
            ("alchemiser.trading", "RunFailed", detail(1)),
            ("alchemiser.trading", "RunCompleted", detail(3)),
        ]

    def test_put_events_of_another_source_delivers_nothing(self, backend: Backend) -> None:
        foreign = {**entry(backend, "RunFailed", 1), "Source": "alchemiser.data"}

        backend.client("events").put_events(Entries=[foreign])

        assert list(backend.delivered()) == []

    def test_describe_event_bus_answers(self, backend: Backend) -> None:
        backend.client("events").describe_event_bus(Name=backend.bus)

    # --- SQS --------------------------------------------------------------------------------------------------------

    def test_send_message_batch_keeps_the_order_of_a_group(self, backend: Backend) -> None:
        entries = [trade(number, group="r") for number in (1, 2, 3)]

        answer = backend.client("sqs").send_message_batch(QueueUrl=backend.trades, Entries=entries)

        assert [row["Id"] for row in answer["Successful"]] == ["1", "2", "3"]
        assert not answer.get("Failed")
        assert list(backend.sent()) == ["m1", "m2", "m3"]

    def test_send_message_batch_accepts_and_drops_a_known_deduplication_id(self, backend: Backend) -> None:
        sqs = backend.client("sqs")
        sqs.send_message_batch(QueueUrl=backend.trades, Entries=[trade(1, group="r")])

        answer = sqs.send_message_batch(QueueUrl=backend.trades, Entries=[trade(1, group="r"), trade(2, group="r")])

        assert [row["Id"] for row in answer["Successful"]] == ["1", "2"]
        assert not answer.get("Failed")
        assert list(backend.sent()) == ["m1", "m2"]

    def test_get_queue_url_of_a_queue_answers_with_its_name(self, backend: Backend) -> None:
        name = backend.trades.rpartition("/")[2]

        answer = backend.client("sqs").get_queue_url(QueueName=name)

        assert answer["QueueUrl"].rpartition("/")[2] == name

    # --- S3 ---------------------------------------------------------------------------------------------------------

    def test_get_object_returns_body_etag_and_metadata(self, backend: Backend) -> None:
        s3 = backend.client("s3")
        put = s3.put_object(**content(backend, b"1"))

        got = s3.get_object(Bucket=backend.bucket, Key="k")

        etag = f'"{hashlib.md5(b"1", usedforsecurity=False).hexdigest()}"'
        assert (put["ETag"], got["ETag"], got["Body"].read(), got["Metadata"]) == (etag, etag, b"1", {"sha256": "x"})

    def test_get_object_of_a_missing_key_is_404(self, backend: Backend) -> None:
        refusal = refused(backend.client("s3").get_object, Bucket=backend.bucket, Key="missing")

        assert (refusal.code, refusal.status) == ("NoSuchKey", 404)

    def test_put_object_if_none_exists_happens_once(self, backend: Backend) -> None:
        s3 = backend.client("s3")
        s3.put_object(**content(backend, b"1"), IfNoneMatch="*")

        refusal = refused(s3.put_object, **content(backend, b"2"), IfNoneMatch="*")

        assert (refusal.code, refusal.status) == ("PreconditionFailed", 412)
        assert s3.get_object(Bucket=backend.bucket, Key="k")["Body"].read() == b"1"

    def test_put_object_compares_the_etag(self, backend: Backend) -> None:
        s3 = backend.client("s3")
        etag = s3.put_object(**content(backend, b"1"))["ETag"]

        refusal = refused(s3.put_object, **content(backend, b"2"), IfMatch='"0"')
        s3.put_object(**content(backend, b"3"), IfMatch=etag)

        assert (refusal.code, refusal.status) == ("PreconditionFailed", 412)
        assert s3.get_object(Bucket=backend.bucket, Key="k")["Body"].read() == b"3"

    def test_put_object_compared_with_a_missing_one_is_404(self, backend: Backend) -> None:
        refusal = refused(backend.client("s3").put_object, **content(backend, b"1"), IfMatch='"0"')

        assert (refusal.code, refusal.status) == ("NoSuchKey", 404)

    # --- SSM and Secrets Manager ------------------------------------------------------------------------------------

    def test_get_parameter_returns_the_last_value(self, backend: Backend) -> None:
        ssm = backend.client("ssm")
        values = []
        for text in ("enabled", "paused"):
            backend.set_switch(text)
            parameter = ssm.get_parameter(Name=SWITCH)["Parameter"]
            values.append((parameter["Name"], parameter["Value"]))

        assert values == [(SWITCH, "enabled"), (SWITCH, "paused")]

    def test_get_parameter_of_an_unknown_name_is_refused(self, backend: Backend) -> None:
        refusal = refused(backend.client("ssm").get_parameter, Name="/unknown")

        assert (refusal.code, refusal.status) == ("ParameterNotFound", 400)

    def test_get_secret_value_returns_the_text(self, backend: Backend) -> None:
        answer = backend.client("secretsmanager").get_secret_value(SecretId=backend.secret)

        assert answer["SecretString"] == BROKER_KEYS

    # --- SES, SNS, CloudWatch ---------------------------------------------------------------------------------------

    def test_send_email_sends_subject_and_text(self, backend: Backend) -> None:
        answer = backend.client("sesv2").send_email(
            FromEmailAddress=SENDER,
            Destination={"ToAddresses": [RECIPIENT]},
            Content={
                "Simple": {
                    "Subject": {"Data": "run completed — 1", "Charset": "UTF-8"},
                    "Body": {
                        "Html": {"Data": "<p>html</p>", "Charset": "UTF-8"},
                        "Text": {"Data": "a text", "Charset": "UTF-8"},
                    },
                }
            },
        )

        assert answered(answer).keys() == {"MessageId"}
        assert list(backend.mails()) == [("run completed — 1", "a text")]

    def test_publish_sends_subject_and_message(self, backend: Backend) -> None:
        answer = backend.client("sns").publish(TopicArn=backend.topic, Subject="short", Message="a message")

        assert answered(answer).keys() == {"MessageId"}
        assert list(backend.notices()) == [("short", "a message")]

    def test_put_metric_data_answers_nothing(self, backend: Backend) -> None:
        figures = [{"MetricName": "Cash", "Value": 2.0, "Unit": "None"}]

        answer = backend.client("cloudwatch").put_metric_data(Namespace="Alchemiser", MetricData=figures)

        assert answered(answer) == {}


def detail(number: int) -> dict[str, str]:
    return {"message_id": f"m{number}", "run_id": "r"}


def entry(backend: Backend, kind: str, number: int) -> dict[str, str]:
    """Return an entry as the publisher builds it."""
    return {
        "EventBusName": backend.bus,
        "Source": "alchemiser.trading",
        "DetailType": kind,
        "Detail": json.dumps(detail(number)),
    }


def trade(number: int, *, group: str) -> dict[str, str]:
    """Return an entry as the trade queue's sender builds it."""
    body = {"detail-type": "TradeRequested", "detail": detail(number)}
    return {
        "Id": str(number),
        "MessageBody": json.dumps(body),
        "MessageGroupId": group,
        "MessageDeduplicationId": f"m{number}",
    }


def content(backend: Backend, body: bytes) -> dict[str, Any]:
    """Return the request that puts a body."""
    return {
        "Bucket": backend.bucket,
        "Key": "k",
        "Body": body,
        "ContentType": "application/octet-stream",
        "Metadata": {"sha256": "x"},
    }
