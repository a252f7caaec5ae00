"""What shares cost in a backtest: at which price a plan is made, a trade fills and a holding is valued."""

import math
from datetime import date
from decimal import Decimal
from typing import Protocol

import numpy as np

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.messaging.messages import Side
from the_alchemiser.strategy_v2.history import PriceHistory

_BASIS_POINT = Decimal("0.0001")


class NoBarError(AlchemiserError):
    """A symbol that is to be traded or valued on a day has no bar of it."""


class FillModel(Protocol):
    """Prices of a day, USD a share.

    Raises:
        NoBarError: the symbol has no price that day.
    """

    def last(self, symbol: str, day: date) -> Decimal:
        """The price that plans are made at and holdings are valued at."""
        ...

    def fill(self, symbol: str, side: Side, day: date) -> Decimal:
        """The price that a trade gets."""
        ...


class CloseFills:
    """Everything happens at the session's close; a trade pays costs on top of it."""

    def __init__(self, history: PriceHistory, *, costs_bps: Decimal) -> None:
        """Take the closes of a history.

        Args:
            costs_bps: basis points that a buy pays above the close, and a sell gets below it.
        """
        self._history = history
        self._factors = {Side.BUY: 1 + costs_bps * _BASIS_POINT, Side.SELL: 1 - costs_bps * _BASIS_POINT}
        self._rows = {day: row for row, day in enumerate(history.dates.tolist())}

    def last(self, symbol: str, day: date) -> Decimal:
        """The close."""
        close = float(self._history.of(symbol)[self._rows[day]])
        if math.isnan(close):
            raise self._absent(symbol, day)
        return Decimal(repr(close))

    def fill(self, symbol: str, side: Side, day: date) -> Decimal:
        """The close and the costs."""
        return self.last(symbol, day) * self._factors[side]

    def _absent(self, symbol: str, day: date) -> NoBarError:
        dates = self._history.dates[~np.isnan(self._history.of(symbol))]
        known = dates[dates <= np.datetime64(day, "D")]
        since = f", the last of {known[-1]}" if known.size else ""
        flaw = self._history.flaws.get(symbol)
        state = f"not usable ({flaw})" if flaw else f"none of {day}"
        return NoBarError(f"{symbol}: {known.size} bars{since}, {state}, 1 needed to trade or value it on {day}")
