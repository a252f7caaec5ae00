"""Order requests of the broker's SDK, as the tests send them."""

from typing import Any

from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import GetOrderByIdRequest, LimitOrderRequest, MarketOrderRequest


def market(symbol: str, side: OrderSide, qty: float, **more: Any) -> MarketOrderRequest:
    return MarketOrderRequest(**{"symbol": symbol, "qty": qty, "side": side, "time_in_force": TimeInForce.DAY, **more})


def limit(symbol: str, qty: float, price: float, **more: Any) -> LimitOrderRequest:
    fields = {"symbol": symbol, "qty": qty, "side": OrderSide.BUY, "time_in_force": TimeInForce.DAY}
    return LimitOrderRequest(**{**fields, "limit_price": price, **more})


def read(trading: TradingClient, order: Any) -> Any:
    return trading.get_order_by_id(order.id, GetOrderByIdRequest(nested=True))
