from decimal import Decimal

import pytest

from sandbox.exchange.account import AccountMode
from sandbox.exchange.clock import Phase
from sandbox.exchange.exchange import Exchange
from sandbox.exchange.orders import Order, OrderRequest, OrderStatus, Script
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.replacement import OrderChange
from tests.sandbox.exchange.worlds import (
    CLOSES,
    FRIDAY,
    THURSDAY,
    WEDNESDAY,
    exchange_at,
    move,
    order_for,
    refused,
    send,
    status,
    week_market,
)


def test_submit_market_order_in_session_is_filled_on_next_read() -> None:
    exchange = exchange_at()

    submitted = exchange.submit(order_for("CALM", "buy", "2"))
    read = exchange.order(submitted.id)

    assert (submitted.status, submitted.filled_qty) == (OrderStatus.PENDING_NEW, Decimal(0))
    assert (read.status, read.filled_qty, read.filled_avg_price) == (OrderStatus.FILLED, Decimal(2), Decimal("100.01"))
    assert exchange.account.cash == Decimal("9799.98")


def test_submit_market_sell_fills_at_the_bid() -> None:
    exchange = exchange_at()
    send(exchange, "CALM", "buy", "2")

    sold = send(exchange, "CALM", "sell", "2")

    assert sold.filled_avg_price == Decimal("99.99")
    assert exchange.account.positions == {}


@pytest.mark.parametrize(
    ("side", "limit", "price"),
    [
        ("buy", "100", "100"),
        ("buy", "100.01", "100.01"),
        ("buy", "101", "100.01"),
        ("sell", "100", "100"),
        ("sell", "99.99", "99.99"),
        ("sell", "98", "99.99"),
    ],
)
def test_submit_limit_through_the_mid_fills_at_the_better_price(side: str, limit: str, price: str) -> None:
    exchange = exchange_at()
    if side == "sell":
        send(exchange, "CALM", "buy", "5")

    order = send(exchange, "CALM", side, "1", limit_price=limit)

    assert order.filled_avg_price == Decimal(price)


@pytest.mark.parametrize(("side", "limit"), [("buy", "99.99"), ("sell", "100.01")])
def test_submit_limit_short_of_the_mid_rests(side: str, limit: str) -> None:
    exchange = exchange_at()
    if side == "sell":
        send(exchange, "CALM", "buy", "5")

    assert send(exchange, "CALM", side, "1", limit_price=limit).status is OrderStatus.NEW


def test_submit_when_closed_fills_in_the_next_session() -> None:
    exchange = exchange_at(WEDNESDAY, Phase.EVENING_BEFORE)
    order = exchange.submit(order_for("RISE", "buy", "1"))
    move(exchange, WEDNESDAY, Phase.BEFORE_CLOSE)

    filled = exchange.order(order.id)

    assert order.status is OrderStatus.ACCEPTED
    assert filled.status is OrderStatus.FILLED
    assert filled.filled_avg_price == Decimal("52.01")
    assert filled.filled_at is not None
    assert filled.filled_at.hour == 13


def test_queued_buy_beyond_the_cash_is_rejected() -> None:
    exchange = exchange_at(THURSDAY, Phase.EVENING_BEFORE, cash="5300")
    order = exchange.submit(order_for("RISE", "buy", "100"))
    move(exchange, THURSDAY)

    assert status(exchange, order) is OrderStatus.REJECTED
    assert exchange.account.cash == 5300


def test_day_order_at_the_close_expires_and_frees_cash() -> None:
    exchange = exchange_at()
    order = send(exchange, "CALM", "buy", "10", limit_price="90")
    reserved = exchange.account.buying_power({})
    move(exchange, WEDNESDAY, Phase.AFTER_CLOSE)

    assert reserved == 9100
    assert status(exchange, order) is OrderStatus.EXPIRED
    assert exchange.account.buying_power({}) == 10_000


def test_gtc_order_fills_in_a_later_session() -> None:
    exchange = exchange_at()
    send(exchange, "RISE", "buy", "3")
    order = send(exchange, "RISE", "sell", "3", limit_price="60", time_in_force="gtc")
    move(exchange, FRIDAY, Phase.BEFORE_CLOSE)

    filled = exchange.order(order.id)

    assert order.status is OrderStatus.NEW
    assert filled.filled_avg_price == 60
    assert filled.filled_at is not None
    assert filled.filled_at.date() == THURSDAY


def test_cancel_of_an_open_order_frees_its_shares() -> None:
    exchange = exchange_at()
    send(exchange, "CALM", "buy", "5")
    order = send(exchange, "CALM", "sell", "5", limit_price="120")
    held = exchange.account.available_qty("CALM")
    exchange.cancel(order.id)

    assert held == 0
    assert status(exchange, order) is OrderStatus.CANCELED
    assert exchange.account.available_qty("CALM") == 5


def test_cancel_of_a_filled_order_is_refused() -> None:
    exchange = exchange_at()
    order = send(exchange)

    with pytest.raises(Refusal, match=r'^order is already in "filled" state$') as caught:
        exchange.cancel(order.id)

    assert (caught.value.status, caught.value.code) == (422, 42210000)


def test_change_of_a_resting_order_may_fill_the_new_one() -> None:
    exchange = exchange_at()
    old = send(exchange, "CALM", "buy", "5", limit_price="90")

    answered = exchange.change(old.id, OrderChange(limit_price=Decimal(100), qty=Decimal(4)))
    replaced, new = exchange.order(old.id), exchange.order(answered.id)

    assert (replaced.status, replaced.replaced_by) == (OrderStatus.REPLACED, new.id)
    assert (answered.status, answered.replaces) == (OrderStatus.PENDING_NEW, old.id)
    assert (new.status, new.filled_qty, new.filled_avg_price) == (OrderStatus.FILLED, Decimal(4), Decimal(100))


def test_change_of_a_partly_filled_order_orders_the_rest() -> None:
    exchange = exchange_at()
    answered = exchange.submit(order_for("CALM", "buy", "10", limit_price="100"), Script(fill_fraction=Decimal("0.4")))
    new = exchange.change(answered.id, OrderChange(qty=Decimal(9)))

    assert exchange.order(answered.id).filled_qty == 4
    assert exchange.order(new.id).filled_qty == 5
    assert exchange.account.qty("CALM") == 9


def _resting(case: str) -> tuple[Order, Exchange]:
    exchange = exchange_at(WEDNESDAY, Phase.EVENING_BEFORE if case == "closed" else Phase.BEFORE_CLOSE)
    if case == "notional":
        return send(exchange, "CALM", "buy", None, notional="50", limit_price="90"), exchange
    if case == "partly":
        request = order_for("CALM", "buy", "10", limit_price="100")
        return exchange.submit(request, Script(fill_fraction=Decimal("0.5"))), exchange
    return send(exchange, "CALM", "buy", "2", limit_price="90"), exchange


@pytest.mark.parametrize(
    ("case", "change", "message"),
    [
        ("closed", OrderChange(qty=Decimal(3)), "cannot replace order in accepted status"),
        ("notional", OrderChange(limit_price=Decimal(91)), "cannot replace notional orders"),
        ("open", OrderChange(), "order parameters are not changed"),
        ("partly", OrderChange(qty=Decimal(5)), "qty must be > filled_qty"),
        ("open", OrderChange(qty=Decimal(2000)), "insufficient buying power"),
    ],
)
def test_change_that_breaks_a_rule_changes_nothing(case: str, change: OrderChange, message: str) -> None:
    order, exchange = _resting(case)
    before = exchange.snapshot()

    with pytest.raises(Refusal, match=message):
        exchange.change(order.id, change)

    assert exchange.snapshot() == before


@pytest.mark.parametrize(
    ("request_", "status_code", "code", "message"),
    [
        (order_for("NOPE"), 422, 42210000, "asset not found for NOPE"),
        (order_for("CALM", "buy", None), 422, 40010001, "qty is required"),
        (order_for("CALM", notional="5"), 422, 40010001, "only one of qty or notional"),
        (order_for("CALM", "buy", "0"), 422, 42210000, "qty must be > 0"),
        (order_for("CALM", "buy", "0.1234567891"), 422, 42210000, "limited to 9 decimal places"),
        (order_for("CALM", "buy", None, notional="5.001"), 422, 42210000, "limited to 2 decimal places"),
        (order_for("CALM", "buy", "0.5", time_in_force="gtc"), 422, 42210000, "fractional orders must be DAY orders"),
        (order_for("CALM", extended_hours=True), 422, 42210000, "extended hours order must be DAY limit orders"),
        (order_for("CALM", limit_price="99.995"), 422, 42210000, "sub-penny increment"),
        (order_for("CALM", limit_price="0"), 422, 40010001, "limit orders require a limit price"),
        (order_for("CALM", "buy", "100"), 403, 40310000, "insufficient buying power"),
        (order_for("CALM", "buy", "0.001"), 403, 40310000, "cost basis must be >= minimal amount of order 1"),
        (order_for("CALM", "sell", "1"), 403, 40310000, "account is not allowed to short"),
        (order_for("CALM", "sell", "0.5"), 403, 40310000, "fractional orders are not allowed to short"),
        (order_for("WHOLE", "buy", "0.5"), 403, 40310000, 'asset "WHOLE" is not fractionable'),
        (order_for("CALM", client_order_id="x" * 129), 422, 42210000, "no more than 128 characters"),
    ],
)
def test_submit_that_breaks_a_rule_gets_the_brokers_code(
    request_: OrderRequest, status_code: int, code: int, message: str
) -> None:
    market = week_market({**CLOSES, "WHOLE": CLOSES["CALM"]})
    exchange = exchange_at(market=market, whole_shares=frozenset({"WHOLE"}))
    before = exchange.snapshot()

    refusal = refused(exchange, request_)

    assert refusal is not None
    assert message in str(refusal)
    assert (refusal.status, refusal.code) == (status_code, code)
    assert exchange.snapshot() == before


def test_submit_of_an_asset_past_its_history_is_refused() -> None:
    refusal = refused(exchange_at(FRIDAY), order_for("GONE"))

    assert str(refusal) == 'asset "GONE" is not tradable'


@pytest.mark.parametrize("later", ["filled", "canceled"])
def test_submit_with_the_id_of_a_closed_order_is_refused(later: str) -> None:
    exchange = exchange_at()
    if later == "filled":
        send(exchange, client_order_id="one")
    else:
        exchange.cancel(send(exchange, limit_price="50", client_order_id="one").id)

    refusal = refused(exchange, order_for("CALM", "buy", "1000000", client_order_id="one"))

    assert refusal is not None
    assert (refusal.status, refusal.body()["code"], str(refusal)) == (422, 40010001, "client_order_id must be unique")


def test_submit_sell_beyond_free_shares_is_refused() -> None:
    exchange = exchange_at()
    send(exchange, "CALM", "buy", "3")
    send(exchange, "CALM", "sell", "2", limit_price="150")

    refusal = refused(exchange, order_for("CALM", "sell", "2"))

    assert refusal is not None
    assert refusal.body() == {
        "code": 40310000,
        "message": "insufficient qty available for order (requested: 2, available: 1)",
        "symbol": "CALM",
        "available": "1",
        "existing_qty": "3",
        "held_for_orders": "2",
    }


def test_submit_against_an_own_order_is_a_wash_trade() -> None:
    exchange = exchange_at()
    send(exchange, "CALM", "buy", "3")
    resting = send(exchange, "CALM", "sell", "1", limit_price="150")

    crossing = refused(exchange, order_for("CALM", "buy", "1"))
    apart = refused(exchange, order_for("CALM", "buy", "1", limit_price="90"))

    assert crossing is not None
    assert crossing.body()["existing_order_id"] == str(resting.id)
    assert apart is None


def test_submit_buy_beyond_buying_power_has_the_figures() -> None:
    exchange = exchange_at()
    send(exchange, "CALM", "buy", "60", limit_price="99")

    refusal = refused(exchange, order_for("CALM", "buy", "42", limit_price="99"))

    assert refusal is not None
    assert refusal.facts == {"buying_power": "4060", "cost_basis": "4158"}


def test_submit_notional_buys_nine_decimals_of_a_share() -> None:
    exchange = exchange_at()

    order = send(exchange, "RISE", "buy", None, notional="100")

    assert order.qty is None
    assert order.filled_qty == Decimal("1.922707171")
    assert exchange.account.cash == Decimal("9900.00")


def test_submit_sell_of_a_position_below_a_dollar_fills() -> None:
    exchange = exchange_at()
    send(exchange, "PENNY", "buy", "3")
    send(exchange, "PENNY", "sell", "2.5")

    rest = send(exchange, "PENNY", "sell", "0.5")

    assert rest.status is OrderStatus.FILLED
    assert exchange.account.positions == {}


def test_submit_in_a_margin_account_may_exceed_cash() -> None:
    exchange = exchange_at(mode=AccountMode.MARGIN)
    send(exchange, "CALM", "buy", "390")
    prices = {"CALM": Decimal(100)}

    assert exchange.account.cash == Decimal("-29003.90")
    assert exchange.account.buying_power(prices) == 4 * Decimal("9996.10") - 39_000
    assert refused(exchange, order_for("CALM", "buy", "20")) is not None


@pytest.mark.parametrize(("qty", "fraction", "filled"), [("10", "0.5", "5"), ("3", "0.5", "1"), ("0.3", "0.5", "0.15")])
def test_submit_with_a_planted_fraction_fills_partly(qty: str, fraction: str, filled: str) -> None:
    exchange = exchange_at()
    answered = exchange.submit(order_for("CALM", "buy", qty), Script(fill_fraction=Decimal(fraction)))

    order = exchange.order(answered.id)

    assert (order.status, order.filled_qty) == (OrderStatus.PARTIALLY_FILLED, Decimal(filled))
    assert exchange.account.fills[-1].leaves_qty == Decimal(qty) - Decimal(filled)


def test_cancel_of_a_partly_filled_order_keeps_its_fills() -> None:
    exchange = exchange_at()
    answered = exchange.submit(order_for("CALM", "buy", "10"), Script(fill_fraction=Decimal("0.5")))
    order = exchange.cancel(answered.id)

    assert (order.status, order.filled_qty) == (OrderStatus.CANCELED, Decimal(5))
    assert exchange.account.qty("CALM") == 5
    assert exchange.account.reserved_cash() == 0


def test_submit_with_a_planted_rest_expires_unfilled() -> None:
    exchange = exchange_at()
    answered = exchange.submit(order_for("CALM", "buy", "10"), Script(fill_fraction=Decimal(0)))
    resting = status(exchange, answered)
    move(exchange, WEDNESDAY, Phase.AFTER_CLOSE)

    assert resting is OrderStatus.NEW
    assert status(exchange, answered) is OrderStatus.EXPIRED


def test_position_average_price_after_two_buys_is_weighted() -> None:
    exchange = exchange_at()
    send(exchange, "RISE", "buy", "1")
    move(exchange, THURSDAY)
    send(exchange, "RISE", "buy", "3")

    assert exchange.account.positions["RISE"].avg_entry_price == Decimal("58.01")


def test_order_events_have_unique_ascending_times() -> None:
    exchange = exchange_at()
    for _ in range(5):
        send(exchange)
    times = [fill.at for fill in exchange.account.fills]
    submitted = [order.submitted_at for order in exchange.account.orders.values()]

    assert sorted({*times, *submitted}) == sorted(times + submitted)


def test_last_equity_is_the_equity_of_the_close_before() -> None:
    exchange = exchange_at()
    send(exchange, "RISE", "buy", "100")
    move(exchange, THURSDAY)

    assert exchange.account.last_equity(WEDNESDAY) == 10_000
    assert exchange.account.last_equity(THURSDAY) == 10_000 - 1
    assert exchange.account.equity({"RISE": Decimal(60)}) == 10_799
