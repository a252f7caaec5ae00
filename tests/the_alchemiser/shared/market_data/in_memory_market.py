"""An in-memory calendar and data API of a broker: weekday sessions, bars by symbol, and planted faults."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Literal

from tests.the_alchemiser.shared.market_data.samples import sessions
from the_alchemiser.shared.broker.errors import AssetNotFoundError, BrokerTimeoutError
from the_alchemiser.shared.broker.models import Asset, Bar
from the_alchemiser.shared.corporate_actions import CorporateAction
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.market_data.bars import Bars
from the_alchemiser.shared.values import Clock, Session


@dataclass
class InMemoryMarket:
    """Serves bars, valid or not.

    Attributes:
        today: the clock shows 20:00 in New York on this day; later bars are not served.
        unknown: symbols for which a whole request is refused.
        times_out: symbols at which a request times out.
        silent_before: a request for bars from before this day times out.
        requests: symbols and first day of every request for bars.
        actions: all corporate actions.
        raw_closes: closes as traded, by symbol and day.
        whole_shares_only: the symbols without fractions.
        action_requests: symbols, first and last day of every request for corporate actions.
        hides_actions: requests for corporate actions time out.
    """

    served: dict[str, Bars]
    today: date
    days: tuple[date, ...] = field(default_factory=lambda: sessions(120))
    unknown: set[str] = field(default_factory=set)
    times_out: set[str] = field(default_factory=set)
    silent_before: date = date.min
    requests: list[tuple[tuple[str, ...], date]] = field(default_factory=list)
    actions: tuple[CorporateAction, ...] = ()
    raw_closes: dict[str, dict[date, str]] = field(default_factory=dict)
    whole_shares_only: frozenset[str] = frozenset()
    action_requests: list[tuple[tuple[str, ...], date, date]] = field(default_factory=list)
    hides_actions: bool = False

    def clock(self) -> Clock:
        now = datetime.combine(self.today, time(20), new_york()).astimezone(UTC)
        return Clock(now, False, now, now)

    def calendar(self, start: date, end: date) -> tuple[Session, ...]:
        return tuple(
            Session(day, datetime.combine(day, time(9, 30), new_york()), datetime.combine(day, time(16), new_york()))
            for day in self.days
            if start <= day <= end
        )

    def corporate_actions(self, symbols: Iterable[str], start: date, end: date) -> tuple[CorporateAction, ...]:
        requested = tuple(sorted(symbols))
        self.action_requests.append((requested, start, end))
        if self.hides_actions:
            raise BrokerTimeoutError("GET /v1/corporate-actions: no answer in time")
        return tuple(a for a in self.actions if a.symbol in requested and start <= a.ex_date <= end)

    def assets_of(self, symbols: Iterable[str]) -> Mapping[str, Asset]:
        return {
            symbol: Asset(symbol, symbol, True, symbol not in self.whole_shares_only)
            for symbol in symbols
            if symbol not in self.unknown
        }

    def bars(
        self, symbols: Iterable[str], start: date, end: date, *, adjustment: Literal["all", "raw", "split"] = "all"
    ) -> Iterator[tuple[str, tuple[Bar, ...]]]:
        if adjustment == "raw":
            yield from self._raw_bars(symbols, start, end)
            return
        requested = sorted(symbols)
        self.requests.append((tuple(requested), start))
        if refused := self.unknown.intersection(requested):
            raise AssetNotFoundError(f"GET /v2/stocks/bars: 400 invalid symbol: {min(refused)}", status=400)
        for symbol in requested:
            if symbol in self.times_out or start < self.silent_before:
                raise BrokerTimeoutError("GET /v2/stocks/bars: no answer in time")
            rows = tuple(
                _broker_bar(bar) for bar in self.served.get(symbol, ()) if start <= bar[0] <= min(end, self.today)
            )
            if rows:
                yield symbol, rows

    def _raw_bars(self, symbols: Iterable[str], start: date, end: date) -> Iterator[tuple[str, tuple[Bar, ...]]]:
        for symbol in symbols:
            closes = {day: Decimal(close) for day, close in self.raw_closes.get(symbol, {}).items()}
            rows = [
                Bar(day, close, close, close, close, Decimal(0))
                for day, close in sorted(closes.items())
                if start <= day <= end
            ]
            if rows:
                yield symbol, tuple(rows)


def _broker_bar(bar: tuple[date, float, float, float, float, float, float]) -> Bar:
    day, *numbers, _ = bar
    opened, high, low, close, volume = (Decimal(repr(number)) for number in numbers)
    return Bar(day, opened, high, low, close, volume)
