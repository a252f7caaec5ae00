"""Fetching daily bars from the broker. A symbol that fails does not fail the others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Protocol

from the_alchemiser.shared.broker.errors import AssetNotFoundError, BrokerError
from the_alchemiser.shared.broker.models import Bar
from the_alchemiser.shared.errors import AlchemiserError
from the_alchemiser.shared.market_data.bars import Bars, DailyBar
from the_alchemiser.shared.market_data.calendar import Exchange
from the_alchemiser.shared.records import Frozen

SYMBOLS_PER_REQUEST = 100


class NoBarsError(AlchemiserError):
    """The broker knows the symbol but has no bars for the requested dates."""


class MalformedBarsError(AlchemiserError):
    """The broker sent two bars of one session, or bars out of order."""


class Market(Exchange, Protocol):
    """The part of the broker that serves bars, the time and the sessions."""

    def bars(self, symbols: Iterable[str], start: date, end: date) -> Iterator[tuple[str, tuple[Bar, ...]]]: ...


class FetchResult(Frozen):
    """The bars and the errors of a fetch. Every requested symbol is in exactly one of the two."""

    bars: Mapping[str, Bars]
    failed: Mapping[str, AlchemiserError]


def fetch_bars(market: Market, starts: Mapping[str, date], end: date) -> FetchResult:
    """Fetch the daily bars of each symbol from its own start through `end`, ascending.

    Symbols with the same start share requests. Errors of the broker are in the result; none is raised.
    """
    bars: dict[str, Bars] = {}
    failed: dict[str, AlchemiserError] = {}
    for start, symbols in _batches(starts):
        batch = _fetch_batch(market, symbols, start, end)
        bars.update(batch.bars)
        failed.update(batch.failed)
    return FetchResult(bars, failed)


def _batches(starts: Mapping[str, date]) -> Iterator[tuple[date, Sequence[str]]]:
    for start in sorted(set(starts.values())):
        symbols = sorted(symbol for symbol in starts if starts[symbol] == start)
        for first in range(0, len(symbols), SYMBOLS_PER_REQUEST):
            yield start, symbols[first : first + SYMBOLS_PER_REQUEST]


def _fetch_batch(market: Market, symbols: Sequence[str], start: date, end: date) -> FetchResult:
    received: dict[str, tuple[Bar, ...]] = {}
    failure: AlchemiserError = NoBarsError(f"no bars from {start} through {end}")

    try:
        # When a later page fails, the symbols that are already complete are kept.
        received.update(market.bars(symbols, start, end))
    except AssetNotFoundError as error:
        if len(symbols) > 1:
            return _fetch_in_halves(market, symbols, start, end)
        failure = error
    except BrokerError as error:
        failure = error

    return _fetch_result({symbol: received.get(symbol, ()) for symbol in symbols}, failure)


def _fetch_in_halves(market: Market, symbols: Sequence[str], start: date, end: date) -> FetchResult:
    # The broker refuses the whole request when it does not know one symbol; halving isolates that symbol.
    middle = len(symbols) // 2
    first = _fetch_batch(market, symbols[:middle], start, end)
    second = _fetch_batch(market, symbols[middle:], start, end)
    return FetchResult({**first.bars, **second.bars}, {**first.failed, **second.failed})


def _fetch_result(received: Mapping[str, tuple[Bar, ...]], failure: AlchemiserError) -> FetchResult:
    """Convert what was received; a symbol without bars failed with `failure`."""
    bars: dict[str, Bars] = {}
    failed: dict[str, AlchemiserError] = {}
    for symbol, rows in received.items():
        misplaced = next((late.date for early, late in pairwise(rows) if early.date >= late.date), None)
        if not rows:
            failed[symbol] = failure
        elif misplaced is not None:
            failed[symbol] = MalformedBarsError(f"the broker sent the bar of {misplaced} twice or out of order")
        else:
            bars[symbol] = tuple(map(_daily_bar, rows))
    return FetchResult(bars, failed)


def _daily_bar(bar: Bar) -> DailyBar:
    close = float(bar.close)
    return DailyBar(bar.date, float(bar.open), float(bar.high), float(bar.low), close, float(bar.volume), close)
