"""Messages as the JSON in which the Runs table keeps them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from the_alchemiser.shared.messaging.messages import BY_NAME, Message

NOTHING = "[]"  # what most items of a run have


def encode(message: Message) -> dict[str, Any]:
    """Return `{"type", "message"}` as JSON values: also the body of an item that records a message."""
    return {"type": type(message).__name__, "message": message.to_content()}


def decode(entry: Mapping[str, Any]) -> Message:
    """Return the message that `encode` encoded; unknown fields, of another release, are ignored."""
    return BY_NAME[entry["type"]].read(entry["message"])


def dump(messages: Sequence[Message]) -> str:
    """Return a JSON array of encoded messages, in order."""
    return json.dumps([encode(message) for message in messages])


def load(text: str) -> tuple[Message, ...]:
    """Return the messages that `dump` wrote, in order."""
    return () if text == NOTHING else tuple(decode(entry) for entry in json.loads(text))
