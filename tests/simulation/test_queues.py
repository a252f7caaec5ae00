"""Queues on virtual time: batches, visibility, dead letters, FIFO groups, and the faults of messages."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulation.deployment import Function, Queue
from tests.simulation.fault_draws import FaultDraws
from tests.simulation.latencies import MINUTE, SECOND
from tests.simulation.queues import Inbox, Message, sqs_event, subject_of
from tests.simulation.scenario import FaultKind, FaultPlan
from tests.simulation.world import Container, Invocation, World

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2022, 6, 15, 19, 45, tzinfo=UTC)
VISIBILITY_S, WORK_S = 40, 3
type Receive = tuple[float, tuple[str, ...]]


class Feed:
    """An inbox whose function works 3 seconds on a batch; `fails` says which bodies fail."""

    def __init__(self, *, fifo: bool = False, batch: int = 1, concurrency: int = 1000, fault: FaultKind | None = None):
        plan = FaultPlan({} if fault is None else {fault: 1.0}, budget=100)
        self.world = World(START, FaultDraws(5, plan), {})
        function = Function("execution_v2", 30, {}, "TradeInbox", batch, 0, concurrency)
        queue = Queue("TradeInbox", VISIBILITY_S, 3, "TradeDlq", fifo)
        self.inbox = Inbox(self.world, queue, function, self._serve)
        self.received: list[Receive] = []
        self.fails: Callable[[str], bool] = lambda _: False
        self.result = "ok"
        self.running = self.most_running = 0
        self.work_s = WORK_S

    def run(self, seconds: float) -> None:
        self.world.run(self.world.now + int(seconds * SECOND))

    def bodies(self) -> list[tuple[str, ...]]:
        return [bodies for _, bodies in self.received]

    def _serve(self, function: Function, subject: str, batch: list[Message], on_end: Any) -> None:
        self.received.append((self.world.monotonic(), tuple(message.subject for message in batch)))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        failures = [{"itemIdentifier": message.id} for message in batch if self.fails(message.subject)]
        invocation = Invocation("execution_v2", subject, Container("execution_v2"), 0, 0, on_end)

        def end() -> None:
            self.running -= 1
            on_end(invocation, {"batchItemFailures": failures}, self.result)

        self.world.schedule(self.world.now + self.work_s * SECOND, end)


def body(name: str) -> str:
    return json.dumps({"command": name})


def test_message_is_received_once_and_deleted() -> None:
    feed = Feed()
    feed.inbox.send(body("a"))

    feed.run(300)

    assert feed.bodies() == [("a",)]
    assert feed.inbox.is_empty
    assert [(attempt.subject, attempt.receive, attempt.result) for attempt in feed.inbox.attempts] == [
        ("a", 1, "handled")
    ]


def test_batch_reports_failures_message_by_message() -> None:
    feed = Feed(batch=5, concurrency=1)
    feed.inbox.send(body("first"))
    feed.run(1)
    for name in ("a", "b", "c"):
        feed.inbox.send(body(name))
    feed.fails = lambda name: name == "b" and len(feed.received) < 3

    feed.run(100)

    first, second, third = feed.received
    assert (first[1], set(second[1]), third[1]) == (("first",), {"a", "b", "c"}, ("b",))
    assert third[0] - second[0] == VISIBILITY_S


@pytest.mark.parametrize("result", ["failed", "killed", "timed out"])
def test_message_that_fails_three_times_is_a_dead_letter(result: str) -> None:
    feed = Feed()
    feed.result = result
    feed.inbox.send(body("a"))

    feed.run(3 * VISIBILITY_S + 10)

    assert [attempt.result for attempt in feed.inbox.attempts] == [result] * 3
    assert [letter.body for letter in feed.inbox.dead] == [body("a")]
    assert feed.inbox.is_empty


@pytest.mark.parametrize("fifo", [False, True])
def test_message_that_is_visible_again_is_deleted_late_in_a_standard_queue_only(fifo: bool) -> None:
    feed = Feed(fifo=fifo)
    feed.work_s = VISIBILITY_S + 1
    feed.inbox.send(body("a"), group="g" if fifo else "", deduplication="d" if fifo else "")

    feed.run(300)

    assert (len(feed.received), len(feed.inbox.dead)) == ((3, 1) if fifo else (2, 0))
    assert feed.inbox.is_empty


def test_dead_letter_is_redriven_with_new_receives() -> None:
    feed = Feed()
    feed.result = "failed"
    feed.inbox.send(body("a"))
    feed.run(130)
    feed.result = "ok"

    assert feed.inbox.redrive() == 1
    feed.run(10)

    assert [attempt.receive for attempt in feed.inbox.attempts] == [1, 2, 3, 1]
    assert (feed.inbox.dead, feed.inbox.is_empty) == ([], True)


def test_fifo_group_is_received_in_order_and_blocked_by_a_failure() -> None:
    feed = Feed(fifo=True)
    feed.fails = lambda name: name == "a1" and len(feed.received) == 1
    for name, group in (("a1", "a"), ("a2", "a")):
        feed.inbox.send(body(name), group=group, deduplication=name)
        feed.run(0.5)
    feed.inbox.send(body("b1"), group="b", deduplication="b1")

    feed.run(100)

    assert feed.bodies() == [("a1",), ("b1",), ("a1",), ("a2",)]


def test_fifo_queue_drops_a_repetition_for_five_minutes() -> None:
    feed = Feed(fifo=True)
    for seconds in (0, 299, 2):
        feed.run(seconds)
        feed.inbox.send(body("a"), group="g", deduplication="d")

    feed.world.run(feed.world.now + MINUTE)

    assert len(feed.received) == 2


def test_concurrency_is_limited() -> None:
    feed = Feed(fifo=True, concurrency=4)
    for number in range(9):
        feed.inbox.send(body(f"m{number}"), group=f"g{number}", deduplication=f"d{number}")

    feed.run(100)

    assert (feed.most_running, len(feed.received)) == (4, 9)


def test_message_faults_double_and_delay() -> None:
    doubled, late, disordered = (
        Feed(fault=kind) for kind in (FaultKind.DOUBLED, FaultKind.LATE, FaultKind.OUT_OF_ORDER)
    )
    for feed in (doubled, late, disordered):
        for name in ("a", "b"):
            feed.inbox.send(body(name))
        feed.world.run(feed.world.now + 20 * MINUTE)

    assert sorted(doubled.bodies()) == [("a",), ("a",), ("b",), ("b",)]
    start = late.world.monotonic() - 20 * 60
    assert min(at for at, _ in late.received) > start + 4
    assert sorted(disordered.bodies()) == [("a",), ("b",)]


def test_fifo_queue_never_doubles() -> None:
    feed = Feed(fifo=True, fault=FaultKind.DOUBLED)
    feed.inbox.send(body("a"), group="g", deduplication="d")

    feed.run(100)

    assert feed.bodies() == [("a",)]


def test_sqs_event_carries_receives_and_group() -> None:
    feed = Feed(fifo=True)
    message = Message("1", body("a"), "a", group="g", deduplication="d", receives=2)

    (record,) = sqs_event(feed.inbox, [message])["Records"]

    assert record["attributes"]["ApproximateReceiveCount"] == "2"
    assert (record["attributes"]["MessageGroupId"], record["body"]) == ("g", body("a"))


def test_subject_of_a_message_is_its_id() -> None:
    assert subject_of(json.dumps({"detail": {"message_id": "r/TradeRequested/t"}})) == "r/TradeRequested/t"
