"""Bars that a value takes before it is defined."""

from the_alchemiser.shared.symphony.tree import CurrentPrice, Indicator, IndicatorKind, IndicatorOf, Value

_ON_CHANGES = frozenset(
    {
        IndicatorKind.RSI,
        IndicatorKind.CUMULATIVE_RETURN,
        IndicatorKind.MOVING_AVERAGE_RETURN,
        IndicatorKind.STDEV_RETURN,
    }
)


def bars_needed(indicator: Indicator) -> int:
    """Closes that the first value takes."""
    longest = max(indicator.windows[:2])
    if indicator.kind in _ON_CHANGES:
        return longest + 1
    if indicator.kind is IndicatorKind.PPO_SIGNAL:
        return longest + indicator.windows[2] - 1
    return longest


def value_bars(value: Value) -> int:
    """Bars that a value of a condition takes."""
    if isinstance(value, IndicatorOf):
        return bars_needed(value.indicator)
    return 1 if isinstance(value, CurrentPrice) else 0
