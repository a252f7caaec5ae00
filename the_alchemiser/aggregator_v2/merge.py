"""Merges the answers of a run's strategies into one signal, or into the reason why there is none. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Context, Decimal, Inexact, localcontext

from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import Message, StrategyEvaluated, StrategyFailed
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.failures import Failure
from the_alchemiser.shared.run.progress import outstanding_strategies
from the_alchemiser.shared.run.runs import STRATEGY, Run

# Products of allocations and weights need more digits than the default 28; a lost digit would break the sums.
EXACT = Context(prec=100, traps=[Inexact])
WEIGHT_PLACES = 12  # the engine writes 9


class Merged(Frozen):
    """The merged target: weights and cash sum to 1; for every symbol the contributions sum to its weight, exactly."""

    weights: Mapping[str, Decimal]
    contributions: Mapping[str, Mapping[str, Decimal]]
    closes: Mapping[str, Decimal]
    as_of: date
    cash: Decimal


def answers_of(run: Run) -> Mapping[str, Message]:
    """Return the first answer of each strategy, by name, ascending."""
    return {name: outbox.decode(item.body) for name, item in sorted(run.items_of(STRATEGY).items())}


def conclude(run: Run) -> Merged | Failure | None:
    """Return the signal, or a failure, or None while answers are missing.

    The order in which answers arrived does not matter: of several faults, the first by strategy name is reported.
    """
    evaluated: dict[str, StrategyEvaluated] = {}
    for name, answer in answers_of(run).items():
        fault = _fault(run, name, answer)
        if fault is not None:
            return fault
        if isinstance(answer, StrategyEvaluated):
            evaluated[name] = answer

    if outstanding_strategies(run):
        return None
    return merge(run.allocations, evaluated, as_of=run.as_of)


def merge(allocations: Mapping[str, Decimal], answers: Mapping[str, StrategyEvaluated], *, as_of: date) -> Merged:
    """Multiply the strategies' weights and cash by their allocations and add them up; zero weights are left out.

    If two strategies saw different closes of a symbol, the close of the first by name is kept.

    Args:
        allocations: fractions that sum to exactly 1.
        answers: one for every allocation; the weights and cash of each sum to exactly 1.
    """
    cash = Decimal(0)
    weights: dict[str, Decimal] = defaultdict(Decimal)
    contributions: dict[str, dict[str, Decimal]] = {}
    closes: dict[str, Decimal] = {}

    with localcontext(EXACT):
        for name in sorted(answers):
            answer = answers[name]
            cash += allocations[name] * answer.cash
            contributions[name] = {
                symbol: allocations[name] * weight for symbol, weight in sorted(answer.weights.items()) if weight
            }
            for symbol, contribution in contributions[name].items():
                weights[symbol] += contribution
            closes = {**answer.closes, **closes}

    return Merged(dict(sorted(weights.items())), contributions, dict(sorted(closes.items())), as_of, cash)


def _fault(run: Run, name: str, answer: Message) -> Failure | None:
    if name not in run.allocations:
        return Failure(reason="unknown_strategy", detail=f"{name} answered, but this run has no strategy of that name")
    if isinstance(answer, StrategyFailed):
        detail = f"{name}: {answer.reason}: {answer.detail}"
        return Failure(reason="strategy_failed", detail=detail, missing=(name,))
    if not isinstance(answer, StrategyEvaluated):
        detail = f"{name} answered with {type(answer).__name__}"
        return Failure(reason="unknown_answer", detail=detail, missing=(name,))
    if answer.as_of != run.as_of:
        detail = f"{name} decided on closes through {answer.as_of}, the run on closes through {run.as_of}"
        return Failure(reason="as_of_differs", detail=detail, missing=(name,))
    return _weights_fault(name, answer) or _closes_fault(name, answer)


def _weights_fault(name: str, answer: StrategyEvaluated) -> Failure | None:
    # Checked before adding up, so that the sum is exact and a negative weight cannot hide in it.
    for symbol, weight in (*sorted(answer.weights.items()), ("cash", answer.cash)):
        if not 0 <= weight <= 1 or _places(weight) > WEIGHT_PLACES:
            rule = f"weights must be fractions from 0 to 1 of at most {WEIGHT_PLACES} places"
            return _invalid(name, "weights_invalid", f"{rule}; {symbol} has {weight}")

    total = sum(answer.weights.values(), answer.cash)
    if total == 1:
        return None
    return _invalid(name, "weights_invalid", f"weights and cash must sum to 1; they sum to {total}")


def _closes_fault(name: str, answer: StrategyEvaluated) -> Failure | None:
    for symbol, close in sorted(answer.closes.items()):
        if close <= 0:
            return _invalid(name, "closes_invalid", f"closes must be positive; {symbol} has {close}")

    # Without a close, the limit on the distance of an order's price from it would limit nothing.
    held = {symbol for symbol, weight in answer.weights.items() if weight}
    missing = sorted(held - answer.closes.keys())
    return _invalid(name, "closes_invalid", f"{', '.join(missing)}: a weight without a close") if missing else None


def _places(weight: Decimal) -> int:
    exponent = weight.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _invalid(name: str, reason: str, detail: str) -> Failure:
    return Failure(reason=reason, detail=f"{name}: {detail}", missing=(name,))
