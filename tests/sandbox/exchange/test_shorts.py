"""Short positions of a margin account, and the position intent of orders."""

from dataclasses import replace
from decimal import Decimal

import pytest

from sandbox.exchange.account import AccountMode
from sandbox.exchange.clock import Phase
from sandbox.exchange.exchange import Exchange
from sandbox.exchange.orders import OrderStatus, PositionIntent, Script, Side
from sandbox.exchange.positions import Position
from sandbox.exchange.rendering import render_account, render_position
from tests.sandbox.exchange.worlds import THURSDAY, WEDNESDAY, exchange_at, move, order_for, refused, send, status


def margin(*, cash: str = "10000", fractional_shorts: bool = False) -> Exchange:
    return exchange_at(cash=cash, mode=AccountMode.MARGIN, fractional_shorts=fractional_shorts)


def test_sell_beyond_the_position_opens_a_short() -> None:
    exchange = margin()
    send(exchange, "CALM", "buy", "3")

    sold = send(exchange, "CALM", "sell", "5")

    assert (sold.status, sold.position_intent) == (OrderStatus.FILLED, PositionIntent.SELL_TO_OPEN)
    assert exchange.account.positions["CALM"] == Position("CALM", Decimal(-2), Decimal("99.99"))
    assert exchange.account.cash == 10_000 - Decimal("300.03") + Decimal("499.95")


def test_sell_to_close_beyond_the_position_is_refused() -> None:
    exchange = margin()
    send(exchange, "CALM", "buy", "3")

    refusal = refused(exchange, order_for("CALM", "sell", "5", position_intent="sell_to_close"))

    assert refusal is not None
    assert (refusal.status, refusal.body()) == (
        403,
        {
            "code": 40310000,
            "message": "insufficient qty available for order (requested: 5, available: 3)",
            "symbol": "CALM",
            "available": "3",
            "existing_qty": "3",
            "held_for_orders": "0",
        },
    )


def test_sell_to_close_without_a_position_is_refused() -> None:
    refusal = refused(margin(), order_for("CALM", "sell", "1", position_intent="sell_to_close"))

    assert str(refusal) == "insufficient qty available for order (requested: 1, available: 0)"


def test_second_sell_in_flight_opens_a_short_without_intent() -> None:
    exchange = margin()
    send(exchange, "CALM", "buy", "5")
    first = send(exchange, "CALM", "sell", "5", limit_price="120")
    second = send(exchange, "CALM", "sell", "5")

    assert (first.position_intent, second.position_intent) == (
        PositionIntent.SELL_TO_CLOSE,
        PositionIntent.SELL_TO_OPEN,
    )
    assert exchange.account.qty("CALM") == 0


def test_sell_to_close_whose_shares_are_gone_is_rejected_at_the_fill() -> None:
    exchange = margin()
    send(exchange, "CALM", "buy", "5")
    resting = send(exchange, "CALM", "sell", "5", limit_price="120", position_intent="sell_to_close")
    exchange.put_position(Position("CALM", Decimal(4), Decimal(100)))
    exchange.account.put_order(replace(resting, limit_price=Decimal(99)))
    exchange.match_all()

    assert status(exchange, resting) is OrderStatus.REJECTED
    assert exchange.account.qty("CALM") == 4


@pytest.mark.parametrize(
    ("held", "side", "qty", "intent"),
    [
        ("0", "buy", "1", "buy_to_open"),
        ("0", "sell", "1", "sell_to_open"),
        ("5", "buy", "1", "buy_to_open"),
        ("5", "sell", "5", "sell_to_close"),
        ("5", "sell", "6", "sell_to_open"),
        ("-5", "sell", "1", "sell_to_open"),
        ("-5", "buy", "5", "buy_to_close"),
        ("-5", "buy", "6", "buy_to_open"),
    ],
)
def test_intent_that_is_missing_is_filled_in(held: str, side: str, qty: str, intent: str) -> None:
    exchange = margin()
    exchange.put_position(Position("CALM", Decimal(held), Decimal(100)))

    assert send(exchange, "CALM", side, qty).position_intent == intent
    assert exchange.account.qty("CALM") == Decimal(held) + (Decimal(qty) if side == "buy" else -Decimal(qty))


@pytest.mark.parametrize(
    ("mode", "side", "intent", "message"),
    [
        ("margin", "buy", "sell_to_close", "position_intent sell_to_close does not go with side buy"),
        ("margin", "sell", "buy_to_open", "position_intent buy_to_open does not go with side sell"),
        ("cash", "sell", "sell_to_open", "does not go with side sell in an account without shorts"),
        ("cash", "buy", "buy_to_close", "does not go with side buy in an account without shorts"),
    ],
)
def test_intent_that_does_not_fit_is_refused(mode: str, side: str, intent: str, message: str) -> None:
    refusal = refused(exchange_at(mode=AccountMode(mode)), order_for("CALM", side, "1", position_intent=intent))

    assert refusal is not None
    assert (refusal.status, refusal.code) == (422, 42210000)
    assert message in str(refusal)


@pytest.mark.parametrize(
    ("held", "side", "intent", "inferred"),
    [("-5", "buy", "buy_to_open", "buy_to_close"), ("5", "sell", "sell_to_open", "sell_to_close")],
)
@pytest.mark.parametrize("qty", ["5", "9"])
def test_intent_to_open_against_a_position_is_refused(
    held: str, side: str, intent: str, inferred: str, qty: str
) -> None:
    exchange = margin()
    exchange.account.positions["CALM"] = Position("CALM", Decimal(held), Decimal(100))

    refusal = refused(exchange, order_for("CALM", side, qty, position_intent=intent))

    assert refusal is not None
    assert (refusal.status, refusal.code) == (422, 42210000)
    assert str(refusal) == f"position intent mismatch, inferred: {inferred}, specified: {intent}"


def test_buy_to_close_beyond_the_short_is_refused() -> None:
    exchange = margin()
    send(exchange, "CALM", "sell", "3")

    refusal = refused(exchange, order_for("CALM", "buy", "4", position_intent="buy_to_close"))

    assert refusal is not None
    assert str(refusal) == "insufficient qty available for order (requested: 4, available: 3)"
    assert refusal.facts["existing_qty"] == "-3"


def test_buy_beyond_the_short_turns_the_position() -> None:
    exchange = margin()
    send(exchange, "CALM", "sell", "3")
    send(exchange, "CALM", "buy", "5")

    assert exchange.account.positions["CALM"] == Position("CALM", Decimal(2), Decimal("100.01"))


def test_cover_keeps_the_average_price_and_a_full_cover_ends_the_position() -> None:
    exchange = margin()
    send(exchange, "RISE", "sell", "4")
    move(exchange, THURSDAY)
    send(exchange, "RISE", "buy", "1")
    part = exchange.account.positions["RISE"]
    send(exchange, "RISE", "buy", "3")

    assert (part.qty, part.avg_entry_price) == (Decimal(-3), Decimal("51.99"))
    assert exchange.account.positions == {}
    assert exchange.account.cash == 10_000 + 4 * (Decimal("51.99") - Decimal("60.01"))


def test_average_price_of_a_growing_short_is_weighted() -> None:
    exchange = margin()
    send(exchange, "RISE", "sell", "1")
    move(exchange, THURSDAY)
    send(exchange, "RISE", "sell", "3")

    assert exchange.account.positions["RISE"].avg_entry_price == (Decimal("51.99") + 3 * Decimal("59.99")) / 4


@pytest.mark.parametrize("held", ["0", "1"])
def test_fractional_sell_may_not_open_a_short(held: str) -> None:
    exchange = margin()
    exchange.put_position(Position("CALM", Decimal(held), Decimal(100)))

    refusal = refused(exchange, order_for("CALM", "sell", "1.5"))

    assert refusal is not None
    assert (refusal.status, refusal.code, str(refusal)) == (
        403,
        40310000,
        "fractional orders are not allowed to short",
    )


def test_fractional_sell_opens_a_short_where_the_terms_allow_it() -> None:
    exchange = margin(fractional_shorts=True)
    send(exchange, "CALM", "sell", "1.5")

    assert exchange.account.qty("CALM") == Decimal("-1.5")


def test_buying_power_counts_long_and_short_positions_alike() -> None:
    exchange = margin()
    send(exchange, "CALM", "sell", "10")
    prices = {"CALM": Decimal(100)}

    assert exchange.account.equity(prices) == Decimal("9999.90")
    assert exchange.account.buying_power(prices) == 4 * Decimal("9999.90") - 1000
    assert exchange.account.overnight_buying_power(prices) == 2 * Decimal("9999.90") - 1000


def test_short_beyond_the_buying_power_is_refused_with_its_cost() -> None:
    refusal = refused(margin(cash="100"), order_for("CALM", "sell", "5"))

    assert refusal is not None
    assert (str(refusal), refusal.facts) == (
        "insufficient buying power",
        {"buying_power": "400", "cost_basis": "499.95"},
    )


def test_only_the_opening_part_of_an_order_costs_buying_power() -> None:
    exchange = margin(cash="100")
    exchange.put_position(Position("CALM", Decimal(-4), Decimal(100)))
    exchange.account.cash = Decimal(500)

    assert refused(exchange, order_for("CALM", "buy", "4", limit_price="90")) is None
    assert exchange.account.reserved_cash() == 0
    assert refused(exchange, order_for("CALM", "buy", "1", limit_price="50")) is not None


def test_cost_of_an_order_that_turns_the_position_is_its_opening_part() -> None:
    exchange = margin(cash="100")
    exchange.put_position(Position("CALM", Decimal(-4), Decimal(100)))
    exchange.account.cash = Decimal(500)

    refusal = refused(exchange, order_for("CALM", "buy", "5", limit_price="50"))

    assert refusal is not None
    assert refusal.facts == {"buying_power": "0", "cost_basis": "50"}


def test_open_short_sale_reserves_buying_power() -> None:
    exchange = margin()
    send(exchange, "CALM", "buy", "2")
    send(exchange, "CALM", "sell", "5", limit_price="120")

    assert exchange.account.reserved_cash() == 3 * 120
    assert exchange.account.available_qty("CALM") == 0


def test_queued_short_beyond_the_buying_power_is_rejected_at_the_open() -> None:
    exchange = exchange_at(WEDNESDAY, Phase.AFTER_CLOSE, cash="130", mode=AccountMode.MARGIN)
    order = exchange.submit(order_for("RISE", "sell", "10"))
    move(exchange, THURSDAY)

    assert order.status is OrderStatus.ACCEPTED
    assert status(exchange, order) is OrderStatus.REJECTED


def test_position_that_is_short_renders_negative_figures() -> None:
    exchange = margin()
    send(exchange, "RISE", "sell", "4")
    send(exchange, "RISE", "buy", "1", limit_price="20")
    row = render_position(exchange.account.positions["RISE"], exchange.account, exchange.market, exchange.now)

    assert {name: row[name] for name in ("side", "qty", "qty_available", "market_value", "cost_basis")} == {
        "side": "short",
        "qty": "-4",
        "qty_available": "-3",
        "market_value": "-208",
        "cost_basis": "-207.96",
    }
    assert (row["unrealized_pl"], row["unrealized_plpc"]) == ("-0.04", "-0.000192")
    assert (row["unrealized_intraday_pl"], row["change_today"]) == ("-4", "0.019608")


def test_account_with_a_short_renders_both_sides() -> None:
    exchange = margin()
    send(exchange, "CALM", "buy", "10")
    send(exchange, "RISE", "sell", "4")
    row = render_account(exchange.account, {"CALM": Decimal(100), "RISE": Decimal(52)}, exchange.now)

    assert row["shorting_enabled"] is True
    assert {name: row[name] for name in ("long_market_value", "short_market_value", "position_market_value")} == {
        "long_market_value": "1000",
        "short_market_value": "-208",
        "position_market_value": "792",
    }
    assert (row["initial_margin"], row["maintenance_margin"]) == ("604", "362.4")
    assert Decimal(str(row["equity"])) == Decimal(str(row["cash"])) + 792


def test_held_qty_counts_one_side_only() -> None:
    exchange = margin()
    send(exchange, "CALM", "buy", "2", limit_price="90")

    assert exchange.account.held_qty("CALM", Side.SELL) == 0
    assert exchange.account.held_qty("CALM", Side.BUY) == 2


def test_partly_filled_short_keeps_its_script() -> None:
    exchange = margin()
    order = exchange.submit(order_for("CALM", "sell", "4"), Script(fill_fraction=Decimal("0.5")))

    assert status(exchange, order) is OrderStatus.PARTIALLY_FILLED
    assert exchange.account.qty("CALM") == -2
