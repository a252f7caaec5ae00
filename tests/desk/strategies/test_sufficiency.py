"""Whether bars suffice."""

from datetime import date

import numpy as np
import pytest

from desk.strategies.sufficiency import Coverage, Need, coverage_of, natural_inception, shortages
from tests.desk.strategies.files import DAYS, SPY, TLT, rising, symphony
from the_alchemiser.shared.symphony import parse
from the_alchemiser.shared.symphony.compiler import compile_symphony
from the_alchemiser.shared.symphony.program import Program
from the_alchemiser.strategy_v2.history import PriceHistory

AVERAGE = f'(if (> (current-price "SPY") (moving-average-price "SPY" {{:window 20}})) [{SPY}] [{TLT}])'
THRESHOLD = ":rebalance-threshold 0.05"


def program_of(body: str, *, rebalance: str = ":rebalance-frequency :daily") -> Program:
    return compile_symphony(parse(symphony(body, rebalance=rebalance)))


def history_of(**last: int) -> PriceHistory:
    """Symbols with so many of the last bars."""
    series = {symbol: (DAYS[-count:], np.array(rising()[-count:])) for symbol, count in last.items()}
    return PriceHistory.from_series(series)


def whats(program: Program, coverage: Coverage, inception: date | None = None) -> list[str]:
    return [issue.what for issue in shortages(program, coverage, origin="these bars", inception=inception)]


def test_coverage_of_enough_bars_tells_from_when_to_when_it_is_decided() -> None:
    coverage = coverage_of(program_of(AVERAGE), history_of(SPY=82, TLT=82), inception=None)

    assert coverage.needs == (Need("SPY", 82, 20), Need("TLT", 82, 1))
    assert (coverage.first, coverage.last) == (date(2022, 1, 22), date(2022, 3, 25))
    assert whats(program_of(AVERAGE), coverage) == []


def test_coverage_of_too_few_bars_names_symbol_bars_present_and_needed() -> None:
    coverage = coverage_of(program_of(AVERAGE), history_of(SPY=19, TLT=82), inception=None)

    assert coverage.first is None
    assert whats(program_of(AVERAGE), coverage) == ["SPY: 19 bars present, 20 needed"]


def test_coverage_of_symbol_without_bars_names_it_and_where_they_were_looked_for() -> None:
    coverage = coverage_of(program_of(AVERAGE), history_of(SPY=82), inception=None)

    assert whats(program_of(AVERAGE), coverage) == ["TLT: 0 bars present, 1 needed; these bars has none of it"]


def test_coverage_of_no_bars_at_all_is_never_decided() -> None:
    coverage = coverage_of(program_of(AVERAGE), PriceHistory.from_series({}), inception=None)

    assert (coverage.first, coverage.last) == (None, None)
    assert len(whats(program_of(AVERAGE), coverage)) == 2


def test_coverage_of_flawed_bars_tells_the_flaw() -> None:
    flawed = PriceHistory.from_series({"SPY": (DAYS, np.full(len(DAYS), np.nan)), "TLT": (DAYS, np.array(rising()))})

    coverage = coverage_of(program_of(AVERAGE), flawed, inception=None)
    assert whats(program_of(AVERAGE), coverage) == ["SPY: not usable (the close of 2022-01-03 is nan), 20 bars needed"]


def test_coverage_of_symbols_with_different_ends_is_through_the_first_end() -> None:
    history = PriceHistory.from_series({"SPY": (DAYS, np.array(rising())), "TLT": (DAYS[:60], np.array(rising()[:60]))})

    assert coverage_of(program_of(AVERAGE), history, inception=None).last == DAYS[59].item()


def test_coverage_of_bars_that_suffice_in_number_and_not_for_the_last_day_says_why() -> None:
    still = PriceHistory.from_series({"SPY": (DAYS, np.full(len(DAYS), 5.0)), "TLT": (DAYS, np.array(rising()))})
    program = program_of(f"(weight-inverse-volatility 10 [{SPY} {TLT}])")

    (what,) = whats(program, coverage_of(program, still, inception=None))
    assert what.startswith("no session of these bars is decided for good: ")
    assert "SPY has no volatility to divide by" in what


@pytest.mark.parametrize(("rebalance", "is_error"), [(":rebalance-frequency :daily", False), (THRESHOLD, True)])
def test_shortages_inception_before_the_first_decided_session_is_told(rebalance: str, is_error: bool) -> None:
    program = program_of(AVERAGE, rebalance=rebalance)
    coverage = Coverage((), date(2022, 1, 22), date(2022, 3, 25))

    (issue,) = shortages(program, coverage, origin="these bars", inception=date(2022, 1, 10))
    assert issue.what == "the book's inception is 2022-01-10, and the first decided session 2022-01-22"
    assert (issue.rule, issue.is_error) == ("inception", is_error)


def test_natural_inception_of_a_threshold_is_the_first_session_that_can_be_decided() -> None:
    history = history_of(SPY=82, TLT=82)

    assert natural_inception(program_of(AVERAGE, rebalance=THRESHOLD), history) == date(2022, 1, 22)
    assert natural_inception(program_of(AVERAGE), history) == DAYS[0].item()


def test_natural_inception_without_bars_is_no_obstacle() -> None:
    assert natural_inception(program_of(AVERAGE, rebalance=THRESHOLD), PriceHistory.from_series({})) == date.min


def test_coverage_of_a_threshold_outside_the_book_begins_by_itself() -> None:
    coverage = coverage_of(program_of(AVERAGE, rebalance=THRESHOLD), history_of(SPY=82, TLT=82), inception=None)

    assert coverage.first == date(2022, 1, 22)
