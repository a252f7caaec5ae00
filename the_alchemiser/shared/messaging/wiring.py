"""The connection of a service to the shell: the reactions of its handlers, and the wiring of one module."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_lambda_powertools import Logger

from the_alchemiser.shared.messaging.commands import Command
from the_alchemiser.shared.messaging.messages import Message
from the_alchemiser.shared.messaging.publisher import Publisher

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer

CLAIM_KEPT_S = 15 * 24 * 3600  # longer than a dead-letter queue keeps a message

logger = Logger()


def _do_nothing() -> None:
    """The default of `on_published`."""


class Reaction(NamedTuple):
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


class Inbox(NamedTuple):
    """The wiring of one module.

    Attributes:
        module: the prefix of the module's claims, and its name in the log.
        handlers: by class of message or command; the inbox treats every other content as malformed.
        claims: the Claims table, as Powertools sees it.
        give_up: reacts in the handler's place when the last receive fails too; None lets the record go to the
            dead-letter queue.
        checks: what the health message checks, by name: each call raises when the function does not reach something
            that it needs. They only read, because a health message may arrive at any time.
    """

    module: str
    handlers: Mapping[type[Message] | type[Command], Handler]
    publisher: Publisher
    claims: "BasePersistenceLayer"
    give_up: GiveUp | None = None
    checks: Mapping[str, Check] = MappingProxyType({})
