"""The subject of each mail, which is also the start of the SNS message."""

from the_alchemiser.shared import formats
from the_alchemiser.shared.messaging.messages import DataQualityChecked, RunCompleted, RunFailed, RunRefused

type News = RunCompleted | RunFailed | RunRefused | DataQualityChecked
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
        case DataQualityChecked():
            quarantined = f"{len(message.quarantined)} of {formats.plural(message.checked, 'symbol')} quarantined"
            return f"[{stage}] Market data through {message.as_of} FAILED the quality check: {quarantined}"


def _completed(run: RunCompleted) -> str:
    trades = formats.plural(len(run.outcomes), "trade") if run.outcomes else "no trades"
    unfilled_count = sum(outcome.reason is not None for outcome in run.outcomes)
    if unfilled_count:
        trades = f"{unfilled_count} of {trades} not completely filled"
    return f"run completed, {trades}, equity {formats.money(run.equity_after)}"
