"""The shell around every service: parse, claim, handle, publish, and report failures record by record.

A handler is `serve(event, context, build=...)`. A record's body is an event of the bus, a trade of the queue (the
same shape), or a scheduler's command. Messages are claimed by their id in the Claims table, under the module's own
prefix, so that a second delivery does nothing; commands carry no id and are harmless by their service's own writes.
What a handler raises makes SQS deliver that record again; the third failure leaves it in the dead-letter queue.
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from aws_lambda_powertools import Logger
from pydantic import ValidationError

from the_alchemiser.shared import aws
from the_alchemiser.shared.errors import MalformedMessageError
from the_alchemiser.shared.messaging.commands import COMMANDS, Command
from the_alchemiser.shared.messaging.messages import BY_NAME, Message
from the_alchemiser.shared.messaging.publisher import Publisher

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
    from aws_lambda_powertools.utilities.typing import LambdaContext

CLAIM_KEPT_S = 15 * 24 * 3600  # longer than a dead-letter queue keeps a message

logger = Logger()


def _nothing() -> None:
    """There is nothing to note after publishing."""


class Reaction(NamedTuple):
    """What a service answers: messages to publish, and what to note once all of them are out."""

    messages: tuple[Message, ...] = ()
    published: Callable[[], None] = _nothing


Handle = Callable[[Any], Reaction]
GiveUp = Callable[[Any, Exception], Reaction]


class Inbox(NamedTuple):
    """One module's wiring.

    Attributes:
        module: the claim prefix and the name in the log.
        handles: by class of message or command; anything else in the inbox is malformed.
        claims: the Claims table, as Powertools sees it.
        give_up: answers in the service's place when the last receive fails too; None lets the record go to the
            dead-letter queue.
    """

    module: str
    handles: Mapping[type[Message] | type[Command], Handle]
    publisher: Publisher
    claims: "BasePersistenceLayer"
    give_up: GiveUp | None = None


def claims_table(name: str) -> "BasePersistenceLayer":
    """The Claims table of the stack; grants: GetItem, PutItem, UpdateItem, DeleteItem."""
    from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer  # noqa: PLC0415 - brings the SDK

    client = aws.client("dynamodb")  # Powertools' own would be a second session, 0.08 s of a cold start
    return DynamoDBPersistenceLayer(table_name=name, key_attr="claim", expiry_attr="expires_at", boto3_client=client)


def serve(event: Mapping[str, Any], context: "LambdaContext", *, build: Callable[[], Inbox]) -> dict[str, Any]:
    """Handle one Lambda event: a batch of an inbox, or a health message.

    Args:
        event: `{"Records": [...]}` from SQS, or `{"health": true}`, which is answered with the module's name once
            its wiring stands.
        context: Lambda's own; its deadline bounds the claims.
        build: makes the wiring; called on every event, so it should be cached.

    Returns:
        `{"batchItemFailures": [...]}`, or the answer to the health message.

    Raises:
        BatchProcessingError: every record failed; SQS delivers them again, and the Errors metric tells.
    """
    inbox = build()
    logger.structure_logs(append=True, module=inbox.module)
    if event.get("health"):
        logger.info("asked how it is")
        return {"module": inbox.module, "healthy": True, "consumes": sorted(kind.__name__ for kind in inbox.handles)}
    from the_alchemiser.shared.messaging.delivery import deliver  # noqa: PLC0415 - brings the SDK

    return deliver(event, context, inbox)


def parse(body: str) -> Message | Command:
    """The message or command of a record's body.

    Raises:
        MalformedMessageError: it is neither; the text says what is wrong with it.
    """
    try:
        content = json.loads(body)
        if "command" in content:
            return COMMANDS[content["command"]].model_validate(content)
        return BY_NAME[content["detail-type"]].model_validate(content["detail"])
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise MalformedMessageError(f"not a message of ours: {error!r}: {body[:300]}") from error
