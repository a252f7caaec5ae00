"""Look at the messages of a queue, and take away exactly those that a person has seen."""

from collections.abc import Callable, Collection, Iterator
from typing import Protocol

from automation.system.queue_messages import QueueMessage

# While a message is looked at, nobody else receives it; when this process dies, it comes back by itself.
HIDDEN_S = 60


class Queues(Protocol):
    """The calls to SQS; message_queues.MessageQueues is the real one."""

    def receive(self, url: str, *, hidden_s: int) -> tuple[QueueMessage, ...]:
        """Return up to ten messages, and hide them from others for `hidden_s` seconds."""
        ...

    def give_back(self, url: str, message: QueueMessage) -> None:
        """Make a received message visible again."""
        ...


def look(url: str, queues: Queues, *, limit: int = 0) -> tuple[QueueMessage, ...]:
    """Return the messages of a queue that can be received, the oldest first, and give them back.

    A FIFO queue hands out the first ten messages of a group, and the others when these are deleted.

    Args:
        limit: how many to return; 0 for all.

    Raises:
        DeploymentError: SQS did not answer.
    """
    held: dict[str, QueueMessage] = {}
    try:
        for _ in _batches(url, queues, held):
            if limit and len(held) >= limit:
                break
    finally:
        _give_back(url, queues, held)
    oldest_first = sorted(held.values(), key=lambda message: message.sent_at)
    return tuple(oldest_first[:limit] if limit else oldest_first)


def take(
    url: str, ids: Collection[str], queues: Queues, *, handle: Callable[[QueueMessage], None]
) -> tuple[QueueMessage, ...]:
    """Receive messages again and handle those with these ids; give the others back.

    Args:
        handle: what to do with a message; it deletes the message at its end.

    Returns:
        Those that were handled, in this order.

    Raises:
        DeploymentError: SQS refused a call, or did not answer; what was not handled is given back.
    """
    handled: dict[str, QueueMessage] = {}
    held: dict[str, QueueMessage] = {}
    try:
        for batch in _batches(url, queues, held):
            for message in batch:
                # SQS may deliver a message again that was deleted a moment ago.
                if message.id in ids and message.id not in handled:
                    handle(message)
                    handled[message.id] = held.pop(message.id)
            if len(handled) == len(ids):
                break
    finally:
        _give_back(url, queues, held)
    return tuple(handled.values())


def _batches(url: str, queues: Queues, held: dict[str, QueueMessage]) -> Iterator[list[QueueMessage]]:
    """Receive until nothing new comes, and note in `held` what was received; yield what is new."""
    while True:
        batch = queues.receive(url, hidden_s=HIDDEN_S)
        # What has been hidden for so long that it comes again has a new receipt.
        new = [message for message in batch if message.id not in held]
        held |= {message.id: message for message in batch}
        if not new:
            return
        yield new


def _give_back(url: str, queues: Queues, held: dict[str, QueueMessage]) -> None:
    for message in held.values():
        queues.give_back(url, message)
