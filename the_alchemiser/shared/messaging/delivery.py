"""Record by record: parse, claim, handle, publish, report failures. The part of the inbox that only messages need."""

import json
from collections.abc import Mapping
from typing import Any

from the_alchemiser.shared import wall_clock
from the_alchemiser.shared.errors import AlchemiserError, MalformedMessageError
from the_alchemiser.shared.messaging.claims import claim_key
from the_alchemiser.shared.messaging.commands import COMMANDS, Command
from the_alchemiser.shared.messaging.messages import BY_NAME, Message
from the_alchemiser.shared.messaging.wiring import Context, Handler, Inbox, Reaction, logger
from the_alchemiser.shared.records import Frozen

LAST_RECEIVE = 3


class BatchFailedError(Exception):
    """Every record of a batch failed. Each failure is already in the log, with its traceback."""


class _Record(Frozen):
    """A record of SQS.

    Attributes:
        sqs_message_id: the id that SQS has given it; the only id of a command in the lines about all of its receives.
        receives: how often it was received, this time included.
    """

    sqs_message_id: str
    body: str
    receives: int


def deliver(event: Mapping[str, Any], context: Context, inbox: Inbox) -> dict[str, Any]:
    """Pass each record of a batch to its handler.

    Returns:
        `{"batchItemFailures": [...]}`.

    Raises:
        BatchFailedError: every record failed, and not only because of something that the next receive may find
            changed. Lambda then counts an error, for which an alarm rings.
    """
    records = [_record(content) for content in event["Records"]]
    failures: list[tuple[_Record, Exception]] = []

    for record in records:
        try:
            _receive(record, inbox, context)
        except Exception as error:
            failures.append((record, error))

    is_fault = not all(_is_awaited(error, record) for record, error in failures)
    if is_fault and len(failures) == len(records):
        details = "; ".join(f"{type(error).__name__}: {error}" for _, error in failures)
        raise BatchFailedError(f"all {len(records)} records failed: {details}")
    return {"batchItemFailures": [{"itemIdentifier": record.sqs_message_id} for record, _ in failures]}


def _record(content: Mapping[str, Any]) -> _Record:
    return _Record(content["messageId"], content["body"], int(content["attributes"]["ApproximateReceiveCount"]))


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


def _receive(record: _Record, inbox: Inbox, context: Context) -> None:
    started = wall_clock.monotonic()
    content: Message | Command | None = None

    try:
        content = parse(record.body)
        outcome = _handle_once(content, record, inbox, context)
    except Exception as error:
        _log_failure(error, record, content)
        raise
    duration_ms = round((wall_clock.monotonic() - started) * 1000)
    logger.info(outcome, extra={**_facts(content, record), "duration_ms": duration_ms})


def _log_failure(error: Exception, record: _Record, content: Message | Command | None) -> None:
    """Log one line for a failure that the next receive may not meet again, otherwise the traceback and the body."""
    facts = _facts(content, record)
    if _is_awaited(error, record):
        detail = f"{type(error).__name__}: {error}"
        logger.warning("will be tried again", extra={**facts, "receives": record.receives, "detail": detail})
    else:
        logger.exception("failed", extra={**facts, "body": record.body})


def _facts(content: Message | Command | None, record: _Record) -> dict[str, str | None]:
    return {
        "kind": "unparsed" if content is None else type(content).__name__,
        "message_id": getattr(content, "message_id", None),
        "run_id": getattr(content, "run_id", None),
        "sqs_message_id": record.sqs_message_id,
    }


def _is_awaited(error: Exception, record: _Record) -> bool:
    """Return whether the error is one that passes by itself, and another receive follows."""
    return isinstance(error, AlchemiserError) and error.retryable and record.receives < LAST_RECEIVE


def _handle_once(content: Message | Command, record: _Record, inbox: Inbox, context: Context) -> str:
    """Return `handled`, or `duplicate` when the message was handled before."""
    handler = inbox.handlers.get(type(content))
    if handler is None:
        raise MalformedMessageError(f"{inbox.module} does not consume {type(content).__name__}")
    if not isinstance(content, Message):
        _handle(content, handler, inbox, receives=record.receives)
        return "handled"

    key = claim_key(inbox.module, content.message_id)
    if not inbox.claims.take(key, remaining_ms=context.get_remaining_time_in_millis()):
        return "duplicate"
    try:
        _handle(content, handler, inbox, receives=record.receives)
    except Exception:
        inbox.claims.release(key)
        raise
    inbox.claims.complete(key)
    return "handled"


def _handle(content: Message | Command, handler: Handler, inbox: Inbox, *, receives: int) -> None:
    reaction = _react(content, handler, inbox, receives=receives)
    # Publish before noting it and before the claim completes: a crash in between publishes again, with the same ids,
    # which consumers drop. In the opposite order, a crash would lose the messages.
    inbox.publisher.publish(reaction.messages)
    reaction.on_published()


def _react(content: Message | Command, handler: Handler, inbox: Inbox, *, receives: int) -> Reaction:
    try:
        return handler(content)
    except Exception as error:
        if inbox.give_up is None or receives < LAST_RECEIVE:
            raise
        logger.exception("gave up", extra={"kind": type(content).__name__})
        return inbox.give_up(content, error)
