"""What splits are computed from on some sessions.

A decision reads one session. It then computes only the last value of most indicators, which is the same, to the last
bit, as that of a computation over all sessions.
"""

import numpy as np

from the_alchemiser.shared.symphony.tree import Indicator, Value
from the_alchemiser.strategy_v2.arrays import Floats, Indices
from the_alchemiser.strategy_v2.evaluation_order import recursive_prices_read
from the_alchemiser.strategy_v2.program_evaluation import Evaluation
from the_alchemiser.strategy_v2.splits import Split, split_of


class SessionReadings:
    """Readings of D sessions, and the splits on them; both are computed on first use and kept."""

    def __init__(self, evaluation: Evaluation, sessions: Indices) -> None:
        self.every_session = np.ones(len(sessions), dtype=bool)
        self._evaluation = evaluation
        self._market = evaluation.market
        self._sessions = sessions
        self._only = int(sessions[0]) if len(sessions) == 1 else None
        self._splits: dict[int, Split] = {}
        self._values: dict[Value, Floats] = {}

        program = evaluation.program
        recursive = recursive_prices_read(program, range(len(program.operations)))
        if self._only is None:
            self._market.precompute(recursive)
        else:
            self._market.precompute_on(self._only, recursive)

    def split(self, number: int) -> Split:
        """Return the split of an operation; the indicators on indices that it reads must have been evaluated."""
        if number not in self._splits:
            with np.errstate(invalid="ignore", divide="ignore"):
                self._splits[number] = split_of(self._evaluation.program, number, self)
        return self._splits[number]

    def closes(self, symbol: str) -> Floats:
        """Return the (D,) closes of a symbol."""
        return self._market.history.of(symbol)[self._sessions]

    def value(self, value: Value) -> Floats:
        """Return (D,) one side of a condition, rounded for comparison."""
        if value not in self._values:
            if self._only is None:
                self._values[value] = self._market.value(value)[self._sessions]
            else:
                self._values[value] = self._market.value_on(self._only, value)
        return self._values[value]

    def indicator(self, symbol: str, indicator: Indicator) -> Floats:
        """Return (D,) an indicator on the prices of a symbol."""
        if self._only is None:
            return self._market.indicator(symbol, indicator)[self._sessions]
        return np.array([self._market.indicator_on(self._only, symbol, indicator)])

    def index_indicator(self, number: int, indicator: Indicator) -> Floats:
        """Return (D,) an indicator on the index of an operation, which must have been evaluated."""
        return self._evaluation.index_indicator(number, indicator)[self._sessions]
