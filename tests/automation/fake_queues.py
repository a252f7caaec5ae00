"""Queues in memory, with what matters of SQS: hidden messages, receipts, groups and deduplication."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from automation.system.errors import DeploymentError
from automation.system.queue_messages import QueueMessage

SENT = datetime(2026, 1, 2, 15, 0, tzinfo=UTC)


def arn_of(name: str) -> str:
    return f"arn:aws:sqs:eu-west-1:123456789012:{name}"


def url_of(name: str) -> str:
    return f"https://sqs/123456789012/{name}"


def message(name: str, body: str = "{}", *, minute: int = 0, **fields: Any) -> QueueMessage:
    return QueueMessage(name, body, "", SENT + timedelta(minutes=minute), receives=3, **fields)


@dataclass
class FakeQueue:
    """A queue; `received` counts the calls."""

    name: str
    gives_up_to: str = ""
    messages: list[QueueMessage] = field(default_factory=list)
    hidden: dict[str, str] = field(default_factory=dict)
    known_ids: set[str] = field(default_factory=set)

    @property
    def attributes(self) -> dict[str, str]:
        policy = f'{{"deadLetterTargetArn": "{arn_of(self.gives_up_to)}", "maxReceiveCount": 3}}'
        return {
            "QueueArn": arn_of(self.name),
            "ApproximateNumberOfMessages": str(len(self.messages) - len(self.hidden)),
            "ApproximateNumberOfMessagesNotVisible": str(len(self.hidden)),
            **({"RedrivePolicy": policy} if self.gives_up_to else {}),
        }

    def visible(self) -> list[QueueMessage]:
        hidden_groups = {entry.group for entry in self.messages if entry.id in self.hidden and entry.group}
        return [entry for entry in self.messages if entry.id not in self.hidden and entry.group not in hidden_groups]


@dataclass
class FakeQueues:
    """SQS. `failing` is the number of the call of a kind that fails, such as {"delete": 2}; `calls` are all of them."""

    queues: dict[str, FakeQueue] = field(default_factory=dict)
    failing: dict[str, int] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def add(self, name: str, *messages: QueueMessage, gives_up_to: str = "") -> FakeQueue:
        self.queues[url_of(name)] = FakeQueue(name, gives_up_to, list(messages))
        return self.queues[url_of(name)]

    def url(self, arn: str) -> str:
        self._call("url", arn)
        url = url_of(arn.rpartition(":")[2])
        return url if url in self.queues else ""

    def attributes(self, url: str) -> Mapping[str, str]:
        return self.queues[url].attributes if url in self.queues else {}

    def receive(self, url: str, *, hidden_s: int) -> tuple[QueueMessage, ...]:
        self._call("receive", url)
        assert hidden_s == 60
        queue = self.queues[url]
        batch: list[QueueMessage] = []
        for entry in queue.visible()[:10]:
            received = replace(entry, receives=entry.receives + 1, receipt=f"{entry.id}/{entry.receives + 1}")
            queue.messages[queue.messages.index(entry)] = replace(received, receipt="")
            queue.hidden[entry.id] = received.receipt
            batch.append(received)
        return tuple(batch)

    def give_back(self, url: str, entry: QueueMessage) -> None:
        self._call("give_back", entry.id)
        assert self.queues[url].hidden.pop(entry.id) == entry.receipt

    def send(self, url: str, entry: QueueMessage, *, is_fifo: bool) -> None:
        self._call("send", entry.id)
        queue, number = self.queues[url], len(self.calls)
        deduplication = entry.next_deduplication if is_fifo else ""
        if not is_fifo or deduplication not in queue.known_ids:
            queue.known_ids.add(deduplication)
            queue.messages.append(replace(entry, id=f"new-{number}", receipt="", deduplication=deduplication))

    def delete(self, url: str, entry: QueueMessage) -> None:
        self._call("delete", entry.id)
        queue = self.queues[url]
        assert queue.hidden.pop(entry.id) == entry.receipt
        queue.messages = [present for present in queue.messages if present.id != entry.id]

    def bodies(self, name: str) -> list[str]:
        return [entry.body for entry in self.queues[url_of(name)].messages]

    def made(self, kind: str) -> list[str]:
        """Return what the calls of a kind were about."""
        return [what for name, what in self.calls if name == kind]

    def _call(self, kind: str, what: str) -> None:
        self.calls.append((kind, what))
        if self.failing.get(kind) == len(self.made(kind)):
            raise DeploymentError(f"{kind} was refused", where=what)
