"""What the contract of fidelity calls: clients as boto3's, of the simulator or of the emulator, and a few names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

EVENT_PATTERN = {"source": ["alchemiser.trading"], "detail-type": ["RunFailed", "RunCompleted"]}
"""The pattern of the only rule of the bus."""
SWITCH = "/alchemiser/dev/trading"
BROKER_KEYS = '{"key": "k", "secret": "s"}'
SENDER, RECIPIENT = "bot@fund.test", "desk@fund.test"


class DynamoSide(NamedTuple):
    """DynamoDB on one side: its client, and what returns the name of an empty table: `Runs` or `Ledger`."""

    client: Any
    table: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Backend:
    """The other services on one side.

    Attributes:
        client: returns the client of a service.
        bus, bucket, topic, secret, trades: names, the ARN of the topic, the URL of a FIFO queue.
        delivered: returns the events that the rule's queue has got.
        sent: returns the ids of the messages that the FIFO queue delivers, in their order.
        set_switch: gives the parameter SWITCH a value.
        mails, notices: return the subjects and texts of what was sent.
    """

    client: Callable[[str], Any]
    bus: str
    bucket: str
    topic: str
    secret: str
    trades: str
    delivered: Callable[[], Sequence[Mapping[str, Any]]]
    sent: Callable[[], Sequence[str]]
    set_switch: Callable[[str], None]
    mails: Callable[[], Sequence[tuple[str, str]]]
    notices: Callable[[], Sequence[tuple[str, str]]]


class Refused(NamedTuple):
    """How a client refused a call: the code and the HTTP status of its ClientError, and the whole answer."""

    code: str
    status: int
    answer: Mapping[str, Any]

    @property
    def message(self) -> str:
        return str(self.answer["Error"]["Message"])


def refused(call: Callable[..., Any], **request: Any) -> Refused:
    """Make a call that must be refused."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    answer: Any = caught.value.response
    return Refused(answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer)


def answered(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer without what the fakes do not have: the metadata of the response."""
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
