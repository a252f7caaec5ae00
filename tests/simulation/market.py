"""The synthetic market of the simulated histories: a random walk for each symbol of the small book."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from random import Random

from sandbox.exchange.history import BarSeries
from sandbox.exchange.market import Market
from sandbox.exchange.sessions import sessions_between
from tests.simulation.book import SYMBOLS

FIRST_DAY, LAST_DAY = date(2022, 1, 3), date(2022, 12, 30)
_FIRST_PRICES: Mapping[str, float] = {"LLL": 0.5, "NNN": 9.5, "KKK": 380.0}
_DAILY_MOVE = 0.012
WHOLE_SHARES = frozenset({"HHH"})
"""The symbols that the exchange does not trade in fractions."""


@cache
def base_market() -> Market:
    """Return the market that every history forks."""
    return Market({symbol: _series(symbol) for symbol in SYMBOLS})


def _series(symbol: str) -> BarSeries:
    rng = Random(f"bars of {symbol}")  # noqa: S311 - nothing secret
    dates = [session.date for session in sessions_between(FIRST_DAY, LAST_DAY)]
    price = _FIRST_PRICES.get(symbol, rng.uniform(20, 200))
    closes: list[float] = []
    for _ in dates:
        price *= 1 + rng.gauss(0.0003, _DAILY_MOVE)
        closes.append(round(price, 4))
    return BarSeries(symbol, dates, closes, None)
