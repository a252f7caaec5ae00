"""Record by record: parse, claim, handle, publish, report failures. The part of the inbox that needs the SDK."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from aws_lambda_powertools.utilities.typing import LambdaContext

from the_alchemiser.shared import wall_clock
from the_alchemiser.shared.errors import AlchemiserError, MalformedMessageError
from the_alchemiser.shared.messaging.commands import COMMANDS, Command
from the_alchemiser.shared.messaging.messages import BY_NAME, Message
from the_alchemiser.shared.messaging.wiring import CLAIM_KEPT_S, Handler, Inbox, Reaction, logger

LAST_RECEIVE = 3


def deliver(event: Mapping[str, Any], context: LambdaContext, inbox: Inbox) -> dict[str, Any]:
    """Pass each record of a batch to its handler.

    Returns:
        `{"batchItemFailures": [...]}`.

    Raises:
        BatchProcessingError: every record failed, and not only because of something that the next receive may find
            changed. Lambda then counts an error, for which an alarm rings.
    """
    config = _claims_config(context)
    processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
    faults: list[Exception] = []

    def receive(record: SQSRecord) -> None:
        try:
            _receive(record, inbox, config)
        except Exception as error:
            if not _is_awaited(error, record):
                faults.append(error)
            raise

    answer = process_partial_response(event=dict(event), record_handler=receive, processor=processor, context=context)
    if faults and len(processor.exceptions) == len(processor.records):
        raise BatchProcessingError(
            msg=f"all {len(processor.records)} records failed", child_exceptions=processor.exceptions
        )
    return dict(answer)


def parse(body: str) -> Message | Command:
    """Parse the body of a record. A message may have unknown fields, of another release; a command may not.

    Raises:
        MalformedMessageError: the body is neither a message nor a command; the text says why.
    """
    try:
        content = json.loads(body)
        if "command" in content:
            return COMMANDS[content["command"]].read(content)
        return BY_NAME[content["detail-type"]].read(content["detail"])
    except (ValueError, KeyError, TypeError) as error:
        raise MalformedMessageError(f"cannot parse as a message or a command: {error!r}: {body[:300]}") from error


def _claims_config(context: LambdaContext) -> IdempotencyConfig:
    config = IdempotencyConfig(
        event_key_jmespath="message_id",
        raise_on_no_idempotency_key=True,
        expires_after_seconds=CLAIM_KEPT_S,
    )
    # With Lambda's deadline known, the claim of a crashed attempt lapses in time for the redelivery. Without it, that
    # claim would block the message until its TTL.
    config.register_lambda_context(context)
    return config


def _receive(record: SQSRecord, inbox: Inbox, config: IdempotencyConfig) -> None:
    started = wall_clock.monotonic()
    content: Message | Command | None = None

    try:
        content = parse(record.body)
        outcome = _handle_once(content, record, inbox, config)
    except Exception as error:
        _log_failure(error, record, content)
        raise
    duration_ms = round((wall_clock.monotonic() - started) * 1000)
    logger.info(outcome, extra={**_facts(content, record), "duration_ms": duration_ms})


def _log_failure(error: Exception, record: SQSRecord, content: Message | Command | None) -> None:
    """Log one line for a failure that the next receive may not meet again, otherwise the traceback and the body."""
    facts = _facts(content, record)
    if _is_awaited(error, record):
        detail = f"{type(error).__name__}: {error}"
        logger.warning("will be tried again", extra={**facts, "receives": _receives(record), "detail": detail})
    else:
        logger.exception("failed", extra={**facts, "body": record.body})


def _facts(content: Message | Command | None, record: SQSRecord) -> dict[str, str | None]:
    return {
        "kind": "unparsed" if content is None else type(content).__name__,
        "message_id": getattr(content, "message_id", None),
        "run_id": getattr(content, "run_id", None),
        "sqs_message_id": record.message_id,  # the only id of a command, in the lines about all of its receives
    }


def _is_awaited(error: Exception, record: SQSRecord) -> bool:
    """Return whether the error is one that passes by itself, and another receive follows."""
    passes = isinstance(error, IdempotencyAlreadyInProgressError) or (
        isinstance(error, AlchemiserError) and error.retryable
    )
    return passes and _receives(record) < LAST_RECEIVE


def _handle_once(content: Message | Command, record: SQSRecord, inbox: Inbox, config: IdempotencyConfig) -> str:
    """Return `handled`, or `duplicate` when the message was handled before."""
    handler = inbox.handlers.get(type(content))
    if handler is None:
        raise MalformedMessageError(f"{inbox.module} does not consume {type(content).__name__}")
    outcome = "duplicate"

    def react(claim: Mapping[str, Any]) -> None:  # noqa: ARG001 - the claim is read by its decorator
        nonlocal outcome
        reaction = _react(content, handler, inbox, receives=_receives(record))
        # Publish before noting it and before the claim completes: a crash in between publishes again, with the same
        # ids, which consumers drop. In the opposite order, a crash would lose the messages.
        inbox.publisher.publish(reaction.messages)
        reaction.on_published()
        outcome = "handled"

    if not isinstance(content, Message):
        react(claim={})
        return outcome

    claimed = idempotent_function(
        react,
        data_keyword_argument="claim",
        persistence_store=inbox.claims,
        config=config,
        key_prefix=inbox.module,
    )
    claimed(claim={"message_id": content.message_id})
    return outcome


def _react(content: Message | Command, handler: Handler, inbox: Inbox, *, receives: int) -> Reaction:
    try:
        return handler(content)
    except Exception as error:
        if inbox.give_up is None or receives < LAST_RECEIVE:
            raise
        logger.exception("gave up", extra={"kind": type(content).__name__})
        return inbox.give_up(content, error)


def _receives(record: SQSRecord) -> int:
    return int(record.attributes.approximate_receive_count or 1)
