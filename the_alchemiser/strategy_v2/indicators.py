"""The indicators of the language on gapless series.

Each takes (n,) closes and gives (n,) values, NaN before the first that its window allows. No value depends on a later
close, not even in its last bit: sums run in an order fixed by the window alone, so that a day inside a long history and
the same day as the last of a short one are equal.
Oracles: TA-Lib, talipp.
"""

from collections.abc import Callable, Sequence

import numpy as np

from the_alchemiser.shared.book import RsiMethod, StrategyOptions
from the_alchemiser.shared.symphony.comparing import DECIMALS
from the_alchemiser.shared.symphony.tree import Indicator, IndicatorKind
from the_alchemiser.strategy_v2.arrays import Floats
from the_alchemiser.strategy_v2.recurrences import emas, wilder_means

Request = tuple[Indicator, Floats]
"""An indicator, and the closes of a gapless series."""


def rounded(values: Floats) -> Floats:
    """What comparisons and rankings see."""
    return np.round(values, DECIMALS)


def compute(indicator: Indicator, closes: Floats, options: StrategyOptions) -> Floats:
    """The indicator on a gapless series, not rounded."""
    return compute_all([(indicator, closes)], options)[0]


def compute_all(requests: Sequence[Request], options: StrategyOptions) -> list[Floats]:
    """Many indicators, each on its own series, not rounded; one by one they would be the same, and slower."""
    values: list[Floats] = [np.empty(0)] * len(requests)
    for batch, kinds in _BATCHES:
        chosen = [at for at, (indicator, _) in enumerate(requests) if indicator.kind in kinds]
        if chosen:
            for at, value in zip(chosen, batch([requests[at] for at in chosen], options), strict=True):
                values[at] = value
    return values


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


def _rsis(requests: Sequence[Request], options: StrategyOptions) -> list[Floats]:
    windows = [indicator.windows[0] for indicator, _ in requests]
    changes = [np.diff(closes) for _, closes in requests]
    moves = [np.maximum(change, 0) for change in changes] + [np.maximum(-change, 0) for change in changes]
    average = wilder_means if options.rsi is RsiMethod.WILDER else _rolling_means
    averages = average(moves, windows * 2)
    count = len(requests)
    pairs = zip(averages[:count], averages[count:], requests, strict=True)
    return [_late(_strength(gains, losses), closes) for gains, losses, (_, closes) in pairs]


def _strength(gains: Floats, losses: Floats) -> Floats:
    moved = gains + losses
    # Flat is 50 by definition; without losses the quotient is 100 by itself.
    flat = np.where(np.isnan(moved), np.nan, 50.0)
    return np.where(moved > 0, 100 * gains / np.where(moved > 0, moved, 1), flat)


def _rolling_means(series: Sequence[Floats], windows: Sequence[int]) -> list[Floats]:
    return [_late(rolling_mean(own, window), own) for own, window in zip(series, windows, strict=True)]


def _exponentials(requests: Sequence[Request], _: StrategyOptions) -> list[Floats]:
    return emas([closes for _, closes in requests], [indicator.windows[0] for indicator, _ in requests])


def _oscillators(requests: Sequence[Request], _: StrategyOptions) -> list[Floats]:
    """Percentage price oscillators, each its signal where the indicator is that."""
    series = [closes for _, closes in requests]
    shorts, longs = (emas(series, [indicator.windows[term] for indicator, _ in requests]) for term in (0, 1))
    values = [(short - long) / long * 100 for short, long in zip(shorts, longs, strict=True)]
    signals = [at for at, (indicator, _) in enumerate(requests) if indicator.kind is IndicatorKind.PPO_SIGNAL]
    starts = [max(requests[at][0].windows[:2]) - 1 for at in signals]
    smooth = emas(
        [values[at][start:] for at, start in zip(signals, starts, strict=True)],
        [requests[at][0].windows[2] for at in signals],
    )
    for at, signal in zip(signals, smooth, strict=True):
        values[at] = _late(signal, series[at])
    return values


def _each(requests: Sequence[Request], options: StrategyOptions) -> list[Floats]:
    return [_COMPUTE[indicator.kind](closes, indicator.windows[0], options) for indicator, closes in requests]


def _moving_average_price(closes: Floats, window: int, _: StrategyOptions) -> Floats:
    return _late(rolling_mean(closes, window), closes)


def _moving_average_return(closes: Floats, window: int, _: StrategyOptions) -> Floats:
    return _late(rolling_mean(returns(closes), window), closes)


def _cumulative_return(closes: Floats, window: int, _: StrategyOptions) -> Floats:
    return _late((closes[window:] / closes[:-window] - 1) * 100, closes)


def _stdev_return(closes: Floats, window: int, options: StrategyOptions) -> Floats:
    return _late(rolling_stdev(returns(closes), window, ddof=options.ddof), closes)


def _stdev_price(closes: Floats, window: int, _: StrategyOptions) -> Floats:
    return _late(rolling_stdev(closes, window, ddof=1), closes)


def _max_drawdown(closes: Floats, window: int, _: StrategyOptions) -> Floats:
    count = max(len(closes) - window + 1, 0)
    peak = closes[:count]
    worst = np.zeros(count)
    for offset in range(1, window if count else 1):
        close = closes[offset : offset + count]
        peak = np.maximum(peak, close)
        worst = np.maximum(worst, (peak - close) / peak * 100)
    return _late(worst, closes)


def _late(values: Floats, closes: Floats) -> Floats:
    """The values at the end of the series, NaN before."""
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
_BATCHES: tuple[tuple[Callable[[Sequence[Request], StrategyOptions], list[Floats]], frozenset[IndicatorKind]], ...] = (
    (_rsis, frozenset({IndicatorKind.RSI})),
    (_exponentials, frozenset({IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE})),
    (_oscillators, frozenset({IndicatorKind.PPO, IndicatorKind.PPO_SIGNAL})),
    (_each, frozenset(_COMPUTE)),
)
RECURSIVE = frozenset(kind for _, kinds in _BATCHES[:-1] for kind in kinds)
"""Computed in a loop over time, which many share."""
