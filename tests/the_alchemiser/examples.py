"""A valid message of every class, and the SQS records that carry them."""

import json
from typing import Any

from desk.deployment.samples import AS_OF, AT, DAY, PRICE, RUN_ID, SENTENCE, SHARES, WEIGHT, example
from the_alchemiser.shared.messaging import messages as m
from the_alchemiser.shared.messaging.publisher import bus_event

__all__ = [
    "AS_OF",
    "AT",
    "DAY",
    "PRICE",
    "RUN_ID",
    "SENTENCE",
    "SHARES",
    "WEIGHT",
    "example",
    "raw_record",
    "sqs_record",
]


def sqs_record(message: m.Message, *, receives: int = 1, record_id: str = "record-1") -> dict[str, Any]:
    """Return the message as a record of its consumer's inbox."""
    return raw_record(json.dumps(bus_event(message)), receives=receives, record_id=record_id)


def raw_record(body: str, *, receives: int = 1, record_id: str = "record-1") -> dict[str, Any]:
    """Return a record with this body."""
    return {
        "messageId": record_id,
        "receiptHandle": "a-handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": "1647459909000"},
        "messageAttributes": {},
        "md5OfBody": "00000000000000000000000000000000",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:111122223333:inbox",
        "awsRegion": "us-east-1",
    }
