"""The replayed market: which bars, price and quote are known at a moment.

There is one price per session: from the open of day D on, the price is D's close, rounded to the tick. The bar of D is
known from D's close on.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from uuid import UUID

from sandbox.exchange.assets import Asset, asset_of
from sandbox.exchange.history import Bar, BarSeries
from sandbox.exchange.money import tick_size, to_tick
from sandbox.exchange.sessions import latest_opened, session_before, session_on, session_open_at, trading_session

_HALF_SPREAD = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and ask of a symbol around its last price, USD per share."""

    symbol: str
    at: datetime
    bid: Decimal
    ask: Decimal
    last: Decimal

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2


def quote_around(symbol: str, at: datetime, last: Decimal) -> Quote:
    """Return a quote one basis point, at least one tick, to each side of the price; the bid stays above zero."""
    tick = tick_size(last)
    half_spread = max((last * _HALF_SPREAD).quantize(tick, ROUND_HALF_UP), tick)
    return Quote(symbol, at, max(last - half_spread, tick), last + half_spread, last)


class Market:
    """Every symbol's history, seen at a moment. It has no state but caches."""

    def __init__(self, history: Mapping[str, BarSeries]) -> None:
        self._history = history
        self.assets = {symbol: asset_of(symbol) for symbol in history}
        self._by_id = {asset.id: asset for asset in self.assets.values()}
        self._closes: dict[tuple[str, date], Decimal | None] = {}

    @cached_property
    def first_day(self) -> date:
        return min(series.dates[0] for series in self._history.values())

    @cached_property
    def last_day(self) -> date:
        return max(series.dates[-1] for series in self._history.values())

    @cached_property
    def common_days(self) -> tuple[date, date] | None:
        """Return the first and last day on which every symbol has a bar; None when there is no such day."""
        first = max(series.dates[0] for series in self._history.values())
        last = min(series.dates[-1] for series in self._history.values())
        return (first, last) if first <= last else None

    def covers(self, day: date) -> bool:
        """Return whether the day is a session within the history."""
        return self.first_day <= day <= self.last_day and session_on(day) is not None

    def asset(self, symbol_or_id: str) -> Asset | None:
        asset = self.assets.get(symbol_or_id.upper())
        if asset is not None:
            return asset
        try:
            return self._by_id.get(UUID(symbol_or_id))
        except ValueError:
            return None

    def is_tradable(self, symbol: str, now: datetime) -> bool:
        """Return whether the symbol's history covers the session in which an order sent now would trade."""
        series = self._history[symbol]
        return series.dates[0] <= trading_session(now).date <= series.dates[-1]

    def close(self, symbol: str, day: date) -> Decimal | None:
        """Return the close of this day or of the last day before it, rounded to the tick; None before the first bar."""
        key = (symbol, day)
        if key not in self._closes:
            series = self._history[symbol]
            count = series.count_through(day)
            self._closes[key] = to_tick(Decimal(repr(series.closes[count - 1]))) if count else None
        return self._closes[key]

    def price(self, symbol: str, now: datetime) -> Decimal | None:
        return self.close(symbol, latest_opened(now).date)

    def previous_close(self, symbol: str, now: datetime) -> Decimal | None:
        """Return the close of the session before the one whose close is the price."""
        return self.close(symbol, session_before(latest_opened(now).date).date)

    def quote(self, symbol: str, now: datetime) -> Quote | None:
        """Return the quote now or, when closed, at the last close; None before the symbol's first bar."""
        session = latest_opened(now)
        last = self.close(symbol, session.date)
        if last is None:
            return None
        at = now if session_open_at(now) else session.closes
        return quote_around(symbol, at, last)

    def visible_bars(self, symbol: str, now: datetime, *, start: date, end: date) -> tuple[Bar, ...]:
        """Return the bars from start through end whose session has closed by now."""
        series = self._history[symbol]
        session = latest_opened(now)
        last_closed = session.date if session.closes <= now else session_before(session.date).date
        return series.bars(bisect_left(series.dates, start), series.count_through(min(end, last_closed)))
