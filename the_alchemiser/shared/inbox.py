"""The shell around every service: parse, claim, handle, publish, and report failures record by record.

A handler is `serve(event, context, build=...)`. A record's body is an event of the bus, a trade of the queue (the
same shape), or a scheduler's command. Messages are claimed by their id in the Claims table, under the module's own
prefix, so that a second delivery does nothing; commands carry no id and are harmless by their service's own writes.
What a handler raises makes SQS deliver that record again; the third failure leaves it in the dead-letter queue.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import ValidationError

from the_alchemiser.shared.commands import COMMANDS, Command
from the_alchemiser.shared.errors import MalformedMessageError
from the_alchemiser.shared.messages import BY_NAME, Message
from the_alchemiser.shared.publisher import Publisher

CLAIM_KEPT_S = 15 * 24 * 3600  # longer than a dead-letter queue keeps a message
LAST_RECEIVE = 3

logger = Logger()


def _nothing() -> None:
    """There is nothing to note after publishing."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a service answers: messages to publish, and what to note once all of them are out."""

    messages: tuple[Message, ...] = ()
    published: Callable[[], None] = _nothing


Handle = Callable[[Any], Reaction]
GiveUp = Callable[[Any, Exception], Reaction]


@dataclass(frozen=True, slots=True)
class Inbox:
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
    claims: BasePersistenceLayer
    give_up: GiveUp | None = None


def claims_table(name: str) -> DynamoDBPersistenceLayer:
    """The Claims table of the stack; grants: GetItem, PutItem, UpdateItem, DeleteItem."""
    client = boto3.client("dynamodb")  # Powertools' own would be a second session, 0.08 s of a cold start
    return DynamoDBPersistenceLayer(table_name=name, key_attr="claim", expiry_attr="expires_at", boto3_client=client)


def serve(event: Mapping[str, Any], context: LambdaContext, *, build: Callable[[], Inbox]) -> dict[str, Any]:
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
    processor = BatchProcessor(event_type=EventType.SQS)
    config = _claims_config(context)
    return dict(
        process_partial_response(
            event=dict(event),
            record_handler=lambda record: _receive(record, inbox, config),
            processor=processor,
            context=context,
        )
    )


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


def _claims_config(context: LambdaContext) -> IdempotencyConfig:
    config = IdempotencyConfig(
        event_key_jmespath="message_id",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=CLAIM_KEPT_S,
    )
    config.register_lambda_context(context)
    return config


def _receive(record: SQSRecord, inbox: Inbox, config: IdempotencyConfig) -> None:
    started = time.monotonic()
    kind = "unparsed"
    try:
        content = parse(record.body)
        kind = type(content).__name__
        outcome = _handle_once(content, record, inbox, config)
    except Exception:
        logger.exception("failed", extra={"kind": kind, "sqs_message_id": record.message_id, "body": record.body})
        raise
    logger.info(
        outcome,
        extra={
            "kind": kind,
            "message_id": getattr(content, "message_id", None),
            "run_id": getattr(content, "run_id", None),
            "duration_ms": round((time.monotonic() - started) * 1000),
        },
    )


def _handle_once(content: Message | Command, record: SQSRecord, inbox: Inbox, config: IdempotencyConfig) -> str:
    handle = inbox.handles.get(type(content))
    if handle is None:
        raise MalformedMessageError(f"{inbox.module} does not consume {type(content).__name__}")
    outcome = "duplicate"

    def react(claim: Mapping[str, Any]) -> None:  # noqa: ARG001 - the claim is read by its decorator
        nonlocal outcome
        reaction = _react(content, handle, inbox, receives=_receives(record))
        inbox.publisher.publish(reaction.messages)
        reaction.published()
        outcome = "handled"

    if isinstance(content, Message):
        claimed = idempotent_function(
            react,
            data_keyword_argument="claim",
            persistence_store=inbox.claims,
            config=config,
            key_prefix=inbox.module,
        )
        claimed(claim={"message_id": content.message_id})
    else:
        react(claim={})
    return outcome


def _react(content: Message | Command, handle: Handle, inbox: Inbox, *, receives: int) -> Reaction:
    try:
        return handle(content)
    except Exception as error:
        if inbox.give_up is None or receives < LAST_RECEIVE:
            raise
        logger.exception("gave up", extra={"kind": type(content).__name__})
        return inbox.give_up(content, error)


def _receives(record: SQSRecord) -> int:
    return int(record.attributes.approximate_receive_count or 1)
