"""Every indicator agrees with TA-Lib, talipp and numpy on real and random closes, after a warm-up."""

from collections.abc import Callable
from itertools import chain, product

import numpy as np
import pytest
import talib
from numpy.lib.stride_tricks import sliding_window_view
from talib import MA_Type  # type: ignore[attr-defined]  # public, though its stub does not say so
from talipp import indicators as talipp

from tests.the_alchemiser.strategy_v2.real import real_history
from the_alchemiser.shared.symphony.bar_requirements import indicator_bars
from the_alchemiser.shared.symphony.options import RsiMethod, StrategyOptions
from the_alchemiser.shared.symphony.tree import Indicator, IndicatorKind
from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.indicators import compute

Oracle = Callable[[Floats], Floats]

# TA-Lib's PPO and talipp's RSI use other seeds; after this many bars a seed has no effect at 1e-9.
FADED = 600
RANDOM_BARS = 1500


def closes_of(name: str) -> Floats:
    """Return the real closes of a symbol, or a random walk for a numeric seed."""
    if name.isdigit():
        noise = np.random.default_rng(int(name))
        return np.asarray(100 * np.exp(np.cumsum(noise.normal(0.0002, 0.02, RANDOM_BARS))))
    return real_history().of(name)


def listed(values: object) -> Floats:
    """Convert talipp's output, which has None where an indicator has no value."""
    return np.array(list(values), dtype=np.float64)  # type: ignore[call-overload]


def returns(closes: Floats) -> Floats:
    """Return daily returns in percent, NaN on the first day."""
    return np.concatenate([[np.nan], (closes[1:] / closes[:-1] - 1) * 100])


def late(values: Floats, closes: Floats) -> Floats:
    return np.concatenate([np.full(len(closes) - len(values), np.nan), values])


def drawdown(closes: Floats) -> Floats:
    windows = sliding_window_view(closes, 30)
    falls = 1 - windows / np.maximum.accumulate(windows, axis=1)
    return late(falls.max(axis=1) * 100, closes)


def sample(values: Floats, window: int) -> Floats:
    """Convert a standard deviation with ddof 0 into one with ddof 1."""
    return np.asarray(values * np.sqrt(window / (window - 1)))


def talipp_ppo(closes: Floats) -> Floats:
    short, long = (listed(talipp.EMA(window, closes.tolist())) for window in (12, 26))
    return (short - long) / long * 100


def talipp_signal(closes: Floats) -> Floats:
    oscillator = talipp_ppo(closes)
    return late(listed(talipp.EMA(9, oscillator[25:].tolist())), closes)


ORACLES: dict[Indicator, dict[str, Oracle]] = {
    Indicator(IndicatorKind.RSI, (14,)): {
        "talib": lambda closes: talib.RSI(closes, 14),
        "talipp": lambda closes: listed(talipp.RSI(14, closes.tolist())),
    },
    Indicator(IndicatorKind.MOVING_AVERAGE_PRICE, (37,)): {
        "talib": lambda closes: talib.SMA(closes, 37),
        "talipp": lambda closes: listed(talipp.SMA(37, closes.tolist())),
        "numpy": lambda closes: late(np.convolve(closes, np.full(37, 1 / 37), "valid"), closes),
    },
    Indicator(IndicatorKind.MOVING_AVERAGE_RETURN, (21,)): {
        "talib": lambda closes: talib.SMA(talib.ROC(closes, 1), 21),
        "talipp": lambda closes: late(listed(talipp.SMA(21, returns(closes)[1:].tolist())), closes),
        "numpy": lambda closes: late(sliding_window_view(returns(closes)[1:], 21).mean(axis=1), closes),
    },
    Indicator(IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE, (20,)): {
        "talib": lambda closes: talib.EMA(closes, 20),
        "talipp": lambda closes: listed(talipp.EMA(20, closes.tolist())),
    },
    Indicator(IndicatorKind.CUMULATIVE_RETURN, (60,)): {
        "talib": lambda closes: talib.ROC(closes, 60),
        "talipp": lambda closes: listed(talipp.ROC(60, closes.tolist())),
    },
    Indicator(IndicatorKind.STDEV_RETURN, (20,)): {
        "talib": lambda closes: sample(talib.STDDEV(talib.ROC(closes, 1), 20), 20),
        "talipp": lambda closes: late(sample(listed(talipp.StdDev(20, returns(closes)[1:].tolist())), 20), closes),
        "numpy": lambda closes: late(sliding_window_view(returns(closes)[1:], 20).std(axis=1, ddof=1), closes),
    },
    Indicator(IndicatorKind.STDEV_PRICE, (20,)): {
        "talib": lambda closes: sample(talib.STDDEV(closes, 20), 20),
        "talipp": lambda closes: sample(listed(talipp.StdDev(20, closes.tolist())), 20),
        "numpy": lambda closes: late(sliding_window_view(closes, 20).std(axis=1, ddof=1), closes),
    },
    Indicator(IndicatorKind.MAX_DRAWDOWN, (30,)): {"numpy": drawdown},
    Indicator(IndicatorKind.PPO, (12, 26)): {
        "talib": lambda closes: talib.PPO(closes, 12, 26, MA_Type.EMA),
        "talipp": talipp_ppo,
    },
    Indicator(IndicatorKind.PPO_SIGNAL, (12, 26, 9)): {
        "talib": lambda closes: talib.EMA(talib.PPO(closes, 12, 26, MA_Type.EMA), 9),
        "talipp": talipp_signal,
    },
}
CASES = list(chain.from_iterable(product([indicator], oracles) for indicator, oracles in ORACLES.items()))


@pytest.mark.parametrize("name", ["SPY", "XOM", "1", "2"])
@pytest.mark.parametrize(("indicator", "library"), CASES, ids=str)
def test_indicator_equals_an_independent_library(indicator: Indicator, library: str, name: str) -> None:
    closes = closes_of(name)

    values, expected = (
        compute(indicator, closes, StrategyOptions())[FADED:],
        ORACLES[indicator][library](closes)[FADED:],
    )

    assert len(values) > 100
    np.testing.assert_allclose(values, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", IndicatorKind)
def test_indicator_of_every_kind_has_an_oracle(kind: IndicatorKind) -> None:
    assert any(indicator.kind is kind for indicator in ORACLES)


@pytest.mark.parametrize(
    ("indicator", "oracle"),
    [
        (Indicator(IndicatorKind.RSI, (14,)), lambda closes: talib.RSI(closes, 14)),
        (Indicator(IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE, (20,)), lambda closes: talib.EMA(closes, 20)),
    ],
    ids=["rsi", "ema"],
)
def test_recursive_indicator_has_the_same_seed_as_talib(indicator: Indicator, oracle: Oracle) -> None:
    closes = closes_of("3")
    first = indicator_bars(indicator) - 1

    values = compute(indicator, closes, StrategyOptions())

    np.testing.assert_allclose(values[first : first + 5], oracle(closes)[first : first + 5], rtol=0, atol=1e-9)


def test_indicator_of_another_convention_differs() -> None:
    closes = closes_of("SPY")
    cutler = compute(Indicator(IndicatorKind.RSI, (14,)), closes, StrategyOptions(RsiMethod.CUTLER))

    assert np.abs(cutler - talib.RSI(closes, 14))[FADED:].max() > 1
