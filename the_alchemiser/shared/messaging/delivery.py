"""Record by record: parse, claim, handle, publish, report the failures. The part of the inbox that needs the SDK."""

import time
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.typing import LambdaContext

from the_alchemiser.shared.errors import MalformedMessageError
from the_alchemiser.shared.messaging.commands import Command
from the_alchemiser.shared.messaging.inbox import CLAIM_KEPT_S, Handle, Inbox, Reaction, logger, parse
from the_alchemiser.shared.messaging.messages import Message

LAST_RECEIVE = 3


def deliver(event: Mapping[str, Any], context: LambdaContext, inbox: Inbox) -> dict[str, Any]:
    """Hand each record of a batch to its handle.

    Returns:
        `{"batchItemFailures": [...]}`.

    Raises:
        BatchProcessingError: every record failed.
    """
    config = _claims_config(context)
    return dict(
        process_partial_response(
            event=dict(event),
            record_handler=lambda record: _receive(record, inbox, config),
            processor=BatchProcessor(event_type=EventType.SQS),
            context=context,
        )
    )


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
