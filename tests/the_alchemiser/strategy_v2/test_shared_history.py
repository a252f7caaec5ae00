"""Strategies that are decided on one history get the decisions that each of them gets by itself."""

import re
from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desk.decision_series import evaluate_day
from tests.the_alchemiser.strategy_v2.cases import START, asset, market
from tests.the_alchemiser.strategy_v2.symphonies import FILES, OPTIONS, SESSIONS, file_of, histories, without_cache
from the_alchemiser.shared.symphony import parse
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.errors import EvaluationError, UnusableOptionError
from the_alchemiser.shared.symphony.options import RsiMethod, StrategyOptions
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.strategy_v2.engine import Decision
from the_alchemiser.strategy_v2.history import PriceHistory

RISING = market(A=[100, 150, 200, 300, 400, 500], B=[10] * 6)
LAST = RISING.dates.tolist()[-1]
MOMENTUM = f'(if (> (rsi "A" {{:window 3}}) 60) [{asset("A")}] [{asset("B")}])'


def decide_each(programs: Iterable[Program], history: PriceHistory, day: date, start: date) -> list[Decision]:
    return [evaluate_day(program, history, as_of=day, inception=start) for program in programs]


@settings(max_examples=60)
@given(st.lists(FILES, min_size=1, max_size=3), histories(), st.integers(0, SESSIONS - 1), OPTIONS)
def test_together_decides_as_each_by_itself(
    texts: list[str], history: PriceHistory, number: int, options: StrategyOptions
) -> None:
    day, start = history.dates.tolist()[number], history.dates.tolist()[0]
    try:
        programs = [compile_symphony(parse(text), options) for text in texts]
    except UnusableOptionError:
        return
    try:
        alone = [evaluate_day(program, without_cache(history), as_of=day, inception=start) for program in programs]
    except EvaluationError as error:
        with pytest.raises(type(error), match=f"^{re.escape(str(error))}$"):
            decide_each(programs, history, day, start)
        return

    together = decide_each(programs, history, day, start)

    assert together == alone


def test_together_programs_keep_their_own_options() -> None:
    strategy = parse(file_of(MOMENTUM))
    programs = [compile_symphony(strategy, StrategyOptions(rsi)) for rsi in RsiMethod]

    together = decide_each(programs, RISING, LAST, START)

    assert [decision.path for decision in together] == [
        evaluate_day(program, without_cache(RISING), as_of=LAST, inception=START).path for program in programs
    ]
