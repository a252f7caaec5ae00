"""The options of a strategy: indicator conventions on which data providers differ, and the close that decides."""

from enum import StrEnum

from the_alchemiser.shared.records import Frozen


class RsiMethod(StrEnum):
    """How the RSI averages gains and losses: Wilder's recursion, or Cutler's plain mean over the window."""

    WILDER = "wilder"
    CUTLER = "cutler"


class Decide(StrEnum):
    """The close that decides a period: that of its first session, or the last one before the period.

    A decision is traded on the next session: a weekly strategy trades on Tuesday, or on Monday.
    """

    FIRST_SESSION = "first-session"
    BEFORE_PERIOD = "before-period"


class StrategyOptions(Frozen):
    """The options of one strategy.

    Attributes:
        rsi: how the RSI averages gains and losses.
        ddof: delta degrees of freedom of stdev-return, 0 or 1; stdev-price always uses 1.
        decide: the close that decides a week, month, quarter or year; without effect on other strategies.
    """

    rsi: RsiMethod = RsiMethod.WILDER
    ddof: int = 1
    decide: Decide = Decide.FIRST_SESSION
