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
from the_alchemiser.strategy_v2.recurrences import all_averages, exponential, last_averages, wilder

Request = tuple[Indicator, Floats]
"""An indicator, and the closes of a gapless series."""


def round_for_comparison(values: Floats) -> Floats:
    """Round values to the decimals that comparisons and rankings use."""
    return values.round(COMPARED_DECIMALS)


def compute(indicator: Indicator, closes: Floats, options: StrategyOptions) -> Floats:
    """Return an indicator on a gapless series, not rounded."""
    return compute_all([(indicator, closes)], options)[0]


def compute_all(requests: Sequence[Request], options: StrategyOptions) -> list[Floats]:
    """Return many indicators, each on its own series, not rounded: as `compute` does, but faster in batches."""
    if len(requests) == 1 and requests[0][0].kind in _COMPUTE:
        return _each(requests, options)
    values: list[Floats] = [np.empty(0)] * len(requests)
    for batch, kinds in _BATCHES:
        chosen = [at for at, (indicator, _) in enumerate(requests) if indicator.kind in kinds]
        if not chosen:
            continue
        for at, value in zip(chosen, batch([requests[at] for at in chosen], options), strict=True):
            values[at] = value
    return values


def compute_last(requests: Sequence[Request], options: StrategyOptions) -> Floats:
    """Return the last value of many indicators: that of `compute_all`, but mostly without the values before it."""
    values = np.full(len(requests), np.nan)
    chosen: dict[IndicatorKind | None, list[int]] = {kind: [] for kind in _LAST}
    for at, (indicator, closes) in enumerate(requests):
        if len(closes) >= indicator_bars(indicator):
            chosen[indicator.kind if indicator.kind in chosen else None].append(at)

    for kind, positions in chosen.items():
        if not positions:
            continue
        values[positions] = _LAST[kind]([requests[at] for at in positions], options)
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
    moves, windows = _moves(requests)
    is_wilder = options.rsi is RsiMethod.WILDER
    averages = all_averages(moves, windows, wilder) if is_wilder else _rolling_means(moves, windows)
    count = len(requests)
    rows = zip(averages[:count], averages[count:], requests, strict=True)
    return [_right_aligned(_strength(gains, losses), closes) for gains, losses, (_, closes) in rows]


def _last_rsis(requests: Sequence[Request], options: StrategyOptions) -> Floats:
    if options.rsi is not RsiMethod.WILDER:
        return _last_of_each(requests, options)
    gains, losses = np.split(last_averages(*_moves(requests), wilder), 2)
    return _strength(gains, losses)


def _moves(requests: Sequence[Request]) -> tuple[list[Floats], list[int]]:
    """Return the gains of all requests, then their losses, and the windows of both; equal series are one object."""
    gains, losses = {}, {}
    for key, closes in {id(closes): closes for _, closes in requests}.items():
        change = np.diff(closes)
        gains[key] = np.maximum(change, 0)
        losses[key] = np.maximum(-change, 0, out=change)
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


def _exponentials(requests: Sequence[Request], _: StrategyOptions) -> list[Floats]:
    return all_averages(*_closes_and_windows(requests), exponential)


def _last_exponentials(requests: Sequence[Request], _: StrategyOptions) -> Floats:
    return last_averages(*_closes_and_windows(requests), exponential)


def _closes_and_windows(requests: Sequence[Request]) -> tuple[list[Floats], list[int]]:
    return [closes for _, closes in requests], [indicator.windows[0] for indicator, _ in requests]


def _oscillators(requests: Sequence[Request], _: StrategyOptions) -> list[Floats]:
    """Compute percentage price oscillators, or the signal line where the indicator is the signal."""
    series, shorts = _closes_and_windows(requests)
    longs = [indicator.windows[1] for indicator, _ in requests]
    averages, count = all_averages(series * 2, shorts + longs, exponential), len(requests)
    values = [(short - long) / long * 100 for short, long in zip(averages[:count], averages[count:], strict=True)]

    signals = [at for at, (indicator, _) in enumerate(requests) if indicator.kind is IndicatorKind.PPO_SIGNAL]
    starts = [max(requests[at][0].windows[:2]) - 1 for at in signals]
    smooth = all_averages(
        [values[at][start:] for at, start in zip(signals, starts, strict=True)],
        [requests[at][0].windows[2] for at in signals],
        exponential,
    )
    for at, signal in zip(signals, smooth, strict=True):
        values[at] = _right_aligned(signal, series[at])
    return values


def _last_of_each(requests: Sequence[Request], options: StrategyOptions) -> Floats:
    """Compute all values that the closes of the window have; oscillators depend on all closes."""
    recent = [
        (indicator, closes if indicator.kind in _OSCILLATORS else closes[-indicator_bars(indicator) :])
        for indicator, closes in requests
    ]
    return np.array([values[-1] for values in compute_all(recent, options)])


def _each(requests: Sequence[Request], options: StrategyOptions) -> list[Floats]:
    return [_COMPUTE[indicator.kind](closes, indicator.windows[0], options) for indicator, closes in requests]


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
_EXPONENTIAL = IndicatorKind.EXPONENTIAL_MOVING_AVERAGE_PRICE
_OSCILLATORS = frozenset({IndicatorKind.PPO, IndicatorKind.PPO_SIGNAL})
_BATCHES: tuple[tuple[Callable[[Sequence[Request], StrategyOptions], list[Floats]], frozenset[IndicatorKind]], ...] = (
    (_rsis, frozenset({IndicatorKind.RSI})),
    (_exponentials, frozenset({_EXPONENTIAL})),
    (_oscillators, _OSCILLATORS),
    (_each, frozenset(_COMPUTE)),
)
_LAST: dict[IndicatorKind | None, Callable[[Sequence[Request], StrategyOptions], Floats]] = {
    IndicatorKind.RSI: _last_rsis,
    _EXPONENTIAL: _last_exponentials,
    None: _last_of_each,
}
"""How to compute only the last values; None stands for the other indicators."""
