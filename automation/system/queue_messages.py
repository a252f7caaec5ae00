"""A message of a queue as a person looks at it. No SDK is imported here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from automation.system import files

# Source: SQS API Reference, SendMessage: MessageDeduplicationId has at most 128 characters; the number needs a few.
_LONGEST_ORIGINAL = 120
_NUMBERED = re.compile(r"(.*)#(\d+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message.

    Attributes:
        receipt: with which this receive of the message can be deleted or given back.
        sent_at: when it was first sent, aware UTC.
        receives: how often it was received, this time included.
        source_arn: the queue that gave it up; empty when it was sent here directly.
        group, deduplication: of a FIFO queue.
        attributes: as in the request of SendMessage.
    """

    id: str
    body: str
    receipt: str
    sent_at: datetime
    receives: int = 1
    source_arn: str = ""
    group: str = ""
    deduplication: str = ""
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def texts(self) -> dict[str, str]:
        """The attributes that are text, such as the ERROR_MESSAGE of a rule that could not deliver."""
        return {name: str(value["StringValue"]) for name, value in self.attributes.items() if value.get("StringValue")}

    @property
    def next_deduplication(self) -> str:
        """The id to send it again with: for five minutes, a FIFO queue drops each id that it knows.

        It depends on the message alone. When a message was sent but could not be deleted, the next attempt has the same
        id, so the queue drops the copy.
        """
        match = _NUMBERED.fullmatch(self.deduplication)
        original, number = (match[1], int(match[2])) if match else (self.deduplication or self.id, 0)
        if len(original) > _LONGEST_ORIGINAL:
            original = files.digest(original.encode())
        return f"{original}#{number + 1}"
