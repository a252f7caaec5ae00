"""IOC, FOK, OPG, CLS, stop and stop-limit orders, and when orders expire."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from sandbox.exchange.clock import Phase, clock_at
from sandbox.exchange.exchange import Exchange
from sandbox.exchange.orders import OrderRequest, OrderStatus, OrderType, Script
from sandbox.exchange.positions import Position
from sandbox.exchange.replacement import OrderChange
from tests.sandbox.exchange.worlds import (
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    exchange_at,
    move,
    order_for,
    refused,
    send,
    status,
    week_market,
)


def exchange_on(moment: str) -> Exchange:
    exchange = exchange_at(TUESDAY, Phase.EVENING_BEFORE)
    exchange.set_clock(clock_at(exchange.market, datetime.fromisoformat(moment)))
    return exchange


@pytest.mark.parametrize("force", ["ioc", "fok"])
def test_immediate_order_that_trades_is_filled(force: str) -> None:
    assert send(exchange_at(), "CALM", "buy", "2", time_in_force=force).status is OrderStatus.FILLED


@pytest.mark.parametrize("force", ["ioc", "fok"])
def test_immediate_order_that_does_not_trade_is_canceled(force: str) -> None:
    exchange = exchange_at()

    order = send(exchange, "CALM", "buy", "2", time_in_force=force, limit_price="50")

    assert order.status is OrderStatus.CANCELED
    assert order.canceled_at is not None
    assert exchange.account.reserved_cash() == 0


@pytest.mark.parametrize(("force", "filled"), [("ioc", 5), ("fok", 0)])
def test_immediate_order_that_trades_in_part(force: str, filled: int) -> None:
    exchange = exchange_at()
    answered = exchange.submit(
        order_for("CALM", "buy", "10", time_in_force=force), Script(fill_fraction=Decimal("0.5"))
    )
    order = exchange.order(answered.id)

    assert (order.status, order.filled_qty) == (OrderStatus.CANCELED, Decimal(filled))
    assert exchange.account.qty("CALM") == filled


def test_immediate_order_sent_when_closed_trades_at_the_open() -> None:
    exchange = exchange_at(WEDNESDAY, Phase.EVENING_BEFORE)
    order = exchange.submit(order_for("RISE", "buy", "1", time_in_force="ioc"))
    move(exchange, WEDNESDAY)

    assert (order.status, status(exchange, order)) == (OrderStatus.ACCEPTED, OrderStatus.FILLED)


def test_opening_order_trades_at_the_opening_price() -> None:
    exchange = exchange_at(WEDNESDAY, Phase.EVENING_BEFORE)
    order = exchange.submit(order_for("RISE", "buy", "2", time_in_force="opg"))
    low = exchange.submit(order_for("RISE", "buy", "2", time_in_force="opg", limit_price="51.99"))
    equal = exchange.submit(order_for("RISE", "buy", "2", time_in_force="opg", limit_price="52"))
    move(exchange, WEDNESDAY)
    filled = exchange.order(order.id)

    assert order.expires_at == datetime.fromisoformat("2022-03-16T16:00:00-04:00")
    assert (filled.status, filled.filled_avg_price) == (OrderStatus.FILLED, Decimal(52))
    assert filled.filled_at is not None
    assert filled.filled_at.hour == 13
    assert (status(exchange, low), status(exchange, equal)) == (OrderStatus.CANCELED, OrderStatus.FILLED)


def test_opening_order_that_trades_in_part_is_canceled() -> None:
    exchange = exchange_at(WEDNESDAY, Phase.EVENING_BEFORE)
    request = order_for("RISE", "buy", "10", time_in_force="opg")
    order = exchange.submit(request, Script(fill_fraction=Decimal("0.5")))
    move(exchange, WEDNESDAY)

    assert (status(exchange, order), exchange.account.qty("RISE")) == (OrderStatus.CANCELED, Decimal(5))


def test_closing_order_trades_at_the_close_only() -> None:
    exchange = exchange_at(WEDNESDAY, Phase.EVENING_BEFORE)
    exchange.put_position(Position("RISE", Decimal(5), Decimal(50)))
    sell = exchange.submit(order_for("RISE", "sell", "2", time_in_force="cls", limit_price="52"))
    high = exchange.submit(order_for("RISE", "sell", "2", time_in_force="cls", limit_price="52.01"))
    move(exchange, WEDNESDAY)
    exchange.match_all()
    before = status(exchange, sell)
    move(exchange, WEDNESDAY, Phase.AFTER_CLOSE)
    filled = exchange.order(sell.id)

    assert before is OrderStatus.NEW
    assert (filled.status, filled.filled_avg_price) == (OrderStatus.FILLED, Decimal(52))
    assert filled.filled_at is not None
    assert filled.filled_at.hour == 20
    assert status(exchange, high) is OrderStatus.CANCELED


def test_closing_order_sent_in_the_session_rests() -> None:
    exchange = exchange_on("2022-03-16T11:00:00-04:00")

    assert send(exchange, "RISE", "buy", "2", time_in_force="cls").status is OrderStatus.NEW


@pytest.mark.parametrize(
    ("force", "moment", "is_accepted"),
    [
        ("opg", "2022-03-16T09:27:59-04:00", True),
        ("opg", "2022-03-16T09:28:00-04:00", False),
        ("opg", "2022-03-16T18:59:59-04:00", False),
        ("opg", "2022-03-16T19:00:00-04:00", True),
        ("opg", "2022-03-19T12:00:00-04:00", True),
        ("cls", "2022-03-16T15:49:59-04:00", True),
        ("cls", "2022-03-16T15:50:00-04:00", False),
        ("cls", "2022-03-16T18:59:59-04:00", False),
        ("cls", "2022-03-16T19:00:00-04:00", True),
    ],
)
def test_auction_orders_have_a_deadline(force: str, moment: str, *, is_accepted: bool) -> None:
    refusal = refused(exchange_on(moment), order_for("CALM", "buy", "1", time_in_force=force))

    if is_accepted:
        assert refusal is None or "not tradable" in str(refusal)
    else:
        ends = "09:28" if force == "opg" else "15:50"
        assert str(refusal) == f"{force} orders are not accepted from {ends} to 19:00 New York time"


@pytest.mark.parametrize(
    ("order", "code", "message"),
    [
        (order_for(qty="0.5", time_in_force="ioc"), 42210000, "fractional orders must be DAY orders"),
        (order_for(qty="0.5", time_in_force="cls"), 42210000, "fractional orders must be DAY orders"),
        (order_for(stop_price="120", time_in_force="cls"), 42210000, "cls orders must be market or limit orders"),
        (order_for(stop_price="120.001"), 42210000, "invalid stop_price 120.001. sub-penny increment"),
        (order_for(stop_price="0"), 40010001, "stop orders require a stop price > 0"),
        (order_for(stop_price="120", limit_price="-1"), 40010001, "stop limit orders require a limit price > 0"),
        (order_for(stop_price="100"), 42210000, "stop price must be greater than current price"),
        (order_for(side="sell", stop_price="100"), 42210000, "stop price must be less than current price"),
    ],
)
def test_order_with_bad_terms_is_refused(order: OrderRequest, code: int, message: str) -> None:
    refusal = refused(exchange_at(), order)

    assert refusal is not None
    assert (refusal.status, refusal.code) == (422, code)
    assert message in str(refusal)


@pytest.mark.parametrize(
    ("kind", "limit", "stop", "message"),
    [
        ("market", None, Decimal(120), "market orders require no stop price"),
        ("market", Decimal(90), None, "market orders require no limit price"),
        ("limit", Decimal(90), Decimal(120), "limit orders require no stop price"),
        ("stop", None, None, "stop orders require a stop price > 0"),
        ("stop_limit", None, Decimal(120), "stop limit orders require a limit price > 0"),
    ],
)
def test_order_with_the_wrong_prices_is_refused(
    kind: str, limit: Decimal | None, stop: Decimal | None, message: str
) -> None:
    order = replace(order_for(), type=OrderType(kind), limit_price=limit, stop_price=stop)

    refusal = refused(exchange_at(), order)

    assert str(refusal) == message


def test_stop_buy_trades_at_the_market_once_the_price_is_there() -> None:
    exchange = exchange_at()
    order = send(exchange, "RISE", "buy", "1", stop_price="60", time_in_force="gtc")
    resting = exchange.account.reserved_cash()
    move(exchange, THURSDAY)
    filled = exchange.order(order.id)

    assert (order.status, resting, order.is_triggered) == (OrderStatus.NEW, Decimal(60), False)
    assert (filled.status, filled.filled_avg_price, filled.is_triggered) == (
        OrderStatus.FILLED,
        Decimal("60.01"),
        True,
    )


def test_stop_buy_above_the_price_rests() -> None:
    exchange = exchange_at()
    order = send(exchange, "RISE", "buy", "1", stop_price="60.01", time_in_force="gtc")
    move(exchange, THURSDAY)

    assert status(exchange, order) is OrderStatus.NEW


@pytest.mark.parametrize(("stop", "price"), [("90", "89.99"), ("89.99", None)])
def test_stop_sell_trades_when_the_price_has_fallen_that_far(stop: str, price: str | None) -> None:
    exchange = exchange_at(market=week_market({"FALL": (100.0, 100.0, 100.0, 90.0, 90.0)}))
    exchange.put_position(Position("FALL", Decimal(5), Decimal(100)))
    order = send(exchange, "FALL", "sell", "5", stop_price=stop, time_in_force="gtc")
    move(exchange, THURSDAY)

    assert order.status is OrderStatus.NEW
    assert exchange.order(order.id).filled_avg_price == (None if price is None else Decimal(price))


def test_stop_limit_order_rests_at_its_limit_after_the_stop() -> None:
    exchange = exchange_at()
    low = send(exchange, "RISE", "buy", "1", stop_price="55", limit_price="58", time_in_force="gtc")
    high = send(exchange, "RISE", "buy", "1", stop_price="55", limit_price="60", time_in_force="gtc")
    move(exchange, THURSDAY)
    rested, filled = exchange.order(low.id), exchange.order(high.id)

    assert (rested.status, rested.is_triggered) == (OrderStatus.NEW, True)
    assert (filled.status, filled.filled_avg_price) == (OrderStatus.FILLED, Decimal(60))


def test_change_of_a_stop_price_makes_a_new_order() -> None:
    exchange = exchange_at()
    old = send(exchange, "CALM", "buy", "2", stop_price="120")

    new = exchange.change(old.id, OrderChange(stop_price=Decimal(130)))

    assert (new.stop_price, new.qty, status(exchange, old)) == (Decimal(130), Decimal(2), OrderStatus.REPLACED)


def test_order_queued_overnight_is_new_once_the_market_is_open() -> None:
    exchange = exchange_at(WEDNESDAY, Phase.EVENING_BEFORE)
    order = exchange.submit(order_for("CALM", "buy", "1", limit_price="50"))
    move(exchange, WEDNESDAY)

    assert (order.status, status(exchange, order)) == (OrderStatus.ACCEPTED, OrderStatus.NEW)


def test_order_until_canceled_lives_for_90_days() -> None:
    order = send(exchange_at(), "CALM", "buy", "1", limit_price="50", time_in_force="gtc")

    assert (order.expires_at - order.submitted_at).days == 90
