"""Publishers: they send a message where the registry says, to the bus or to the FIFO trade queue."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.messaging.messages import REGISTRY, Message, TradeRequested

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# EventBridge and SQS have the same limits for one call.
ENTRIES_AT_MOST = 10
BYTES_AT_MOST = 256 * 1024  # all entries of one call together
ENTRY_OVERHEAD_BYTES = 256  # source, detail type and time count too


class Publisher(Protocol):
    """Sends messages to their consumers."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish in order; return only when every message is accepted, otherwise raise, and all are sent again."""
        ...


class NotAcceptedError(StateUnavailableError):
    """Bus or queue accepted only some of the messages; sending all of them again is harmless."""


def bus_event(message: Message) -> dict[str, Any]:
    """Return the message as an inbox receives it: as an event of the bus, also when it comes from the trade queue."""
    kind = type(message)
    return {
        "source": REGISTRY[kind].source,
        "detail-type": kind.__name__,
        "detail": message.to_content(),
    }


class BusPublisher:
    """Publisher on EventBridge; grants on the bus: events:PutEvents, and events:DescribeEventBus for `check`."""

    def __init__(self, client: "EventBridgeClient", bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, messages: Sequence[Message]) -> None:
        """Put all messages on the bus, in as few calls as its limits allow.

        Raises:
            NotAcceptedError: the bus refused at least one of them.
        """
        for batch in batches([_entry(message, self._bus) for message in messages], _event_bytes):
            answer = self._client.put_events(Entries=batch)
            if answer["FailedEntryCount"]:
                raise NotAcceptedError(f"bus {self._bus}: {answer['FailedEntryCount']} of {len(batch)} not accepted")

    def check(self) -> None:
        """Look the bus up; send nothing.

        Raises:
            ClientError, BotoCoreError: EventBridge denied access, has no such bus, or did not answer.
        """
        self._client.describe_event_bus(Name=self._bus)


def batches[Entry](entries: Sequence[Entry], size_bytes: Callable[[Entry], int]) -> Iterator[list[Entry]]:
    """Split the entries, in order, into batches as large as one call of EventBridge or SQS takes."""
    batch: list[Entry] = []
    batch_bytes = 0

    for entry in entries:
        entry_bytes = size_bytes(entry)
        if batch and (len(batch) == ENTRIES_AT_MOST or batch_bytes + entry_bytes > BYTES_AT_MOST):
            yield batch
            batch, batch_bytes = [], 0
        batch.append(entry)
        batch_bytes += entry_bytes

    if batch:
        yield batch


def _entry(message: Message, bus: str) -> "PutEventsRequestEntryTypeDef":
    return {
        "EventBusName": bus,
        "Source": REGISTRY[type(message)].source,
        "DetailType": type(message).__name__,
        "Detail": message.to_json(),
    }


def _event_bytes(entry: "PutEventsRequestEntryTypeDef") -> int:
    return len(entry["Detail"].encode()) + ENTRY_OVERHEAD_BYTES


class NoPublisher:
    """The publisher of a module that publishes nothing, and so needs no grant on the bus."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Raise if there is anything to publish.

        Raises:
            NotImplementedError: there is a message; a service that starts to publish needs a real publisher.
        """
        if messages:
            raise NotImplementedError(
                f"this module has no publisher, but its service returned a {type(messages[0]).__name__}; "
                "wire a BusPublisher in its lambda_handler"
            )


class TradeQueue:
    """The FIFO trade queue: one group per run and symbol, deduplicated by trade id.

    Grants: sqs:SendMessage, and sqs:GetQueueUrl for `check`.
    """

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def publish(self, trades: Sequence[TradeRequested]) -> None:
        """Send all trades, in order, in as few calls as the queue's limits allow.

        While trades are sent, the outcomes of the first ones may arrive. Each of them publishes again what is not
        marked as sent, so sending must not take long.

        Raises:
            NotAcceptedError: the queue refused at least one of them.
        """
        for batch in batches([_queued(trade) for trade in trades], _queued_bytes):
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=batch)
            if refused := answer.get("Failed"):
                raise NotAcceptedError(f"queue {self._url}: {len(refused)} of {len(batch)} not accepted")

    def check(self) -> None:
        """Look the queue up; send and receive nothing.

        Raises:
            ClientError, BotoCoreError: SQS denied access, has no such queue, or did not answer.
        """
        self._client.get_queue_url(QueueName=self._url.rpartition("/")[2])


def _queued(trade: TradeRequested) -> "SendMessageBatchRequestEntryTypeDef":
    return {
        # Symbols may have a dot, which an id may not.
        "Id": f"{trade.side.value}-{trade.symbol.replace('.', '_')}",
        "MessageBody": json.dumps(bus_event(trade)),
        "MessageGroupId": f"{trade.run_id}#{trade.symbol}",
        # A trade that is released again within five minutes is dropped by the queue; later, by the claim of its
        # consumer.
        "MessageDeduplicationId": trade.trade_id,
    }


def _queued_bytes(entry: "SendMessageBatchRequestEntryTypeDef") -> int:
    return len(entry["MessageBody"].encode())


class RoutingPublisher:
    """Sends trades to their queue and every other message to the bus."""

    def __init__(self, bus: Publisher, trades: TradeQueue) -> None:
        self._bus = bus
        self._trades = trades

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish each message where it belongs."""
        trades = [message for message in messages if isinstance(message, TradeRequested)]
        self._trades.publish(trades)
        self._bus.publish([message for message in messages if not isinstance(message, TradeRequested)])
