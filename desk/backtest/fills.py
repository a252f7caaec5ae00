"""Prices of a backtest: for making a plan, filling a trade and valuing a holding."""

import math
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

import numpy as np

from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.values import Side
from the_alchemiser.strategy_v2.history import PriceHistory

_BASIS_POINT = Decimal("0.0001")
_KEPT_CLOSES = 10_000  # of several sessions, also when a strategy holds a thousand symbols


class NoBarError(AlchemiserError):
    """A symbol that must be traded or valued on a day has no bar for that day."""


class FillModel(Protocol):
    """Prices of a day in USD per share.

    Raises:
        NoBarError: the symbol has no price for that day.
    """

    def planning_price(self, symbol: str, day: date) -> Decimal:
        """Return the price that plans use and holdings are valued at."""
        ...

    def fill_price(self, symbol: str, side: Side, day: date) -> Decimal:
        """Return the price that a trade is filled at."""
        ...


class CloseFills:
    """Fills at the session's close, plus or minus the trading costs."""

    def __init__(self, history: PriceHistory, *, costs_bps: Decimal) -> None:
        """Use the closes of a history.

        Args:
            history: has a row for every day that prices are requested for.
            costs_bps: basis points by which a buy fills above the close, and a sell below it.
        """
        self._history = history
        self._factors = {Side.BUY: 1 + costs_bps * _BASIS_POINT, Side.SELL: 1 - costs_bps * _BASIS_POINT}
        self._rows = {day: row for row, day in enumerate(history.dates.tolist())}
        # A session asks for the price of a symbol up to seven times.
        self._close = lru_cache(maxsize=_KEPT_CLOSES)(self._read_close)

    def planning_price(self, symbol: str, day: date) -> Decimal:
        """Return the close.

        Raises:
            NoBarError: the symbol has no close for that day.
        """
        return self._close(symbol, day)

    def fill_price(self, symbol: str, side: Side, day: date) -> Decimal:
        """Return the close plus the costs for a buy, minus the costs for a sell.

        Raises:
            NoBarError: the symbol has no close for that day.
        """
        return self.planning_price(symbol, day) * self._factors[side]

    def _read_close(self, symbol: str, day: date) -> Decimal:
        close = float(self._history.of(symbol)[self._rows[day]])
        if math.isnan(close):
            raise self._no_bar(symbol, day)
        return Decimal(repr(close))

    def _no_bar(self, symbol: str, day: date) -> NoBarError:
        dates = self._history.dates[~np.isnan(self._history.of(symbol))]
        known = dates[dates <= np.datetime64(day, "D")]
        last = f", the last for {known[-1]}" if known.size else ""
        flaw = self._history.flaws.get(symbol)
        problem = f"its bars are not usable ({flaw})" if flaw else f"no bar for {day}"
        return NoBarError(f"{symbol}: {problem}; {known.size} bars{last}, 1 needed to trade or value it on {day}")
