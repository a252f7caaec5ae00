"""Small markets and strategies for the tests of the backtest: closes on weekdays from Monday 2021-01-04."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from desk.backtest.fills import CloseFills
from desk.backtest.signals import Candidate, Signal, TradingSession, trading_sessions
from desk.backtest.simulate import BacktestDay, Terms, simulate
from tests.the_alchemiser.strategy_v2.cases import START, asset
from tests.the_alchemiser.strategy_v2.symphonies import file_of, sessions
from the_alchemiser.aggregator_v2.merge import Merged
from the_alchemiser.shared.symphony import parse
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.weight_rounding import cash_beside
from the_alchemiser.strategy_v2.history import PriceHistory

DAILY = ":rebalance-frequency :daily"
ALTERNATING = f'(if (> (current-price "AAA") 10) [{asset("AAA")}] [{asset("BBB")}])'
"""AAA while it costs more than 10, otherwise BBB."""


def candidate(
    node: str,
    *,
    name: str = "one",
    allocation: str = "1",
    rule: str = DAILY,
    inception: date | None = START,
) -> Candidate:
    program = compile_symphony(parse(file_of(node, rule), source=f"{name}.clj"), None)
    return Candidate(name, Decimal(allocation), program, inception)


def sessions_of(history: PriceHistory) -> tuple[TradingSession, ...]:
    """Return every session except the first."""
    first, *rest = history.dates.tolist()
    return trading_sessions(rest, before=first)


def signals_with(history: PriceHistory, *weights: Mapping[str, str]) -> tuple[Signal, ...]:
    """Return signals with these target weights, one per session from the second session on."""
    return tuple(
        _signal(session, targets, history) for session, targets in zip(sessions_of(history), weights, strict=True)
    )


def traded(
    history: PriceHistory, *weights: Mapping[str, str], capital: str = "10000", costs_bps: str = "0"
) -> tuple[BacktestDay, ...]:
    """Return the days of a backtest with these target weights."""
    fills = CloseFills(history, costs_bps=Decimal(costs_bps))
    return tuple(simulate(signals_with(history, *weights), Terms(Decimal(capital), fills)))


def day_of(number: int) -> date:
    """Return the date of the session with this number, counted from 0."""
    return sessions(number + 1)[number]


def _signal(session: TradingSession, targets: Mapping[str, str], history: PriceHistory) -> Signal:
    weights = {symbol: Decimal(weight) for symbol, weight in targets.items()}
    row = history.dates.tolist().index(session.as_of)
    closes = {symbol: Decimal(repr(float(history.of(symbol)[row]))) for symbol in weights}
    return Signal(
        session, {"one": weights}, Merged(weights, {"one": weights}, closes, session.as_of, cash_beside(weights))
    )
