"""The subject of each mail, which is also the start of the SNS message."""

from the_alchemiser.shared import formats
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


def mail_subject(message: News, *, stage: str) -> str:
    """Return the subject of the mail about a message, such as `[prod] 2022-03-15: run completed, 2 trades, …`."""
    match message:
        case RunCompleted():
            return f"[{stage}] {message.trading_date}: {_completed(message)}"
        case RunFailed():
            reason = formats.words(message.reason)
            return f"[{stage}] {message.trading_date}: run FAILED in state {message.state}: {reason}"
        case RunRefused():
            return f"[{stage}] {message.trading_date}: run REFUSED: {formats.words(message.reason)}"
        case RunSettled():
            orders = formats.plural(len(message.orders), "order")
            return f"[{stage}] {message.trading_date}: {orders} SETTLED after the run"
        case BooksDiffer():
            differences = formats.plural(len(message.differences), "difference")
            return f"[{stage}] {message.trading_date}: the books DIFFER from the account, {differences}"
        case DataQualityChecked():
            return f"[{stage}] Market data through {message.as_of} FAILED the quality check: {_faults(message)}"


def _completed(run: RunCompleted) -> str:
    trades = formats.plural(len(run.outcomes), "trade") if run.outcomes else "no trades"
    unfilled_count = sum(outcome.reason is not None for outcome in run.outcomes)
    if unfilled_count:
        trades = f"{unfilled_count} of {trades} not completely filled"
    return ", ".join(("run completed", trades, *_omissions(run), f"equity {formats.money(run.equity_after)}"))


def _omissions(run: RunCompleted) -> list[str]:
    """Return how many holdings and targets the run left out, each only when there are some."""
    omissions = []
    if run.quarantined:
        omissions.append(f"{formats.plural(len(run.quarantined), 'holding')} left alone")
    if run.untradable:
        omissions.append(f"{formats.plural(len(run.untradable), 'target')} left out")
    return omissions


def _faults(verdict: DataQualityChecked) -> str:
    quarantined = f"{len(verdict.quarantined)} of {formats.plural(verdict.checked, 'symbol')} quarantined"
    if not verdict.problems:
        return quarantined
    return f"{quarantined}, {formats.plural(len(verdict.problems), 'other problem')}"
