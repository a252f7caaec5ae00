"""SQS and the poller that feeds a function from its queue: visibility, redelivery, FIFO groups and dead letters."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulation.deployment import Function, Queue
from tests.simulation.end_state import Attempt
from tests.simulation.latencies import MINUTE, MS, SECOND
from tests.simulation.scenario import MESSAGE_FAULTS, FaultKind
from tests.simulation.world import Invocation, World, moment

DEDUPLICATION = 5 * MINUTE
_LATE = (5 * SECOND, 30 * SECOND, 90 * SECOND, 200 * SECOND, 400 * SECOND, 900 * SECOND)

type Serve = Callable[[Function, str, "list[Message]", Callable[[Invocation, object, str], None]], None]


@dataclass(slots=True, eq=False)
class Message:
    """One message of a queue.

    Attributes:
        subject: message id, or command, for people and for keys.
        group: of a FIFO queue; messages of one group are received in order.
    """

    id: str
    body: str
    subject: str
    group: str = ""
    deduplication: str = ""
    receives: int = 0
    is_deleted: bool = False
    is_hidden: bool = False
    received_at: int = 0


@dataclass(slots=True)
class Inbox:
    """One queue with its function, its dead-letter queue, and what was done with its messages."""

    world: World
    queue: Queue
    function: Function
    serve: Serve
    ready: list[Message] = field(default_factory=list)
    dead: list[Message] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    in_flight: int = 0
    alive: dict[Message, None] = field(default_factory=dict)
    _sent: int = 0
    _copies: dict[str, int] = field(default_factory=dict)
    _busy_groups: dict[str, Message] = field(default_factory=dict)
    _deduplicated: dict[str, int] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Return whether no message is on its way, waiting or being worked on."""
        return not self.alive and not self.in_flight

    def send(self, body: str, *, group: str = "", deduplication: str = "") -> None:
        """Accept a message. A standard queue may deliver it late, twice or out of order."""
        now = self.world.now
        if deduplication:
            if self._deduplicated.get(deduplication, -DEDUPLICATION) > now - DEDUPLICATION:
                return
            self._deduplicated[deduplication] = now

        subject = subject_of(body)
        number = self._copies[subject] = self._copies.get(subject, 0) + 1
        key = f"queue/{self.queue.name}/{subject}/{number}"
        fault = self.world.draws.draw(key, (FaultKind.LATE,) if self.queue.is_fifo else MESSAGE_FAULTS)
        delay = sum(self.world.latencies.legs(key))
        if fault is not None:
            self.world.note(f"{self.queue.name} {subject}", fault.value)
            delay += self._delay(key, fault)
        self._accept(Message(self._next_id(), body, subject, group, deduplication), delay)
        if fault is FaultKind.DOUBLED:
            copy = Message(self._next_id(), body, subject, group)
            # Mostly while the first is being worked on, at times long after it was handled.
            longest = 20 * SECOND if self.world.latencies.fraction(f"{key}/when") < 0.8 else 15 * MINUTE
            self._accept(copy, self.world.latencies.between(f"{key}/copy", MS, longest))

    def redrive(self) -> int:
        """Move every dead letter back, as a person does; return how many."""
        letters, self.dead = self.dead, []
        for letter in letters:
            self._accept(Message(self._next_id(), letter.body, letter.subject, letter.group), 10 * MS)
        return len(letters)

    def _delay(self, key: str, fault: FaultKind) -> int:
        share = self.world.latencies.fraction(f"{key}/delay")
        match fault:
            case FaultKind.LATE:
                return _LATE[int(share * len(_LATE))]
            case FaultKind.OUT_OF_ORDER:
                return int(share * 10 * SECOND)
        return 0

    def _next_id(self) -> str:
        self._sent += 1
        return f"{self.queue.name}-{self._sent}"

    def _accept(self, message: Message, delay: int) -> None:
        self.alive[message] = None

        def arrive() -> None:
            self.ready.append(message)
            self._poll_soon(self.function.window_s * SECOND)

        self.world.schedule(self.world.now + delay, arrive)

    def _poll_soon(self, delay: int = 0) -> None:
        self.world.schedule(self.world.now + delay, self._poll)

    def _poll(self) -> None:
        while self.in_flight < self.function.concurrency:
            batch = self._next_batch()
            if not batch:
                return
            self._receive(batch)

    def _next_batch(self) -> list[Message]:
        batch: list[Message] = []
        for message in list(self.ready):
            if len(batch) == self.function.batch_size:
                break
            if message.receives >= self.queue.receives:
                self.ready.remove(message)
                self._bury(message)
            elif not message.group or message.group not in self._busy_groups:
                self.ready.remove(message)
                batch.append(message)
                if message.group:
                    self._busy_groups[message.group] = message
        return batch

    def _bury(self, message: Message) -> None:
        del self.alive[message]
        self.dead.append(message)
        self.world.note(f"{self.queue.dead_letters} {message.subject}", "dead letter")

    def _receive(self, batch: list[Message]) -> None:
        self.in_flight += 1
        for message in batch:
            message.receives += 1
            message.is_hidden = True
            message.received_at = self.world.now
            self._hide(message)
        first = batch[0]
        self.serve(self.function, f"{first.subject}.{first.receives}", batch, self._ender(batch))

    def _hide(self, message: Message) -> None:
        receive = message.receives

        def reappear() -> None:
            if message.is_deleted or message.receives != receive:
                return
            message.is_hidden = False
            self._release(message)
            self.ready.insert(0, message) if message.group else self.ready.append(message)
            self._poll()

        self.world.schedule(self.world.now + self.queue.visibility_s * SECOND, reappear)

    def _ender(self, batch: list[Message]) -> Callable[[Invocation, object, str], None]:
        receives = {message.id: message.receives for message in batch}

        def ended(invocation: Invocation, answer: object, result: str) -> None:
            self.in_flight -= 1
            failed = _failed_ids(answer) if result == "ok" else receives.keys()
            for message in batch:
                is_handled = message.id not in failed
                outcome = "handled" if is_handled else "failed" if result == "ok" else result
                self.attempts.append(self._attempt(invocation, message, receives[message.id], outcome))
                if is_handled and self._may_delete(message, receives[message.id]):
                    self._delete(message)
            self._poll_soon()

        return ended

    def _may_delete(self, message: Message, receive: int) -> bool:
        """Return whether a receive may still delete its message; in a FIFO queue only until it is visible again."""
        is_current = message.is_hidden and message.receives == receive
        # It may be among the dead letters by now, where its receipt means nothing.
        return message in self.alive and (is_current or not self.queue.is_fifo)

    def _delete(self, message: Message) -> None:
        message.is_deleted = True
        del self.alive[message]
        if message in self.ready:
            self.ready.remove(message)
        self._release(message)

    def _release(self, message: Message) -> None:
        if self._busy_groups.get(message.group) is message:
            del self._busy_groups[message.group]

    def _attempt(self, invocation: Invocation, message: Message, receive: int, result: str) -> Attempt:
        return Attempt(
            moment(message.received_at),
            self.world.at,
            self.function.module,
            invocation.name,
            message.subject,
            receive,
            result,
        )


def _failed_ids(answer: object) -> set[str]:
    assert isinstance(answer, Mapping), answer
    return {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}


def subject_of(body: str) -> str:
    """Return what a body is about: the id of its message, or its command; `unparsed` when it says neither."""
    try:
        content: Any = json.loads(body)
        return str(content["command"] if "command" in content else content["detail"]["message_id"])
    except (ValueError, TypeError, KeyError):
        return "unparsed"


def sqs_event(inbox: Inbox, batch: list[Message]) -> dict[str, Any]:
    """Return the event of the poller, as Lambda gets it."""
    return {"Records": [_record(inbox.queue, message) for message in batch]}


def _record(queue: Queue, message: Message) -> dict[str, Any]:
    attributes = {
        "ApproximateReceiveCount": str(message.receives),
        "SentTimestamp": str(message.received_at // 1000),
        "ApproximateFirstReceiveTimestamp": str(message.received_at // 1000),
        "SenderId": "simulated",
    }
    if message.group:
        attributes |= {"MessageGroupId": message.group, "MessageDeduplicationId": message.deduplication}
    return {
        "messageId": message.id,
        "receiptHandle": message.id,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "0" * 32,
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue.name}",
        "awsRegion": "us-east-1",
    }
