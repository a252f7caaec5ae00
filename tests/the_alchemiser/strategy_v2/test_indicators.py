"""Each indicator against the naive one, day by day, and worked out by hand where conventions differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.the_alchemiser.strategy_v2.naive import UndefinedError, indicator_value
from tests.the_alchemiser.strategy_v2.real import real_history
from the_alchemiser.shared.symphony.bar_requirements import indicator_bars
from the_alchemiser.shared.symphony.options import RsiMethod, StrategyOptions
from the_alchemiser.shared.symphony.tree import Indicator, IndicatorKind
from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.indicators import Request, compute, compute_all, compute_last, rolling_sum

WILDER = StrategyOptions()

CASES = [
    Indicator(IndicatorKind.RSI, (14,)),
    Indicator(IndicatorKind.MOVING_AVERAGE_PRICE, (37,)),
    Indicator(IndicatorKind.MOVING_AVERAGE_RETURN, (21,)),
    Indicator(IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE, (20,)),
    Indicator(IndicatorKind.CUMULATIVE_RETURN, (60,)),
    Indicator(IndicatorKind.STDEV_RETURN, (20,)),
    Indicator(IndicatorKind.STDEV_PRICE, (20,)),
    Indicator(IndicatorKind.MAX_DRAWDOWN, (30,)),
    Indicator(IndicatorKind.PPO, (12, 26)),
    Indicator(IndicatorKind.PPO_SIGNAL, (12, 26, 9)),
]


def naive_values(indicator: Indicator, closes: Floats, options: StrategyOptions) -> Floats:
    cutler = options.rsi is RsiMethod.CUTLER
    values = []
    for count in range(1, len(closes) + 1):
        try:
            values.append(indicator_value(indicator, closes[:count].tolist(), ddof=options.ddof, cutler=cutler))
        except UndefinedError:
            values.append(np.nan)
    return np.array(values)


def of(kind: IndicatorKind, closes: list[float], *windows: int, options: StrategyOptions = WILDER) -> list[float]:
    return list(compute(Indicator(kind, windows), np.array(closes), options))


@pytest.mark.parametrize("indicator", CASES, ids=str)
@pytest.mark.parametrize("symbol", ["SPY", "XOM"])
def test_indicator_on_real_closes_equals_the_naive_one(indicator: Indicator, symbol: str) -> None:
    closes = real_history().of(symbol)[:260]

    values = compute(indicator, closes, WILDER)

    np.testing.assert_allclose(values, naive_values(indicator, closes, WILDER), rtol=0, atol=1e-9)


@pytest.mark.parametrize("indicator", [CASES[0], CASES[5]], ids=str)
def test_indicator_with_other_options_equals_the_naive_one(indicator: Indicator) -> None:
    closes = real_history().of("QQQ")[:120]
    options = StrategyOptions(RsiMethod.CUTLER, 0)

    values = compute(indicator, closes, options)

    np.testing.assert_allclose(values, naive_values(indicator, closes, options), rtol=0, atol=1e-9)


@pytest.mark.parametrize("indicator", CASES, ids=str)
def test_indicator_first_value_appears_at_the_required_bars(indicator: Indicator) -> None:
    closes = real_history().of("SPY")[:120]

    values = compute(indicator, closes, WILDER)

    assert int(np.flatnonzero(~np.isnan(values))[0]) + 1 == indicator_bars(indicator)


@settings(max_examples=60)
@given(st.sampled_from(CASES), st.integers(0, 119), st.integers(0, 2**32 - 1))
def test_indicator_of_a_day_does_not_depend_on_later_days(indicator: Indicator, count: int, seed: int) -> None:
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.02, 120)))

    short = compute(indicator, closes[:count], WILDER)

    np.testing.assert_array_equal(short, compute(indicator, closes, WILDER)[:count])


def requests_of_many_lengths(count: int, longest: int) -> list[Request]:
    """Return every indicator on several series; some of them share a series, and some are too short for a value."""
    noise = np.random.default_rng(count)
    lengths = noise.integers(0, longest + 1, count)
    walks = [100 * np.exp(np.cumsum(noise.normal(0, 0.02, length))) for length in lengths]
    return [(indicator, walk) for walk in walks for indicator in (*CASES, Indicator(IndicatorKind.RSI, (5,)))]


@pytest.mark.parametrize("options", [WILDER, StrategyOptions(RsiMethod.CUTLER, 0)], ids=str)
@pytest.mark.parametrize(("count", "longest"), [(1, 90), (3, 90), (40, 90), (300, 45)])
def test_indicators_in_a_batch_equal_each_by_itself(count: int, longest: int, options: StrategyOptions) -> None:
    requests = requests_of_many_lengths(count, longest)

    for (indicator, closes), values in zip(requests, compute_all(requests, options), strict=True):
        np.testing.assert_array_equal(values, compute(indicator, closes, options))


@pytest.mark.parametrize("options", [WILDER, StrategyOptions(RsiMethod.CUTLER, 0)], ids=str)
@pytest.mark.parametrize(("count", "longest"), [(1, 90), (3, 90), (40, 90), (1100, 45)])
def test_last_values_equal_the_last_of_all_values(count: int, longest: int, options: StrategyOptions) -> None:
    requests = requests_of_many_lengths(count, longest)

    last = compute_last(requests, options)

    expected = [values[-1] if len(values) else np.nan for values in compute_all(requests, options)]
    np.testing.assert_array_equal(last, expected)


def test_rsi_starts_with_the_mean_and_continues_with_wilder() -> None:
    # Changes +2 -1 | +3: at first gains 1 and losses 0.5; then (1 + 3)/2 = 2 and 0.5/2 = 0.25: 100 * 2 / 2.25.
    assert of(IndicatorKind.RSI, [10, 12, 11, 14], 2)[2:] == pytest.approx([100 * 1 / 1.5, 100 * 2 / 2.25])


def test_rsi_cutler_averages_only_the_window() -> None:
    cutler = StrategyOptions(RsiMethod.CUTLER)

    # The last two changes are -1 and +3.
    assert of(IndicatorKind.RSI, [10, 12, 11, 14], 2, options=cutler)[3] == pytest.approx(75)


def test_rsi_is_50_if_flat_100_without_losses_0_without_gains() -> None:
    assert of(IndicatorKind.RSI, [10, 10, 10], 2)[2] == 50
    assert of(IndicatorKind.RSI, [10, 11, 12], 2)[2] == 100
    assert of(IndicatorKind.RSI, [12, 11, 10], 2)[2] == 0


def test_max_drawdown_reads_only_the_closes_of_the_window() -> None:
    # Of 20 10 15 12 the fall from 20 lies outside the last three; 15 to 12 is 20 percent.
    assert of(IndicatorKind.MAX_DRAWDOWN, [20, 10, 15, 12], 3)[2:] == pytest.approx([50, 20])


def test_cumulative_return_is_in_percent_over_the_window() -> None:
    assert of(IndicatorKind.CUMULATIVE_RETURN, [100, 50, 110], 2)[2] == pytest.approx(10)


def test_stdev_return_uses_percent_returns_and_ddof() -> None:
    # Returns +10 and -10 percent: mean 0, (100 + 100) / 1.
    assert of(IndicatorKind.STDEV_RETURN, [100, 110, 99], 2)[2] == pytest.approx(200**0.5)
    assert of(IndicatorKind.STDEV_RETURN, [100, 110, 99], 2, options=StrategyOptions(ddof=0))[2] == pytest.approx(10)


def test_exponential_average_starts_with_the_mean_of_the_window() -> None:
    # Seed (1 + 2 + 3)/3 = 2, alpha 1/2: 2 + (6 - 2)/2.
    assert of(IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE, [1, 2, 3, 6], 3)[2:] == [2, 4]


@given(st.lists(st.integers(-1000, 1000), max_size=40), st.integers(1, 45))
def test_rolling_sum_equals_the_sum_of_each_window(values: list[int], window: int) -> None:
    sums = rolling_sum(np.array(values, dtype=np.float64), window)

    assert sums.tolist() == [sum(values[at : at + window]) for at in range(len(values) - window + 1)]
