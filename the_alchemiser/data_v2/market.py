"""Fetching daily bars from the broker. A symbol that fails does not fail the others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple, Protocol

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
    """The broker sent two bars of one session, bars out of order, or bars that were not requested."""


class Market(Exchange, Protocol):
    """The part of the broker that serves bars, the time and the sessions."""

    def bars(self, symbols: Iterable[str], start: date, end: date) -> Iterator[tuple[str, tuple[Bar, ...]]]: ...


class Span(NamedTuple):
    """The dates of a fetch, both included."""

    start: date
    end: date


class FetchResult(Frozen):
    """The bars and the errors of a fetch. Every requested symbol is in exactly one of the two."""

    bars: Mapping[str, Bars]
    failed: Mapping[str, AlchemiserError]


def fetch_bars(market: Market, spans: Mapping[str, Span]) -> FetchResult:
    """Fetch the daily bars of each symbol for its own span, ascending.

    Symbols with the same span share requests. Errors of the broker are in the result; none is raised.
    """
    bars: dict[str, Bars] = {}
    failed: dict[str, AlchemiserError] = {}
    for span, symbols in _batches(spans):
        batch = _fetch_batch(market, symbols, span)
        bars.update(batch.bars)
        failed.update(batch.failed)
    return FetchResult(bars, failed)


def _batches(spans: Mapping[str, Span]) -> Iterator[tuple[Span, Sequence[str]]]:
    for span in sorted(set(spans.values())):
        symbols = sorted(symbol for symbol in spans if spans[symbol] == span)
        for first in range(0, len(symbols), SYMBOLS_PER_REQUEST):
            yield span, symbols[first : first + SYMBOLS_PER_REQUEST]


def _fetch_batch(market: Market, symbols: Sequence[str], span: Span) -> FetchResult:
    bars: dict[str, Bars] = {}
    failed: dict[str, AlchemiserError] = {}
    missing: AlchemiserError = NoBarsError(f"no bars from {span.start} through {span.end}")

    try:
        # Each symbol is converted as it comes: the broker's decimals need three times the memory. When a later page
        # fails, the symbols that are already complete are kept.
        for symbol, rows in market.bars(symbols, span.start, span.end):
            if fault := _fault(rows, span):
                failed[symbol] = MalformedBarsError(fault)
            elif rows:
                bars[symbol] = tuple(map(_daily_bar, rows))
    except AssetNotFoundError as error:
        if len(symbols) > 1:
            return _fetch_in_halves(market, symbols, span)
        missing = error
    except BrokerError as error:
        missing = error

    without_bars = {symbol: failed.get(symbol, missing) for symbol in symbols if symbol not in bars}
    return FetchResult({symbol: bars[symbol] for symbol in symbols if symbol in bars}, without_bars)


def _fetch_in_halves(market: Market, symbols: Sequence[str], span: Span) -> FetchResult:
    # The broker refuses the whole request when it does not know one symbol; halving isolates that symbol.
    middle = len(symbols) // 2
    first = _fetch_batch(market, symbols[:middle], span)
    second = _fetch_batch(market, symbols[middle:], span)
    return FetchResult({**first.bars, **second.bars}, {**first.failed, **second.failed})


def _fault(rows: Sequence[Bar], span: Span) -> str:
    """Return why the bars of a symbol cannot be used; empty when they can."""
    misplaced = next((late.date for early, late in pairwise(rows) if early.date >= late.date), None)
    if misplaced is not None:
        return f"the broker sent the bar of {misplaced} twice or out of order"
    outside = next((row.date for row in rows if not span.start <= row.date <= span.end), None)
    if outside is not None:
        return f"the broker sent the bar of {outside}, requested were {span.start} through {span.end}"
    return ""


def _daily_bar(bar: Bar) -> DailyBar:
    close = float(bar.close)
    return DailyBar(bar.date, float(bar.open), float(bar.high), float(bar.low), close, float(bar.volume), close)
