"""The broker's trading and market-data API, as far as the product needs it.

Own code instead of the vendor's SDK, which has no time-outs, needs pandas, and sends an order again after a 504.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from urllib.parse import quote

import httpx

from the_alchemiser.shared.broker import parsing
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.errors import (
    BrokerUnavailableError,
    DuplicateClientOrderIdError,
    OrderNotFoundError,
    RateLimitedError,
)
from the_alchemiser.shared.broker.models import (
    Account,
    Asset,
    Bar,
    Clock,
    Order,
    OrderRequest,
    Position,
    Quote,
    Session,
    Trade,
)
from the_alchemiser.shared.broker.parsing import parse_all, parse_one
from the_alchemiser.shared.broker.wire import Retries, Timeouts, Wire, http_client

_PAGE_ROWS = 10_000


class Broker:
    """A connection to one account. Safe to keep for the life of the process; `close` returns its sockets."""

    def __init__(
        self,
        trading_url: str,
        data_url: str,
        keys: Callable[[], Credentials],
        *,
        transport: httpx.BaseTransport | None = None,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        feed: str | None = None,
    ) -> None:
        """Connect on first use.

        Args:
            trading_url, data_url: hosts without `/v2`.
            keys: asked with each request, the first of which comes long after the wiring; they should be cached.
            feed: `iex` or `sip`; None leaves the best the subscription has to the broker.
        """
        self._http = http_client(keys, timeouts=timeouts or Timeouts(), transport=transport)
        self._trading = Wire(self._http, trading_url, retries or Retries())
        self._data = Wire(self._http, data_url, retries or Retries())
        self._feed = {"feed": feed} if feed else {}

    def close(self) -> None:
        self._http.close()

    def account(self) -> Account:
        return parse_one(parsing.account, self._trading.get("/v2/account"))

    def clock(self) -> Clock:
        return parse_one(parsing.clock, self._trading.get("/v2/clock"))

    def calendar(self, start: date, end: date) -> tuple[Session, ...]:
        """The sessions of start through end, both included, ascending."""
        params = {"start": start.isoformat(), "end": end.isoformat()}
        return parse_all(parsing.session, self._trading.get("/v2/calendar", params))

    def asset(self, symbol: str) -> Asset:
        """One asset.

        Raises:
            AssetNotFoundError: no such symbol.
        """
        return parse_one(parsing.asset, self._trading.get(f"/v2/assets/{quote(symbol, safe='')}"))

    def assets(self) -> tuple[Asset, ...]:
        """Every active US equity: some 11,000 at the real broker."""
        params = {"status": "active", "asset_class": "us_equity"}
        return parse_all(parsing.asset, self._trading.get("/v2/assets", params))

    def positions(self) -> tuple[Position, ...]:
        return parse_all(parsing.position, self._trading.get("/v2/positions"))

    def submit(self, request: OrderRequest) -> Order:
        """Send an order once.

        An answer that got lost, and an id the broker already knows, are settled by looking the order up: the order
        returned may be an earlier attempt's, with its quantity and price.

        Raises:
            BrokerUnavailableError: it is not known whether the order exists; submitting again is safe.
            BrokerRejectionError: refused, by the name of its cause.
        """
        try:
            return parse_one(parsing.order, self._trading.post("/v2/orders", _order_body(request)))
        except RateLimitedError:
            raise
        except (BrokerUnavailableError, DuplicateClientOrderIdError) as failure:
            return self._settle(request.client_order_id, failure)

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        """The order with this id, or None when the broker has none."""
        params = {"client_order_id": client_order_id}
        try:
            return parse_one(parsing.order, self._trading.get("/v2/orders:by_client_order_id", params))
        except OrderNotFoundError:
            return None

    def order(self, order_id: str) -> Order:
        """One order.

        Raises:
            OrderNotFoundError: no such order.
        """
        return parse_one(parsing.order, self._trading.get(f"/v2/orders/{quote(order_id, safe='')}"))

    def cancel(self, order_id: str) -> None:
        """Ask for a cancellation; it is confirmed only when `order` says so.

        Raises:
            OrderNotCancelableError: the order is already done.
        """
        self._trading.delete(f"/v2/orders/{quote(order_id, safe='')}")

    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]:
        """The last sale of each symbol; a symbol without one is absent."""
        asked = _joined(symbols)
        if not asked:
            return {}
        return parse_one(parsing.latest_trades, self._data.get("/v2/stocks/trades/latest", asked | self._feed))

    def latest_quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        """The quote of each symbol; a symbol without one is absent."""
        asked = _joined(symbols)
        if not asked:
            return {}
        return parse_one(parsing.latest_quotes, self._data.get("/v2/stocks/quotes/latest", asked | self._feed))

    def bars(self, symbols: Iterable[str], start: date, end: date) -> Iterator[tuple[str, tuple[Bar, ...]]]:
        """Daily bars of start through end, split- and dividend-adjusted, one symbol after another.

        A symbol without bars is not told. Two pages are in memory at most.

        Raises:
            AssetNotFoundError: one unknown symbol fails the whole request; the message names it.
        """
        asked = _joined(symbols)
        if not asked:
            return
        params = asked | self._feed | _bars_params(start, end)
        pending: dict[str, tuple[Bar, ...]] = {}
        token: str | None = ""
        while token is not None:
            page, token = parse_one(parsing.bars_page, self._data.get("/v2/stocks/bars", params))
            # Rows come ordered by symbol, then time: a symbol absent from the newest page is complete.
            for symbol in [known for known in pending if known not in page]:
                yield symbol, pending.pop(symbol)
            for symbol, rows in page.items():
                pending[symbol] = pending.get(symbol, ()) + rows
            params["page_token"] = token or ""
        yield from pending.items()

    def _settle(self, client_order_id: str, failure: Exception) -> Order:
        existing = self.order_by_client_id(client_order_id)
        if existing is None:
            raise failure
        return existing


def plain(number: Decimal) -> str:
    """A decimal in the notation the broker reads: no exponent, no trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _order_body(request: OrderRequest) -> dict[str, str]:
    body = {
        "symbol": request.symbol,
        "side": request.side.value.lower(),
        "qty": plain(request.quantity),
        "type": request.type.value,
        "time_in_force": "day",
        "client_order_id": request.client_order_id,
    }
    return body if request.limit_price is None else body | {"limit_price": plain(request.limit_price)}


def _joined(symbols: Iterable[str]) -> dict[str, str]:
    text = ",".join(sorted(set(symbols)))
    return {"symbols": text} if text else {}


def _bars_params(start: date, end: date) -> dict[str, str]:
    return {
        "timeframe": "1Day",
        "start": _midnight(start),
        "end": _midnight(end),
        "adjustment": "all",
        "limit": str(_PAGE_ROWS),
    }


def _midnight(day: date) -> str:
    """The stamp of the day's bar: it bounds the interval exactly, and is never too recent for the subscription."""
    return datetime.combine(day, time(), parsing.NEW_YORK).isoformat()
