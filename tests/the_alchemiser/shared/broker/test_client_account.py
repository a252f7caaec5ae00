"""The client's account: positions that the product cannot trade, assets, and statuses that the broker may add."""

import json
import logging
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.the_alchemiser.shared.broker.answers import ACCOUNT, ORDER, Script, answer, broker_over
from the_alchemiser.shared.broker import parsing
from the_alchemiser.shared.broker.errors import NotAuthorizedError, UnexpectedResponseError
from the_alchemiser.shared.broker.models import Asset, Order, OrderStatus, Position

POSITION = {
    "symbol": "SPY",
    "asset_class": "us_equity",
    "qty": "12.5",
    "qty_available": "10",
    "avg_entry_price": "500.1",
    "current_price": "509.83",
    "lastday_price": "508",
    "market_value": "6372.875",
}


def position_of(**fields: object) -> Position:
    (position,) = broker_over(Script([answer(200, [POSITION | fields])])).positions()
    return position


def order_of(**fields: object) -> Order:
    return broker_over(Script([answer(200, ORDER | fields)])).order("an-id")


def asset_record(symbol: str, **fields: object) -> dict[str, object]:
    return {"symbol": symbol, "name": symbol, "status": "active", "tradable": True, "fractionable": True} | fields


@pytest.mark.parametrize("flag", ["trading_blocked", "account_blocked", "trade_suspended_by_user"])
def test_account_is_blocked_by_each_of_its_flags(flag: str) -> None:
    broker = broker_over(Script([answer(200, ACCOUNT), answer(200, ACCOUNT | {flag: True})]))

    assert [broker.account().trading_blocked for _ in range(2)] == [False, True]


@pytest.mark.parametrize("quantity", [True, ["1"]], ids=str)
def test_position_with_a_quantity_of_another_type_is_refused(quantity: object) -> None:
    with pytest.raises(UnexpectedResponseError, match=r"expected a decimal, got "):
        position_of(qty=quantity)


def test_order_with_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(UnexpectedResponseError, match=r"expected a time with an offset, got '2024-03-15T19:45:01'"):
        order_of(submitted_at="2024-03-15T19:45:01")


def test_order_that_was_cancelled_says_when() -> None:
    assert order_of(canceled_at="2024-03-15T19:45:02Z").canceled_at == datetime(2024, 3, 15, 19, 45, 2, tzinfo=UTC)


def test_asset_that_is_not_active_cannot_be_traded() -> None:
    records = [asset_record("SPY"), asset_record("OLD", status="inactive"), asset_record("HELD", tradable=False)]
    broker = broker_over(Script([answer(200, record) for record in records]))

    assert [broker.asset(symbol).tradable for symbol in ("SPY", "OLD", "HELD")] == [True, False, False]


@pytest.mark.parametrize(("body", "kind"), [("[]", "list"), ('"an account"', "str")])
def test_account_in_another_shape_is_refused(body: str, kind: str) -> None:
    with pytest.raises(UnexpectedResponseError, match=f"^account: expected an object, got {kind}$"):
        broker_over(Script([answer(200, body)])).account()


def test_position_of_an_equity_has_every_figure() -> None:
    assert position_of() == Position(
        symbol="SPY",
        quantity=Decimal("12.5"),
        available=Decimal(10),
        avg_entry_price=Decimal("500.1"),
        current_price=Decimal("509.83"),
        last_close=Decimal(508),
        market_value=Decimal("6372.875"),
        asset_class="us_equity",
    )


def test_position_without_a_price_is_parsed() -> None:
    position = position_of(symbol="628ESC012", current_price=None, market_value=None, lastday_price=None)

    assert position.symbol == "628ESC012"
    assert (position.current_price, position.market_value, position.last_close) == (None, None, None)


@pytest.mark.parametrize(
    ("symbol", "asset_class"), [("BTC/USD", "crypto"), ("SPY240315C00500000", "us_option"), ("X", "of_another_kind")]
)
def test_position_of_another_class_names_it(symbol: str, asset_class: str) -> None:
    position = position_of(symbol=symbol, asset_class=asset_class)

    assert (position.symbol, position.asset_class) == (symbol, asset_class)


def test_position_without_a_class_is_an_equity() -> None:
    record = {name: value for name, value in POSITION.items() if name != "asset_class"}

    (position,) = broker_over(Script([answer(200, [record])])).positions()

    assert position.asset_class == "us_equity"


def test_short_position_has_a_negative_quantity() -> None:
    assert position_of(qty="-3", side="short").quantity == Decimal(-3)


@pytest.mark.parametrize("field", ["symbol", "qty", "qty_available", "current_price", "market_value"])
def test_position_without_a_documented_field_raises_its_name(field: str) -> None:
    record = {name: value for name, value in POSITION.items() if name != field}

    with pytest.raises(UnexpectedResponseError, match=field):
        broker_over(Script([answer(200, [record])])).positions()


def test_position_of_a_symbol_is_one_request() -> None:
    script = Script([answer(200, POSITION)])

    position = broker_over(script).position("SPY")

    assert position == position_of()
    assert script.request_lines == ["GET /v2/positions/SPY"]


def test_position_of_an_odd_symbol_is_one_part_of_the_path() -> None:
    script = Script([answer(200, POSITION)])

    broker_over(script).position("BTC/USD")

    assert script.requests[0].url == "http://trading.test/v2/positions/BTC%2FUSD"


@pytest.mark.parametrize("message", ["position does not exist", "symbol not found: SPY", "asset not found for SPY"])
def test_position_of_a_symbol_that_is_not_held_is_none(message: str) -> None:
    body = {"code": 40410000, "message": message}

    assert broker_over(Script([answer(404, body)])).position("SPY") is None


def test_position_with_refused_keys_raises() -> None:
    with pytest.raises(NotAuthorizedError):
        broker_over(Script([answer(401, {"message": "unauthorized"})])).position("SPY")


def test_assets_of_few_symbols_are_looked_up_singly() -> None:
    script = Script(
        [answer(200, asset_record("GLD", tradable=False)), answer(404, {"message": "asset not found for NONE"})]
    )

    assets = broker_over(script).assets_of(["NONE", "GLD", "GLD"])

    assert assets == {"GLD": Asset("GLD", "GLD", tradable=False, fractionable=True)}
    assert script.request_lines == ["GET /v2/assets/GLD", "GET /v2/assets/NONE"]


def test_assets_of_three_symbols_are_three_requests() -> None:
    symbols = [f"S{number:02}" for number in range(3)]
    script = Script([answer(200, asset_record(symbol)) for symbol in symbols])

    assert list(broker_over(script).assets_of(symbols)) == symbols
    assert script.is_spent


def test_assets_of_more_symbols_are_one_list() -> None:
    symbols = [f"S{number:02}" for number in range(4)]
    script = Script([answer(200, [asset_record(symbol) for symbol in [*symbols[1:], "OTHER"]])])

    assets = broker_over(script).assets_of(symbols)

    assert list(assets) == symbols[1:]
    assert script.requests[0].full_url == "http://trading.test/v2/assets?status=active&asset_class=us_equity"


def test_assets_of_no_symbols_send_no_request() -> None:
    assert broker_over(Script([])).assets_of([]) == {}


@pytest.mark.parametrize("status", sorted(set(OrderStatus) - {OrderStatus.UNKNOWN}))
def test_order_with_a_documented_status_has_it(status: OrderStatus) -> None:
    order = order_of(status=status.value)

    assert (order.status, order.raw_status) == (status, status.value)


def test_order_is_done_in_the_six_statuses_without_more_fills() -> None:
    done = {"filled", "done_for_day", "canceled", "expired", "replaced", "rejected"}

    assert {status.value for status in OrderStatus if order_of(status=status.value).is_done} == done


def test_order_with_an_unknown_status_counts_as_open_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    parsing.warn_once.cache_clear()

    orders = [order_of(status="on_the_moon"), order_of(status="on_the_moon"), order_of(status="on_mars")]

    assert {order.status for order in orders} == {OrderStatus.UNKNOWN}
    assert [order.raw_status for order in orders] == ["on_the_moon", "on_the_moon", "on_mars"]
    assert not any(order.is_done for order in orders)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "on_the_moon" in caplog.records[0].getMessage()


def test_order_replaced_names_its_successor() -> None:
    order = order_of(status="replaced", replaced_by="its-successor")

    assert order.replaced_by == "its-successor"
    assert order.is_done


def test_order_that_was_not_replaced_has_no_successor() -> None:
    assert order_of().replaced_by is None
    assert order_of(replaced_by=None).replaced_by is None


def test_order_as_the_broker_writes_it_is_parsed_completely() -> None:
    order = broker_over(Script([answer(200, json.dumps(ORDER))])).order("an-id")

    assert order.id == "61e69015-8549-4bfd-b9c3-01e75843f47d"
    assert (order.symbol, order.side, order.type) == ("SPY", "BUY", "limit")
    assert (order.quantity, order.filled_quantity) == (Decimal("12.345678"), Decimal("12.345678"))
    assert (order.filled_avg_price, order.limit_price) == (Decimal("509.83"), Decimal("509.88"))
    assert order.submitted_at.isoformat() == "2024-03-15T19:45:01.123456+00:00"
    assert order.filled_at is not None
    assert order.canceled_at is None
