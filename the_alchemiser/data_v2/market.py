"""Fetching daily bars from the broker, so that one bad symbol fails alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple, Protocol

from the_alchemiser.shared.broker.errors import AssetNotFoundError, BrokerError
from the_alchemiser.shared.broker.models import Bar
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.bars import Bars, DailyBar
from the_alchemiser.shared.market_data.calendar import Exchange

SYMBOLS_A_REQUEST = 100


class NoBarsError(AlchemiserError):
    """The broker knows the symbol and has no bars of it for the dates asked."""


class MalformedBarsError(AlchemiserError):
    """The broker's bars of a symbol are not one a session, in order."""


class Market(Exchange, Protocol):
    """What is needed of the broker's data API."""

    def bars(self, symbols: Iterable[str], start: date, end: date) -> Iterator[tuple[str, tuple[Bar, ...]]]: ...


class Fetched(NamedTuple):
    """What a fetch brought: every symbol asked for is in exactly one of the two."""

    bars: Mapping[str, Bars]
    failed: Mapping[str, AlchemiserError]


def fetch(market: Market, starts: Mapping[str, date], end: date) -> Fetched:
    """Daily bars of each symbol from its own start through end, ascending.

    Symbols of the same start share requests. Whatever goes wrong is in `failed`; nothing is raised.
    """
    bars: dict[str, Bars] = {}
    failed: dict[str, AlchemiserError] = {}
    for start, symbols in _requests(starts):
        part = _fetch(market, symbols, start, end)
        bars.update(part.bars)
        failed.update(part.failed)
    return Fetched(bars, failed)


def _requests(starts: Mapping[str, date]) -> Iterator[tuple[date, Sequence[str]]]:
    for start in sorted(set(starts.values())):
        symbols = sorted(symbol for symbol in starts if starts[symbol] == start)
        for first in range(0, len(symbols), SYMBOLS_A_REQUEST):
            yield start, symbols[first : first + SYMBOLS_A_REQUEST]


def _fetch(market: Market, symbols: Sequence[str], start: date, end: date) -> Fetched:
    told: dict[str, tuple[Bar, ...]] = {}
    failure: AlchemiserError = NoBarsError(f"no bars from {start} through {end}")
    try:
        told.update(market.bars(symbols, start, end))
    except AssetNotFoundError as error:
        if len(symbols) > 1:
            return _fetch_in_halves(market, symbols, start, end)
        failure = error
    except BrokerError as error:
        failure = error
    return _sorted_out({symbol: told.get(symbol, ()) for symbol in symbols}, failure)


def _fetch_in_halves(market: Market, symbols: Sequence[str], start: date, end: date) -> Fetched:
    # The broker refuses a whole request for one symbol that it does not know.
    middle = len(symbols) // 2
    first, second = (_fetch(market, half, start, end) for half in (symbols[:middle], symbols[middle:]))
    return Fetched({**first.bars, **second.bars}, {**first.failed, **second.failed})


def _sorted_out(told: Mapping[str, tuple[Bar, ...]], failure: AlchemiserError) -> Fetched:
    bars: dict[str, Bars] = {}
    failed: dict[str, AlchemiserError] = {}
    for symbol, rows in told.items():
        repeated = next((late.date for early, late in pairwise(rows) if early.date >= late.date), None)
        if not rows:
            failed[symbol] = failure
        elif repeated is not None:
            failed[symbol] = MalformedBarsError(f"the bar of {repeated} is told twice or out of order")
        else:
            bars[symbol] = tuple(map(_daily, rows))
    return Fetched(bars, failed)


def _daily(bar: Bar) -> DailyBar:
    close = float(bar.close)
    return DailyBar(bar.date, float(bar.open), float(bar.high), float(bar.low), close, float(bar.volume), close)
