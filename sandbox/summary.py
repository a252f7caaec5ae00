"""What is printed of a day, and what a program reads of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from automation.system import console
from automation.system.errors import Finding
from sandbox.evidence import DayEvidence
from the_alchemiser.shared import formats
from the_alchemiser.shared.messaging.messages import StrategyEvaluated, TradeExecuted, TradeFailed
from the_alchemiser.shared.run.runs import RunState


@dataclass(frozen=True, slots=True)
class Files:
    """Where the day's report and its mails, as HTML, were written."""

    report: Path
    mails: tuple[Path, ...]


def show(day: DayEvidence, files: Files) -> None:
    """Print the day: strategies, signal, trades, equity, and where mail and report are."""
    took = ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in day.seconds.items())
    console.result(f"{formats.long_date(day.trading_date)}: {day.run.run_id} {day.run.state} ({took})", style="bold")
    console.table(("strategy", "allocation", "weights"), strategy_rows(day), right=("allocation",))
    console.table(("symbol", "weight", "wanted by"), signal_rows(day), title="merged signal", right=("weight",))
    if day.outcomes:
        columns = ("trade", "symbol", "shares", "filled", "price", "value", "orders", "note")
        console.table(columns, trade_rows(day), title="trades", right=columns[2:7])
    else:
        console.result("no trades")
    console.results(closing_lines(day, files))


def strategy_rows(day: DayEvidence) -> list[tuple[str, str, str]]:
    """A line a strategy: its share of the account, and the weights it asked for, or why none."""
    return [(name, formats.percent(share), _wish(day, name)) for name, share in sorted(day.run.allocations.items())]


def signal_rows(day: DayEvidence) -> list[tuple[str, str, str]]:
    """A line a symbol: its weight, and each strategy's part of it."""
    signal = day.signal
    if signal is None:
        return []
    return [
        (symbol, formats.percent(weight), _parts(signal.contributions, symbol))
        for symbol, weight in sorted(signal.weights.items(), key=lambda item: (-item[1], item[0]))
    ]


def trade_rows(day: DayEvidence) -> list[tuple[str, ...]]:
    """A line a trade: what was wanted, what was filled, at which average price."""
    return [_trade_row(outcome) for outcome in day.outcomes.values()]


def closing_lines(day: DayEvidence, files: Files) -> list[str]:
    """Equity, cash, mail and report."""
    change = formats.change(day.equity_before, day.equity_after)
    lines = [
        f"equity  {formats.money(day.equity_before)} before, {formats.money(day.equity_after)} after: {change}",
        f"cash    {formats.money(day.after.account.cash)}",
    ]
    lines += [
        f"mail    {mail.subject}: {path}" for mail, path in zip(day.mails, files.mails, strict=True)
    ]  # one file a mail
    return [*lines, f"report  {files.report}"]


def as_json(day: DayEvidence, files: Files, findings: Sequence[Finding]) -> Mapping[str, Any]:
    """The day for a program; amounts and shares are strings, so that no digit is lost."""
    return {
        "date": day.trading_date.isoformat(),
        "run_id": day.run.run_id,
        "state": day.run.state.value,
        "seconds": {phase: round(seconds, 3) for phase, seconds in day.seconds.items()},
        "weights": {symbol: str(weight) for symbol, weight in (day.signal.weights if day.signal else {}).items()},
        "trades": [_trade_json(trade, outcome) for trade, outcome in day.outcomes.items()],
        "equity_before": str(day.equity_before),
        "equity_after": str(day.equity_after),
        "cash_after": str(day.after.account.cash),
        "functions": {module: log.invocations for module, log in sorted(day.functions.items())},
        "mails": [str(path) for path in files.mails],
        "report": str(files.report),
        "findings": [{"where": one.where, "what": one.what, "mend": one.mend} for one in findings],
        "ok": not findings and day.run.state is RunState.COMPLETED,
    }


def _wish(day: DayEvidence, name: str) -> str:
    answer = day.answers.get(name)
    if answer is None:
        return "no answer"
    if not isinstance(answer, StrategyEvaluated):
        return f"failed: {answer.reason}: {answer.detail}"
    largest_first = sorted(answer.weights.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{symbol} {formats.percent(weight)}" for symbol, weight in largest_first)


def _parts(contributions: Mapping[str, Mapping[str, Decimal]], symbol: str) -> str:
    wanted = {name: parts[symbol] for name, parts in sorted(contributions.items()) if parts.get(symbol)}
    return ", ".join(f"{name} {formats.percent(part)}" for name, part in wanted.items())


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


def _trade_json(trade: str, outcome: TradeExecuted | TradeFailed) -> Mapping[str, Any]:
    return {
        "trade_id": trade,
        "symbol": outcome.symbol,
        "side": outcome.side.value,
        "quantity": str(outcome.quantity),
        "filled": str(outcome.filled_quantity),
        "reason": outcome.reason if isinstance(outcome, TradeFailed) else None,
    }
