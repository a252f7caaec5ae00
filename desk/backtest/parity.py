"""Compare a backtest with the deployed system: record the days of both and find their differences. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from automation.system.errors import Finding
from desk.backtest.simulate import BacktestDay
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    RunCompleted,
    SignalGenerated,
    StrategyEvaluated,
    TradeExecuted,
    TradeFailed,
)
from the_alchemiser.shared.run.runs import SIGNAL, STRATEGY, TRADE, Run
from the_alchemiser.shared.values import Side

_MISSING = "nothing"


class FilledTrade(NamedTuple):
    """A filled trade: quantity in shares, price in USD per share."""

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal


class DayRecord(NamedTuple):
    """The decisions and trades of a session.

    Attributes:
        strategy_weights: the target weights of each strategy.
        weights: the merged target weights.
        trades: the filled trades, sorted by symbol.
        equity: USD after trading, cash included.
        cash: USD after trading.
    """

    day: date
    strategy_weights: Mapping[str, Mapping[str, Decimal]]
    weights: Mapping[str, Decimal]
    trades: tuple[FilledTrade, ...]
    equity: Decimal
    cash: Decimal


def record_of_run(run: Run) -> DayRecord:
    """Return the record of a run of the deployed system.

    Raises:
        ValueError: the run did not complete.
    """
    results = [message for message in run.outbox if isinstance(message, RunCompleted)]
    signal = outbox.decode(run.items[SIGNAL].body) if SIGNAL in run.items else None
    if not results or not isinstance(signal, SignalGenerated):
        raise ValueError(f"{run.run_id} did not complete; its state is {run.state}")

    messages = (outbox.decode(item.body) for item in run.items_of(STRATEGY).values())
    evaluated = (message for message in messages if isinstance(message, StrategyEvaluated))
    return DayRecord(
        day=run.trading_date,
        strategy_weights={message.strategy: dict(message.weights) for message in evaluated},
        weights=dict(signal.weights),
        trades=tuple(sorted(_filled_trades(run))),
        equity=results[0].equity_after,
        cash=results[0].cash_after,
    )


def record_of_day(day: BacktestDay) -> DayRecord:
    """Return the record of a day of a backtest."""
    trades = sorted(FilledTrade(trade.symbol, trade.side, trade.quantity, trade.price) for trade in day.trades)
    signal = day.signal
    return DayRecord(
        day.date,
        {name: dict(weights) for name, weights in signal.strategy_weights.items()},
        dict(signal.merged.weights),
        tuple(trades),
        day.equity,
        day.cash,
    )


def find_differences(deployed: Sequence[DayRecord], backtested: Sequence[DayRecord]) -> tuple[Finding, ...]:
    """Return every difference between the days of the deployed system and of a backtest; empty if they are equal."""
    deployed_by_day = {record.day: record for record in deployed}
    backtested_by_day = {record.day: record for record in backtested}

    findings: list[Finding] = []
    for day in sorted(deployed_by_day.keys() | backtested_by_day.keys()):
        if day not in backtested_by_day:
            findings.append(Finding(str(day), "only the deployed system traded that day"))
        elif day not in deployed_by_day:
            findings.append(Finding(str(day), "only the backtest traded that day"))
        else:
            messages = _compare_days(deployed_by_day[day], backtested_by_day[day])
            findings += (Finding(str(day), message) for message in messages)
    return tuple(findings)


def _filled_trades(run: Run) -> Iterator[FilledTrade]:
    for item in run.items_of(TRADE).values():
        outcome = outbox.decode(item.body)
        if isinstance(outcome, TradeExecuted | TradeFailed) and outcome.fills:
            shares = sum((fill.quantity for fill in outcome.fills), Decimal(0))
            notional = sum((fill.quantity * fill.price for fill in outcome.fills), Decimal(0))
            yield FilledTrade(outcome.symbol, outcome.side, shares, notional / shares)


def _compare_days(deployed: DayRecord, backtested: DayRecord) -> Iterator[str]:
    for strategy in sorted(deployed.strategy_weights.keys() | backtested.strategy_weights.keys()):
        pair = (record.strategy_weights.get(strategy, {}) for record in (deployed, backtested))
        yield from _compare_weights(*pair, name=f"{strategy}: weight of")
    yield from _compare_weights(deployed.weights, backtested.weights, name="merged weight of")

    yield from _compare_trades(_by_side_and_symbol(deployed.trades), _by_side_and_symbol(backtested.trades))

    yield from _compare_values(deployed.equity, backtested.equity, name="equity")
    yield from _compare_values(deployed.cash, backtested.cash, name="cash")


def _by_side_and_symbol(trades: Sequence[FilledTrade]) -> Mapping[tuple[Side, str], FilledTrade]:
    return {(trade.side, trade.symbol): trade for trade in trades}


def _compare_trades(
    deployed: Mapping[tuple[Side, str], FilledTrade], backtested: Mapping[tuple[Side, str], FilledTrade]
) -> Iterator[str]:
    for side, symbol in sorted(deployed.keys() | backtested.keys()):
        pair = (deployed.get((side, symbol)), backtested.get((side, symbol)))
        for field in ("quantity", "price"):
            values = (getattr(trade, field, None) for trade in pair)
            yield from _compare_values(*values, name=f"{side} {symbol}: {field}")


def _compare_weights(deployed: Mapping[str, Decimal], backtested: Mapping[str, Decimal], *, name: str) -> Iterator[str]:
    for symbol in sorted(deployed.keys() | backtested.keys()):
        yield from _compare_values(deployed.get(symbol), backtested.get(symbol), name=f"{name} {symbol}")


def _compare_values(deployed: Decimal | None, backtested: Decimal | None, *, name: str) -> Iterator[str]:
    if deployed != backtested:
        texts = (_MISSING if value is None else f"{value.normalize():f}" for value in (deployed, backtested))
        yield "{}: {} deployed, {} backtested".format(name, *texts)
