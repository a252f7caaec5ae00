"""Find out whether bars reach far enough back for a strategy, and from which session on it can be decided. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from desk.decision_series import evaluate_day, first_decided_day
from desk.strategies.lint import Issue
from the_alchemiser.shared.symphony.errors import EvaluationError
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.shared.symphony.tree import NOWHERE, Frequency, Threshold
from the_alchemiser.strategy_v2.history import PriceHistory

_RULE = "bars"


@dataclass(frozen=True, slots=True)
class BarNeed:
    """The bars that one symbol has and needs.

    Attributes:
        present: number of bars available.
        needed: the least number of bars that one decision takes.
        flaw: why the bars cannot be used; empty when they can.
    """

    symbol: str
    present: int
    needed: int
    flaw: str = ""

    @property
    def is_met(self) -> bool:
        """Return whether the bars suffice."""
        return not self.flaw and self.present >= self.needed


@dataclass(frozen=True, slots=True)
class Coverage:
    """The sessions that can be decided with some bars.

    Attributes:
        first: the session from which every later one through last can be decided; None when there is none.
        last: the last session on which every symbol that has bars has one; None without bars.
        refusal: why the last session cannot be decided; empty when it can.
    """

    needs: tuple[BarNeed, ...]
    first: date | None
    last: date | None
    refusal: str = ""


def measure_coverage(program: Program, history: PriceHistory, *, inception: date | None) -> Coverage:
    """Return the coverage of every symbol that a decision can depend on.

    Args:
        inception: the day from which a rebalance-threshold is simulated; None for the first session that can be
            decided.
    """
    known = history.select(program.symbols)
    counts = {symbol: int(np.count_nonzero(~np.isnan(known.of(symbol)))) for symbol in sorted(program.symbols)}
    needs = tuple(
        BarNeed(symbol, count, program.bars_needed[symbol], known.flaws.get(symbol, ""))
        for symbol, count in counts.items()
    )

    last = _last_common_session(known)
    if last is None:
        return Coverage(needs, None, None, "the history has no bars")

    through_last = known.through(last)
    start = inception or natural_inception(program, through_last)
    first = first_decided_day(program, through_last, inception=start)
    return Coverage(needs, first, last, "" if first else _refusal(program, through_last, last, start))


def natural_inception(program: Program, history: PriceHistory) -> date:
    """Return the inception of a strategy that has none of its own.

    It is the first session of the history; with a rebalance-threshold the first session that can be decided.
    """
    beginning = date.fromisoformat(str(history.dates[0])) if len(history.dates) else date.min
    if not isinstance(program.rebalance, Threshold):
        return beginning

    daily = Program(
        program.name,
        program.source,
        Frequency.DAILY,
        program.options,
        program.operations,
        program.streamed,
        program.bars_needed,
    )
    return first_decided_day(daily, history, inception=beginning) or beginning


def _last_common_session(history: PriceHistory) -> date | None:
    sessions_with_bar = [np.flatnonzero(~np.isnan(closes)) for closes in history.closes.values()]
    last_indices = [int(indices[-1]) for indices in sessions_with_bar if indices.size]
    return date.fromisoformat(str(history.dates[min(last_indices)])) if last_indices else None


def _refusal(program: Program, history: PriceHistory, last: date, inception: date) -> str:
    try:
        evaluate_day(program, history, as_of=last, inception=inception)
    except EvaluationError as error:
        return str(error)
    raise AssertionError(f"{program.name}: {last} can be decided on its own, but not as part of the history")


def find_shortages(program: Program, coverage: Coverage, *, origin: str, inception: date | None) -> Iterator[Issue]:
    """Yield every issue with the bars.

    Args:
        origin: where the bars are from, for messages.
        inception: the strategy's inception in the book; None when the book does not name the strategy.
    """
    if not program.symbols:
        return  # it holds only cash and reads no prices

    unmet = [need for need in coverage.needs if not need.is_met]
    for need in unmet:
        yield _shortage(need, origin)

    if not unmet and coverage.first is None:
        problem = f"the last common session of {origin}, {coverage.last}, cannot be decided: {coverage.refusal}"
        yield Issue(NOWHERE, _RULE, problem, "provide longer histories", is_error=True)

    if inception is not None and coverage.first is not None and coverage.first > inception:
        problem = f"the book's inception is {inception}, but the first session that can be decided is {coverage.first}"
        is_error = isinstance(program.rebalance, Threshold)
        yield Issue(NOWHERE, "inception", problem, f"write inception = {coverage.first}", is_error)


def _shortage(need: BarNeed, origin: str) -> Issue:
    symbol, needed = need.symbol, need.needed
    if need.flaw:
        problem = f"{symbol}: not usable ({need.flaw}), {needed} bars needed"
        fix = "correct its file"
    elif not need.present:
        problem = f"{symbol}: 0 bars present, {needed} needed; none found in {origin}"
        fix = f"add {symbol}.parquet or {symbol}.csv to the folder of --bars"
    else:
        problem = f"{symbol}: {need.present} bars present, {needed} needed"
        fix = "provide a longer history, or use shorter windows"
    return Issue(NOWHERE, _RULE, problem, fix, is_error=True)
