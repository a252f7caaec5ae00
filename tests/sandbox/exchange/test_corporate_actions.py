"""Splits and dividends: traded prices, bars of each adjustment, positions and orders."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from sandbox.exchange.account import AccountMode
from sandbox.exchange.clock import Phase, clock_at_phase
from sandbox.exchange.corporate_actions import CorporateAction
from sandbox.exchange.exchange import Exchange
from sandbox.exchange.history import BarSeries
from sandbox.exchange.market import Market
from sandbox.exchange.orders import OrderStatus
from sandbox.exchange.positions import Adjustment, Position
from sandbox.exchange.rendering import render_position
from sandbox.exchange.sessions import sessions_between
from tests.sandbox.exchange.worlds import (
    FRIDAY,
    MONDAY,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    exchange_at,
    move,
    send,
    status,
    week_market,
)

SPLIT: dict[str, Any] = {"type": "forward_split", "symbol": "CALM", "ex_date": THURSDAY, "new_rate": 2}
REVERSE: dict[str, Any] = {"type": "reverse_split", "symbol": "CALM", "ex_date": THURSDAY, "old_rate": 10}
DIVIDEND: dict[str, Any] = {"type": "cash_dividend", "symbol": "CALM", "ex_date": THURSDAY, "rate": 5}


def acting(*actions: dict[str, Any], day: date = WEDNESDAY, **more: Any) -> Exchange:
    exchange = exchange_at(day, market=week_market(), **more)
    for action in actions:
        exchange.market.actions.plant(CorporateAction(**action))
    return exchange


def closes(market: Market, day: date, adjustment: str, phase: Phase = Phase.AFTER_CLOSE) -> list[float]:
    now = clock_at_phase(market, day, phase).now
    return [bar.close for bar in market.visible_bars("CALM", now, adjustment=adjustment)]


@pytest.mark.parametrize(
    ("action", "before"), [(SPLIT, 200), (REVERSE, 10), (DIVIDEND, 105)], ids=["split", "reverse", "dividend"]
)
def test_price_before_the_ex_date_is_the_one_that_was_traded(action: dict[str, Any], before: int) -> None:
    market = acting(action).market
    prices = [
        market.price("CALM", clock_at_phase(market, day, Phase.BEFORE_CLOSE).now) for day in (WEDNESDAY, THURSDAY)
    ]

    assert prices == [before, 100]
    assert market.price("RISE", clock_at_phase(market, WEDNESDAY, Phase.BEFORE_CLOSE).now) == 52


def test_price_changes_at_the_open_of_the_ex_date() -> None:
    market = acting(SPLIT).market
    evening = clock_at_phase(market, THURSDAY, Phase.EVENING_BEFORE).now

    assert market.price("CALM", evening) == 200


@pytest.mark.parametrize(
    ("action", "adjustment", "on_wednesday", "on_thursday"),
    [
        (SPLIT, "raw", [200, 200, 200], [200, 200, 200, 100]),
        (SPLIT, "split", [200, 200, 200], [100, 100, 100, 100]),
        (SPLIT, "all", [200, 200, 200], [100, 100, 100, 100]),
        (SPLIT, "dividend", [200, 200, 200], [200, 200, 200, 100]),
        (DIVIDEND, "raw", [105, 105, 105], [105, 105, 105, 100]),
        (DIVIDEND, "split", [105, 105, 105], [105, 105, 105, 100]),
        (DIVIDEND, "all", [105, 105, 105], [100, 100, 100, 100]),
        (DIVIDEND, "dividend", [105, 105, 105], [100, 100, 100, 100]),
    ],
)
def test_bars_know_the_actions_whose_ex_date_has_come(
    action: dict[str, Any], adjustment: str, on_wednesday: list[float], on_thursday: list[float]
) -> None:
    market = acting(action).market

    assert closes(market, WEDNESDAY, adjustment) == on_wednesday
    assert closes(market, THURSDAY, adjustment) == on_thursday


def test_bars_of_split_and_dividend_differ_by_adjustment() -> None:
    market = acting({**DIVIDEND, "ex_date": TUESDAY}, SPLIT).market

    assert {kind: closes(market, FRIDAY, kind)[:3] for kind in ("raw", "split", "dividend", "all")} == {
        "raw": [205, 200, 200],
        "split": [102.5, 100, 100],
        "dividend": [200, 200, 200],
        "all": [100, 100, 100],
    }


def test_bars_on_the_morning_of_the_ex_date_are_adjusted() -> None:
    market = acting(SPLIT).market

    assert closes(market, THURSDAY, "all", Phase.EVENING_BEFORE) == [200, 200, 200]
    assert closes(market, THURSDAY, "all", Phase.BEFORE_CLOSE) == [100, 100, 100]


def test_raw_bars_scale_prices_and_volume() -> None:
    days = [session.date for session in sessions_between(MONDAY, FRIDAY)]
    columns = ([9.0] * 5, [12.0] * 5, [8.0] * 5, [1001] * 5)
    market = Market({"CALM": BarSeries("CALM", days, [10.0] * 5, columns)})
    market.actions.plant(CorporateAction(**SPLIT))
    now = clock_at_phase(market, FRIDAY, Phase.AFTER_CLOSE).now
    first, *_, last = market.visible_bars("CALM", now)

    assert (first.open, first.high, first.low, first.close, first.volume) == (18, 24, 16, 20, 500)
    assert (last.open, last.close, last.volume) == (9, 10, 1001)


def test_history_without_actions_stays_as_it_is() -> None:
    market = week_market()

    assert closes(market, FRIDAY, "raw") == closes(market, FRIDAY, "all") == [100.0] * 5


@pytest.mark.parametrize(
    ("action", "held", "qty", "price"),
    [
        (SPLIT, "3.5", "7", "50"),
        (REVERSE, "25", "2.5", "1000"),
        ({**SPLIT, "new_rate": 3, "old_rate": 2}, "1", "1.5", "66.666666667"),
        ({**REVERSE, "old_rate": 3}, "1", "0.333333333", "300"),
        (REVERSE, "-25", "-2.5", "1000"),
    ],
)
def test_position_is_adjusted_at_the_open_of_the_ex_date(
    action: dict[str, Any], held: str, qty: str, price: str
) -> None:
    exchange = acting(action, mode=AccountMode.MARGIN)
    exchange.put_position(Position("CALM", Decimal(held), Decimal(100)))
    exchange.put_position(Position("RISE", Decimal(1), Decimal(50)))
    move(exchange, THURSDAY, Phase.EVENING_BEFORE)
    before = exchange.account.qty("CALM")
    move(exchange, THURSDAY)

    assert before == Decimal(held)
    assert exchange.account.positions["CALM"] == Position("CALM", Decimal(qty), Decimal(price))
    assert exchange.account.adjustments == (Adjustment("CALM", THURSDAY, Decimal(held), Decimal(qty), Decimal(0)),)
    assert (exchange.account.cash, exchange.account.qty("RISE")) == (Decimal(10_000), Decimal(1))


def test_position_in_whole_shares_gets_cash_in_lieu() -> None:
    exchange = acting(REVERSE, whole_shares=frozenset({"CALM"}))
    exchange.put_position(Position("CALM", Decimal(25), Decimal(10)))
    move(exchange, THURSDAY)

    assert exchange.account.positions["CALM"] == Position("CALM", Decimal(2), Decimal(100))
    assert exchange.account.cash == 10_050
    assert exchange.account.adjustments[0].cash == 50


def test_position_below_one_whole_share_ends_in_cash() -> None:
    exchange = acting(REVERSE, whole_shares=frozenset({"CALM"}))
    exchange.put_position(Position("CALM", Decimal(5), Decimal(10)))
    move(exchange, THURSDAY)

    assert (exchange.account.positions, exchange.account.cash) == ({}, Decimal(10_050))


def test_equity_does_not_jump_at_a_split() -> None:
    exchange = acting(SPLIT)
    send(exchange, "CALM", "buy", "10")
    before = exchange.account.equity({"CALM": exchange.market.price("CALM", exchange.now) or Decimal(0)})
    move(exchange, THURSDAY)
    row = render_position(exchange.account.positions["CALM"], exchange.account, exchange.market, exchange.now)

    assert before == exchange.account.equity({"CALM": Decimal(100)})
    assert (row["qty"], row["lastday_price"], row["unrealized_intraday_pl"]) == ("20", "100", "0")


def test_split_cancels_the_open_orders_of_its_symbol() -> None:
    exchange = acting(SPLIT)
    calm = send(exchange, "CALM", "buy", "1", limit_price="50", time_in_force="gtc")
    rise = send(exchange, "RISE", "buy", "1", limit_price="20", time_in_force="gtc")
    move(exchange, THURSDAY)

    assert (status(exchange, calm), status(exchange, rise)) == (OrderStatus.CANCELED, OrderStatus.NEW)


def test_dividend_changes_neither_positions_nor_cash() -> None:
    exchange = acting(DIVIDEND)
    exchange.put_position(Position("CALM", Decimal(5), Decimal(10)))
    order = send(exchange, "CALM", "buy", "1", limit_price="50", time_in_force="gtc")
    move(exchange, THURSDAY)

    assert (exchange.account.qty("CALM"), exchange.account.cash) == (Decimal(5), Decimal(10_000))
    assert exchange.account.adjustments == ()
    assert status(exchange, order) is OrderStatus.NEW


def test_split_on_a_day_without_session_is_applied_at_the_next_open() -> None:
    friday_week = {"CALM": (100.0,) * 10}
    days = [session.date for session in sessions_between(MONDAY, date(2022, 3, 25))]
    market = Market({"CALM": BarSeries("CALM", days, list(friday_week["CALM"]), None)})
    exchange = exchange_at(FRIDAY, market=market)
    market.actions.plant(CorporateAction(**{**SPLIT, "ex_date": date(2022, 3, 19)}))
    exchange.put_position(Position("CALM", Decimal(5), Decimal(10)))
    move(exchange, date(2022, 3, 22))

    assert exchange.account.qty("CALM") == 10
    assert len(exchange.account.adjustments) == 1


def test_action_of_the_past_leaves_positions_alone() -> None:
    exchange = acting(SPLIT, day=THURSDAY)
    exchange.put_position(Position("CALM", Decimal(5), Decimal(10)))
    move(exchange, FRIDAY)

    assert exchange.account.qty("CALM") == 5


def test_action_that_is_planted_again_replaces_the_earlier_one() -> None:
    actions = acting(SPLIT, {**SPLIT, "new_rate": 4}).market.actions

    assert [action.new_rate for action in actions.all()] == [4]


def test_order_of_planting_does_not_matter() -> None:
    earlier = {**DIVIDEND, "ex_date": TUESDAY}
    one, two = acting(earlier, SPLIT).market, acting(SPLIT, earlier).market

    assert closes(one, FRIDAY, "raw") == closes(two, FRIDAY, "raw") == [205, 200, 200, 100, 100]
    assert one.actions.all() == two.actions.all()


def test_actions_are_listed_by_process_date_then_symbol() -> None:
    late = {**DIVIDEND, "process_date": date(2022, 4, 1)}
    actions = acting({**SPLIT, "symbol": "RISE"}, late, SPLIT).market.actions.all()

    assert [(action.symbol, action.type) for action in actions] == [
        ("CALM", "forward_split"),
        ("RISE", "forward_split"),
        ("CALM", "cash_dividend"),
    ]


def test_actions_are_cleared_by_a_reset_and_not_shared_by_forks() -> None:
    market = acting(SPLIT).market
    fork = market.fork()
    market.reset()

    assert (market.actions.all(), fork.actions.all()) == ((), ())
    assert not market.actions.has("CALM")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"new_rate": 1}, "a forward split needs new_rate > old_rate"),
        ({"type": "reverse_split"}, "a reverse split needs new_rate < old_rate"),
        ({"type": "cash_dividend"}, "a cash dividend needs rate > 0"),
        ({"old_rate": 0}, "greater than 0"),
        ({"type": "spin_off"}, "Input should be"),
    ],
)
def test_action_that_does_not_fit_its_type_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        CorporateAction(**{**SPLIT, **change})


@pytest.mark.parametrize("kind", ["reverse_split", "forward_split"])
def test_split_needs_rates_that_differ(kind: str) -> None:
    with pytest.raises(ValidationError, match="needs new_rate"):
        CorporateAction(type=kind, symbol="CALM", ex_date=THURSDAY)
