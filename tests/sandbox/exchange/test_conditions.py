"""Planted market conditions: halts, stale, wide and one-sided quotes, no trade."""

from datetime import timedelta
from decimal import Decimal
from typing import Literal

import pytest
from pydantic import ValidationError

from sandbox.exchange.clock import Phase
from sandbox.exchange.conditions import Condition
from sandbox.exchange.data_answers import latest_bars, latest_quotes, latest_trades, snapshots
from sandbox.exchange.exchange import Exchange
from sandbox.exchange.market import Quote
from sandbox.exchange.orders import OrderStatus
from sandbox.exchange.positions import Position
from tests.sandbox.exchange.worlds import THURSDAY, WEDNESDAY, exchange_at, later, move, order_for, send, status

Side = Literal["bid", "ask", "both"]


def quote_of(exchange: Exchange) -> Quote:
    quote = exchange.market.quote("CALM", exchange.now)
    assert quote is not None
    return quote


def conditioned(**settings: object) -> Exchange:
    exchange = exchange_at()
    exchange.put_position(Position("CALM", Decimal(5), Decimal(100)))
    exchange.put_condition(Condition.model_validate({"symbol": "CALM", **settings}))
    return exchange


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("limit", [None, "100"])
def test_halt_lets_nothing_trade_until_it_ends(side: str, limit: str | None) -> None:
    exchange = conditioned(halted=True)
    order = send(exchange, "CALM", side, "1", **({} if limit is None else {"limit_price": limit}))
    exchange.clear_conditions("CALM")

    assert order.status is OrderStatus.NEW
    assert status(exchange, order) is OrderStatus.FILLED


def test_halt_freezes_quote_and_trade() -> None:
    exchange = conditioned(halted=True)
    since = exchange.now
    later(exchange, 300)
    quote = quote_of(exchange)

    assert (quote.at, quote.traded_at, quote.is_halted) == (since, since, True)
    assert (quote.bid, quote.ask) == (Decimal("99.99"), Decimal("100.01"))


def test_halt_cancels_orders_of_the_closing_auction() -> None:
    exchange = conditioned(halted=True)
    order = send(exchange, "CALM", "buy", "1", time_in_force="cls")
    move(exchange, WEDNESDAY, Phase.AFTER_CLOSE)

    assert status(exchange, order) is OrderStatus.CANCELED


def test_halt_keeps_a_stop_from_triggering() -> None:
    exchange = exchange_at()
    order = send(exchange, "RISE", "buy", "1", stop_price="55", time_in_force="gtc")
    exchange.put_condition(Condition(symbol="RISE", halted=True))
    move(exchange, THURSDAY)

    assert not exchange.order(order.id).is_triggered


def test_stale_quote_has_an_old_time_and_a_current_trade() -> None:
    exchange = conditioned(quote_age_s=90)
    quote = quote_of(exchange)

    assert (quote.at, quote.traded_at) == (exchange.now - timedelta(seconds=90), exchange.now)
    assert send(exchange).status is OrderStatus.FILLED


def test_wide_quote_has_its_spread_around_the_price() -> None:
    exchange = conditioned(spread="0.8")
    quote = quote_of(exchange)

    assert (quote.bid, quote.ask, quote.last) == (Decimal(60), Decimal(140), Decimal(100))
    assert send(exchange).filled_avg_price == 140
    assert send(exchange, "CALM", "sell").filled_avg_price == 60
    assert send(exchange, "CALM", "buy", "1", limit_price="100").filled_avg_price == 100
    assert send(exchange, "CALM", "buy", "1", limit_price="99.99").status is OrderStatus.NEW


@pytest.mark.parametrize(("side", "bid", "ask"), [("bid", "0", "100.01"), ("ask", "99.99", "0"), ("both", "0", "0")])
def test_empty_side_has_price_zero(side: Side, bid: str, ask: str) -> None:
    quote = quote_of(conditioned(empty_side=side))

    assert (quote.bid, quote.ask, quote.last) == (Decimal(bid), Decimal(ask), Decimal(100))


@pytest.mark.parametrize(
    ("empty", "side", "limit", "price"),
    [
        ("bid", "sell", None, None),
        ("bid", "sell", "90", None),
        ("bid", "buy", None, "100.01"),
        ("bid", "buy", "100.01", "100.01"),
        ("bid", "buy", "100", None),
        ("ask", "buy", None, None),
        ("ask", "buy", "110", None),
        ("ask", "sell", None, "99.99"),
        ("ask", "sell", "99.99", "99.99"),
        ("ask", "sell", "100", None),
    ],
)
def test_order_against_an_empty_side_rests(empty: Side, side: str, limit: str | None, price: str | None) -> None:
    exchange = conditioned(empty_side=empty)

    order = send(exchange, "CALM", side, "1", **({} if limit is None else {"limit_price": limit}))

    assert order.filled_avg_price == (None if price is None else Decimal(price))


def test_notional_sell_against_an_empty_bid_uses_the_last_price() -> None:
    exchange = conditioned(empty_side="bid")

    order = send(exchange, "CALM", "sell", None, notional="200")

    assert (order.status, order.remaining_qty) == (OrderStatus.NEW, Decimal(2))


def test_answers_without_a_trade_leave_it_out() -> None:
    exchange = conditioned(no_trade=True)
    market, now = exchange.market, exchange.now
    snapshot = snapshots({"symbols": "CALM"}, market, now)["CALM"]

    assert latest_trades({"symbols": "CALM,RISE"}, market, now)["trades"].keys() == {"RISE"}  # type: ignore[attr-defined]
    assert latest_bars({"symbols": "CALM,RISE"}, market, now)["bars"].keys() == {"RISE"}  # type: ignore[attr-defined]
    assert (snapshot["latestTrade"], snapshot["minuteBar"]) == (None, None)  # type: ignore[index]
    assert snapshot["latestQuote"] is not None  # type: ignore[index]


def test_answers_of_an_empty_side_have_no_size() -> None:
    exchange = conditioned(empty_side="ask")
    row = latest_quotes({"symbols": "CALM"}, exchange.market, exchange.now)["quotes"]["CALM"]  # type: ignore[index]

    assert {name: row[name] for name in ("ap", "as", "bp", "bs")} == {"ap": 0.0, "as": 0, "bp": 99.99, "bs": 100}


def test_clear_without_a_symbol_ends_every_condition() -> None:
    exchange = conditioned(halted=True)
    exchange.put_condition(Condition(symbol="RISE", halted=True))
    exchange.clear_conditions("RISE")
    left = list(exchange.market.conditions)
    exchange.clear_conditions()

    assert (left, exchange.market.conditions) == (["CALM"], {})


def test_condition_concerns_its_symbol_and_its_market_only() -> None:
    exchange = conditioned(halted=True)
    fork = exchange.market.fork()

    assert send(exchange, "RISE").status is OrderStatus.FILLED
    assert fork.conditions == {}
    assert fork.assets is exchange.market.assets


@pytest.mark.parametrize(
    "setting", [{"spread": "0"}, {"spread": "2"}, {"quote_age_s": -1}, {"empty_side": "left"}, {"unknown": 1}]
)
def test_condition_with_a_bad_setting_is_refused(setting: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Condition.model_validate({"symbol": "CALM", **setting})


def test_new_condition_lets_a_resting_order_trade() -> None:
    exchange = conditioned(empty_side="ask")
    order = exchange.submit(order_for("CALM", "buy", "1"))
    exchange.put_condition(Condition(symbol="CALM", spread=Decimal("0.02")))

    assert exchange.order(order.id).filled_avg_price == 101
