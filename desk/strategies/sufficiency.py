"""Whether bars reach far enough back for a strategy, and from which session on it is decided. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from desk.strategies.lint import Issue
from the_alchemiser.shared.symphony.errors import EvaluationError
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.shared.symphony.tree import NOWHERE, Frequency, Threshold
from the_alchemiser.strategy_v2.engine import evaluate, first_decided_day
from the_alchemiser.strategy_v2.history import PriceHistory

_RULE = "bars"


@dataclass(frozen=True, slots=True)
class Need:
    """What one symbol has and needs.

    Attributes:
        present: bars there are.
        needed: bars that a decision can take, at least.
        flaw: why the bars cannot be used; empty when they can.
    """

    symbol: str
    present: int
    needed: int
    flaw: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the bars suffice."""
        return not self.flaw and self.present >= self.needed


@dataclass(frozen=True, slots=True)
class Coverage:
    """What bars allow.

    Attributes:
        first: the session from which every later one through last is decided; None when there is none.
        last: the last session on which every symbol that has bars has one; None without bars.
        refusal: why the last session has no answer; empty when it has one.
    """

    needs: tuple[Need, ...]
    first: date | None
    last: date | None
    refusal: str = ""


def coverage_of(program: Program, history: PriceHistory, *, inception: date | None) -> Coverage:
    """Look at the bars of every symbol that a decision can depend on.

    Args:
        inception: where a rebalance-threshold begins; None for the first session that can be decided.
    """
    known = history.select(program.symbols)
    counts = {symbol: int(np.count_nonzero(~np.isnan(known.of(symbol)))) for symbol in sorted(program.symbols)}
    needs = tuple(
        Need(symbol, count, program.bars_needed[symbol], known.flaws.get(symbol, ""))
        for symbol, count in counts.items()
    )
    last = _last_common(known)
    if last is None:
        return Coverage(needs, None, None, "there are no bars")
    cut = known.through(last)
    since = inception or natural_inception(program, cut)
    first = first_decided_day(program, cut, inception=since)
    return Coverage(needs, first, last, "" if first else _refusal(program, cut, last, since))


def natural_inception(program: Program, history: PriceHistory) -> date:
    """Where a strategy without an inception begins; with a rebalance-threshold on the first session decided."""
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


def _last_common(history: PriceHistory) -> date | None:
    ends = [np.flatnonzero(~np.isnan(closes)) for closes in history.closes.values()]
    lasts = [int(end[-1]) for end in ends if end.size]
    return date.fromisoformat(str(history.dates[min(lasts)])) if lasts else None


def _refusal(program: Program, history: PriceHistory, last: date, inception: date) -> str:
    try:
        evaluate(program, history, as_of=last, inception=inception)
    except EvaluationError as error:
        return str(error)
    raise AssertionError(f"{program.name}: {last} is decided alone, yet not among others")


def shortages(program: Program, coverage: Coverage, *, origin: str, inception: date | None) -> Iterator[Issue]:
    """What is wrong with the bars.

    Args:
        origin: where the bars are from, for messages.
        inception: of the book; None when the strategy is not in it.
    """
    for need in coverage.needs:
        if not need.is_met:
            yield _shortage(need, origin)
    if all(need.is_met for need in coverage.needs) and coverage.first is None:
        what = f"no session of {origin} is decided for good: {coverage.refusal}"
        yield Issue(NOWHERE, _RULE, what, "bring longer histories", is_error=True)
    if inception is not None and coverage.first is not None and coverage.first > inception:
        what = f"the book's inception is {inception}, and the first decided session {coverage.first}"
        is_error = isinstance(program.rebalance, Threshold)
        yield Issue(NOWHERE, "inception", what, f"write inception = {coverage.first}", is_error)


def _shortage(need: Need, origin: str) -> Issue:
    if need.flaw:
        what = f"{need.symbol}: not usable ({need.flaw}), {need.needed} bars needed"
        return Issue(NOWHERE, _RULE, what, "correct its file", is_error=True)
    if not need.present:
        what = f"{need.symbol}: 0 bars present, {need.needed} needed; {origin} has none of it"
        return Issue(
            NOWHERE, _RULE, what, f"bring {need.symbol}.parquet or {need.symbol}.csv with --bars", is_error=True
        )
    what = f"{need.symbol}: {need.present} bars present, {need.needed} needed"
    return Issue(NOWHERE, _RULE, what, "bring a longer history, or take shorter windows", is_error=True)
