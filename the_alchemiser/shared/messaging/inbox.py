"""The shell around every service: parse, claim, handle, publish, and report failures record by record.

A handler calls `serve(event, context, build=...)`. The body of a record is an event of the bus, a trade of the queue
(the same shape), or a command of the scheduler. A message is claimed by its id in the Claims table, under the module's
own prefix, so a second delivery does nothing. A command has no id: the service's own conditional writes make it
idempotent. When a handler raises, SQS delivers that record again; after the third failure it moves to the dead-letter
queue.
"""

from collections.abc import Callable, Mapping
from typing import Any

from the_alchemiser.shared import aws, logs
from the_alchemiser.shared.messaging.wiring import Claims, Context, Inbox


def claims_table(name: str) -> Claims:
    """Return the stack's Claims table."""
    from the_alchemiser.shared.messaging.claims import DynamoClaims  # noqa: PLC0415 - only messages need it

    return DynamoClaims(aws.client("dynamodb"), name)


def serve(event: Mapping[str, Any], context: Context, *, build: Callable[[], Inbox]) -> dict[str, Any]:
    """Handle one Lambda event: a batch of an inbox, or a health message.

    Args:
        event: `{"Records": [...]}` from SQS, or `{"health": true}`, which checks what the module needs; see health.py.
        context: Lambda's own; its deadline bounds the claims.
        build: returns the wiring; called on every event, so it should be cached.

    Returns:
        `{"batchItemFailures": [...]}`, or the answer to the health message.

    Raises:
        BatchFailedError: every record failed; SQS delivers them again, and Lambda counts an error.
    """
    inbox = build()
    logs.start(inbox.module)
    if event.get("health"):
        from the_alchemiser.shared.messaging.health import check_health  # noqa: PLC0415 - only its message needs it

        return check_health(inbox)

    from the_alchemiser.shared.messaging.delivery import deliver  # noqa: PLC0415 - only messages need it

    return deliver(event, context, inbox)
