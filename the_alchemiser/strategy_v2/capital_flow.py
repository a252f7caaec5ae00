"""How the capital flows from the root of a program down to its symbols, on some sessions."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony.program import Cash, Leaf, Switch, scored_by
from the_alchemiser.strategy_v2.arrays import Bools, Floats, Indices
from the_alchemiser.strategy_v2.program_evaluation import Evaluation


class CapitalFlow:
    """How the capital splits over the operations on D sessions; everything is computed on first use.

    Attributes:
        splits: the splits on the sessions.
    """

    def __init__(self, evaluation: Evaluation, sessions: Indices) -> None:
        self.splits = evaluation.splits_on(sessions)
        self._evaluation = evaluation
        self._program = evaluation.program

    @property
    def portions(self) -> Mapping[int, Floats]:
        """For each operation that receives capital on any session, its portion of the portfolio, (D,)."""
        return self._distribution[0]

    @property
    def answered(self) -> Bools:
        """(D,) true if every operation that capital reaches is known; otherwise the portions are meaningless."""
        return self._distribution[1]

    @cached_property
    def scored(self) -> tuple[int, ...]:
        """The operations that score their children and that the conditions above them let the capital reach."""
        reached = {self._program.root: self.splits.every_session}
        scored = []

        for number in range(self._program.root, -1, -1):
            if number not in reached:
                continue
            here = reached.pop(number)
            if not here.any():
                continue
            operation = self._program.operations[number]
            if scored_by(operation) is not None:
                scored.append(number)

            always = (1.0,) * len(operation.children)
            fractions = self.splits.of(number).fractions if isinstance(operation, Switch) else always
            for child, fraction in zip(operation.children, fractions, strict=True):
                through = here if isinstance(fraction, float) else here & (fraction > 0)
                reached[child] = reached[child] | through if child in reached else through

        return tuple(scored)

    @cached_property
    def _distribution(self) -> tuple[Mapping[int, Floats], Bools]:
        """Distribute the capital from the root down, parents before children."""
        self._evaluation.evaluate_scores(self.scored)
        portions = {self._program.root: np.ones(len(self.splits.every_session))}
        answered = self.splits.every_session.copy()

        for number in range(self._program.root, -1, -1):
            if number not in portions:
                continue
            held = portions[number] > 0
            if not held.any():
                del portions[number]
                continue

            split = self.splits.of(number)
            through = held & split.known
            answered &= through == held
            for child, fraction in zip(self._program.operations[number].children, split.fractions, strict=True):
                portion = np.where(through, portions[number] * fraction, 0)
                portions[child] = portions[child] + portion if child in portions else portion

        return portions, answered


class Targets(Frozen):
    """The weights that a strategy decides on D sessions, not rounded; with cash they sum to 1 where they are known.

    Attributes:
        symbols: the N symbols that it can hold, ascending.
        weights: (N, D).
        cash: (D,) the part that stays in cash.
        known: (D,) true if everything that the decision needs is defined.
    """

    symbols: tuple[str, ...]
    weights: Floats
    cash: Floats
    known: Bools


def trace_capital(evaluation: Evaluation, sessions: Indices) -> CapitalFlow:
    """Return the flow on some sessions; an evaluation keeps its flows."""
    key = sessions.tobytes()
    if key not in evaluation.flows:
        evaluation.flows[key] = CapitalFlow(evaluation, sessions)
    flow: CapitalFlow = evaluation.flows[key]
    return flow


def target_weights(evaluation: Evaluation, sessions: Indices) -> Targets:
    """Return the weights that the strategy decides on some sessions."""
    operations = evaluation.program.operations
    capital = trace_capital(evaluation, sessions)
    leaves = sorted(
        (operation.symbol, number) for number, operation in enumerate(operations) if isinstance(operation, Leaf)
    )
    nothing = np.zeros(len(sessions))
    weights = [capital.portions.get(number, nothing) for _, number in leaves]
    cash = next((number for number, operation in enumerate(operations) if isinstance(operation, Cash)), -1)
    return Targets(
        symbols=tuple(symbol for symbol, _ in leaves),
        weights=np.array(weights).reshape(len(leaves), len(sessions)),
        cash=capital.portions.get(cash, nothing),
        known=capital.answered,
    )
