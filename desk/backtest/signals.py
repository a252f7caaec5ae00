"""What the strategies of a backtest ask for, session by session, merged as the deployed system merges them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from the_alchemiser.aggregator_v2.merge import Merged, merge
from the_alchemiser.shared.messaging.messages import StrategyEvaluated, message_id
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.strategy_v2.engine import DecisionSeries, evaluate, evaluate_days
from the_alchemiser.strategy_v2.history import PriceHistory

RUN = "backtest"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A strategy under test.

    Attributes:
        allocation: fraction of the capital; those of a backtest sum to exactly 1.
        inception: where the simulation of a rebalance-threshold begins; None: with the backtest.
    """

    name: str
    allocation: Decimal
    program: Program
    inception: date | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A session to trade on, and the one before it, whose close is the last one known then."""

    day: date
    as_of: date


@dataclass(frozen=True, slots=True)
class Signal:
    """What is asked for on a session: by strategy its own weights, and all of them merged."""

    turn: Turn
    answers: Mapping[str, Mapping[str, Decimal]]
    merged: Merged


def signals(
    candidates: Sequence[Candidate], history: PriceHistory, turns: Sequence[Turn], *, decided: Callable[[str], None]
) -> Iterator[Signal]:
    """Decide every session on the close before it.

    Args:
        turns: ascending, at least one.
        decided: told the name of each strategy when all its days are decided.

    Raises:
        EvaluationError: a strategy has no answer on one of the days.
    """
    decisions: dict[str, DecisionSeries] = {}
    for candidate in candidates:
        decisions[candidate.name] = _decide(candidate, history, turns)
        decided(candidate.name)
    allocations = {candidate.name: candidate.allocation for candidate in candidates}
    told = _Told(history)
    for turn in turns:
        answers = {name: series.on(turn.as_of) for name, series in decisions.items()}
        messages = {name: told.by(name, weights, turn) for name, weights in answers.items()}
        yield Signal(turn, answers, merge(allocations, messages, as_of=turn.as_of))


def _decide(candidate: Candidate, history: PriceHistory, turns: Sequence[Turn]) -> DecisionSeries:
    first, last = turns[0].as_of, turns[-1].as_of
    inception = first if candidate.inception is None else candidate.inception
    if first < history.dates[0].item():
        # Before the first session there is nothing to decide on: the engine says of which symbol.
        evaluate(candidate.program, history, as_of=first, inception=inception)
    return evaluate_days(candidate.program, history, first=first, last=last, inception=inception)


class _Told:
    """Answers as the deployed strategies give them: merging takes messages."""

    def __init__(self, history: PriceHistory) -> None:
        self._history = history
        self._rows = {day: row for row, day in enumerate(history.dates.tolist())}

    def by(self, name: str, weights: Mapping[str, Decimal], turn: Turn) -> StrategyEvaluated:
        row = self._rows[turn.as_of]
        # The allocation in the message is for people; merging is given its own.
        return StrategyEvaluated(
            message_id=message_id(RUN, StrategyEvaluated, subject=name),
            run_id=RUN,
            occurred_at=datetime.combine(turn.day, time(), UTC),
            strategy=name,
            allocation=Decimal(1),
            weights=weights,
            closes={symbol: Decimal(repr(float(self._history.of(symbol)[row]))) for symbol in weights},
            as_of=turn.as_of,
            bars_digest="",
            path_ref="",
        )
