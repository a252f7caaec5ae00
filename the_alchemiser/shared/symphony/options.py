"""The options of a strategy: conventions of the indicators on which sources differ."""

from enum import StrEnum
from typing import NamedTuple


class RsiMethod(StrEnum):
    """How gains and losses are averaged: Wilder's recursion, or Cutler's plain mean of the window."""

    WILDER = "wilder"
    CUTLER = "cutler"


class StrategyOptions(NamedTuple):
    """Conventions on which sources differ.

    Attributes:
        rsi: the averaging of rsi.
        ddof: delta degrees of freedom of the stdev of returns, 0 or 1; that of prices is always 1.
    """

    rsi: RsiMethod = RsiMethod.WILDER
    ddof: int = 1
