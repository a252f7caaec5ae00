"""Small markets and strategies for the tests of the backtest: closes on weekdays from Monday 2021-01-04."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from desk.backtest.fills import CloseFills
from desk.backtest.prices import Prices
from desk.backtest.result import BENCHMARK
from desk.backtest.signals import Candidate, Signal, Turn
from desk.backtest.simulate import Day, Terms, simulate, turns_of
from tests.the_alchemiser.strategy_v2.cases import START, asset, market
from tests.the_alchemiser.strategy_v2.symphonies import file_of, sessions
from the_alchemiser.aggregator_v2.merge import Merged
from the_alchemiser.shared.symphony import parse
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.strategy_v2.history import PriceHistory

DAILY = ":rebalance-frequency :daily"
ALTERNATING = f'(if (> (current-price "AAA") 10) [{asset("AAA")}] [{asset("BBB")}])'
"""AAA while it costs more than 10, else BBB."""


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


def prices(**closes: Sequence[float | None]) -> Prices:
    """The benchmark is a symbol like any other here."""
    history = market(**closes)
    return Prices("made up", history, history.select([BENCHMARK]))


def turns(history: PriceHistory) -> tuple[Turn, ...]:
    """Every session but the first."""
    first, *rest = history.dates.tolist()
    return turns_of(rest, first)


def asking(history: PriceHistory, *weights: Mapping[str, str]) -> tuple[Signal, ...]:
    """Signals that ask for these weights, day after day from the second session on."""
    return tuple(
        _signal(turn, {symbol: Decimal(weight) for symbol, weight in wanted.items()}, history)
        for turn, wanted in zip(turns(history), weights, strict=True)
    )


def traded(
    history: PriceHistory, *weights: Mapping[str, str], capital: str = "10000", costs_bps: str = "0"
) -> tuple[Day, ...]:
    """What comes of asking for these weights."""
    fills = CloseFills(history, costs_bps=Decimal(costs_bps))
    return tuple(simulate(asking(history, *weights), Terms(Decimal(capital), fills)))


def day_of(number: int) -> date:
    """The session of a number, from 0."""
    return sessions(number + 1)[number]


def _signal(turn: Turn, weights: Mapping[str, Decimal], history: PriceHistory) -> Signal:
    row = history.dates.tolist().index(turn.as_of)
    closes = {symbol: Decimal(repr(float(history.of(symbol)[row]))) for symbol in weights}
    return Signal(turn, {"one": weights}, Merged(weights, {"one": weights}, closes, turn.as_of))
