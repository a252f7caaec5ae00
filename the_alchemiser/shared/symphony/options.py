"""The options of a strategy: indicator conventions on which data providers differ."""

from enum import StrEnum

from the_alchemiser.shared.records import Frozen


class RsiMethod(StrEnum):
    """How the RSI averages gains and losses: Wilder's recursion, or Cutler's plain mean over the window."""

    WILDER = "wilder"
    CUTLER = "cutler"


class StrategyOptions(Frozen):
    """Indicator conventions of one strategy.

    Attributes:
        rsi: how the RSI averages gains and losses.
        ddof: delta degrees of freedom of stdev-return, 0 or 1; stdev-price always uses 1.
    """

    rsi: RsiMethod = RsiMethod.WILDER
    ddof: int = 1
