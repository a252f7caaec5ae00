"""Does a backtest do what the deployed system did? Records of both, and their differences. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from automation.system.errors import Finding
from desk.backtest.simulate import Day
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    RunCompleted,
    Side,
    SignalGenerated,
    StrategyEvaluated,
    TradeExecuted,
    TradeFailed,
)
from the_alchemiser.shared.run.runs import SIGNAL, STRATEGY, TRADE, Run

_ABSENT = "nothing"


class FilledTrade(NamedTuple):
    """Shares, and USD a share."""

    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal


class DayRecord(NamedTuple):
    """What was decided and done on a session.

    Attributes:
        answers: by strategy its weights.
        weights: all of them merged.
        trades: those that filled, by symbol.
        equity: USD after trading.
    """

    day: date
    answers: Mapping[str, Mapping[str, Decimal]]
    weights: Mapping[str, Decimal]
    trades: tuple[FilledTrade, ...]
    equity: Decimal
    cash: Decimal


def record_of_run(run: Run) -> DayRecord:
    """A run of the deployed system.

    Raises:
        ValueError: it did not complete.
    """
    results = [message for message in run.outbox if isinstance(message, RunCompleted)]
    signal = outbox.decode(run.items[SIGNAL].body) if SIGNAL in run.items else None
    if not results or not isinstance(signal, SignalGenerated):
        raise ValueError(f"{run.run_id} did not complete: it is {run.state}")
    answers = (outbox.decode(item.body) for item in run.items_of(STRATEGY).values())
    return DayRecord(
        day=run.trading_date,
        answers={one.strategy: dict(one.weights) for one in answers if isinstance(one, StrategyEvaluated)},
        weights=dict(signal.weights),
        trades=tuple(sorted(_filled(run))),
        equity=results[0].equity_after,
        cash=results[0].cash_after,
    )


def record_of_day(day: Day) -> DayRecord:
    """A day of a backtest."""
    trades = sorted(FilledTrade(one.symbol, one.side, one.quantity, one.price) for one in day.trades)
    signal = day.signal
    return DayRecord(
        day.date,
        {name: dict(weights) for name, weights in signal.answers.items()},
        dict(signal.merged.weights),
        tuple(trades),
        day.equity,
        day.cash,
    )


def differences(traded: Sequence[DayRecord], tested: Sequence[DayRecord]) -> tuple[Finding, ...]:
    """Every difference between deployed days and those of a backtest; none when they agree exactly."""
    ours, theirs = ({record.day: record for record in records} for records in (tested, traded))
    found: list[Finding] = []
    for day in sorted(ours.keys() | theirs.keys()):
        if day not in ours or day not in theirs:
            where = "the deployed system" if day in theirs else "the backtest"
            found.append(Finding(str(day), f"only {where} traded that day"))
        else:
            found += (Finding(str(day), what) for what in _of_day(theirs[day], ours[day]))
    return tuple(found)


def _filled(run: Run) -> Iterator[FilledTrade]:
    for item in run.items_of(TRADE).values():
        told = outbox.decode(item.body)
        if isinstance(told, TradeExecuted | TradeFailed) and told.fills:
            shares = sum((fill.quantity for fill in told.fills), Decimal(0))
            paid = sum((fill.quantity * fill.price for fill in told.fills), Decimal(0))
            yield FilledTrade(told.symbol, told.side, shares, paid / shares)


def _of_day(traded: DayRecord, tested: DayRecord) -> Iterator[str]:
    for strategy in sorted(traded.answers.keys() | tested.answers.keys()):
        pair = (record.answers.get(strategy, {}) for record in (traded, tested))
        yield from _of_values(*pair, of=f"{strategy}: weight of")
    yield from _of_values(traded.weights, tested.weights, of="merged weight of")
    trades = ({(one.side, one.symbol): one for one in record.trades} for record in (traded, tested))
    yield from _of_trades(*trades)
    for name in ("equity", "cash"):
        yield from _of_value(getattr(traded, name), getattr(tested, name), of=name)


def _of_trades(
    traded: Mapping[tuple[Side, str], FilledTrade], tested: Mapping[tuple[Side, str], FilledTrade]
) -> Iterator[str]:
    for side, symbol in sorted(traded.keys() | tested.keys()):
        one, other = traded.get((side, symbol)), tested.get((side, symbol))
        for name in ("quantity", "price"):
            yield from _of_value(getattr(one, name, None), getattr(other, name, None), of=f"{side} {symbol}: {name}")


def _of_values(traded: Mapping[str, Decimal], tested: Mapping[str, Decimal], *, of: str) -> Iterator[str]:
    for symbol in sorted(traded.keys() | tested.keys()):
        yield from _of_value(traded.get(symbol), tested.get(symbol), of=f"{of} {symbol}")


def _of_value(traded: Decimal | None, tested: Decimal | None, *, of: str) -> Iterator[str]:
    if traded != tested:
        told = (_ABSENT if value is None else f"{value.normalize():f}" for value in (traded, tested))
        yield "{}: {} was deployed, {} is tested".format(of, *told)
