"""Composing the mail about a message, as HTML and plain text, and the short text for SNS. Pure; it sends nothing."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from the_alchemiser.notifications_v2.explanations import (
    REFRESH,
    RESTART,
    UNSETTLED,
    explain_failure,
    explain_omission,
    explain_refusal,
    explain_trade_reason,
    fill_in,
)
from the_alchemiser.notifications_v2.subject import News, mail_subject
from the_alchemiser.shared import formats
from the_alchemiser.shared.messaging.messages import (
    BooksDiffer,
    DataQualityChecked,
    Message,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSettled,
    SettledOrder,
    TradeOutcome,
)

MAX_SHORT_CHARS = 300  # two text messages on a phone
# Of each table and of each note of the HTML part. Gmail cuts off what comes after 102 kB; the text part is whole.
ROWS_AT_MOST, NOTES_AT_MOST = 150, 40
_ZERO = Decimal(0)


class Mail(NamedTuple):
    """A mail as HTML and as plain text, and the short text of the SNS message."""

    subject: str
    html: str
    text: str
    short: str


class Holding(NamedTuple):
    """The target and the actual position of one symbol.

    Attributes:
        target, actual: fractions of the account's equity.
        quantity: shares held.
        value: USD.
    """

    symbol: str
    target: Decimal
    quantity: Decimal
    value: Decimal
    actual: Decimal


def compose(message: News, *, stage: str) -> Mail:
    """Compose the mail about a message. Deterministic: the same message always gives the same bytes."""
    match message:
        case RunCompleted():
            return _run_completed(message, stage)
        case RunFailed():
            return _run_failed(message, stage)
        case RunRefused():
            return _run_refused(message, stage)
        case RunSettled():
            return _run_settled(message, stage)
        case BooksDiffer():
            return _books_differ(message, stage)
        case DataQualityChecked():
            return _data_unfit(message, stage)


def holdings(run: RunCompleted) -> tuple[Holding, ...]:
    """Return a line for every symbol that has a target weight or is held, the largest first."""
    marks = {mark.symbol: mark for mark in run.positions}
    lines = []
    for symbol in {*run.weights, *marks}:
        mark = marks.get(symbol)
        quantity, value = (mark.quantity, mark.quantity * mark.price) if mark else (_ZERO, _ZERO)
        actual = value / run.equity_after if run.equity_after else _ZERO
        lines.append(Holding(symbol, run.weights.get(symbol, _ZERO), quantity, value, actual))

    return tuple(sorted(lines, key=lambda line: (-max(line.target, line.actual), line.symbol)))


def notional(outcome: TradeOutcome | SettledOrder) -> Decimal:
    """Return the value of the fills in USD; zero when nothing was filled."""
    return outcome.filled_quantity * (outcome.avg_price or _ZERO)


def _run_completed(run: RunCompleted, stage: str) -> Mail:
    subject = mail_subject(run, stage=stage)
    values = {
        "run": run,
        "unfilled": tuple(outcome for outcome in run.outcomes if outcome.reason is not None),
        "holdings": holdings(run),
        "total": sum((notional(outcome) for outcome in run.outcomes), _ZERO),
        "notional": notional,
        "unsettled": UNSETTLED,
        "invested": sum((mark.quantity * mark.price for mark in run.positions), _ZERO),
    }
    short = f"{subject} ({formats.change(run.equity_before, run.equity_after)} during the run)"
    return _mail("run_completed", run, stage, subject, short, values)


def _run_failed(run: RunFailed, stage: str) -> Mail:
    subject = mail_subject(run, stage=stage)
    affected = f" Affected: {', '.join(run.missing)}." if run.missing else ""
    situation = explain_failure(run.state, run.reason, run_id=run.run_id)
    values = {"run": run, "reason": formats.words(run.reason), "situation": situation}
    return _mail("run_failed", run, stage, subject, f"{subject}.{affected} {run.detail}", values)


def _run_refused(refused: RunRefused, stage: str) -> Mail:
    subject = mail_subject(refused, stage=stage)
    values = {"refused": refused, "advice": explain_refusal(refused.reason, stage=stage)}
    return _mail("run_refused", refused, stage, subject, f"{subject}. {refused.detail}", values)


def _run_settled(run: RunSettled, stage: str) -> Mail:
    subject = mail_subject(run, stage=stage)
    orders = ", ".join(f"{order.side} {formats.shares(order.filled_quantity)} {order.symbol}" for order in run.orders)
    values = {"run": run, "notional": notional, "restart": fill_in(RESTART, stage=stage, run_id=run.run_id)}
    return _mail("run_settled", run, stage, subject, f"{subject}: {orders}", values)


def _books_differ(check: BooksDiffer, stage: str) -> Mail:
    subject = mail_subject(check, stage=stage)
    symbols = ", ".join(sorted({difference.symbol for difference in check.differences}))
    by_kind = {kind: [row for row in check.differences if row.kind == kind] for kind in ("holding", "order", "fill")}
    return _mail("books_differ", check, stage, subject, f"{subject}: {symbols}", {"check": check, **by_kind})


def _data_unfit(verdict: DataQualityChecked, stage: str) -> Mail:
    subject = mail_subject(verdict, stage=stage)
    facts = (*verdict.problems, ", ".join(sorted(verdict.quarantined)))
    short = ": ".join((subject, *(fact for fact in facts if fact)))
    values = {"verdict": verdict, "refresh": fill_in(REFRESH, stage=stage)}
    return _mail("data_unfit", verdict, stage, subject, short, values)


def _mail(template: str, message: Message, stage: str, subject: str, short: str, values: Mapping[str, Any]) -> Mail:
    context = {
        **values,
        "message": message,
        "stage": stage,
        "subject": subject,
        "rows": ROWS_AT_MOST,
        "notes": NOTES_AT_MOST,
        "show": f"inv run.show {message.run_id} --env {stage}",
        "reconcile": f"inv reconcile --env {stage}",
    }
    html = _templates().get_template(f"{template}.html").render(context)
    text = _templates().get_template(f"{template}.txt").render(context)
    return Mail(subject, html, text, _shorten(short))


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_SHORT_CHARS else f"{text[: MAX_SHORT_CHARS - 1].rstrip()}…"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )

    names = ("money", "signed_money", "percent", "change", "price", "shares", "long_date", "clock", "plural", "words")
    environment.filters.update({name: getattr(formats, name) for name in names})
    environment.filters["explain_trade_reason"] = explain_trade_reason
    environment.filters["explain_omission"] = explain_omission
    return environment
