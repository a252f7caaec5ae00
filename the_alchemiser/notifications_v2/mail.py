"""Composing the mail about a message, as HTML and plain text, and the short text for SNS. Pure; it sends nothing."""

from the_alchemiser.notifications_v2.pages import html_part
from the_alchemiser.notifications_v2.subject import News, mail_subject
from the_alchemiser.notifications_v2.texts import text_part
from the_alchemiser.shared import formats
from the_alchemiser.shared.messaging.messages import (
    BooksDiffer,
    DataQualityChecked,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSettled,
)
from the_alchemiser.shared.records import Frozen

MAX_SHORT_CHARS = 300  # two text messages on a phone


class Mail(Frozen):
    """A mail as HTML and as plain text, and the short text of the SNS message."""

    subject: str
    html: str
    text: str
    short: str


def compose(message: News, *, stage: str) -> Mail:
    """Compose the mail about a message. Deterministic: the same message always gives the same bytes."""
    subject = mail_subject(message, stage=stage)
    html = html_part(message, stage=stage, subject=subject)
    return Mail(subject, html, text_part(message, stage=stage), _shorten(f"{subject}{_short(message)}"))


def _short(message: News) -> str:
    """Return what the short text has beside the subject."""
    match message:
        case RunCompleted():
            return f" ({formats.change(message.equity_before, message.equity_after)} during the run)"
        case RunFailed():
            affected = f" Affected: {', '.join(message.missing)}." if message.missing else ""
            return f".{affected} {message.detail}"
        case RunRefused():
            return f". {message.detail}"
        case RunSettled():
            fills = (f"{order.side} {formats.shares(order.filled_quantity)} {order.symbol}" for order in message.orders)
            return f": {', '.join(fills)}"
        case BooksDiffer():
            return f": {', '.join(sorted({difference.symbol for difference in message.differences}))}"
        case DataQualityChecked():
            facts = (*message.problems, ", ".join(sorted(message.quarantined)))
            return "".join(f": {fact}" for fact in facts if fact)


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_SHORT_CHARS else f"{text[: MAX_SHORT_CHARS - 1].rstrip()}…"
