"""How the capital flows from the root of a program down to its symbols, on some sessions."""

from collections.abc import Mapping

import numpy as np

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.symphony.program import Leaf, Switch, scored_by
from the_alchemiser.strategy_v2.arrays import Bools, Floats, Indices
from the_alchemiser.strategy_v2.program_evaluation import Evaluation


class CapitalFlow(Frozen):
    """How the capital splits over the operations on D sessions.

    Attributes:
        portions: for each operation that receives capital on any session, its portion of the portfolio, (D,).
        answered: (D,) true if every operation that capital reaches is known; otherwise the portions are meaningless.
    """

    portions: Mapping[int, Floats]
    answered: Bools


def trace_capital(evaluation: Evaluation, sessions: Indices) -> CapitalFlow:
    """Distribute the capital from the root down, parents before children."""
    operations = evaluation.program.operations
    evaluation.evaluate_scores(_scored_within_reach(evaluation, sessions))
    portions = {evaluation.program.root: np.ones(len(sessions))}
    answered = np.ones(len(sessions), dtype=bool)

    for number in range(evaluation.program.root, -1, -1):
        if number not in portions:
            continue
        held = portions[number] > 0
        if not held.any():
            del portions[number]
            continue

        split = evaluation.split(number)
        known = split.known[sessions]
        answered &= known | ~held
        for child, fraction in zip(operations[number].children, split.fractions, strict=True):
            part = fraction if isinstance(fraction, float) else fraction[sessions]
            portion = np.where(held & known, portions[number] * part, 0)
            portions[child] = portions[child] + portion if child in portions else portion

    return CapitalFlow(portions, answered)


def target_weights(evaluation: Evaluation, sessions: Indices) -> tuple[tuple[str, ...], Floats, Bools]:
    """Return the weights that the strategy decides on some sessions, not rounded.

    Returns:
        The symbols that it can hold, ascending, (N,); their weights, (N, D); and (D,) true if the weights are known.
    """
    capital = trace_capital(evaluation, sessions)
    leaves = sorted(
        (operation.symbol, number)
        for number, operation in enumerate(evaluation.program.operations)
        if isinstance(operation, Leaf)
    )
    nothing = np.zeros(len(sessions))
    weights = np.array([capital.portions.get(number, nothing) for _, number in leaves])
    return tuple(symbol for symbol, _ in leaves), weights, capital.answered


def _scored_within_reach(evaluation: Evaluation, sessions: Indices) -> list[int]:
    """Return the operations that score their children and that the conditions above them let the capital reach."""
    operations = evaluation.program.operations
    reached = {evaluation.program.root: np.ones(len(sessions), dtype=bool)}
    scored = []

    for number in range(evaluation.program.root, -1, -1):
        if number not in reached:
            continue
        here = reached.pop(number)
        if not here.any():
            continue
        operation = operations[number]
        if scored_by(operation) is not None:
            scored.append(number)

        always = (1.0,) * len(operation.children)
        fractions = evaluation.split(number).fractions if isinstance(operation, Switch) else always
        for child, fraction in zip(operation.children, fractions, strict=True):
            through = here if isinstance(fraction, float) else here & (fraction[sessions] > 0)
            reached[child] = reached[child] | through if child in reached else through

    return scored
