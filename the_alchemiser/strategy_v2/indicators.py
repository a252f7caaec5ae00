"""The indicators of the language on gapless series.

Each turns (n,) closes into (n,) values, NaN before the first value that its window allows. No value depends on a later
close, not even in its last bit: the order of every sum depends only on the window, so a day inside a long history and
the same day at the end of a short one are equal. The tests compare them with TA-Lib and talipp.
"""

from collections.abc import Callable, Sequence

import numpy as np

from the_alchemiser.shared.symphony.bar_requirements import indicator_bars
from the_alchemiser.shared.symphony.comparing import COMPARED_DECIMALS
from the_alchemiser.shared.symphony.options import RsiMethod, StrategyOptions
from the_alchemiser.shared.symphony.tree import Indicator, IndicatorKind
from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.recurrences import emas, last_emas, last_wilder_means, wilder_means

Request = tuple[Indicator, Floats]
"""An indicator, and the closes of a gapless series."""


def round_for_comparison(values: Floats) -> Floats:
    """Round values to the decimals that comparisons and rankings use."""
    return np.round(values, COMPARED_DECIMALS)


def compute(indicator: Indicator, closes: Floats, options: StrategyOptions) -> Floats:
    """Return an indicator on a gapless series, not rounded."""
    return compute_all([(indicator, closes)], options)[0]


def compute_all(requests: Sequence[Request], options: StrategyOptions) -> list[Floats]:
    """Return many indicators, each on its own series, not rounded: as `compute` does, but faster in batches."""
    values: list[Floats] = [np.empty(0)] * len(requests)
    for batch, kinds in _BATCHES:
        chosen = [at for at, (indicator, _) in enumerate(requests) if indicator.kind in kinds]
        if not chosen:
            continue
        for at, value in zip(chosen, batch([requests[at] for at in chosen], options), strict=True):
            values[at] = value
    return values


def compute_last(requests: Sequence[Request], options: StrategyOptions) -> Floats:
    """Return the last value of many indicators: that of `compute_all`, without the values before it."""
    values = np.full(len(requests), np.nan)
    for batch, kinds in _LAST_BATCHES:
        chosen = [
            at
            for at, (indicator, closes) in enumerate(requests)
            if indicator.kind in kinds and len(closes) >= indicator_bars(indicator)
        ]
        if chosen:
            values[chosen] = batch([requests[at] for at in chosen], options)
    return values


def returns(closes: Floats) -> Floats:
    """Return (n - 1,) daily returns in percent."""
    return (closes[1:] / closes[:-1] - 1) * 100


def rolling_sum(values: Floats, window: int) -> Floats:
    """Return (n - window + 1,) sums, by doubling: as exact as a pairwise sum, in log2(window) steps."""
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
    """Return (n - window + 1,) means."""
    return rolling_sum(values, window) / window


def rolling_stdev(values: Floats, window: int, *, ddof: int) -> Floats:
    """Return (n - window + 1,) standard deviations, computed in two passes."""
    mean = rolling_mean(values, window)
    squares = np.zeros(mean.shape)
    for offset in range(window if len(mean) else 0):
        squares += (values[offset : offset + len(mean)] - mean) ** 2
    return np.sqrt(squares / (window - ddof))


def _rsis(requests: Sequence[Request], options: StrategyOptions) -> list[Floats]:
    average = wilder_means if options.rsi is RsiMethod.WILDER else _rolling_means
    averages = average(*_moves(requests))
    count = len(requests)
    rows = zip(averages[:count], averages[count:], requests, strict=True)
    return [_right_aligned(_strength(gains, losses), closes) for gains, losses, (_, closes) in rows]


def _last_rsis(requests: Sequence[Request], options: StrategyOptions) -> Floats:
    average = last_wilder_means if options.rsi is RsiMethod.WILDER else _last_rolling_means
    gains, losses = np.split(average(*_moves(requests)), 2)
    return _strength(gains, losses)


def _moves(requests: Sequence[Request]) -> tuple[list[Floats], list[int]]:
    """Return the gains of all requests, then their losses, and the windows of both; equal series are one object."""
    changes = {id(closes): np.diff(closes) for _, closes in requests}
    gains = {key: np.maximum(change, 0) for key, change in changes.items()}
    losses = {key: np.maximum(-change, 0) for key, change in changes.items()}
    moves = [gains[id(closes)] for _, closes in requests] + [losses[id(closes)] for _, closes in requests]
    return moves, [indicator.windows[0] for indicator, _ in requests] * 2


def _strength(gains: Floats, losses: Floats) -> Floats:
    moved = gains + losses
    # A flat series is 50 by definition; without losses the quotient is 100 anyway.
    flat = np.where(np.isnan(moved), np.nan, 50.0)
    return np.where(moved > 0, 100 * gains / np.where(moved > 0, moved, 1), flat)


def _rolling_means(series: Sequence[Floats], windows: Sequence[int]) -> list[Floats]:
    pairs = zip(series, windows, strict=True)
    return [_right_aligned(rolling_mean(values, window), values) for values, window in pairs]


def _last_rolling_means(series: Sequence[Floats], windows: Sequence[int]) -> Floats:
    pairs = zip(series, windows, strict=True)
    return np.array([rolling_mean(values[-window:], window)[0] for values, window in pairs])


def _exponentials(requests: Sequence[Request], _: StrategyOptions) -> list[Floats]:
    return emas([closes for _, closes in requests], [indicator.windows[0] for indicator, _ in requests])


def _last_exponentials(requests: Sequence[Request], _: StrategyOptions) -> Floats:
    return last_emas([closes for _, closes in requests], [indicator.windows[0] for indicator, _ in requests])


def _oscillators(requests: Sequence[Request], _: StrategyOptions) -> list[Floats]:
    """Compute percentage price oscillators, or the signal line where the indicator is the signal."""
    series = [closes for _, closes in requests]
    shorts = [indicator.windows[0] for indicator, _ in requests]
    longs = [indicator.windows[1] for indicator, _ in requests]
    averages, count = emas(series * 2, shorts + longs), len(requests)
    values = [(short - long) / long * 100 for short, long in zip(averages[:count], averages[count:], strict=True)]

    signals = [at for at, (indicator, _) in enumerate(requests) if indicator.kind is IndicatorKind.PPO_SIGNAL]
    starts = [max(requests[at][0].windows[:2]) - 1 for at in signals]
    smooth = emas(
        [values[at][start:] for at, start in zip(signals, starts, strict=True)],
        [requests[at][0].windows[2] for at in signals],
    )
    for at, signal in zip(signals, smooth, strict=True):
        values[at] = _right_aligned(signal, series[at])
    return values


def _last_oscillators(requests: Sequence[Request], options: StrategyOptions) -> Floats:
    return np.array([values[-1] for values in _oscillators(requests, options)])


def _each(requests: Sequence[Request], options: StrategyOptions) -> list[Floats]:
    return [_COMPUTE[indicator.kind](closes, indicator.windows[0], options) for indicator, closes in requests]


def _last_of_each(requests: Sequence[Request], options: StrategyOptions) -> Floats:
    recent = [(indicator, closes[-indicator_bars(indicator) :]) for indicator, closes in requests]
    return np.array([values[-1] for values in _each(recent, options)])


def _moving_average_price(closes: Floats, window: int, _: StrategyOptions) -> Floats:
    return _right_aligned(rolling_mean(closes, window), closes)


def _moving_average_return(closes: Floats, window: int, _: StrategyOptions) -> Floats:
    return _right_aligned(rolling_mean(returns(closes), window), closes)


def _cumulative_return(closes: Floats, window: int, _: StrategyOptions) -> Floats:
    return _right_aligned((closes[window:] / closes[:-window] - 1) * 100, closes)


def _stdev_return(closes: Floats, window: int, options: StrategyOptions) -> Floats:
    return _right_aligned(rolling_stdev(returns(closes), window, ddof=options.ddof), closes)


def _stdev_price(closes: Floats, window: int, _: StrategyOptions) -> Floats:
    return _right_aligned(rolling_stdev(closes, window, ddof=1), closes)


def _max_drawdown(closes: Floats, window: int, _: StrategyOptions) -> Floats:
    count = max(len(closes) - window + 1, 0)
    peak = closes[:count]
    worst = np.zeros(count)
    for offset in range(1, window if count else 1):
        close = closes[offset : offset + count]
        peak = np.maximum(peak, close)
        worst = np.maximum(worst, (peak - close) / peak * 100)
    return _right_aligned(worst, closes)


def _right_aligned(values: Floats, closes: Floats) -> Floats:
    """Return the values at the end of a series as long as closes, NaN before them."""
    out = np.full(closes.shape, np.nan)
    if len(values):
        out[len(closes) - len(values) :] = values
    return out


_COMPUTE: dict[IndicatorKind, Callable[[Floats, int, StrategyOptions], Floats]] = {
    IndicatorKind.MOVING_AVERAGE_PRICE: _moving_average_price,
    IndicatorKind.MOVING_AVERAGE_RETURN: _moving_average_return,
    IndicatorKind.CUMULATIVE_RETURN: _cumulative_return,
    IndicatorKind.STDEV_RETURN: _stdev_return,
    IndicatorKind.STDEV_PRICE: _stdev_price,
    IndicatorKind.MAX_DRAWDOWN: _max_drawdown,
}
_RSI = frozenset({IndicatorKind.RSI})
_EXPONENTIAL = frozenset({IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE})
_OSCILLATOR = frozenset({IndicatorKind.PPO, IndicatorKind.PPO_SIGNAL})
_BATCHES: tuple[tuple[Callable[[Sequence[Request], StrategyOptions], list[Floats]], frozenset[IndicatorKind]], ...] = (
    (_rsis, _RSI),
    (_exponentials, _EXPONENTIAL),
    (_oscillators, _OSCILLATOR),
    (_each, frozenset(_COMPUTE)),
)
_LAST_BATCHES: tuple[tuple[Callable[[Sequence[Request], StrategyOptions], Floats], frozenset[IndicatorKind]], ...] = (
    (_last_rsis, _RSI),
    (_last_exponentials, _EXPONENTIAL),
    (_last_oscillators, _OSCILLATOR),
    (_last_of_each, frozenset(_COMPUTE)),
)
RECURSIVE = _RSI | _EXPONENTIAL | _OSCILLATOR
"""The indicators that need a loop over time, which many series can share."""
