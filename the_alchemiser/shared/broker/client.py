"""A client of the broker's trading and market-data APIs, with the calls that the product needs.

The vendor's SDK is not used: it has no time-outs, needs pandas, and sends an order again after a 504.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from the_alchemiser.shared.broker import paging, parsing
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.errors import (
    AssetNotFoundError,
    BrokerRejectionError,
    BrokerUnavailableError,
    DuplicateClientOrderIdError,
    NotFoundError,
    OrderNotCancelableError,
    OrderNotFoundError,
    RateLimitedError,
)
from the_alchemiser.shared.broker.models import (
    Account,
    Activity,
    Asset,
    Bar,
    Order,
    OrderRequest,
    Position,
    Snapshot,
    Trade,
)
from the_alchemiser.shared.broker.parsing import parse_all, parse_one
from the_alchemiser.shared.broker.rate_limit import Pace, Pacing, Retries
from the_alchemiser.shared.broker.transport import Connections, Timeouts, Transport
from the_alchemiser.shared.broker.wire import Signed, Wire
from the_alchemiser.shared.corporate_actions import CorporateAction
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.values import Clock, Session, Side

_LOOKED_UP_SINGLY = 3
_UNPROCESSABLE = 422


class Broker:
    """A connection to one account. It may live as long as the process; `close` closes its sockets.

    Every call raises BrokerUnavailableError when the broker gives no usable answer; a read has been attempted three
    times by then. A read may wait for the rate limit (see rate_limit.py). Docstrings list the other errors of a call.
    """

    def __init__(
        self,
        trading_url: str,
        data_url: str,
        keys: Callable[[], Credentials],
        *,
        reread: Callable[[], Credentials] | None = None,
        transport: Transport | None = None,
        timeouts: Timeouts | None = None,
        retries: Retries | None = None,
        pacing: Pacing | None = None,
    ) -> None:
        """Connect with the first request, not before.

        Args:
            trading_url, data_url: hosts without `/v2`.
            keys: called for every request, so it should cache.
            reread: called when the broker refuses the keys, so it must not use a cache; None when they never change.
            transport: carries the requests; None for connections of its own.
            pacing: how reads keep to the rate limit.
        """
        self._transport = Signed(transport or Connections(timeouts or Timeouts()), keys, reread)
        self._pace = Pace(pacing or Pacing())
        # Each host counts its own requests; the paper exchange is one host and counts all.
        data_pace = self._pace if data_url == trading_url else Pace(pacing or Pacing())
        self._trading = Wire(self._transport, trading_url, retries or Retries(), self._pace)
        self._data = Wire(self._transport, data_url, retries or Retries(), data_pace)

    def close(self) -> None:
        """Close the sockets."""
        self._transport.close()

    @property
    def allowance(self) -> int | None:
        """Return how many trading requests were left in this minute after the latest answer; None if not known."""
        return self._pace.allowance

    def account(self) -> Account:
        """Return the current state of the account."""
        return parse_one(parsing.account, self._trading.get("/v2/account"))

    def activities(self, *, after: datetime | None = None) -> tuple[Activity, ...]:
        """Return the account's activities other than trades, by the time they were created: a page has 100 of them.

        Args:
            after: only those that were created later; all that the account ever had by default.
        """
        since = {} if after is None else {"after": after.isoformat()}
        return paging.activities(self._trading, {"category": "non_trade_activity", **since})

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
        return parse_one(parsing.asset, self._trading.get(f"/v2/assets/{_quoted(symbol)}"))

    def assets(self) -> tuple[Asset, ...]:
        """Return every active US equity, about 11,000 of them."""
        params = {"status": "active", "asset_class": "us_equity"}
        return parse_all(parsing.asset, self._trading.get("/v2/assets", params))

    def assets_of(self, symbols: Iterable[str]) -> Mapping[str, Asset]:
        """Return the assets with these symbols. A symbol that the result leaves out cannot be traded.

        For up to 3 symbols this is one request per symbol, for more the one request of `assets`, which takes a second:
        the rate limit counts requests.
        """
        wanted = sorted(set(symbols))
        if len(wanted) > _LOOKED_UP_SINGLY:
            listed = {asset.symbol: asset for asset in self.assets()}
            return {symbol: listed[symbol] for symbol in wanted if symbol in listed}

        known = {}
        for symbol in wanted:
            with suppress(AssetNotFoundError):
                known[symbol] = self.asset(symbol)
        return known

    def positions(self) -> tuple[Position, ...]:
        """Return everything that the account holds, also what the product cannot trade."""
        return parse_all(parsing.position, self._trading.get("/v2/positions"))

    def position(self, symbol: str) -> Position | None:
        """Return what the account holds of this symbol, None when that is nothing."""
        try:
            return parse_one(parsing.position, self._trading.get(f"/v2/positions/{_quoted(symbol)}"))
        except NotFoundError:
            return None

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
        return parse_one(parsing.order, self._trading.get(f"/v2/orders/{_quoted(order_id)}"))

    def orders(
        self, *, after: datetime, symbols: Iterable[str] = (), status: Literal["open", "closed", "all"] = "all"
    ) -> tuple[Order, ...]:
        """Return the orders that were submitted after this moment, by any program or person, in that order.

        Args:
            symbols: return the orders of these symbols only; all orders when empty.
            status: `open` includes partially filled orders and those that wait for a cancellation.
        """
        return paging.orders_after(self._trading, after, _symbols_param(symbols) | {"status": status})

    def cancel(self, order_id: str) -> None:
        """Request a cancellation. Whatever the answer, only `order` says what became of the order: it may be filled.

        Raises:
            OrderNotCancelableError: the broker did not accept the request; look the order up again.
            OrderNotFoundError: the broker has no such order.
        """
        try:
            self._trading.delete(f"/v2/orders/{_quoted(order_id)}")
        except BrokerRejectionError as rejection:
            # Filled, already being cancelled, replaced: the texts vary, and none of them means that a trade failed.
            if rejection.status == _UNPROCESSABLE:
                raise OrderNotCancelableError(
                    str(rejection), status=rejection.status, code=rejection.code
                ) from rejection
            raise

    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]:
        """Return the last sale of each symbol. The result leaves out a symbol without one."""
        params = _symbols_param(symbols)
        if not params:
            return {}
        return parse_one(parsing.latest_trades, self._data.get("/v2/stocks/trades/latest", params))

    def snapshots(self, symbols: Iterable[str]) -> Mapping[str, Snapshot]:
        """Return the latest quote and the last sale of each symbol. The result leaves out a symbol without either.

        Raises:
            AssetNotFoundError: one of the symbols is not that of a stock, which fails the whole request.
        """
        params = _symbols_param(symbols)
        if not params:
            return {}
        return parse_one(parsing.snapshots, self._data.get("/v2/stocks/snapshots", params))

    def bars(
        self, symbols: Iterable[str], start: date, end: date, *, adjustment: Literal["all", "raw", "split"] = "all"
    ) -> Iterator[tuple[str, tuple[Bar, ...]]]:
        """Yield each symbol with its daily bars from start through end.

        Symbols come in ascending order; a symbol without bars does not come. At most two pages are in memory.

        Args:
            adjustment: `all` adjusts past prices for splits and dividends, `split` for splits only, `raw` for neither.

        Raises:
            AssetNotFoundError: the broker does not know one of the symbols, which fails the whole request; the message
                names the symbol.
        """
        symbols_param = _symbols_param(symbols)
        if symbols_param:
            params = symbols_param | _bars_params(start, end) | {"adjustment": adjustment}
            yield from paging.bars_by_symbol(self._data, params)

    def corporate_actions(self, symbols: Iterable[str], start: date, end: date) -> tuple[CorporateAction, ...]:
        """Return the corporate actions that are processed from start through end, by symbol and ex-date.

        A split is processed on its ex-date, a dividend on the later day on which it is paid.
        """
        params = _symbols_param(symbols)
        if not params:
            return ()
        interval = {"start": start.isoformat(), "end": end.isoformat()}
        return paging.corporate_actions(self._data, params | interval)

    def _settle(self, client_order_id: str, failure: BrokerUnavailableError | DuplicateClientOrderIdError) -> Order:
        """Return the order that exists after a failed submission; raise the failure when there is none."""
        try:
            existing = self.order_by_client_id(client_order_id)
        except RateLimitedError as error:
            # A caller must not take this for a submission that was over the limit, after which no order can exist.
            raise BrokerUnavailableError(f"{client_order_id} may have been accepted: {failure}; {error}") from error

        if existing is not None:
            return existing
        if isinstance(failure, DuplicateClientOrderIdError):
            # There is such an order, although the look-up does not show it yet: it may fill, so this is not a refusal.
            raise BrokerUnavailableError(f"{client_order_id} exists, but is not found yet: {failure}") from failure
        raise failure


def _plain_decimal(number: Decimal) -> str:
    """Write a decimal as the broker expects it: without exponent or trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


_INTENTS = {Side.BUY: "buy_to_open", Side.SELL: "sell_to_close"}


def _order_body(request: OrderRequest) -> dict[str, str]:
    body = {
        "symbol": request.symbol,
        "side": request.side.value.lower(),
        "qty": _plain_decimal(request.quantity),
        "type": request.type.value,
        "time_in_force": "day",
        "client_order_id": request.client_order_id,
        # In a margin account a sale of more than is held would open a short position; with an intent it is refused.
        "position_intent": _INTENTS[request.side],
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
    }


def _midnight(day: date) -> str:
    """Return the time stamp of the day's bar. It limits the interval exactly and is never too recent for the feed."""
    return datetime.combine(day, time(), new_york()).isoformat()


def _quoted(text: str) -> str:
    """Return text as one part of a path."""
    from urllib.parse import quote  # noqa: PLC0415 - the SDK loads it anyway, after the import of the handler

    return quote(text, safe="")
