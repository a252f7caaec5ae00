"""Evaluate the strategies of a backtest for each session and merge their weights like the deployed system. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from desk.decision_series import DecisionSeries, evaluate_day, evaluate_days
from the_alchemiser.aggregator_v2.merge import Merged, merge
from the_alchemiser.shared.messaging.messages import StrategyEvaluated, message_id
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.shared.symphony.weight_rounding import cash_beside
from the_alchemiser.strategy_v2.history import PriceHistory

RUN = "backtest"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A strategy under test.

    Attributes:
        allocation: its fraction of the capital; the allocations of a backtest sum to exactly 1.
        inception: first day of the simulation of a rebalance-threshold; None for the first day of the backtest.
    """

    name: str
    allocation: Decimal
    program: Program
    inception: date | None = None


@dataclass(frozen=True, slots=True)
class TradingSession:
    """A session to trade on, and the session before it, whose close is the last one known then."""

    day: date
    as_of: date


@dataclass(frozen=True, slots=True)
class Signal:
    """The target weights of a session: those of each strategy, and the merged ones."""

    session: TradingSession
    strategy_weights: Mapping[str, Mapping[str, Decimal]]
    merged: Merged


def symbols_of(candidates: Iterable[Candidate]) -> frozenset[str]:
    """Return the symbols that any of the strategies uses."""
    return frozenset().union(*(candidate.program.symbols for candidate in candidates))


def trading_sessions(days: Iterable[date], *, before: date) -> tuple[TradingSession, ...]:
    """Pair each day with the session before it; `before` is the session before the first day."""
    sessions: list[TradingSession] = []
    for day in days:
        sessions.append(TradingSession(day, sessions[-1].day if sessions else before))
    return tuple(sessions)


def generate_signals(
    candidates: Sequence[Candidate],
    history: PriceHistory,
    sessions: Sequence[TradingSession],
    *,
    on_decided: Callable[[str], None],
) -> Iterator[Signal]:
    """Evaluate every strategy for every session, on the close before the session.

    Args:
        sessions: ascending, at least one.
        on_decided: called with the name of each strategy when all of its days are evaluated.

    Raises:
        EvaluationError: a strategy cannot be evaluated on one of the days.
    """
    decisions: dict[str, DecisionSeries] = {}
    for candidate in candidates:
        decisions[candidate.name] = _evaluate(candidate, history, sessions)
        on_decided(candidate.name)

    allocations = {candidate.name: candidate.allocation for candidate in candidates}
    messages = _StrategyMessages(history)
    for session in sessions:
        weights = {name: series.on(session.as_of) for name, series in decisions.items()}
        evaluated = {name: messages.build(name, targets, session) for name, targets in weights.items()}
        yield Signal(session, weights, merge(allocations, evaluated, as_of=session.as_of))


def _evaluate(candidate: Candidate, history: PriceHistory, sessions: Sequence[TradingSession]) -> DecisionSeries:
    first, last = sessions[0].as_of, sessions[-1].as_of
    inception = first if candidate.inception is None else candidate.inception
    if first < history.dates[0].item():
        # Nothing can be decided before the first bar: the engine raises an error that names the symbol.
        evaluate_day(candidate.program, history, as_of=first, inception=inception)
    return evaluate_days(candidate.program, history, first=first, last=last, inception=inception)


class _StrategyMessages:
    """Builds the messages that the deployed strategies would publish, because merging takes messages."""

    def __init__(self, history: PriceHistory) -> None:
        self._history = history
        self._rows = {day: row for row, day in enumerate(history.dates.tolist())}

    def build(self, name: str, weights: Mapping[str, Decimal], session: TradingSession) -> StrategyEvaluated:
        row = self._rows[session.as_of]
        # The allocation of the message is informational: merging receives the allocations separately.
        return StrategyEvaluated(
            message_id=message_id(RUN, StrategyEvaluated, subject=name),
            run_id=RUN,
            occurred_at=datetime.combine(session.day, time(), UTC),
            strategy=name,
            allocation=Decimal(1),
            weights=weights,
            closes={symbol: Decimal(repr(float(self._history.of(symbol)[row]))) for symbol in weights},
            as_of=session.as_of,
            bars_digest="",
            path_ref="",
            cash=cash_beside(weights),
        )
