"""The connection of a service to the shell: the reactions of its handlers, and the wiring of one module."""

import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from the_alchemiser.shared.messaging.commands import Command
from the_alchemiser.shared.messaging.messages import Message
from the_alchemiser.shared.messaging.publisher import Publisher
from the_alchemiser.shared.records import Frozen

CLAIM_KEPT_S = 15 * 24 * 3600  # longer than a dead-letter queue keeps a message

logger = logging.getLogger(__name__)


class Context(Protocol):
    """The part of Lambda's context that the shell reads."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds after which Lambda ends this attempt."""
        ...


class Claims(Protocol):
    """The claims of messages; claims.py says what they are for."""

    def take(self, key: str, *, remaining_ms: int) -> bool:
        """Claim a message for so long at most; return False if it was handled already, raise if another attempt is."""
        ...

    def complete(self, key: str) -> None:
        """Note that the message was handled."""
        ...

    def release(self, key: str) -> None:
        """Give the claim of a failed attempt back."""
        ...

    def check(self) -> None:
        """Raise unless claims can be read."""
        ...


def _do_nothing() -> None:
    """The default of `on_published`."""


class Reaction(Frozen):
    """A service's reaction to one message or command.

    Attributes:
        messages: published in order.
        on_published: called once all of them are accepted, for example to mark an outbox as sent.
    """

    messages: tuple[Message, ...] = ()
    on_published: Callable[[], None] = _do_nothing


Handler = Callable[[Any], Reaction]
Check = Callable[[], object]
GiveUp = Callable[[Any, Exception], Reaction]


class Inbox(Frozen):
    """The wiring of one module.

    Attributes:
        module: the prefix of the module's claims, and its name in the log.
        handlers: by class of message or command; the inbox treats every other content as malformed.
        give_up: reacts in the handler's place when the last receive fails too; None lets the record go to the
            dead-letter queue.
        checks: what the health message checks, by name: each call raises when the function does not reach something
            that it needs. They only read, because a health message may arrive at any time.
    """

    module: str
    handlers: Mapping[type[Message] | type[Command], Handler]
    publisher: Publisher
    claims: Claims
    give_up: GiveUp | None = None
    checks: Mapping[str, Check] = MappingProxyType({})
