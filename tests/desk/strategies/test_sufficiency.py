"""Coverage reports whether bars suffice and which sessions they decide."""

from datetime import date

import numpy as np
import pytest

from desk.strategies.sufficiency import BarNeed, Coverage, find_shortages, measure_coverage, natural_inception
from tests.desk.strategies.files import DAYS, SPY, TLT, rising, symphony
from the_alchemiser.shared.symphony import parse
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.strategy_v2.history import PriceHistory

AVERAGE = f'(if (> (current-price "SPY") (moving-average-price "SPY" {{:window 20}})) [{SPY}] [{TLT}])'
THRESHOLD = ":rebalance-threshold 0.05"


def program_of(body: str, *, rebalance: str = ":rebalance-frequency :daily") -> Program:
    return compile_symphony(parse(symphony(body, rebalance=rebalance)))


def history_of(**counts: int) -> PriceHistory:
    """Return the last bars of each symbol, as many as its count."""
    series = {symbol: (DAYS[-count:], np.array(rising()[-count:])) for symbol, count in counts.items()}
    return PriceHistory.from_series(series)


def problems(program: Program, coverage: Coverage, inception: date | None = None) -> list[str]:
    return [issue.problem for issue in find_shortages(program, coverage, origin="these bars", inception=inception)]


def test_measure_coverage_enough_bars_has_first_and_last_session() -> None:
    coverage = measure_coverage(program_of(AVERAGE), history_of(SPY=82, TLT=82), inception=None)

    assert coverage.needs == (BarNeed("SPY", 82, 20), BarNeed("TLT", 82, 1))
    assert (coverage.first, coverage.last) == (date(2022, 1, 22), date(2022, 3, 25))
    assert problems(program_of(AVERAGE), coverage) == []


def test_measure_coverage_too_few_bars_names_symbol_and_counts() -> None:
    coverage = measure_coverage(program_of(AVERAGE), history_of(SPY=19, TLT=82), inception=None)

    assert coverage.first is None
    assert problems(program_of(AVERAGE), coverage) == ["SPY: 19 bars present, 20 needed"]


def test_measure_coverage_symbol_without_bars_names_the_origin() -> None:
    coverage = measure_coverage(program_of(AVERAGE), history_of(SPY=82), inception=None)

    assert problems(program_of(AVERAGE), coverage) == ["TLT: 0 bars present, 1 needed; none found in these bars"]


def test_measure_coverage_without_bars_decides_no_session() -> None:
    coverage = measure_coverage(program_of(AVERAGE), PriceHistory.from_series({}), inception=None)

    assert (coverage.first, coverage.last) == (None, None)
    assert len(problems(program_of(AVERAGE), coverage)) == 2


def test_find_shortages_of_nothing_but_cash_needs_no_bars() -> None:
    program = program_of("(empty)")

    assert problems(program, measure_coverage(program, history_of(SPY=5), inception=None), date(2022, 1, 3)) == []


def test_measure_coverage_flawed_bars_reports_the_flaw() -> None:
    flawed = PriceHistory.from_series({"SPY": (DAYS, np.full(len(DAYS), np.nan)), "TLT": (DAYS, np.array(rising()))})

    coverage = measure_coverage(program_of(AVERAGE), flawed, inception=None)
    assert problems(program_of(AVERAGE), coverage) == [
        "SPY: not usable (the close of 2022-01-03 is nan), 20 bars needed"
    ]


def test_measure_coverage_different_ends_stops_at_the_first() -> None:
    history = PriceHistory.from_series({"SPY": (DAYS, np.array(rising())), "TLT": (DAYS[:60], np.array(rising()[:60]))})

    assert measure_coverage(program_of(AVERAGE), history, inception=None).last == DAYS[59].item()


def test_measure_coverage_undecidable_last_session_has_a_reason() -> None:
    still = PriceHistory.from_series({"SPY": (DAYS, np.full(len(DAYS), 5.0)), "TLT": (DAYS, np.array(rising()))})
    program = program_of(f"(weight-inverse-volatility 10 [{SPY} {TLT}])")

    (problem,) = problems(program, measure_coverage(program, still, inception=None))
    assert problem.startswith("the last common session of these bars, 2022-03-25, cannot be decided: ")
    assert "SPY has no volatility to divide by" in problem


@pytest.mark.parametrize(("rebalance", "is_error"), [(":rebalance-frequency :daily", False), (THRESHOLD, True)])
def test_find_shortages_inception_before_first_session_is_reported(rebalance: str, is_error: bool) -> None:
    program = program_of(AVERAGE, rebalance=rebalance)
    coverage = Coverage((), date(2022, 1, 22), date(2022, 3, 25))

    (issue,) = find_shortages(program, coverage, origin="these bars", inception=date(2022, 1, 10))
    assert (
        issue.problem == "the book's inception is 2022-01-10, but the first session that can be decided is 2022-01-22"
    )
    assert (issue.rule, issue.is_error) == ("inception", is_error)


def test_natural_inception_of_threshold_is_first_decidable_session() -> None:
    history = history_of(SPY=82, TLT=82)

    assert natural_inception(program_of(AVERAGE, rebalance=THRESHOLD), history) == date(2022, 1, 22)
    assert natural_inception(program_of(AVERAGE), history) == DAYS[0].item()


def test_natural_inception_without_bars_is_the_earliest_date() -> None:
    assert natural_inception(program_of(AVERAGE, rebalance=THRESHOLD), PriceHistory.from_series({})) == date.min


def test_measure_coverage_unlisted_threshold_starts_when_decidable() -> None:
    coverage = measure_coverage(program_of(AVERAGE, rebalance=THRESHOLD), history_of(SPY=82, TLT=82), inception=None)

    assert coverage.first == date(2022, 1, 22)
