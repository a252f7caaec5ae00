"""The subject of each mail, which is also the start of the SNS message."""

from the_alchemiser.shared import formats
from the_alchemiser.shared.mail_format.safe_text import cut, printable
from the_alchemiser.shared.messaging.messages import (
    BooksDiffer,
    DataQualityChecked,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSettled,
)

type News = RunCompleted | RunFailed | RunRefused | RunSettled | BooksDiffer | DataQualityChecked
"""The messages that people read about."""

SUBJECT_CHARS = 78
"""RFC 5322 recommends at most 78 characters per line; a phone shows half of them."""


def mail_subject(message: News, *, stage: str) -> str:
    """Return the subject of the mail about a message, such as `[prod] 2022-03-15: run completed, 2 trades, …`.

    It depends on the message alone, has one line, and leaves out its last facts when all of them are too long.
    """
    day = message.as_of if isinstance(message, DataQualityChecked) else message.trading_date
    facts = _facts(message)
    subject = f"[{stage}] {day}: {facts[0]}"
    for fact in facts[1:]:
        longer = f"{subject}, {fact}"
        if len(longer) > SUBJECT_CHARS:
            break
        subject = longer
    return cut(printable(subject), SUBJECT_CHARS)


def _facts(message: News) -> tuple[str, ...]:
    """Return what happened, the most important first."""
    match message:
        case RunCompleted():
            return _completed(message)
        case RunFailed():
            return (f"run FAILED in state {message.state}: {formats.words(message.reason)}",)
        case RunRefused():
            return (f"run REFUSED: {formats.words(message.reason)}",)
        case RunSettled():
            return (f"{formats.plural(len(message.orders), 'order')} SETTLED after the run",)
        case BooksDiffer():
            differences = formats.plural(len(message.differences), "difference")
            return ("the books DIFFER from the account", differences)
        case DataQualityChecked():
            return _faults(message)


def _completed(run: RunCompleted) -> tuple[str, ...]:
    trades = formats.plural(len(run.outcomes), "trade") if run.outcomes else "no trades"
    unfilled_count = sum(outcome.reason is not None for outcome in run.outcomes)
    if unfilled_count:
        trades = f"{unfilled_count} of {trades} incomplete"
    return ("run completed", trades, *_omissions(run), f"equity {formats.money(run.equity_after)}")


def _omissions(run: RunCompleted) -> list[str]:
    """Return how many holdings and targets the run left out, each only when there are some."""
    omissions = []
    if run.quarantined:
        omissions.append(f"{formats.plural(len(run.quarantined), 'holding')} left alone")
    if run.untradable:
        omissions.append(f"{formats.plural(len(run.untradable), 'target')} left out")
    return omissions


def _faults(verdict: DataQualityChecked) -> tuple[str, ...]:
    quarantined = f"{len(verdict.quarantined)} of {formats.plural(verdict.checked, 'symbol')} quarantined"
    failed = "market data FAILED its check"
    if not verdict.problems:
        return (failed, quarantined)
    problems = formats.plural(len(verdict.problems), "problem")
    return (failed, quarantined, problems) if verdict.quarantined else (failed, problems)
