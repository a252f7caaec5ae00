"""The way of the money from the root down, on some sessions."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from the_alchemiser.shared.symphony.program import Leaf, Switch, scored_by
from the_alchemiser.strategy_v2.arrays import Bools, Floats, Indices
from the_alchemiser.strategy_v2.streams import Evaluation


@dataclass(frozen=True, slots=True)
class Flow:
    """Where the money goes on D sessions.

    Attributes:
        shares: per operation that has a part on any of them, the part of the portfolio that flows through it, (D,).
        answered: (D,) whether all that the money reaches is known; where not, shares mean nothing.
    """

    shares: Mapping[int, Floats]
    answered: Bools


def flow(evaluation: Evaluation, sessions: Indices) -> Flow:
    """Walk from the root down, parents before children."""
    operations = evaluation.program.operations
    evaluation.look_below(_scored_within_reach(evaluation, sessions))
    shares = {evaluation.program.root: np.ones(len(sessions))}
    answered = np.ones(len(sessions), dtype=bool)
    for number in range(evaluation.program.root, -1, -1):
        if number not in shares:
            continue
        held = shares[number] > 0
        if not held.any():
            del shares[number]
            continue
        step = evaluation.step(number)
        known = step.known[sessions]
        answered &= known | ~held
        for child, fraction in zip(operations[number].children, step.fractions, strict=True):
            part = fraction if isinstance(fraction, float) else fraction[sessions]
            share = np.where(held & known, shares[number] * part, 0)
            shares[child] = shares[child] + share if child in shares else share
    return Flow(shares, answered)


def target_weights(evaluation: Evaluation, sessions: Indices) -> tuple[tuple[str, ...], Floats, Bools]:
    """What the strategy decides on some sessions.

    Returns:
        The symbols that it can hold, ascending, (N,); their weights, (N, D); and whether there are any, (D,).
    """
    decided = flow(evaluation, sessions)
    leaves = sorted(
        (operation.symbol, number)
        for number, operation in enumerate(evaluation.program.operations)
        if isinstance(operation, Leaf)
    )
    nothing = np.zeros(len(sessions))
    weights = np.array([decided.shares.get(number, nothing) for _, number in leaves])
    return tuple(symbol for symbol, _ in leaves), weights, decided.answered


def _scored_within_reach(evaluation: Evaluation, sessions: Indices) -> list[int]:
    """Operations that look at their children's history, and that the conditions above them let the money reach."""
    operations = evaluation.program.operations
    reached = {evaluation.program.root: np.ones(len(sessions), dtype=bool)}
    found = []
    for number in range(evaluation.program.root, -1, -1):
        if number not in reached:
            continue
        here = reached.pop(number)
        if not here.any():
            continue
        operation = operations[number]
        if scored_by(operation) is not None:
            found.append(number)
        ways = evaluation.step(number).fractions if isinstance(operation, Switch) else (1.0,) * len(operation.children)
        for child, way in zip(operation.children, ways, strict=True):
            through = here if isinstance(way, float) else here & (way[sessions] > 0)
            reached[child] = reached[child] | through if child in reached else through
    return found
