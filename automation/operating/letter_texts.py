"""Dead letters as text for people and as plain values for programs. Pure."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from automation.operating import saved_letters
from automation.operating.dead_letters import DeadLetters
from automation.sizing.units import format_count
from automation.system.errors import Finding
from automation.system.queue_messages import QueueMessage

COLUMNS = ("queue", "waiting", "in flight", "oldest", "from")
NUMBERS = ("waiting", "in flight")
_SHOWN_LINES = 40
_WIDEST_LINE = 200


def row(letters: DeadLetters, oldest: datetime | None, now: datetime) -> Sequence[object]:
    """Return the cells of a queue, in the order of COLUMNS."""
    age = age_text(now - oldest) if oldest else ""
    return letters.name, letters.waiting, letters.in_flight, age, ", ".join(_origins(letters))


def queue_record(letters: DeadLetters, oldest: datetime | None) -> dict[str, Any]:
    """Return a queue for programs."""
    return {
        "name": letters.name,
        "url": letters.queue.url,
        "waiting": letters.waiting,
        "in_flight": letters.in_flight,
        "oldest": oldest.isoformat() if oldest else "",
        "sources": [source.name for source in letters.sources],
        "other_sources": list(letters.others),
    }


def message_record(message: QueueMessage, reason: str) -> dict[str, Any]:
    """Return a message for programs."""
    return {**saved_letters.record(message), "reason": reason}


def finding(letters: DeadLetters, environment: str) -> Finding:
    """Return what is wrong with a queue that has messages."""
    count = format_count(letters.total, "message")
    return Finding(letters.name, f"{count} could not be handled", f"inv dlq.show {letters.name} --env {environment}")


def message_lines(message: QueueMessage, reason: str) -> Iterator[str]:
    """Yield the lines that show a message: when it was sent, why it lies here, what came with it, and its body."""
    times = "once" if message.receives == 1 else f"{message.receives} times"
    yield f"message {message.id}: sent {message.sent_at:%Y-%m-%d %H:%M:%S} UTC, received {times}"
    if reason:
        yield f"  reason: {reason}"
    if message.group:
        yield f"  group: {message.group}"
    yield from (f"  {name}: {text}" for name, text in message.texts.items())

    lines = pretty(message.body).splitlines()
    yield from (f"  {line[:_WIDEST_LINE]}{'…' if len(line) > _WIDEST_LINE else ''}" for line in lines[:_SHOWN_LINES])
    if len(lines) > _SHOWN_LINES:
        yield f"  … {format_count(len(lines) - _SHOWN_LINES, 'more line')}; --json prints all"


def pretty(body: str) -> str:
    """Return a body indented if it is JSON, otherwise as it is, without control characters."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return "\n".join(line if line.isprintable() else json.dumps(line) for line in body.splitlines())


def age_text(age: timedelta) -> str:
    """Return an age in its largest unit, such as `3 days`."""
    seconds = max(int(age.total_seconds()), 0)
    for size, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return format_count(seconds // size, noun)
    return format_count(seconds, "second")


def nothing_to(verb: str, letters: DeadLetters, *, place: str, is_named: bool = False) -> str:
    """Say why there are no messages for a command.

    Args:
        place: where it looked for them: the queue, or a file.
        is_named: whether the user named messages.
    """
    if letters.in_flight and place == letters.name:
        count = format_count(letters.in_flight, "message")
        return f"nothing to {verb} now: somebody has received {count} of {place}; try again in a minute"
    return f"nothing to {verb}: {place} has no {'such ' if is_named else ''}messages"


def missing(ids: Sequence[str], place: str) -> Iterator[str]:
    """Yield a line for each message that was named and is not in its place, or cannot be received there."""
    yield from (f"{name} is not in {place}: it was moved or deleted, or somebody has received it" for name in ids)


def next_steps(letters: DeadLetters, shown: int, environment: str) -> Iterator[str]:
    """Yield what a person can type after a look at a queue."""
    if letters.waiting > shown:
        yield f"{format_count(letters.waiting - shown, 'more message')} in {letters.name}; --limit {letters.waiting}"
    yield "a look counts as a receive of each message"
    yield f"send them back: inv dlq.redrive {letters.name} --env {environment}"
    yield f"delete them: inv dlq.drop {letters.name} --env {environment}; only one of them: --id MESSAGE"


def left_over(letters: DeadLetters, asked: int, done: int, *, is_whole: bool) -> Iterator[str]:
    """Yield a line about the messages that somebody else took in the meantime, and about those of a FIFO queue.

    Args:
        is_whole: whether the user wanted all messages of the queue.
    """
    if done < asked:
        yield f"{format_count(asked - done, 'message')} could not be received again; somebody else may have taken them"
    if is_whole and letters.queue.is_fifo and letters.waiting > asked:
        yield f"{letters.name} hands out the first ten messages of a group only; run the command again for the others"


def _origins(letters: DeadLetters) -> list[str]:
    return [*(source.name for source in letters.sources), *letters.others]
