"""Market-data responses: JSON numbers, bars paged by symbol then time, nothing later than the simulated time."""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial
from itertools import islice

from sandbox.exchange.history import Bar
from sandbox.exchange.market import Market, Quote
from sandbox.exchange.parameters import Params, count_of, moment_of, symbols_of
from sandbox.exchange.refusals import bad_data_request
from sandbox.exchange.rendering import Json, utc
from sandbox.exchange.sessions import NEW_YORK, at_new_york

_DAY = timedelta(days=1)
_DAILY = frozenset({"1day", "1d"})
_ADJUSTMENTS = frozenset({"raw", "split", "dividend", "all"})
_DEFAULT_ROWS, _MOST_ROWS = 1000, 10_000
_LOT = 100


@dataclass(frozen=True, slots=True)
class BarsQuery:
    """A request for daily bars: `start` and `end` are included; the page starts after the row `after`."""

    symbols: tuple[str, ...]
    start: date
    end: date
    limit: int
    is_descending: bool
    after: tuple[str, date] | None
    adjustment: str


def read_bars_query(params: Params, market: Market, now: datetime) -> BarsQuery:
    """Read the query of GET /v2/stocks/bars.

    Only daily bars exist. The history is adjusted for splits and dividends: the kinds of `adjustment` differ only by
    planted corporate actions.

    Raises:
        Refusal: 400, an unknown symbol, or a parameter that cannot be read.
    """
    if params.get("timeframe", "").lower() not in _DAILY:
        raise bad_data_request(f"invalid timeframe: {params.get('timeframe')}; the paper exchange has 1Day only")
    if params.get("adjustment", "raw") not in _ADJUSTMENTS:
        raise bad_data_request(f"invalid adjustment: {params.get('adjustment')}")
    if params.get("sort", "asc") not in {"asc", "desc"}:
        raise bad_data_request(f"invalid sort: {params.get('sort')}")

    start = moment_of("start", params.get("start"), bad_data_request)
    end = moment_of("end", params.get("end"), bad_data_request)
    today = now.astimezone(NEW_YORK).date()
    return BarsQuery(
        symbols=_known_symbols(params, market),
        start=today if start is None else _first_day_from(start),
        end=today if end is None else end.astimezone(NEW_YORK).date(),
        limit=count_of("limit", params.get("limit"), default=_DEFAULT_ROWS, most=_MOST_ROWS, refuse=bad_data_request),
        is_descending=params.get("sort") == "desc",
        after=_read_token(params.get("page_token")),
        adjustment=params.get("adjustment") or "raw",
    )


def bars_page(query: BarsQuery, market: Market, now: datetime) -> Json:
    """Return one page of bars, with the token of the next page if there is one."""
    rows = list(islice(_rows(query, market, now), query.limit + 1))
    page, is_more = rows[: query.limit], len(rows) > query.limit
    bars: dict[str, list[Json]] = {}
    for symbol, bar in page:
        bars.setdefault(symbol, []).append(render_bar(bar))
    return {"bars": bars, "next_page_token": _token(*page[-1]) if is_more else None}


def latest_quotes(params: Params, market: Market, now: datetime) -> Json:
    return {"quotes": {quote.symbol: render_quote(quote) for quote in _quotes(params, market, now)}}


def latest_trades(params: Params, market: Market, now: datetime) -> Json:
    quotes = (quote for quote in _quotes(params, market, now) if quote.traded_at is not None)
    return {"trades": {quote.symbol: render_trade(quote) for quote in quotes}}


def latest_bars(params: Params, market: Market, now: datetime) -> Json:
    quotes = (quote for quote in _quotes(params, market, now) if quote.traded_at is not None)
    return {"bars": {quote.symbol: _minute_bar(quote) for quote in quotes}}


def snapshots(params: Params, market: Market, now: datetime) -> Json:
    """Return the latest trade, quote and bars by symbol; the daily bars are those of the last two closed sessions."""
    return {quote.symbol: _snapshot(quote, market, now) for quote in _quotes(params, market, now)}


def render_bar(bar: Bar) -> Json:
    """Render a daily bar at New York midnight; trade count and VWAP are null because the history lacks them."""
    return {
        "t": _midnight(bar.date),
        "o": bar.open,
        "h": bar.high,
        "l": bar.low,
        "c": bar.close,
        "v": bar.volume,
        "n": None,
        "vw": None,
    }


def render_quote(quote: Quote) -> Json:
    """Render a quote; an empty side has price and size zero."""
    ask, bid = float(quote.ask), float(quote.bid)
    # Sizes are not simulated: every quote shows one lot, and orders of any size are filled.
    ask_size, bid_size = (_LOT if price else 0 for price in (ask, bid))
    touch = {"ax": "V", "ap": ask, "as": ask_size, "bx": "V", "bp": bid, "bs": bid_size}
    return {"t": utc(quote.at)} | touch | {"c": ["R"], "z": "B"}


def render_trade(quote: Quote) -> Json | None:
    """Render the latest trade; None when it is unknown."""
    at = quote.traded_at
    if at is None:
        return None
    return {"t": utc(at), "x": "V", "p": float(quote.last), "s": _LOT, "c": ["@"], "i": int(at.timestamp()), "z": "B"}


def _snapshot(quote: Quote, market: Market, now: datetime) -> Json:
    daily = [render_bar(bar) for bar in market.visible_bars(quote.symbol, now, most=2)]
    return {
        "latestTrade": render_trade(quote),
        "latestQuote": render_quote(quote),
        "minuteBar": _minute_bar(quote),
        "dailyBar": daily[-1] if daily else None,
        "prevDailyBar": daily[-2] if len(daily) > 1 else None,
    }


def _minute_bar(quote: Quote) -> Json | None:
    at = quote.traded_at
    if at is None:
        return None
    minute, last = at.replace(second=0, microsecond=0), float(quote.last)
    return {"t": utc(minute), "o": last, "h": last, "l": last, "c": last, "v": 0, "n": None, "vw": None}


def _quotes(params: Params, market: Market, now: datetime) -> Iterator[Quote]:
    """Yield the quotes of the requested symbols; skip unknown symbols and symbols before their first bar."""
    for symbol in _symbols(params):
        quote = market.quote(symbol, now) if symbol in market.assets else None
        if quote is not None:
            yield quote


def _symbols(params: Params) -> tuple[str, ...]:
    symbols = symbols_of(params.get("symbols"))
    if not symbols:
        raise bad_data_request("symbols is required")
    return symbols


def _known_symbols(params: Params, market: Market) -> tuple[str, ...]:
    symbols = _symbols(params)
    for symbol in symbols:
        if symbol not in market.assets:
            raise bad_data_request(f"invalid symbol: {symbol}")
    return symbols


def _rows(query: BarsQuery, market: Market, now: datetime) -> Iterator[tuple[str, Bar]]:
    for symbol in query.symbols:
        start, end = query.start, query.end
        if query.after is not None:
            last_symbol, last_day = query.after
            if symbol < last_symbol:
                continue
            if symbol == last_symbol and query.is_descending:
                end = min(end, last_day - _DAY)
            elif symbol == last_symbol:
                start = max(start, last_day + _DAY)
        true_bars = market.visible_bars(symbol, now, start=start, end=end, adjustment=query.adjustment)
        bars = market.bar_faults.apply(symbol, true_bars, partial(market.true_bar, symbol))
        yield from ((symbol, bar) for bar in (reversed(bars) if query.is_descending else bars))


def _first_day_from(start: datetime) -> date:
    """Return the first day whose bar, stamped with New York midnight, is not before this moment."""
    local = start.astimezone(NEW_YORK)
    return local.date() if local.time() == time() else local.date() + _DAY


@lru_cache(maxsize=20_000)
def _midnight(day: date) -> str:
    return f"{at_new_york(day, time()):%Y-%m-%dT%H:%M:%SZ}"


def _token(symbol: str, bar: Bar) -> str:
    return base64.b64encode(f"{symbol}|D|{_midnight(bar.date)}".encode()).decode()


def _read_token(token: str | None) -> tuple[str, date] | None:
    if not token:
        return None
    try:
        symbol, _, stamp = base64.b64decode(token.replace(" ", "+"), validate=True).decode().split("|")
        moment = datetime.fromisoformat(stamp)
    except (binascii.Error, ValueError):
        raise bad_data_request("invalid page_token") from None
    return symbol, moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(NEW_YORK).date()
