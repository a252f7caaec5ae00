"""The plain-text part of each mail, which is whole however long it gets."""

from collections.abc import Iterable, Iterator, Mapping

from the_alchemiser.notifications_v2.explanations import (
    QUALITY,
    REFRESH,
    RESTART,
    UNSETTLED,
    explain_failure,
    explain_omission,
    explain_refusal,
    explain_trade_reason,
    fill_in,
)
from the_alchemiser.notifications_v2.facts import (
    OTHERWISE,
    by_symbol,
    cash_line,
    checked,
    holdings,
    invested,
    missed_trades,
    notional,
    of_kind,
    stamp,
    summary,
    title,
)
from the_alchemiser.notifications_v2.subject import News
from the_alchemiser.shared.formats import change, money, percent, price, shares, words
from the_alchemiser.shared.messaging.messages import (
    BooksDiffer,
    DataQualityChecked,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSettled,
    SettledOrder,
    TradeOutcome,
)


def text_part(message: News, *, stage: str) -> str:
    """Return the plain-text part of the mail about a message."""
    sender = f"The Alchemiser, {stage}"
    match message:
        case RunCompleted():
            sender, body = f"{sender}, run {message.run_id}", _completed(message)
        case RunFailed():
            sender, body = f"{sender}, run {message.run_id}", _failed(message)
        case RunRefused():
            body = _refused(message, stage)
        case RunSettled():
            sender, body = f"{sender}, run {message.run_id}", _settled(message, stage)
        case BooksDiffer():
            body = _differ(message, f"inv reconcile --env {stage}")
        case DataQualityChecked():
            body = _unfit(message, stage)
    return "\n".join((title(message), sender, "", *body, "", f"Message {stamp(message)}.", ""))


def _completed(run: RunCompleted) -> Iterator[str]:
    yield from summary(run)
    yield ""
    yield f"Equity before  {money(run.equity_before):>16}"
    yield f"Equity after   {money(run.equity_after):>16}   {change(run.equity_before, run.equity_after)} during the run"
    yield f"Invested       {money(invested(run)):>16}"
    yield f"Cash after     {money(run.cash_after):>16}"
    yield from _missed(run)
    if run.quarantined:
        yield from ("", "HOLDINGS THAT THE RUN LEFT ALONE")
        yield from _omissions(run.quarantined)
        yield (
            "The run neither counts nor sells them, and invests the rest of the account. They stay until you sell them "
            "yourself."
        )
    if run.untradable:
        yield from ("", "TARGETS THAT CANNOT BE TRADED")
        yield from _omissions(run.untradable)
        yield "Their share of the account stays in cash today."
    if run.outcomes:
        yield from ("", "TRADES")
        yield from (f"  {_fill(outcome)}" for outcome in run.outcomes)
    yield from ("", "TARGET AND ACTUAL POSITIONS")
    for line in holdings(run):
        yield (
            f"  {line.symbol:<8} target {percent(line.target):>8}, actual {percent(line.actual):>8}: "
            f"{shares(line.quantity):>16} shares, {money(line.value)}"
        )
    if line_of_cash := cash_line(run):
        yield f"  {line_of_cash}"


def _missed(run: RunCompleted) -> Iterator[str]:
    missed = missed_trades(run)
    if missed:
        yield from ("", "NOT COMPLETELY FILLED")
        for outcome, reason in missed:
            filled = f"{shares(outcome.filled_quantity)} of {shares(outcome.quantity)} shares filled"
            unsettled = UNSETTLED if outcome.unsettled else ""
            yield f"  {outcome.side} {outcome.symbol}: {filled}; {explain_trade_reason(reason)} ({reason}).{unsettled}"
        yield "The unfilled shares are not tried again today. The next run starts from the actual positions."


def _omissions(reasons: Mapping[str, str]) -> Iterator[str]:
    return (f"  {symbol}: {explain_omission(reason)} ({reason})." for symbol, reason in by_symbol(reasons))


def _fill(outcome: TradeOutcome | SettledOrder) -> str:
    filled = f"{outcome.side:<4} {outcome.symbol:<8} {shares(outcome.filled_quantity):>16} shares"
    if outcome.avg_price is None:
        return f"{filled}, nothing filled"
    return f"{filled} at {price(outcome.avg_price)} = {money(notional(outcome))}"


def _failed(run: RunFailed) -> Iterator[str]:
    situation = explain_failure(run.state, run.reason, run_id=run.run_id)
    yield f"The run failed while {situation.doing} (state {run.state})."
    yield f"Reason: {words(run.reason)}. {situation.effect}"
    yield from ("", f"  {run.detail}")
    if run.missing:
        yield from ("", "AFFECTED")
        yield from (f"  {name}" for name in run.missing)
    yield from _next(situation.steps)


def _refused(refused: RunRefused, stage: str) -> Iterator[str]:
    advice = explain_refusal(refused.reason, stage=stage)
    yield f"{advice.meaning} This start sent no orders."
    yield f"Reason: {words(refused.reason)}."
    yield from ("", f"  {refused.detail}")
    yield from _next(advice.steps)
    yield from ("", "You read of each reason once per day, however often a start is refused.")


def _settled(run: RunSettled, stage: str) -> Iterator[str]:
    yield from summary(run)
    yield from ("", "ORDERS")
    yield from (f"  {_fill(order)}, {words(order.status)} ({order.client_order_id})" for order in run.orders)
    yield from _next(
        (
            "Nothing, if the positions at the broker are fine with you: the next run starts from them.",
            fill_in(RESTART, stage=stage, run_id=run.run_id),
        )
    )


def _differ(check: BooksDiffer, reconcile: str) -> Iterator[str]:
    yield from summary(check)
    if lines := of_kind(check, "holding"):
        yield from ("", "HOLDINGS")
        for line in lines:
            books = f"broker {shares(line.broker):>14}   books {shares(line.books):>14}"
            yield f"  {line.symbol:<10} {books}   {line.cause or 'cause not known'}"
    if lines := of_kind(check, "order"):
        yield from ("", "OPEN ORDERS THAT NO RUN WAITS FOR")
        yield from (f"  {line.symbol:<10} {shares(line.broker):>14} shares to fill   {line.order}" for line in lines)
    if lines := of_kind(check, "fill"):
        yield from ("", "FILLS THAT THE LEDGER DOES NOT HAVE")
        yield from (f"  {line.symbol:<10} {shares(line.broker):>14} shares filled   {line.order}" for line in lines)
    consequence = "The next run starts from the actual positions."
    yield from _next(
        (
            f"Look at all of it: {reconcile}",
            f"If the account is as you want it, accept it: {reconcile} --accept\n     {consequence}",
            OTHERWISE,
        )
    )
    yield from ("", "You read of differences once per trading day.")


def _unfit(verdict: DataQualityChecked, stage: str) -> Iterator[str]:
    yield checked(verdict)
    yield (
        "Strategies treat a quarantined symbol as missing: if a strategy needs it, that strategy fails, and so does "
        "the day's run."
    )
    if verdict.problems:
        yield from ("", *(f"  {problem}" for problem in verdict.problems))
    if verdict.quarantined:
        yield from ("", "QUARANTINED")
        yield from (f"  {symbol:<8} {reason}" for symbol, reason in by_symbol(verdict.quarantined))
    yield from _next(
        (
            f"Refresh the bars. {fill_in(REFRESH, stage=stage)}",
            fill_in(QUALITY, stage=stage),
            "If the check passes before the next run starts, nothing else is needed.",
        )
    )


def _next(steps: Iterable[str]) -> Iterator[str]:
    yield from ("", "WHAT TO DO NEXT")
    yield from (f"  {number}. {step}" for number, step in enumerate(steps, 1))
