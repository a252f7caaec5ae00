"""Save messages to a file before they are deleted, and read them back: one JSON document per line."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from automation.system import files
from automation.system.errors import UsageError
from automation.system.queue_messages import QueueMessage

FOLDER = Path(".alchemiser") / "dropped"
_BINARY = "BinaryValue"


def path_of(queue: str, environment: str, now: datetime) -> Path:
    """Return the file for the messages of a queue, relative to the project."""
    return FOLDER / f"{environment}-{queue.replace('/', '-')}-{now:%Y%m%dT%H%M%S%fZ}.jsonl"


def save(messages: Sequence[QueueMessage], path: Path) -> None:
    """Write messages to a new file that only its owner may read."""
    lines = [json.dumps(record(message), ensure_ascii=False, sort_keys=True) for message in messages]
    files.write_atomically(path, "".join(f"{line}\n" for line in lines), mode=0o600)


def read(path: Path) -> tuple[QueueMessage, ...]:
    """Read the messages of a file that `save` wrote.

    Raises:
        UsageError: the file cannot be read, or a line is not a saved message.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as cause:
        advice = f"name a file that inv dlq.drop has saved, below {FOLDER}"
        raise UsageError(f"cannot be read: {cause}; {advice}", where=str(path)) from cause
    return tuple(_message(line, f"{path}:{number}") for number, line in enumerate(lines, start=1) if line)


def record(message: QueueMessage) -> dict[str, Any]:
    """Return a message as plain values; a binary attribute in base64."""
    return {
        "id": message.id,
        "sent_at": message.sent_at.isoformat(),
        "receives": message.receives,
        "source_arn": message.source_arn,
        "group": message.group,
        "deduplication": message.deduplication,
        "attributes": {name: _as_text(value) for name, value in message.attributes.items()},
        "body": message.body,
    }


def _message(line: str, where: str) -> QueueMessage:
    try:
        saved = json.loads(line)
        return QueueMessage(
            id=saved["id"],
            body=saved["body"],
            receipt="",
            sent_at=datetime.fromisoformat(saved["sent_at"]),
            receives=saved["receives"],
            source_arn=saved["source_arn"],
            group=saved["group"],
            deduplication=saved["deduplication"],
            attributes={name: _as_sent(value) for name, value in saved["attributes"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as cause:
        raise UsageError(f"is not a message that inv dlq.drop saved: {cause!r}", where=where) from cause


def _as_text(attribute: Mapping[str, Any]) -> dict[str, Any]:
    value = attribute.get(_BINARY)
    return dict(attribute) if value is None else {**attribute, _BINARY: base64.b64encode(value).decode()}


def _as_sent(attribute: Mapping[str, Any]) -> dict[str, Any]:
    value = attribute.get(_BINARY)
    return dict(attribute) if value is None else {**attribute, _BINARY: base64.b64decode(value)}
