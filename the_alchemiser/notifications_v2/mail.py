"""Composing the mail about a message, as HTML and plain text, and the short text for SNS. Pure; it sends nothing."""

from the_alchemiser.notifications_v2.background import Background
from the_alchemiser.notifications_v2.completed_page import day_line
from the_alchemiser.notifications_v2.pages import page_of
from the_alchemiser.notifications_v2.subject import News, mail_subject
from the_alchemiser.shared import formats
from the_alchemiser.shared.mail_format.html_part import html_part
from the_alchemiser.shared.mail_format.safe_text import cut, printable
from the_alchemiser.shared.mail_format.text_part import text_part
from the_alchemiser.shared.messaging.messages import (
    BooksDiffer,
    DataQualityChecked,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSettled,
)
from the_alchemiser.shared.records import Frozen

SHORT_CHARS = 450
"""Of the text for SNS: three text messages on a phone."""


class Mail(Frozen):
    """A mail as HTML and as plain text, and the short text of the SNS message."""

    subject: str
    html: str
    text: str
    short: str


def compose(message: News, background: Background, *, stage: str) -> Mail:
    """Compose the mail about a message. Deterministic: the same arguments always give the same bytes."""
    subject = mail_subject(message, stage=stage)
    page = page_of(message, background, stage=stage)
    more = f" More: {_command(message, stage)}"
    facts = cut(printable(f"{subject}{_short(message, background)}"), SHORT_CHARS - len(more))
    return Mail(subject, html_part(page, subject=subject), text_part(page), f"{facts}{more}")


def _short(message: News, background: Background) -> str:
    """Return what the short text has beside the subject."""
    match message:
        case RunCompleted():
            day = day_line(message, background)
            equity = formats.change(message.equity_before, message.equity_after)
            return f", {f'{day}, ' if day else ''}{equity} during the run."
        case RunFailed():
            affected = f" Affected: {', '.join(message.missing)}." if message.missing else ""
            return f".{affected} {message.detail}."
        case RunRefused():
            return f". {message.detail}."
        case RunSettled():
            fills = (f"{order.side} {formats.shares(order.filled_quantity)} {order.symbol}" for order in message.orders)
            return f": {', '.join(fills)}."
        case BooksDiffer():
            return f": {', '.join(sorted({difference.symbol for difference in message.differences}))}."
        case DataQualityChecked():
            facts = (*message.problems, ", ".join(sorted(message.quarantined)))
            return f"{''.join(f': {fact}' for fact in facts if fact)}."


def _command(message: News, stage: str) -> str:
    match message:
        case RunCompleted() | RunFailed() | RunSettled():
            return cut(printable(f"inv run.show {message.run_id} --env {stage}"), SHORT_CHARS // 3)
        case RunRefused():
            return f"inv trading.status --env {stage}"
        case BooksDiffer():
            return f"inv reconcile --env {stage}"
        case DataQualityChecked():
            return f"inv data.quality --env {stage}"
