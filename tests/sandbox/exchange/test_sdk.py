"""The broker's own SDK as the client of the served exchange."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment, DataFeed
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.requests import (
    StockBarsRequest,
    StockLatestBarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    OrderSide,
    OrderStatus,
    QueryOrderStatus,
)
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetCalendarRequest,
    GetOrdersRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
)

from sandbox.exchange.control import ExchangeControl
from tests.sandbox.exchange.sdk_orders import limit, market

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

DAILY = TimeFrame(1, TimeFrameUnit.Day)


def test_sdk_reads_account_clock_calendar_and_assets(trading: TradingClient) -> None:
    account: Any = trading.get_account()
    clock: Any = trading.get_clock()
    days: Any = trading.get_calendar(GetCalendarRequest(start=date(2022, 11, 21), end=date(2022, 11, 27)))
    assets: Any = trading.get_all_assets()
    spy: Any = trading.get_asset("SPY")

    assert (account.status.value, account.cash, account.multiplier) == ("ACTIVE", "100000", "1")
    assert (clock.is_open, clock.timestamp.isoformat()) == (True, "2022-03-16T15:45:00-04:00")
    assert clock.next_close.isoformat() == "2022-03-16T16:00:00-04:00"
    assert [(day.date.day, day.close.hour) for day in days] == [(21, 16), (22, 16), (23, 16), (25, 13)]
    assert len(assets) == 35
    assert trading.get_asset(spy.id) == spy
    assert spy.tradable
    assert spy.fractionable


def test_sdk_buys_and_sells_with_matching_positions(trading: TradingClient) -> None:
    bought: Any = trading.submit_order(market("SPY", OrderSide.BUY, 10.5, client_order_id="buy-1"))
    read: Any = trading.get_order_by_client_id("buy-1")
    sold: Any = trading.close_position("SPY", ClosePositionRequest(qty="0.5"))
    position: Any = trading.get_open_position("SPY")
    account: Any = trading.get_account()

    assert (bought.status, read.status, read.id) == (OrderStatus.PENDING_NEW, OrderStatus.FILLED, bought.id)
    assert trading.get_order_by_id(sold.id).filled_qty == "0.5"  # type: ignore[union-attr]
    assert (position.qty, position.qty_available) == ("10", "10")
    assert Decimal(account.equity) == Decimal(account.cash) + Decimal(position.market_value)


def test_sdk_rests_lists_replaces_and_cancels_orders(trading: TradingClient) -> None:
    first: Any = trading.submit_order(limit("SPY", 5, 300, client_order_id="one"))
    second: Any = trading.submit_order(limit("QQQ", 1, 200))
    replaced: Any = trading.replace_order_by_id(first.id, ReplaceOrderRequest(qty=4, limit_price=301))
    trading.cancel_order_by_id(second.id)
    open_orders: Any = trading.get_orders()
    closed: Any = trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.CLOSED, symbols=["SPY", "QQQ"]))
    canceled: Any = trading.cancel_orders()

    assert [(order.id, order.qty, order.limit_price) for order in open_orders] == [(replaced.id, "4", "301")]
    assert replaced.replaces == first.id
    assert [order.status for order in closed] == [OrderStatus.CANCELED, OrderStatus.REPLACED]
    assert [(answer.id, answer.status) for answer in canceled] == [(replaced.id, 200)]


def test_sdk_pages_through_the_orders_of_an_account(trading: TradingClient) -> None:
    names = [f"n{number}" for number in range(7)]
    for name in names:
        trading.submit_order(limit("SPY", 1, 100, client_order_id=name))
    seen: list[str] = []
    until: datetime | None = None
    while True:
        page: Any = trading.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, limit=3, until=until))
        if not page:
            break
        seen += [order.client_order_id for order in page]
        until = page[-1].submitted_at

    assert seen == names[::-1]


def test_sdk_closes_all_positions(trading: TradingClient) -> None:
    for symbol in ("SPY", "KO"):
        trading.submit_order(market(symbol, OrderSide.BUY, 3))
    trading.submit_order(limit("XOM", 1, 10))

    answers: Any = trading.close_all_positions(cancel_orders=True)

    assert [(answer.symbol, answer.status) for answer in answers] == [("KO", 200), ("SPY", 200)]
    assert trading.get_all_positions() == []
    assert trading.get_orders() == []


@pytest.mark.parametrize(
    ("order", "status", "code", "message"),
    [
        (market("SPY", OrderSide.BUY, 1000), 403, 40310000, "insufficient buying power"),
        (market("SPY", OrderSide.SELL, 1), 403, 40310000, "account is not allowed to short"),
        (market("ZZZZ", OrderSide.BUY, 1), 422, 42210000, "asset not found for ZZZZ"),
        (market("SPY", OrderSide.BUY, 1, client_order_id="used"), 422, 40010001, "client_order_id must be unique"),
    ],
)
def test_sdk_refused_order_raises_the_brokers_code(
    trading: TradingClient, order: MarketOrderRequest, status: int, code: int, message: str
) -> None:
    trading.submit_order(market("KO", OrderSide.BUY, 1, client_order_id="used"))

    with pytest.raises(APIError) as caught:
        trading.submit_order(order)

    assert (caught.value.status_code, caught.value.code, caught.value.message) == (status, code, message)


def test_sdk_requests_for_unknown_ids_are_not_found(trading: TradingClient) -> None:
    missing = "00000000-0000-0000-0000-000000000000"
    requests: list[Any] = [
        lambda: trading.get_open_position("SPY"),
        lambda: trading.get_asset("ZZZZ"),
        lambda: trading.get_order_by_id(missing),
        lambda: trading.get_order_by_client_id("none"),
    ]
    messages = []
    for request in requests:
        with pytest.raises(APIError) as caught:
            request()
        messages.append((caught.value.status_code, caught.value.message))

    assert messages == [
        (404, "position does not exist"),
        (404, "asset not found for ZZZZ"),
        (404, f"order not found for {missing}"),
        (404, "order not found for none"),
    ]


def test_sdk_retry_after_a_lost_answer_is_a_duplicate(control: ExchangeControl, trading: TradingClient) -> None:
    control.plant("commit_then_504")
    client: Any = trading
    client._retry, client._retry_wait = 1, 0

    with pytest.raises(APIError) as caught:
        trading.submit_order(market("SPY", OrderSide.BUY, 1, client_order_id="once"))

    assert (caught.value.status_code, caught.value.message) == (422, "client_order_id must be unique")
    assert trading.get_open_position("SPY").qty == "1"  # type: ignore[union-attr]


def test_sdk_with_a_wrong_key_is_refused(server: str) -> None:
    client: Any = TradingClient("sandbox-key", "wrong", url_override=server)

    with pytest.raises(APIError) as caught:
        client.get_account()
    client._session.close()

    assert (caught.value.status_code, caught.value.code) == (401, 40110000)


def test_sdk_bars_of_several_symbols_span_pages(data: StockHistoricalDataClient) -> None:
    symbols = ["SPY", "KO", "XOM", "JNJ"]
    query = {"symbol_or_symbols": symbols, "timeframe": DAILY, "adjustment": Adjustment.ALL, "feed": DataFeed.IEX}
    start = datetime(2010, 1, 4, tzinfo=UTC)

    whole: Any = data.get_stock_bars(StockBarsRequest(start=start, **query))
    some: Any = data.get_stock_bars(StockBarsRequest(start=start, limit=3500, **query))

    assert {symbol: len(whole.data[symbol]) for symbol in symbols} == {"SPY": 555, "KO": 3071, "XOM": 3071, "JNJ": 3071}
    assert {symbol: len(bars) for symbol, bars in some.data.items()} == {"JNJ": 3071, "KO": 429}
    assert whole.data["SPY"][-1].timestamp == datetime(2022, 3, 15, 4, tzinfo=UTC)


def test_sdk_latest_quote_trade_bar_and_snapshot_agree(data: StockHistoricalDataClient) -> None:
    quote: Any = data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols=["SPY", "ZZZZ"]))
    trade: Any = data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="SPY"))
    bar: Any = data.get_stock_latest_bar(StockLatestBarRequest(symbol_or_symbols="SPY"))
    snapshot: Any = data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="SPY"))

    assert set(quote) == {"SPY"}
    assert (quote["SPY"].bid_price, trade["SPY"].price, quote["SPY"].ask_price) == (413.24, 413.28, 413.32)
    assert bar["SPY"].close == snapshot["SPY"].latest_trade.price == 413.28
    assert snapshot["SPY"].daily_bar.timestamp == datetime(2022, 3, 15, 4, tzinfo=UTC)


def test_sdk_bars_of_an_unknown_symbol_fail_the_request(data: StockHistoricalDataClient) -> None:
    with pytest.raises(APIError, match="invalid symbol: ZZZZ"):
        data.get_stock_bars(StockBarsRequest(symbol_or_symbols=["SPY", "ZZZZ"], timeframe=DAILY))
