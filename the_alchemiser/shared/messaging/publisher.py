"""Putting messages where the registry says: on the bus, or on the FIFO trade queue."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.messaging.messages import REGISTRY, Message, TradeRequested

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef
    from mypy_boto3_sqs import SQSClient

PUT_EVENTS_AT_MOST = 10
PUT_EVENTS_BYTES_AT_MOST = 256 * 1024  # all entries of one call together
ENTRY_OVERHEAD_BYTES = 256  # source, detail type and time count too


class Publisher(Protocol):
    """Tells the others; returns only when every message is accepted."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish in order; raises when any was not accepted, so that all are told again."""
        ...


class NotAcceptedError(StateUnavailableError):
    """The bus or the queue took some messages and not others; telling all again is harmless."""


def envelope(message: Message) -> dict[str, Any]:
    """The message in the shape an inbox receives: the bus's own, for queued messages too."""
    kind = type(message)
    return {
        "source": REGISTRY[kind].source,
        "detail-type": kind.__name__,
        "detail": message.model_dump(mode="json"),
    }


class BusPublisher:
    """Publisher on EventBridge; grant: events:PutEvents on the bus."""

    def __init__(self, client: "EventBridgeClient", bus: str) -> None:
        self._client = client
        self._bus = bus

    def publish(self, messages: Sequence[Message]) -> None:
        """Put all on the bus, in as few calls as its limits allow."""
        for batch in batches([_entry(message, self._bus) for message in messages]):
            answer = self._client.put_events(Entries=batch)
            if answer["FailedEntryCount"]:
                raise NotAcceptedError(f"bus {self._bus}: {answer['FailedEntryCount']} of {len(batch)} not accepted")


def batches(
    entries: "Sequence[PutEventsRequestEntryTypeDef]",
) -> "Iterator[list[PutEventsRequestEntryTypeDef]]":
    """Entries in order, as many a batch as one PutEvents call takes."""
    batch: list[PutEventsRequestEntryTypeDef] = []
    size = 0
    for entry in entries:
        entry_size = len(entry["Detail"].encode()) + ENTRY_OVERHEAD_BYTES
        if batch and (len(batch) == PUT_EVENTS_AT_MOST or size + entry_size > PUT_EVENTS_BYTES_AT_MOST):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += entry_size
    if batch:
        yield batch


def _entry(message: Message, bus: str) -> "PutEventsRequestEntryTypeDef":
    return {
        "EventBusName": bus,
        "Source": REGISTRY[type(message)].source,
        "DetailType": type(message).__name__,
        "Detail": message.model_dump_json(),
    }


class NoPublisher:
    """For modules at the end of the line: they tell nobody, and need no grant on the bus."""

    def publish(self, messages: Sequence[Message]) -> None:
        """Refuse any message: a service that starts to publish must be given a publisher."""
        if messages:
            raise NotImplementedError(f"this module publishes nothing, yet was given {type(messages[0]).__name__}")


class TradeQueue:
    """The FIFO trade queue: one group a run and symbol, deduplicated by trade id; grant: sqs:SendMessage."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def publish(self, trades: Sequence[TradeRequested]) -> None:
        """Send all, in order."""
        for trade in trades:
            self._client.send_message(
                QueueUrl=self._url,
                MessageBody=json.dumps(envelope(trade)),
                MessageGroupId=f"{trade.run_id}#{trade.symbol}",
                MessageDeduplicationId=trade.trade_id,
            )


class RoutingPublisher:
    """Trades to their queue, everything else to the bus."""

    def __init__(self, bus: Publisher, trades: TradeQueue) -> None:
        self._bus = bus
        self._trades = trades

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish each where it belongs."""
        trades = [message for message in messages if isinstance(message, TradeRequested)]
        self._trades.publish(trades)
        self._bus.publish([message for message in messages if not isinstance(message, TradeRequested)])
