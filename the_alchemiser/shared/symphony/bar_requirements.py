"""Compute how many bars a value requires before it is defined."""

from the_alchemiser.shared.symphony.tree import CurrentPrice, Indicator, IndicatorKind, IndicatorOf, Value

_ON_CHANGES = frozenset(
    {
        IndicatorKind.RSI,
        IndicatorKind.CUMULATIVE_RETURN,
        IndicatorKind.MOVING_AVERAGE_RETURN,
        IndicatorKind.STDEV_RETURN,
    }
)


def indicator_bars(indicator: Indicator) -> int:
    """Return the number of closes that the first value of an indicator requires."""
    longest = max(indicator.windows[:2])
    if indicator.kind in _ON_CHANGES:
        return longest + 1
    if indicator.kind is IndicatorKind.PPO_SIGNAL:
        return longest + indicator.windows[2] - 1
    return longest


def value_bars(value: Value) -> int:
    """Return the number of bars that one side of a condition requires; 0 for a number."""
    if isinstance(value, IndicatorOf):
        return indicator_bars(value.indicator)
    return 1 if isinstance(value, CurrentPrice) else 0
