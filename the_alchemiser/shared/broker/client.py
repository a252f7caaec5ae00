"""A client of the broker's trading and market-data APIs, with the calls that the product needs.

The vendor's SDK is not used: it has no time-outs, needs pandas, and sends an order again after a 504.
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
from the_alchemiser.shared.broker.models import Account, Asset, Bar, Order, OrderRequest, Position, Quote, Trade
from the_alchemiser.shared.broker.parsing import parse_all, parse_one
from the_alchemiser.shared.broker.rate_limit import Retries
from the_alchemiser.shared.broker.wire import Timeouts, Wire, http_client
from the_alchemiser.shared.exchange_time import NEW_YORK
from the_alchemiser.shared.values import Clock, Session

_PAGE_ROWS = 10_000


class Broker:
    """A connection to one account. It may live as long as the process; `close` closes its sockets.

    Every call raises BrokerUnavailableError when the broker gives no usable answer; a read has been attempted three
    times by then. A docstring lists the other errors of its call.
    """

    def __init__(
        self,
        trading_url: str,
        data_url: str,
        keys: Callable[[], Credentials],
        *,
        reread: Callable[[], Credentials] | None = None,
        transport: httpx.BaseTransport | None = None,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        feed: str | None = None,
    ) -> None:
        """Connect with the first request, not before.

        Args:
            trading_url, data_url: hosts without `/v2`.
            keys: called for every request, so it should cache.
            reread: called when the broker refuses the keys, so it must not use a cache; None when they never change.
            feed: `iex` or `sip`; with None the broker uses the best feed of the subscription.
        """
        self._http = http_client(keys, reread=reread, timeouts=timeouts or Timeouts(), transport=transport)
        self._trading = Wire(self._http, trading_url, retries or Retries())
        self._data = Wire(self._http, data_url, retries or Retries())
        self._feed = {"feed": feed} if feed else {}

    def close(self) -> None:
        """Close the sockets."""
        self._http.close()

    def account(self) -> Account:
        """Return the current state of the account."""
        return parse_one(parsing.account, self._trading.get("/v2/account"))

    def clock(self) -> Clock:
        """Return the broker's clock."""
        return parse_one(parsing.clock, self._trading.get("/v2/clock"))

    def calendar(self, start: date, end: date) -> tuple[Session, ...]:
        """Return the sessions from start through end, both included, ascending."""
        params = {"start": start.isoformat(), "end": end.isoformat()}
        return parse_all(parsing.session, self._trading.get("/v2/calendar", params))

    def asset(self, symbol: str) -> Asset:
        """Return the asset with this symbol.

        Raises:
            AssetNotFoundError: the broker does not know the symbol.
        """
        return parse_one(parsing.asset, self._trading.get(f"/v2/assets/{quote(symbol, safe='')}"))

    def assets(self) -> tuple[Asset, ...]:
        """Return every active US equity, about 11,000 of them."""
        params = {"status": "active", "asset_class": "us_equity"}
        return parse_all(parsing.asset, self._trading.get("/v2/assets", params))

    def positions(self) -> tuple[Position, ...]:
        """Return all positions of the account."""
        return parse_all(parsing.position, self._trading.get("/v2/positions"))

    def submit(self, request: OrderRequest) -> Order:
        """Send an order once.

        If the response is lost, or the broker already knows the client order id, look the order up instead of sending
        it again. The returned order may then be that of an earlier attempt, with that attempt's quantity and price.

        Raises:
            RateLimitedError: the order was not accepted; submitting again is safe.
            BrokerUnavailableError: it is not known whether the order exists; submitting again is safe.
            BrokerRejectionError: the broker refused the order; the subclass names the cause.
        """
        try:
            return parse_one(parsing.order, self._trading.post("/v2/orders", _order_body(request)))
        except RateLimitedError:
            # A look-up would be one more request over the limit, and the order certainly does not exist.
            raise
        except (BrokerUnavailableError, DuplicateClientOrderIdError) as failure:
            # Never send again: the order may have been accepted before a 504 or a time-out, and would trade twice.
            return self._settle(request.client_order_id, failure)

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        """Return the order with this client order id, or None when the broker has none."""
        params = {"client_order_id": client_order_id}
        try:
            return parse_one(parsing.order, self._trading.get("/v2/orders:by_client_order_id", params))
        except OrderNotFoundError:
            return None

    def order(self, order_id: str) -> Order:
        """Return the order with this broker id.

        Raises:
            OrderNotFoundError: the broker has no such order.
        """
        return parse_one(parsing.order, self._trading.get(f"/v2/orders/{quote(order_id, safe='')}"))

    def cancel(self, order_id: str) -> None:
        """Request a cancellation. The order may still fill until `order` reports it as canceled.

        Raises:
            OrderNotCancelableError: the order is already done.
            OrderNotFoundError: the broker has no such order.
        """
        self._trading.delete(f"/v2/orders/{quote(order_id, safe='')}")

    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]:
        """Return the last sale of each symbol. The result leaves out a symbol without one."""
        params = _symbols_param(symbols)
        if not params:
            return {}
        return parse_one(parsing.latest_trades, self._data.get("/v2/stocks/trades/latest", params | self._feed))

    def latest_quotes(self, symbols: Iterable[str]) -> Mapping[str, Quote]:
        """Return the best bid and ask of each symbol. The result leaves out a symbol without a quote."""
        params = _symbols_param(symbols)
        if not params:
            return {}
        return parse_one(parsing.latest_quotes, self._data.get("/v2/stocks/quotes/latest", params | self._feed))

    def bars(self, symbols: Iterable[str], start: date, end: date) -> Iterator[tuple[str, tuple[Bar, ...]]]:
        """Yield each symbol with its daily bars from start through end, adjusted for splits and dividends.

        Symbols come in ascending order; a symbol without bars does not come. At most two pages are in memory.

        Raises:
            AssetNotFoundError: the broker does not know one of the symbols, which fails the whole request; the message
                names the symbol.
        """
        symbols_param = _symbols_param(symbols)
        if not symbols_param:
            return
        params = symbols_param | self._feed | _bars_params(start, end)

        pending: dict[str, tuple[Bar, ...]] = {}
        token: str | None = ""
        while token is not None:
            page, token = parse_one(parsing.bars_page, self._data.get("/v2/stocks/bars", params))
            # Rows are ordered by symbol, then time: a symbol that is not on the newest page is complete.
            for symbol in [earlier for earlier in pending if earlier not in page]:
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


def _plain_decimal(number: Decimal) -> str:
    """Write a decimal as the broker expects it: without exponent or trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _order_body(request: OrderRequest) -> dict[str, str]:
    body = {
        "symbol": request.symbol,
        "side": request.side.value.lower(),
        "qty": _plain_decimal(request.quantity),
        "type": request.type.value,
        "time_in_force": "day",
        "client_order_id": request.client_order_id,
    }
    return body if request.limit_price is None else body | {"limit_price": _plain_decimal(request.limit_price)}


def _symbols_param(symbols: Iterable[str]) -> dict[str, str]:
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
    """Return the time stamp of the day's bar. It limits the interval exactly and is never too recent for the feed."""
    return datetime.combine(day, time(), NEW_YORK).isoformat()
