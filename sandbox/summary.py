"""Print the summary of a day, as tables for people or as JSON for programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from automation.system import console
from automation.system.errors import Finding
from sandbox.evidence import DayEvidence
from sandbox.run_evidence import RunEvidence
from the_alchemiser.shared import formats
from the_alchemiser.shared.messaging.messages import RunCompleted, StrategyEvaluated, TradeExecuted, TradeFailed
from the_alchemiser.shared.run.runs import RunState


@dataclass(frozen=True, slots=True)
class DayFiles:
    """The HTML files written for a day: its report, and one file per mail."""

    report: Path
    mails: tuple[Path, ...]


def print_day(day: DayEvidence, files: DayFiles) -> None:
    """Print the day: strategies, merged signal, trades, equity, and where the mails and the report are."""
    durations = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in day.seconds.items())
    degraded = ", degraded" if _is_degraded(day) else ""
    heading = f"{formats.long_date(day.trading_date)}: {day.run.run_id} {day.run.state}{degraded} ({durations})"
    console.result(heading, style="bold")

    console.table(
        ("strategy", "allocation", "target weights"), strategy_rows(day), title="strategies", right=("allocation",)
    )
    console.table(("symbol", "weight", "from strategies"), signal_rows(day), title="merged signal", right=("weight",))

    if day.outcomes:
        columns = ("side", "symbol", "shares", "filled", "price", "value", "orders", "note")
        console.table(columns, trade_rows(day), title="trades", right=columns[2:7])
    else:
        console.result("no trades")
    console.results(closing_lines(day, files))


def strategy_rows(day: RunEvidence) -> list[tuple[str, str, str]]:
    """Return a row per strategy: its share of the account, and its target weights or why it has none."""
    return [
        (name, formats.percent(share), _target_weights(day, name))
        for name, share in sorted(day.run.allocations.items())
    ]


def signal_rows(day: RunEvidence) -> list[tuple[str, str, str]]:
    """Return a row per symbol, largest weight first: its weight, and each strategy's contribution; then one of cash."""
    signal = day.signal
    if signal is None:
        return []
    rows = [
        (symbol, formats.percent(weight), _contributions(signal.contributions, symbol))
        for symbol, weight in _largest_first(signal.weights)
    ]
    return [*rows, ("in cash", formats.percent(signal.cash), "")] if signal.cash else rows


def trade_rows(day: DayEvidence) -> list[tuple[str, ...]]:
    """Return a row per trade: the shares planned and filled, the average price, the value, and why it failed."""
    return [_trade_row(outcome) for outcome in day.outcomes.values()]


def closing_lines(day: DayEvidence, files: DayFiles) -> list[str]:
    """Return the lines on missed trades, survived faults, equity, cash, books, mails and report."""
    change = formats.change(day.equity_before, day.equity_after)
    mails = zip(day.mails, files.mails, strict=True)
    return [
        *(f"missed  {trade}: {formats.words(outcome.reason)}" for trade, outcome in day.failed_trades.items()),
        *(f"survived  {fault}" for fault in day.survived),
        f"equity  {formats.money(day.equity_before)} before, {formats.money(day.equity_after)} after: {change}",
        f"cash    {formats.money(day.after.account.cash)}",
        f"books   {books_text(day)}",
        *(f"mail    {mail.subject}: {path}" for mail, path in mails),
        f"report  {files.report}",
    ]


def books_text(day: DayEvidence) -> str:
    """Return how the account compares with the books after the close."""
    if day.books is None:
        return "not compared with the account after the close"
    if day.books.differs:
        return f"DIFFER from the account after the close in {formats.plural(len(day.books.differences), 'place')}"
    return f"agree with the account after the close, {formats.plural(len(day.books.holdings), 'holding')}"


def day_as_json(day: DayEvidence, files: DayFiles, findings: Sequence[Finding]) -> Mapping[str, Any]:
    """Return the day for a program; amounts and shares are strings, so that no digit is lost."""
    weights = day.signal.weights if day.signal else {}

    return {
        "date": day.trading_date.isoformat(),
        "run_id": day.run.run_id,
        "state": day.run.state.value,
        "degraded": _is_degraded(day),
        "seconds": {phase: round(seconds, 3) for phase, seconds in day.seconds.items()},
        "weights": {symbol: str(weight) for symbol, weight in weights.items()},
        "cash": str(day.signal.cash) if day.signal else None,
        "trades": [_trade_as_json(trade, outcome) for trade, outcome in day.outcomes.items()],
        "equity_before": str(day.equity_before),
        "equity_after": str(day.equity_after),
        "cash_after": str(day.after.account.cash),
        "books": None if day.books is None else day.books.state.value,
        "functions": {module: log.invocations for module, log in sorted(day.functions.items())},
        "mails": [str(path) for path in files.mails],
        "report": str(files.report),
        "survived": list(day.survived),
        "findings": [{"where": finding.where, "what": finding.what, "fix": finding.fix} for finding in findings],
        "ok": not findings and day.run.state is RunState.COMPLETED,
    }


def _is_degraded(day: DayEvidence) -> bool:
    """Return whether the run completed, but left something undone."""
    return isinstance(day.result, RunCompleted) and day.result.degraded


def _target_weights(day: RunEvidence, name: str) -> str:
    answer = day.answers.get(name)
    if answer is None:
        return "no answer"
    if not isinstance(answer, StrategyEvaluated):
        return f"failed: {answer.reason}: {answer.detail}"
    cash = (("in cash", answer.cash),) if answer.cash else ()
    weights = (*_largest_first(answer.weights), *cash)
    return ", ".join(f"{name} {formats.percent(weight)}" for name, weight in weights)


def _largest_first(weights: Mapping[str, Decimal]) -> list[tuple[str, Decimal]]:
    return sorted(weights.items(), key=lambda item: (-item[1], item[0]))


def _contributions(contributions: Mapping[str, Mapping[str, Decimal]], symbol: str) -> str:
    weights = {name: parts[symbol] for name, parts in sorted(contributions.items()) if parts.get(symbol)}
    return ", ".join(f"{name} {formats.percent(weight)}" for name, weight in weights.items())


def _trade_row(outcome: TradeExecuted | TradeFailed) -> tuple[str, ...]:
    value = sum((fill.quantity * fill.price for fill in outcome.fills), Decimal(0))
    filled = sum((fill.quantity for fill in outcome.fills), Decimal(0))
    return (
        outcome.side.value.lower(),
        outcome.symbol,
        formats.shares(outcome.quantity),
        formats.shares(outcome.filled_quantity),
        formats.price(value / filled) if filled else "",
        formats.money(value),
        str(len(outcome.fills)),
        f"{outcome.reason}: {outcome.detail}" if isinstance(outcome, TradeFailed) else "",
    )


def _trade_as_json(trade: str, outcome: TradeExecuted | TradeFailed) -> Mapping[str, Any]:
    return {
        "trade_id": trade,
        "symbol": outcome.symbol,
        "side": outcome.side.value,
        "quantity": str(outcome.quantity),
        "filled": str(outcome.filled_quantity),
        "reason": outcome.reason if isinstance(outcome, TradeFailed) else None,
    }
