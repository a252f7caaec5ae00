"""Publishers send each message to its carrier, in batches, and raise when one is refused."""

import json
from collections.abc import Sequence
from decimal import Decimal
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.the_alchemiser.examples import example
from the_alchemiser.shared.messaging.delivery import parse
from the_alchemiser.shared.messaging.messages import Message, RunFailed, SignalGenerated, TradeRequested
from the_alchemiser.shared.messaging.publisher import (
    BusPublisher,
    NoPublisher,
    NotAcceptedError,
    RoutingPublisher,
    TradeQueue,
    batches,
)
from the_alchemiser.shared.values import Side

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sqs import SQSClient

FAILED = example(RunFailed)
TRADE = cast("TradeRequested", example(TradeRequested))


class Bus:
    """EventBridge's PutEvents: keeps every call; refuses one entry of each call if `refuses` is set."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.calls: list[Sequence[dict[str, Any]]] = []
        self.refuses = refuses

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - the vendor's name
        self.calls.append(Entries)
        return {"FailedEntryCount": int(self.refuses)}


class Queue:
    """SQS's SendMessageBatch: keeps every call; refuses one entry of each call if `refuses` is set."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.calls: list[dict[str, Any]] = []
        self.refuses = refuses

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        self.calls.append(request)
        return {"Successful": [], **({"Failed": [{"Id": "0"}]} if self.refuses else {})}


def bus_publisher(bus: Bus) -> BusPublisher:
    return BusPublisher(cast("EventBridgeClient", bus), "the-bus")


def trade_queue(queue: Queue) -> TradeQueue:
    return TradeQueue(cast("SQSClient", queue), "https://the-queue")


def numbered(message: Message, count: int) -> list[Message]:
    return [message.changed(message_id=f"{n:02d}") for n in range(count)]


def detail_chars(entry: dict[str, Any]) -> int:
    return len(entry["Detail"])


def test_bus_publisher_puts_source_type_and_detail() -> None:
    bus = Bus()

    bus_publisher(bus).publish([FAILED])

    [entry] = bus.calls[0]
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "the-bus",
        "alchemiser.trading",
        "RunFailed",
    )
    assert RunFailed.read_json(entry["Detail"]) == FAILED


def test_bus_publisher_of_many_puts_ten_a_call_in_order() -> None:
    bus = Bus()

    bus_publisher(bus).publish(numbered(FAILED, 23))

    assert [len(call) for call in bus.calls] == [10, 10, 3]
    details = [entry["Detail"] for entry in chain.from_iterable(bus.calls)]
    message_ids = [RunFailed.read_json(detail).message_id for detail in details]
    assert message_ids == [f"{n:02d}" for n in range(23)]


def test_bus_publisher_of_large_messages_keeps_a_call_under_the_limit() -> None:
    bus = Bus()

    bus_publisher(bus).publish(numbered(example(SignalGenerated, symbols=200, strategies=12), 5))

    sizes = [sum(map(detail_chars, call)) for call in bus.calls]
    assert sum(len(call) for call in bus.calls) == 5
    assert max(sizes) < 256 * 1024


@pytest.mark.parametrize(("extra", "calls"), [(0, [2, 2]), (1, [1, 1, 1, 1])])
def test_batches_fill_a_call_to_its_last_byte(extra: int, calls: list[int]) -> None:
    """A call takes 262,144 bytes."""
    detail = "x" * (131_072 + extra)

    assert [len(batch) for batch in batches([detail] * 4, len)] == calls


@pytest.mark.parametrize(("extra", "calls"), [(0, [2]), (1, [1, 1])])
def test_bus_publisher_counts_the_bytes_and_the_overhead_of_an_entry(extra: int, calls: list[int]) -> None:
    """Each entry needs 256 bytes besides its detail, in which a character may need three."""
    bus = Bus()
    plain = len(FAILED.changed(detail="").to_json())
    room = 131_072 - 256 - plain
    detail = "\N{EURO SIGN}" * (room // 3) + "x" * (room % 3 + extra)

    bus_publisher(bus).publish([FAILED.changed(detail=detail)] * 2)

    assert [len(call) for call in bus.calls] == calls


def test_bus_publisher_of_nothing_makes_no_call() -> None:
    bus = Bus()

    bus_publisher(bus).publish([])

    assert bus.calls == []


def test_bus_publisher_of_a_refused_entry_raises_retryable() -> None:
    with pytest.raises(NotAcceptedError, match=r"^bus the-bus: 1 of 1 not accepted$") as caught:
        bus_publisher(Bus(refuses=True)).publish([FAILED])

    assert caught.value.retryable


def test_trade_queue_groups_by_symbol_and_deduplicates_by_trade() -> None:
    queue = Queue()

    trade_queue(queue).publish([TRADE])

    [call] = queue.calls
    [sent] = call["Entries"]
    assert call["QueueUrl"] == "https://the-queue"
    assert sent["MessageGroupId"] == f"{TRADE.run_id}#{TRADE.symbol}"
    assert sent["MessageDeduplicationId"] == TRADE.trade_id
    assert parse(sent["MessageBody"]) == TRADE
    assert json.loads(sent["MessageBody"])["source"] == "alchemiser.trading"


def test_trade_queue_of_many_sends_ten_a_call_in_order() -> None:
    queue = Queue()
    symbols = [f"A{number:02d}" for number in range(23)]

    trade_queue(queue).publish([TRADE.changed(symbol=symbol) for symbol in symbols])

    assert [len(call["Entries"]) for call in queue.calls] == [10, 10, 3]
    sent = [entry["MessageGroupId"] for entry in chain.from_iterable(call["Entries"] for call in queue.calls)]
    assert sent == [f"{TRADE.run_id}#{symbol}" for symbol in symbols]


def test_trade_queue_gives_each_entry_an_id_that_sqs_accepts() -> None:
    queue = Queue()
    trades = [(Side.SELL, "BRK.B"), (Side.BUY, "BRK.B"), (Side.BUY, "SPY")]

    trade_queue(queue).publish([TRADE.changed(side=side, symbol=symbol) for side, symbol in trades])

    [call] = queue.calls
    assert [entry["Id"] for entry in call["Entries"]] == ["SELL-BRK_B", "BUY-BRK_B", "BUY-SPY"]


@pytest.mark.parametrize(("extra", "calls"), [(0, [2]), (1, [1, 1])])
def test_trade_queue_counts_the_bytes_of_a_trade(extra: int, calls: list[int]) -> None:
    queue = Queue()
    trade_queue(queue).publish([TRADE.changed(deltas={"": Decimal(1)})])
    plain = len(queue.calls.pop()["Entries"][0]["MessageBody"])

    deltas = {"x" * (131_072 - plain + extra): Decimal(1)}
    trade_queue(queue).publish([TRADE.changed(deltas=deltas)] * 2)

    assert [len(call["Entries"]) for call in queue.calls] == calls


def test_trade_queue_of_a_refused_trade_raises_retryable() -> None:
    with pytest.raises(NotAcceptedError, match=r"^queue https://the-queue: 1 of 2 not accepted$") as caught:
        trade_queue(Queue(refuses=True)).publish([TRADE, TRADE])

    assert caught.value.retryable


def test_trade_queue_of_nothing_makes_no_call() -> None:
    queue = Queue()

    trade_queue(queue).publish([])

    assert queue.calls == []


def test_routing_publisher_sends_only_trades_to_the_queue() -> None:
    bus, queue = Bus(), Queue()

    RoutingPublisher(bus_publisher(bus), trade_queue(queue)).publish([TRADE, FAILED])

    assert [len(call["Entries"]) for call in queue.calls] == [1]
    assert [entry["DetailType"] for entry in bus.calls[0]] == ["RunFailed"]


def test_no_publisher_refuses_a_message_that_it_would_lose() -> None:
    NoPublisher().publish([])

    with pytest.raises(NotImplementedError) as caught:
        NoPublisher().publish([FAILED, TRADE])

    assert str(caught.value) == (
        "this module has no publisher, but its service returned a RunFailed; wire a BusPublisher in its lambda_handler"
    )
