"""The indicators of the language on one gapless series.

Each takes (n,) closes and gives (n,) values, NaN before the first that its window allows. No value depends on a later
close, not even in its last bit: sums run in an order fixed by the window alone, so that a day inside a long history and
the same day as the last of a short one are equal.
Oracles: TA-Lib, talipp.
"""

from collections.abc import Callable
from itertools import accumulate

import numpy as np

from the_alchemiser.shared.book import RsiMethod, StrategyOptions
from the_alchemiser.shared.symphony.tree import Indicator, IndicatorKind
from the_alchemiser.strategy_v2.arrays import Floats

DECIMALS = 8
"""Every value is rounded so before it is compared or ranked: otherwise two right evaluators disagree at ties."""


def rounded(values: Floats) -> Floats:
    """What comparisons and rankings see."""
    return np.round(values, DECIMALS)


def compute(indicator: Indicator, closes: Floats, options: StrategyOptions) -> Floats:
    """The indicator on a gapless series, not rounded."""
    return _COMPUTE[indicator.kind](closes, indicator.windows, options)


def bars_needed(indicator: Indicator) -> int:
    """Closes that the first value takes."""
    longest = max(indicator.windows[:2])
    if indicator.kind in _ON_CHANGES:
        return longest + 1
    if indicator.kind is IndicatorKind.PPO_SIGNAL:
        return longest + indicator.windows[2] - 1
    return longest


def returns(closes: Floats) -> Floats:
    """(n - 1,) daily returns, percent."""
    return (closes[1:] / closes[:-1] - 1) * 100


def rolling_sum(values: Floats, window: int) -> Floats:
    """(n - window + 1,) sums, by doubling: as exact as a pairwise sum, in log2(window) steps."""
    count = max(len(values) - window + 1, 0)
    total = np.zeros(count)
    block, size, offset = values, 1, 0
    while count and offset < window:
        if window & size:
            total = total + block[offset : offset + count]
            offset += size
        block = block[:-size] + block[size:]
        size *= 2
    return total


def rolling_mean(values: Floats, window: int) -> Floats:
    """(n - window + 1,) means."""
    return rolling_sum(values, window) / window


def rolling_stdev(values: Floats, window: int, *, ddof: int) -> Floats:
    """(n - window + 1,) standard deviations, in two passes."""
    mean = rolling_mean(values, window)
    squares = np.zeros(mean.shape)
    for offset in range(window if len(mean) else 0):
        squares += (values[offset : offset + len(mean)] - mean) ** 2
    return np.sqrt(squares / (window - ddof))


def ema(values: Floats, window: int) -> Floats:
    """(n - window + 1,) exponential averages, alpha 2 / (window + 1), seeded with the mean of the first window."""
    if len(values) < window:
        return np.empty(0)
    alpha = 2 / (window + 1)
    seed = float(np.mean(values[:window]))
    return np.array(list(accumulate(values[window:].tolist(), lambda last, x: last + alpha * (x - last), initial=seed)))


def wilder_mean(values: Floats, window: int) -> Floats:
    """(n - window + 1,) Wilder averages, seeded with the mean of the first window."""
    if len(values) < window:
        return np.empty(0)
    seed = float(np.mean(values[:window]))
    kept = window - 1
    later = values[window:].tolist()
    return np.array(list(accumulate(later, lambda last, x: (last * kept + x) / window, initial=seed)))


def _rsi(closes: Floats, windows: tuple[int, ...], options: StrategyOptions) -> Floats:
    changes = np.diff(closes)
    average = wilder_mean if options.rsi is RsiMethod.WILDER else rolling_mean
    gains = average(np.maximum(changes, 0), windows[0])
    losses = average(np.maximum(-changes, 0), windows[0])
    moved = gains + losses
    # Flat is 50 by definition; without losses the quotient is 100 by itself.
    return _late(np.where(moved > 0, 100 * gains / np.where(moved > 0, moved, 1), 50.0), closes)


def _moving_average_price(closes: Floats, windows: tuple[int, ...], _: StrategyOptions) -> Floats:
    return _late(rolling_mean(closes, windows[0]), closes)


def _moving_average_return(closes: Floats, windows: tuple[int, ...], _: StrategyOptions) -> Floats:
    return _late(rolling_mean(returns(closes), windows[0]), closes)


def _exponential(closes: Floats, windows: tuple[int, ...], _: StrategyOptions) -> Floats:
    return _late(ema(closes, windows[0]), closes)


def _cumulative_return(closes: Floats, windows: tuple[int, ...], _: StrategyOptions) -> Floats:
    return _late((closes[windows[0] :] / closes[: -windows[0]] - 1) * 100, closes)


def _stdev_return(closes: Floats, windows: tuple[int, ...], options: StrategyOptions) -> Floats:
    return _late(rolling_stdev(returns(closes), windows[0], ddof=options.ddof), closes)


def _stdev_price(closes: Floats, windows: tuple[int, ...], _: StrategyOptions) -> Floats:
    return _late(rolling_stdev(closes, windows[0], ddof=1), closes)


def _max_drawdown(closes: Floats, windows: tuple[int, ...], _: StrategyOptions) -> Floats:
    count = max(len(closes) - windows[0] + 1, 0)
    peak = closes[:count]
    worst = np.zeros(count)
    for offset in range(1, windows[0] if count else 1):
        close = closes[offset : offset + count]
        peak = np.maximum(peak, close)
        worst = np.maximum(worst, (peak - close) / peak * 100)
    return _late(worst, closes)


def _ppo(closes: Floats, windows: tuple[int, ...], _: StrategyOptions) -> Floats:
    short, long = (_late(ema(closes, window), closes) for window in windows[:2])
    return (short - long) / long * 100


def _ppo_signal(closes: Floats, windows: tuple[int, ...], options: StrategyOptions) -> Floats:
    oscillator = _ppo(closes, windows, options)
    return _late(ema(oscillator[max(windows[:2]) - 1 :], windows[2]), closes)


def _late(values: Floats, closes: Floats) -> Floats:
    """The values at the end of the series, NaN before."""
    out = np.full(closes.shape, np.nan)
    if len(values):
        out[len(closes) - len(values) :] = values
    return out


_ON_CHANGES = frozenset(
    {
        IndicatorKind.RSI,
        IndicatorKind.CUMULATIVE_RETURN,
        IndicatorKind.MOVING_AVERAGE_RETURN,
        IndicatorKind.STDEV_RETURN,
    }
)
_COMPUTE: dict[IndicatorKind, Callable[[Floats, tuple[int, ...], StrategyOptions], Floats]] = {
    IndicatorKind.RSI: _rsi,
    IndicatorKind.MOVING_AVERAGE_PRICE: _moving_average_price,
    IndicatorKind.MOVING_AVERAGE_RETURN: _moving_average_return,
    IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE: _exponential,
    IndicatorKind.CUMULATIVE_RETURN: _cumulative_return,
    IndicatorKind.STDEV_RETURN: _stdev_return,
    IndicatorKind.STDEV_PRICE: _stdev_price,
    IndicatorKind.MAX_DRAWDOWN: _max_drawdown,
    IndicatorKind.PPO: _ppo,
    IndicatorKind.PPO_SIGNAL: _ppo_signal,
}
