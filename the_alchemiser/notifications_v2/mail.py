"""From a message to what people read: a mail as HTML and as text, and one short text. Pure; nothing is sent here."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from the_alchemiser.notifications_v2.wording import situation, trade_reason
from the_alchemiser.shared import formats
from the_alchemiser.shared.messaging.messages import DataQualityChecked, Message, RunCompleted, RunFailed, TradeOutcome

SHORT_AT_MOST = 300  # characters: two text messages on a phone
_ZERO = Decimal(0)


class Mail(NamedTuple):
    """What one message becomes; `short` is the text of the SNS message."""

    subject: str
    html: str
    text: str
    short: str


class Holding(NamedTuple):
    """A line of target against reality: fractions of equity, shares, USD."""

    symbol: str
    target: Decimal
    quantity: Decimal
    value: Decimal
    actual: Decimal


def compose(message: RunCompleted | RunFailed | DataQualityChecked, *, stage: str) -> Mail:
    """The mail about a message; the same message gives the same mail, byte for byte."""
    match message:
        case RunCompleted():
            return _completed(message, stage)
        case RunFailed():
            return _failed(message, stage)
        case DataQualityChecked():
            return _unfit(message, stage)


def holdings(run: RunCompleted) -> tuple[Holding, ...]:
    """Every symbol that is wanted or held, the largest first."""
    marks = {mark.symbol: mark for mark in run.positions}
    lines = []
    for symbol in {*run.weights, *marks}:
        mark = marks.get(symbol)
        quantity, value = (mark.quantity, mark.quantity * mark.price) if mark else (_ZERO, _ZERO)
        actual = value / run.equity_after if run.equity_after else _ZERO
        lines.append(Holding(symbol, run.weights.get(symbol, _ZERO), quantity, value, actual))
    return tuple(sorted(lines, key=lambda line: (-max(line.target, line.actual), line.symbol)))


def notional(outcome: TradeOutcome) -> Decimal:
    """USD that changed hands; zero when nothing was filled."""
    return outcome.filled_quantity * (outcome.avg_price or _ZERO)


def _completed(run: RunCompleted, stage: str) -> Mail:
    missed = tuple(outcome for outcome in run.outcomes if outcome.reason is not None)
    traded = formats.plural(len(run.outcomes), "trade")
    verdict = f"completed, {len(missed)} of {traded} not filled whole" if missed else f"completed, {traded}"
    equity = f"equity {formats.money(run.equity_after)}"
    subject = f"[{stage}] {run.trading_date} {verdict}, {equity}"
    values = {
        "run": run,
        "missed": missed,
        "holdings": holdings(run),
        "total": sum((notional(outcome) for outcome in run.outcomes), _ZERO),
        "notional": notional,
        "invested": sum((mark.quantity * mark.price for mark in run.positions), _ZERO),
    }
    short = f"{subject} ({formats.change(run.equity_before, run.equity_after)} while trading)"
    return _mail("run_completed", run, stage, subject, short, values)


def _failed(run: RunFailed, stage: str) -> Mail:
    why = formats.words(run.reason)
    subject = f"[{stage}] {run.trading_date} FAILED while {run.state}: {why}"
    missing = f" Missing: {', '.join(run.missing)}." if run.missing else ""
    values = {"run": run, "why": why, "situation": situation(run.state)}
    return _mail("run_failed", run, stage, subject, f"{subject}.{missing} {run.detail}", values)


def _unfit(verdict: DataQualityChecked, stage: str) -> Mail:
    bad = formats.plural(len(verdict.quarantined), "symbol")
    subject = f"[{stage}] data through {verdict.as_of} FAILED its check: {bad} of {verdict.checked} quarantined"
    short = f"{subject}: {', '.join(sorted(verdict.quarantined))}" if verdict.quarantined else subject
    return _mail("data_unfit", verdict, stage, subject, short, {"verdict": verdict, "bad": bad})


def _mail(template: str, message: Message, stage: str, subject: str, short: str, values: Mapping[str, Any]) -> Mail:
    shared = {**values, "message": message, "stage": stage, "subject": subject}
    html, text = (_templates().get_template(f"{template}.{kind}").render(shared) for kind in ("html", "txt"))
    return Mail(subject, html, text, _shortened(short))


def _shortened(text: str) -> str:
    return text if len(text) <= SHORT_AT_MOST else f"{text[: SHORT_AT_MOST - 1].rstrip()}…"


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
    environment.filters["trade_reason"] = trade_reason
    return environment
