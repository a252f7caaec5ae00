"""The broker's own SDK: every kind of order, margin accounts, odd positions, conditions, corporate actions."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from alpaca.common.enums import Sort
from alpaca.common.exceptions import APIError
from alpaca.data.enums import Adjustment, CorporateActionsType
from alpaca.data.historical import StockHistoricalDataClient
from alpaca.data.historical.corporate_actions import CorporateActionsClient
from alpaca.data.requests import (
    CorporateActionsRequest,
    StockBarsRequest,
    StockSnapshotRequest,
)
from alpaca.data.timeframe import TimeFrame, TimeFrameUnit
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AssetClass,
    AssetExchange,
    AssetStatus,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionIntent,
    PositionSide,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetOrdersRequest,
    MarketOrderRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopOrderRequest,
)

from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeControl
from tests.sandbox.exchange.sdk_orders import limit, market, read

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

DAILY = TimeFrame(1, TimeFrameUnit.Day)


def test_sdk_filters_assets(trading: TradingClient) -> None:
    query = GetAssetsRequest(status=AssetStatus.ACTIVE, asset_class=AssetClass.US_EQUITY, exchange=AssetExchange.ARCA)
    assets: Any = trading.get_all_assets(query)

    assert [asset.symbol for asset in assets] == ["GLD", "IWM", "SIZE", "SPY"]
    assert trading.get_all_assets(GetAssetsRequest(asset_class=AssetClass.CRYPTO)) == []


def test_sdk_notional_order_buys_a_fraction(trading: TradingClient) -> None:
    sent: Any = trading.submit_order(
        MarketOrderRequest(symbol="SPY", notional=100, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
    )
    order = read(trading, sent)

    assert (order.status, order.notional, order.qty) == (OrderStatus.FILLED, "100", None)
    assert order.position_intent is PositionIntent.BUY_TO_OPEN


@pytest.mark.parametrize("force", [TimeInForce.IOC, TimeInForce.FOK])
def test_sdk_immediate_orders_fill_or_are_canceled(trading: TradingClient, force: TimeInForce) -> None:
    filled: Any = trading.submit_order(market("SPY", OrderSide.BUY, 2, time_in_force=force))
    canceled: Any = trading.submit_order(limit("SPY", 2, 300, time_in_force=force))

    assert read(trading, filled).status is OrderStatus.FILLED
    assert (read(trading, canceled).status, read(trading, canceled).time_in_force) == (OrderStatus.CANCELED, force)


def test_sdk_auction_orders_fill_at_the_open_and_the_close(control: ExchangeControl, trading: TradingClient) -> None:
    control.set_clock(date(2022, 3, 17), Phase.EVENING_BEFORE)
    opening: Any = trading.submit_order(market("SPY", OrderSide.BUY, 2, time_in_force=TimeInForce.OPG))
    closing: Any = trading.submit_order(market("SPY", OrderSide.BUY, 2, time_in_force=TimeInForce.CLS))
    control.set_clock(date(2022, 3, 17), Phase.BEFORE_CLOSE)
    before = read(trading, opening).status, read(trading, closing).status
    control.set_clock(date(2022, 3, 17), Phase.AFTER_CLOSE)

    assert (opening.status, before) == (OrderStatus.ACCEPTED, (OrderStatus.FILLED, OrderStatus.NEW))
    assert read(trading, closing).filled_at == datetime(2022, 3, 17, 20, 0, 0, 1, tzinfo=UTC)


def test_sdk_stop_orders_rest_and_can_be_replaced(trading: TradingClient) -> None:
    terms: dict[str, Any] = {"symbol": "SPY", "qty": 2, "side": OrderSide.BUY, "time_in_force": TimeInForce.GTC}
    stop: Any = trading.submit_order(StopOrderRequest(stop_price=500, **terms))
    both: Any = trading.submit_order(StopLimitOrderRequest(stop_price=500, limit_price=510, **terms))
    replaced: Any = trading.replace_order_by_id(both.id, ReplaceOrderRequest(stop_price=505))

    assert (stop.type, stop.stop_price, read(trading, stop).status) == (OrderType.STOP, "500", OrderStatus.NEW)
    assert (replaced.type, replaced.stop_price, replaced.limit_price) == (OrderType.STOP_LIMIT, "505", "510")
    assert read(trading, both).replaced_by == replaced.id


def test_sdk_stop_price_on_the_wrong_side_is_refused(trading: TradingClient) -> None:
    with pytest.raises(APIError, match="stop price must be greater than current price"):
        trading.submit_order(
            StopOrderRequest(symbol="SPY", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, stop_price=100)
        )


def test_sdk_shorts_and_covers_in_a_margin_account(control: ExchangeControl, trading: TradingClient) -> None:
    control.reset(mode="margin")
    control.set_clock(date(2022, 3, 16), Phase.BEFORE_CLOSE)
    sold: Any = trading.submit_order(market("SPY", OrderSide.SELL, 4))
    account: Any = trading.get_account()
    short: Any = trading.get_open_position("SPY")
    bought: Any = trading.close_position("SPY", ClosePositionRequest(percentage="50"))

    assert (account.shorting_enabled, account.multiplier) == (True, "4")
    assert sold.position_intent is PositionIntent.SELL_TO_OPEN
    assert (short.side, short.qty, short.qty_available) == (PositionSide.SHORT, "-4", "-4")
    assert Decimal(short.market_value) < 0
    assert (bought.side, bought.position_intent) == (OrderSide.BUY, PositionIntent.BUY_TO_CLOSE)
    assert trading.get_open_position("SPY").qty == "-2"  # type: ignore[union-attr]


def test_sdk_sell_to_close_never_opens_a_short(control: ExchangeControl, trading: TradingClient) -> None:
    control.reset(mode="margin")
    control.set_clock(date(2022, 3, 16), Phase.BEFORE_CLOSE)

    with pytest.raises(APIError) as caught:
        trading.submit_order(market("SPY", OrderSide.SELL, 1, position_intent=PositionIntent.SELL_TO_CLOSE))

    assert (caught.value.status_code, caught.value.code) == (403, 40310000)


def test_sdk_cancel_of_a_filled_order_says_its_state(trading: TradingClient) -> None:
    order: Any = trading.submit_order(market("SPY", OrderSide.BUY, 1))

    with pytest.raises(APIError) as caught:
        trading.cancel_order_by_id(order.id)

    assert (caught.value.status_code, caught.value.code) == (422, 42210000)
    assert caught.value.message == 'order is already in "filled" state'


def test_sdk_reads_orders_that_are_pending_or_held(control: ExchangeControl, trading: TradingClient) -> None:
    control.plant("cancel_slowly", seconds=60)
    control.plant("hold", seconds=60, symbol="KO")
    slow: Any = trading.submit_order(limit("SPY", 1, 300))
    held: Any = trading.submit_order(market("KO", OrderSide.BUY, 1))
    trading.cancel_order_by_id(slow.id)
    seen = read(trading, slow).status, read(trading, held).status
    control.set_now(datetime(2022, 3, 16, 19, 50, tzinfo=UTC))

    assert seen == (OrderStatus.PENDING_CANCEL, OrderStatus.HELD)
    assert (read(trading, slow).status, read(trading, held).status) == (OrderStatus.CANCELED, OrderStatus.FILLED)


def test_sdk_reads_odd_positions(control: ExchangeControl, trading: TradingClient) -> None:
    control.put_position("628ESC012", Decimal(3), current_price=None)
    control.put_position("BTCUSD", Decimal("0.5"), asset_class="crypto", current_price="40000")
    escrow, crypto = (trading.get_open_position(name) for name in ("628ESC012", "BTCUSD"))

    assert (escrow.current_price, escrow.market_value) == (None, None)  # type: ignore[union-attr]
    assert crypto.asset_class is AssetClass.CRYPTO  # type: ignore[union-attr]
    assert len(trading.get_all_positions()) == 2


def test_sdk_snapshot_of_a_condition_has_no_trade_and_no_ask(
    control: ExchangeControl, data: StockHistoricalDataClient
) -> None:
    control.put_condition("SPY", no_trade=True, empty_side="ask")
    snapshots: Any = data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=["SPY", "KO"]))
    control.clear_conditions()
    after: Any = data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols="SPY"))

    assert (snapshots["SPY"].latest_trade, snapshots["SPY"].latest_quote.ask_price) == (None, 0.0)
    assert snapshots["KO"].latest_trade.price > 0
    assert after["SPY"].latest_trade.price > 0


def test_sdk_reads_corporate_actions_in_pages(control: ExchangeControl, actions: CorporateActionsClient) -> None:
    control.plant_action("forward_split", "AMZN", date(2022, 6, 6), new_rate="20")
    control.plant_action("reverse_split", "GE", date(2022, 6, 7), old_rate="8")
    control.plant_action("cash_dividend", "KO", date(2022, 6, 8), rate="0.44")
    query: dict[str, Any] = {"start": date(2022, 6, 1), "end": date(2022, 6, 30)}
    found: Any = actions.get_corporate_actions(CorporateActionsRequest(**query))
    splits = [CorporateActionsType.FORWARD_SPLIT, CorporateActionsType.REVERSE_SPLIT]
    some: Any = actions.get_corporate_actions(CorporateActionsRequest(symbols=["GE", "KO"], types=splits, **query))

    assert {kind: [row.symbol for row in rows] for kind, rows in found.data.items()} == {
        "forward_splits": ["AMZN"],
        "reverse_splits": ["GE"],
        "cash_dividends": ["KO"],
    }
    assert (found.data["forward_splits"][0].new_rate, found.data["cash_dividends"][0].rate) == (20.0, 0.44)
    assert found.data["reverse_splits"][0].ex_date == date(2022, 6, 7)
    assert list(some.data) == ["reverse_splits"]


def test_sdk_bars_of_a_split_differ_by_adjustment(
    control: ExchangeControl, trading: TradingClient, data: StockHistoricalDataClient
) -> None:
    control.plant_action("forward_split", "SPY", date(2022, 3, 17), new_rate="2")
    trading.submit_order(market("SPY", OrderSide.BUY, 3))
    control.set_clock(date(2022, 3, 17), Phase.AFTER_CLOSE)
    start = datetime(2022, 3, 16, 4, tzinfo=UTC)
    raw, adjusted = (
        data.get_stock_bars(
            StockBarsRequest(symbol_or_symbols="SPY", timeframe=DAILY, start=start, adjustment=adjustment)
        ).data["SPY"]  # type: ignore[union-attr]
        for adjustment in (Adjustment.RAW, Adjustment.ALL)
    )

    assert [bar.close for bar in raw] == [pytest.approx(2 * adjusted[0].close), adjusted[1].close]
    assert trading.get_open_position("SPY").qty == "6"  # type: ignore[union-attr]


def test_sdk_selects_orders_by_side_time_and_direction(trading: TradingClient) -> None:
    orders: list[Any] = [trading.submit_order(limit("SPY", 1, price)) for price in (300, 301)]
    trading.submit_order(market("KO", OrderSide.BUY, 1))
    sold: Any = trading.submit_order(market("KO", OrderSide.SELL, 1))
    query: dict[str, Any] = {"status": QueryOrderStatus.ALL, "nested": True}
    later: Any = trading.get_orders(
        GetOrdersRequest(after=orders[0].submitted_at, symbols=["SPY"], direction=Sort.ASC, **query)
    )
    sells: Any = trading.get_orders(GetOrdersRequest(side=OrderSide.SELL, **query))
    ascending: Any = trading.get_orders(GetOrdersRequest(direction=Sort.ASC, limit=2, **query))

    assert [order.id for order in later] == [orders[1].id]
    assert [order.id for order in sells] == [sold.id]
    assert [order.id for order in ascending] == [order.id for order in orders]


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (422, 42210000, "potential wash trade detected. use complex orders"),
        (403, 40310100, "trade denied due to pattern day trading protection"),
        (429, 42910000, "rate limit exceeded"),
    ],
)
def test_sdk_planted_refusal_has_its_code(
    control: ExchangeControl, trading: TradingClient, status: int, code: int, message: str
) -> None:
    control.plant("refuse", method="POST", status=status, code=code, message=message)

    with pytest.raises(APIError) as caught:
        trading.submit_order(market("SPY", OrderSide.BUY, 1))

    assert (caught.value.status_code, caught.value.code, caught.value.message) == (status, code, message)
    assert trading.get_orders() == []
