"""The replayed market: which bars, price and quote are known at a moment.

There is one price per session: from the open of day D on, the price is D's close, rounded to the tick. The bar of D is
known from D's close on. Planted corporate actions and conditions change that for single symbols.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from uuid import UUID

from sandbox.exchange.assets import Asset, asset_of
from sandbox.exchange.bar_faults import BarFault, BarFaults
from sandbox.exchange.conditions import Condition
from sandbox.exchange.corporate_actions import CorporateActions
from sandbox.exchange.history import Bar, BarSeries
from sandbox.exchange.money import ZERO, tick_size, to_tick
from sandbox.exchange.sessions import (
    NEW_YORK,
    latest_opened,
    session_before,
    session_on,
    trading_session,
)

_HALF_SPREAD = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and ask of a symbol around its last price, USD per share.

    A bid or ask of zero means that nobody is on that side. `traded_at` is None when the latest trade is unknown.
    """

    symbol: str
    at: datetime
    bid: Decimal
    ask: Decimal
    last: Decimal
    traded_at: datetime | None
    is_halted: bool = False

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2


def quote_around(symbol: str, at: datetime, last: Decimal, *, spread: Decimal = 2 * _HALF_SPREAD) -> Quote:
    """Return a quote half a spread, at least one tick, to each side of the price; the bid stays above zero."""
    tick = tick_size(last)
    half_spread = max((last * spread / 2).quantize(tick, ROUND_HALF_UP), tick)
    return Quote(symbol, at, max(last - half_spread, tick), last + half_spread, last, at)


class Market:
    """Every symbol's history, seen at a moment. Its only state is what is planted."""

    def __init__(self, history: Mapping[str, BarSeries]) -> None:
        self._history = history
        self.assets = {symbol: asset_of(symbol) for symbol in history}
        self._by_id = {asset.id: asset for asset in self.assets.values()}
        self._closes: dict[tuple[str, date], Decimal | None] = {}
        self.conditions: dict[str, Condition] = {}
        self.actions = CorporateActions(self._close_before)
        self.bar_faults, self.second_bar_faults = BarFaults(), BarFaults()

    def fork(self) -> "Market":
        """Return a market with the same history, with nothing planted; the two share their caches."""
        market = Market.__new__(Market)
        market._history, market.assets, market._by_id = self._history, self.assets, self._by_id
        market._closes = self._closes
        market.conditions, market.actions = {}, CorporateActions(market._close_before)
        market.bar_faults, market.second_bar_faults = BarFaults(), BarFaults()
        return market

    def reset(self) -> None:
        """Remove everything that was planted."""
        self.conditions.clear()
        self.actions.clear()
        self.replace_bar_faults(())

    def all_bar_faults(self) -> tuple[BarFault, ...]:
        """Return the faults planted in the bars of the broker, then those of the second source."""
        return (*self.bar_faults.planted, *self.second_bar_faults.planted)

    def replace_bar_faults(self, faults: Iterable[BarFault]) -> None:
        """Plant these faults, each on its side, in place of all others."""
        wanted = tuple(faults)
        self.bar_faults.planted[:] = [fault for fault in wanted if fault.side == "broker"]
        self.second_bar_faults.planted[:] = [fault for fault in wanted if fault.side == "second"]

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
        """Return the close of this day or of the last day before it, rounded to the tick; None before the first bar.

        It is the price at which the symbol traded: before the ex-date of a planted action, another than the history's.
        """
        close = self._adjusted_close(symbol, day)
        if close is None or not self.actions.has(symbol):
            return close
        factor = self.actions.factor(symbol, day, today=day, adjustment="raw")
        return close if factor.is_one else to_tick(self._exact_close(symbol, day) * factor.price)

    def price(self, symbol: str, now: datetime) -> Decimal | None:
        return self.close(symbol, latest_opened(now).date)

    def previous_close(self, symbol: str, now: datetime) -> Decimal | None:
        """Return the close of the session before the one whose close is the price, per share as of now."""
        today = latest_opened(now).date
        before = session_before(today).date
        close = self.close(symbol, before)
        if close is None or not self.actions.has(symbol):
            return close
        ratio = self.actions.split_ratio(symbol, after=before, through=today)
        return close if ratio == 1 else to_tick(close / ratio)

    def quote(self, symbol: str, now: datetime) -> Quote | None:
        """Return the quote now or, when closed, at the last close; None before the symbol's first bar."""
        session = latest_opened(now)
        last = self.close(symbol, session.date)
        if last is None:
            return None
        at = now if now < session.closes else session.closes
        condition = self.conditions.get(symbol)
        return quote_around(symbol, at, last) if condition is None else _conditioned(condition, at, last)

    def visible_bars(
        self,
        symbol: str,
        now: datetime,
        *,
        start: date = date.min,
        end: date = date.max,
        adjustment: str = "raw",
        most: int | None = None,
    ) -> tuple[Bar, ...]:
        """Return the bars from start through end whose session has closed by now.

        Args:
            adjustment: raw, split, dividend or all; they differ only by planted corporate actions.
            most: how many bars to return at most, the latest ones.
        """
        series = self._history[symbol]
        session = latest_opened(now)
        last_closed = session.date if session.closes <= now else session_before(session.date).date
        first, stop = bisect_left(series.dates, start), series.count_through(min(end, last_closed))
        bars = series.bars(first if most is None else max(first, stop - most), stop)
        if not self.actions.has(symbol):
            return bars
        today = now.astimezone(NEW_YORK).date()
        return tuple(self._rescaled(symbol, bar, today=today, adjustment=adjustment) for bar in bars)

    def true_bar(self, symbol: str, day: date) -> Bar:
        """Return the bar of a day in the history, or the last one before it, or the first one."""
        series = self._history[symbol]
        number = max(series.count_through(day), 1)
        return series.bars(number - 1, number)[0]

    def _rescaled(self, symbol: str, bar: Bar, *, today: date, adjustment: str) -> Bar:
        factor = self.actions.factor(symbol, bar.date, today=today, adjustment=adjustment)
        if factor.is_one:
            return bar
        opened, high, low, close = (_scaled(price, factor.price) for price in (bar.open, bar.high, bar.low, bar.close))
        return Bar(bar.date, opened, high, low, close, int(Decimal(bar.volume) / factor.shares))

    def _adjusted_close(self, symbol: str, day: date) -> Decimal | None:
        key = (symbol, day)
        if key not in self._closes:
            is_known = self._history[symbol].count_through(day) > 0
            self._closes[key] = to_tick(self._exact_close(symbol, day)) if is_known else None
        return self._closes[key]

    def _exact_close(self, symbol: str, day: date) -> Decimal:
        series = self._history[symbol]
        return Decimal(repr(series.closes[series.count_through(day) - 1]))

    def _close_before(self, symbol: str, day: date) -> Decimal | None:
        return self._adjusted_close(symbol, session_before(day).date) if symbol in self._history else None


def _scaled(price: float, factor: Decimal) -> float:
    return float(round(Decimal(repr(price)) * factor, 6))


def _conditioned(condition: Condition, at: datetime, last: Decimal) -> Quote:
    spread = condition.spread if condition.spread is not None else 2 * _HALF_SPREAD
    frozen = min(at, condition.since) if condition.halted and condition.since is not None else at
    quote = quote_around(condition.symbol, frozen, last, spread=spread)
    return replace(
        quote,
        at=frozen - timedelta(seconds=condition.quote_age_s),
        bid=ZERO if condition.lacks("bid") else quote.bid,
        ask=ZERO if condition.lacks("ask") else quote.ask,
        traded_at=None if condition.no_trade else frozen,
        is_halted=condition.halted,
    )
