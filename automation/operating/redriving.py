"""Decide to which queue each dead letter goes back. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from automation.operating.dead_letters import DeadLetters, Queue
from automation.system.errors import UsageError
from automation.system.queue_messages import QueueMessage

# EventBridge writes it to a message that it could not deliver.
_TARGET = "TARGET_ARN"


@dataclass(frozen=True, slots=True)
class Move:
    """A message, and the queue that it goes back to."""

    message: QueueMessage
    to: Queue


def plan(
    letters: DeadLetters, messages: Sequence[QueueMessage], *, to: Queue | None, environment: str
) -> tuple[Move, ...]:
    """Return the moves of messages to `to`, otherwise each to the queue that it was meant for.

    Raises:
        UsageError: a message may have been meant for several queues, or for none.
    """
    if to is not None and to.arn == letters.queue.arn:
        raise UsageError(f"--to names {letters.name} itself; name the queue that the messages were meant for")
    moves = [(message, to or _meant_for(message, letters)) for message in messages]
    unknown = [message for message, queue in moves if queue is None]
    if unknown:
        raise UsageError(_question(letters, unknown[0], environment), where=f"message {unknown[0].id}")
    return tuple(Move(message, queue) for message, queue in moves if queue is not None)


def _meant_for(message: QueueMessage, letters: DeadLetters) -> Queue | None:
    origins = {message.source_arn, message.texts.get(_TARGET, "")}
    for source in letters.sources:
        if source.arn in origins:
            return source
    return letters.sources[0] if len(letters.sources) == 1 and not letters.others else None


def _question(letters: DeadLetters, message: QueueMessage, environment: str) -> str:
    """Say between which queues a person has to decide."""
    names = [*(source.name for source in letters.sources), *letters.others]
    command = f"inv dlq.redrive {letters.name} --id {message.id} --env {environment} --to"
    if letters.sources:
        return (
            f"{' and '.join(names)} send to {letters.name}; say where it belongs: {command} {letters.sources[0].name}"
        )
    what = f"{' and '.join(names)} sent it, and no queue did" if names else "no queue sent it"
    return f"{what}; name the queue to send it to: {command} QUEUE"
