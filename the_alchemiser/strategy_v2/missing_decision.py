"""Find out why a session has no decision: search from the root down for the value that is undefined."""

from collections.abc import Iterator
from datetime import date
from typing import NoReturn

import numpy as np

from the_alchemiser.shared.symphony.bar_requirements import indicator_bars, value_bars
from the_alchemiser.shared.symphony.errors import EvaluationError
from the_alchemiser.shared.symphony.evaluation_order import with_descendants
from the_alchemiser.shared.symphony.program import Cash, Choice, InverseVolatility, Leaf, Operation, Switch
from the_alchemiser.shared.symphony.tree import Condition, Indicator, IndicatorOf, Number, Predicate, Value, values_of
from the_alchemiser.strategy_v2.errors import InsufficientHistoryError, ZeroVolatilityError
from the_alchemiser.strategy_v2.indicators import round_for_comparison
from the_alchemiser.strategy_v2.market import runs_of
from the_alchemiser.strategy_v2.program_evaluation import Evaluation
from the_alchemiser.strategy_v2.splits import outcomes


def require_decision(evaluation: Evaluation, session: int) -> None:
    """Raise unless the strategy has weights on a session.

    Raises:
        InsufficientHistoryError: a value that the decision needs is undefined.
        ZeroVolatilityError: the returns of a child of an inverse volatility are all equal.
    """
    if not evaluation.root.defined[session]:
        _Search(evaluation, session).raise_cause()


def require_bar(evaluation: Evaluation, symbol: str, session: int) -> None:
    """Raise unless a symbol has a bar on a session.

    Raises:
        InsufficientHistoryError: the symbol has no bar.
    """
    if np.isnan(evaluation.market.history.of(symbol)[session]):
        raise _insufficient(evaluation, symbol, _missing(evaluation, symbol, session, 1, "its close"), needed=1)


class _Search:
    """One search from the root down.

    The search can move to an earlier session, which an index needs; `_indices` then says, from the outermost index on,
    how many sessions it needs and from which one on it is defined.
    """

    def __init__(self, evaluation: Evaluation, session: int) -> None:
        self._evaluation = evaluation
        self._operations = evaluation.program.operations
        self._session = session
        self._number = evaluation.program.root
        self._indices: list[str] = []

    def raise_cause(self) -> NoReturn:
        while True:
            operation = self._operations[self._number]
            match operation:
                case Leaf():
                    raise self._short(operation.symbol, needed=1, what="its close")
                case Switch():
                    self._raise_condition(operation)
                case Choice() if not operation.takes_all:
                    if self._enter_missing_score(operation, operation.indicator):
                        continue
                case InverseVolatility():
                    if self._enter_missing_score(operation, operation.returns):
                        continue
                    self._raise_zero_volatility(operation)
                case _:
                    pass
            self._number = self._undefined_child(operation)

    def _undefined_child(self, operation: Operation) -> int:
        """Return the first child that receives capital on the session and has no weights."""
        split = self._evaluation.split(self._number)
        for child, fraction in zip(operation.children, split.fractions, strict=True):
            part = fraction if isinstance(fraction, float) else fraction[self._session]
            if part > 0 and not self._evaluation.stream(child).defined[self._session]:
                return child
        raise AssertionError(f"{operation.label} is undefined, but everything it needs is defined")

    def _raise_condition(self, operation: Switch) -> None:
        for value in self._undecided_values(operation.condition):
            if isinstance(value, Number) or not np.isnan(self._evaluation.market.value(value)[self._session]):
                continue
            what = str(value.indicator) if isinstance(value, IndicatorOf) else "its close"
            raise self._short(value.symbol, needed=value_bars(value), what=what)

    def _undecided_values(self, predicate: Predicate) -> Iterator[Value]:
        """Yield the values of a condition, but not those of parts that are known to hold or to fail."""
        holds, fails = outcomes(predicate, self._evaluation.splits)
        if (holds | fails)[self._session]:
            return
        if isinstance(predicate, Condition):
            yield from values_of(predicate)
            return
        for part in predicate.parts:
            yield from self._undecided_values(part)

    def _enter_missing_score(self, operation: Choice | InverseVolatility, indicator: Indicator) -> bool:
        """Raise if a bare asset's score is missing; move to the cause and return True if an index's score is."""
        scores = zip(operation.children, self._evaluation.split(self._number).scores, strict=True)
        missing = [child for child, score in scores if np.isnan(score[self._session])]
        # The index of cash is only as long as the history of the others: one of them is the better name for the cause.
        for child in sorted(missing, key=lambda child: isinstance(self._operations[child], Cash)):
            candidate = self._operations[child]
            if isinstance(candidate, Leaf):
                raise self._short(candidate.symbol, needed=indicator_bars(indicator), what=str(indicator))
            self._enter_index(child, indicator)
            return True
        return False

    def _enter_index(self, child: int, indicator: Indicator) -> None:
        """Move to the child and to the session at which its index breaks off."""
        stream = self._evaluation.stream(child)
        dates = self._evaluation.market.history.dates
        candidate = self._operations[child]
        index = f"the index of {candidate.label} ({self._evaluation.program.at(candidate.place)})"
        needs = f"{indicator} of {index} needs {indicator_bars(indicator)} sessions through {dates[self._session]}"
        self._number = child
        if not stream.defined[self._session]:
            self._indices.append(f"{needs}, but it is not defined on that day")
            return

        runs = runs_of(stream.defined, np.array(stream.daily))
        start = next(run.start for run in runs if run.start <= self._session < run.stop)
        self._indices.append(f"{needs}, but it is defined only from {dates[start]} on")
        if start == 0:
            symbol = self._any_symbol(child)
            needed = self._evaluation.program.bars_needed.get(symbol, indicator_bars(indicator))
            raise self._insufficient(symbol, "the history starts there", needed=needed)
        if stream.defined[start - 1]:
            self._raise_return(child, start)
        self._session = start - 1

    def _raise_return(self, number: int, session: int) -> NoReturn:
        """Follow an undefined return down to the symbol that was held but has no bar on the session."""
        operation = self._operations[number]
        while not isinstance(operation, Leaf):
            fractions = self._evaluation.split(number).fractions
            for child, fraction in zip(operation.children, fractions, strict=True):
                part = fraction if isinstance(fraction, float) else fraction[session - 1]
                daily = self._evaluation.stream(child).daily
                if part > 0 and daily is not None and np.isnan(daily[session]):
                    number, operation = child, self._operations[child]
                    break
            else:
                message = f"{operation.label} has no return on this session, although all its holdings have one"
                raise AssertionError(message)
        self._session = session
        raise self._short(operation.symbol, needed=1, what="its close")

    def _any_symbol(self, number: int) -> str:
        """Return a symbol that the operation depends on; empty if it can only hold cash."""
        for below in sorted(with_descendants(self._evaluation.program, [number])):
            operation = self._operations[below]
            if isinstance(operation, Leaf):
                return operation.symbol
            if isinstance(operation, Switch):
                values = values_of(operation.condition)
                return next(value.symbol for value in values if not isinstance(value, Number))
        return ""

    def _raise_zero_volatility(self, operation: InverseVolatility) -> None:
        scores = self._evaluation.split(self._number).scores
        for child, score in zip(operation.children, scores, strict=True):
            if round_for_comparison(score)[self._session] <= 0:
                program = self._evaluation.program
                day = self._evaluation.market.history.dates[self._session]
                label = self._operations[child].label
                window = operation.returns.windows[0]
                message = f"{label} has no volatility to divide by: its last {window} returns through {day} are equal"
                raise ZeroVolatilityError(f"{program.at(operation.place)}: {self._because(message)}")

    def _short(self, symbol: str, *, needed: int, what: str) -> EvaluationError:
        cause = _missing(self._evaluation, symbol, self._session, needed, what)
        if self._indices:
            cause = f"{symbol} has {cause}"
        return self._insufficient(symbol, cause, needed=needed)

    def _insufficient(self, symbol: str, cause: str, *, needed: int) -> EvaluationError:
        if self._indices:
            cause = f"{_present(self._evaluation, symbol)}; {self._because(cause)}"
        return _insufficient(self._evaluation, symbol, cause, needed=needed)

    def _because(self, cause: str) -> str:
        return ", because ".join([*self._indices, cause])


def _present(evaluation: Evaluation, symbol: str) -> str:
    """Return how many bars a symbol has through the day that was asked for."""
    history = evaluation.market.history
    return f"{len(evaluation.market.sessions(symbol))} bars through {history.dates[-1]}"


def _missing(evaluation: Evaluation, symbol: str, session: int, needed: int, what: str) -> str:
    """Return how many bars a symbol has through a session, and how many are needed."""
    history = evaluation.market.history
    sessions = evaluation.market.sessions(symbol)
    present = int(np.searchsorted(sessions, session, side="right"))
    day = history.dates[session]
    flaw = history.flaws.get(symbol)
    if flaw:
        state = f"{present} bars, not usable ({flaw})"
    elif present and needed <= present:
        state = f"{present} bars, the last of {history.dates[sessions[present - 1]]}, none of {day}"
    else:
        state = f"{present} bars through {day}"
    return f"{state}, {needed} needed for {what}"


def _insufficient(evaluation: Evaluation, symbol: str, cause: str, *, needed: int) -> InsufficientHistoryError:
    return InsufficientHistoryError(
        f"{symbol or 'cash'}: {cause}",
        symbol=symbol,
        bars_present=len(evaluation.market.sessions(symbol)),
        bars_needed=max(needed, evaluation.program.bars_needed.get(symbol, 0)),
        as_of=_date(evaluation.market.history.dates[-1]),
    )


def _date(day: np.datetime64) -> date:
    return date.fromisoformat(str(day))
