"""The client over a scripted transport: its requests, its results, and its reaction to failures of the broker."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.the_alchemiser.shared.broker.answers import ACCOUNT, ORDER, Answer, Script, answer, broker_over
from the_alchemiser.shared.broker.errors import (
    BrokerServerError,
    BrokerTimeoutError,
    BrokerUnavailableError,
    BrokerUnreachableError,
    InsufficientBuyingPowerError,
    OrderNotCancelableError,
    OrderNotFoundError,
    RateLimitedError,
    UnexpectedResponseError,
)
from the_alchemiser.shared.broker.models import OrderRequest, OrderStatus, OrderType
from the_alchemiser.shared.broker.transport import Response
from the_alchemiser.shared.values import Side

REQUEST = OrderRequest(
    symbol="SPY",
    side=Side.BUY,
    quantity=Decimal("12.345678"),
    type=OrderType.LIMIT,
    client_order_id="local-2024-03-15-BUY-SPY-1",
    limit_price=Decimal("509.880"),
)
NO_ORDER = {"code": 40410000, "message": "order not found for local-2024-03-15-BUY-SPY-1"}
LOOK_UP = "GET /v2/orders:by_client_order_id"


def test_account_with_money_strings_returns_exact_decimals() -> None:
    script = Script([answer(200, ACCOUNT)])

    account = broker_over(script).account()

    assert account.equity == Decimal("100000.10")
    assert account.trading_blocked is False
    assert script.requests[0].headers["APCA-API-KEY-ID"] == "the-key"
    assert script.requests[0].headers["APCA-API-SECRET-KEY"] == "the-secret"


def test_clock_with_nanoseconds_returns_aware_times() -> None:
    record = {
        "timestamp": "2024-03-15T15:45:00.123456789-04:00",
        "is_open": True,
        "next_open": "2024-03-18T09:30:00-04:00",
        "next_close": "2024-03-15T16:00:00-04:00",
    }

    clock = broker_over(Script([answer(200, record)])).clock()

    assert clock.timestamp == datetime(2024, 3, 15, 19, 45, 0, 123456, tzinfo=UTC)
    assert clock.next_close - clock.timestamp < clock.next_open - clock.timestamp


def test_calendar_with_half_day_returns_new_york_times() -> None:
    script = Script([answer(200, [{"date": "2023-11-24", "open": "09:30", "close": "13:00"}])])

    (session,) = broker_over(script).calendar(date(2023, 11, 24), date(2023, 11, 24))

    assert session.close.astimezone(UTC) == datetime(2023, 11, 24, 18, 0, tzinfo=UTC)
    assert script.requests[0].params["start"] == "2023-11-24"


def test_asset_inactive_is_not_tradable() -> None:
    record = {"symbol": "OLD", "name": "Old", "status": "inactive", "tradable": True, "fractionable": False}

    asset = broker_over(Script([answer(200, record)])).asset("OLD")

    assert not asset.tradable


def test_submit_limit_order_sends_plain_decimal_strings() -> None:
    script = Script([answer(200, ORDER)])

    order = broker_over(script).submit(REQUEST)

    assert script.requests[0].body == {
        "symbol": "SPY",
        "side": "buy",
        "qty": "12.345678",
        "type": "limit",
        "time_in_force": "day",
        "client_order_id": "local-2024-03-15-BUY-SPY-1",
        "position_intent": "buy_to_open",
        "limit_price": "509.88",
    }
    assert order.status is OrderStatus.FILLED
    assert order.is_done


LOST_ANSWERS = [
    answer(504, "<html>Gateway Time-out</html>"),
    answer(504, {"code": 50410000, "message": "request timed out"}),
    answer(500, {"message": "internal server error"}),
    answer(200, "<html>ok</html>"),
    TimeoutError("ReadTimeout"),
    ConnectionError("reset"),
    answer(422, {"code": 40010001, "message": "client_order_id must be unique"}),
]


@pytest.mark.parametrize("lost", LOST_ANSWERS, ids=repr)
def test_submit_lost_answer_finds_the_order_and_sends_it_once(lost: Answer) -> None:
    script = Script([lost, answer(200, ORDER)])

    order = broker_over(script).submit(REQUEST)

    assert order.id == ORDER["id"]
    assert script.request_lines == ["POST /v2/orders", LOOK_UP]


def test_submit_lost_answer_without_order_raises_retryable() -> None:
    script = Script([TimeoutError("ReadTimeout"), answer(404, NO_ORDER)])

    with pytest.raises(BrokerTimeoutError) as raised:
        broker_over(script).submit(REQUEST)

    assert raised.value.retryable
    assert script.request_lines.count("POST /v2/orders") == 1


def test_submit_with_a_used_id_that_is_not_found_yet_raises_retryable() -> None:
    duplicate = answer(422, {"code": 40010001, "message": "client_order_id must be unique"})
    script = Script([duplicate, answer(404, NO_ORDER)])

    with pytest.raises(
        BrokerUnavailableError, match="local-2024-03-15-BUY-SPY-1 exists, but is not found yet"
    ) as raised:
        broker_over(script).submit(REQUEST)

    assert type(raised.value) is BrokerUnavailableError
    assert script.request_lines == ["POST /v2/orders", LOOK_UP]


def test_submit_lost_answer_and_limited_look_up_does_not_look_like_a_limited_submit() -> None:
    script = Script([TimeoutError("ReadTimeout"), *[answer(429, {"message": "too many requests."})] * 3])

    with pytest.raises(BrokerUnavailableError, match="local-2024-03-15-BUY-SPY-1 may have been accepted") as raised:
        broker_over(script).submit(REQUEST)

    assert not isinstance(raised.value, RateLimitedError)
    assert script.request_lines == ["POST /v2/orders", LOOK_UP, LOOK_UP, LOOK_UP]


def test_submit_when_rate_limited_raises_without_sending_again() -> None:
    script = Script([answer(429, {"code": 42910000, "message": "rate limit exceeded"})])

    with pytest.raises(RateLimitedError):
        broker_over(script).submit(REQUEST)

    assert script.is_spent


def test_submit_sell_closes_a_position_and_opens_none() -> None:
    script = Script([answer(200, ORDER)])

    broker_over(script).submit(REQUEST.changed(side=Side.SELL, type=OrderType.MARKET, limit_price=None))

    sent = script.requests[0].body or {}
    assert (sent["side"], sent["position_intent"], sent["type"]) == ("sell", "sell_to_close", "market")
    assert "limit_price" not in sent


def test_submit_without_money_raises_named_rejection() -> None:
    body = {"code": 40310000, "message": "insufficient buying power", "buying_power": "1", "cost_basis": "2"}

    with pytest.raises(InsufficientBuyingPowerError, match="insufficient buying power") as raised:
        broker_over(Script([answer(403, body)])).submit(REQUEST)

    assert not raised.value.retryable


@pytest.mark.parametrize(
    "fault", [answer(429, {"message": "too many requests."}), answer(503), TimeoutError("ConnectTimeout")], ids=repr
)
def test_get_temporary_fault_is_repeated_after_growing_pauses(fault: Answer) -> None:
    pauses: list[float] = []
    script = Script([fault, fault, answer(200, ACCOUNT)])

    broker_over(script, pauses).account()

    assert pauses == [0.1, 0.3]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (answer(429, {"message": "too many requests."}), RateLimitedError),
        (answer(502, "<html>bad gateway</html>"), BrokerServerError),
        (TimeoutError("ReadTimeout"), BrokerTimeoutError),
        (ConnectionError("refused"), BrokerUnreachableError),
        (answer(200, "<html>maintenance</html>"), UnexpectedResponseError),
    ],
    ids=repr,
)
def test_get_permanent_fault_raises_after_three_attempts(fault: Answer, expected: type[Exception]) -> None:
    script = Script([fault] * 3)

    with pytest.raises(expected):
        broker_over(script).account()

    assert script.is_spent


@pytest.mark.parametrize(
    "body",
    [{}, [], {**ACCOUNT, "cash": "NaN"}, {**ACCOUNT, "cash": "many"}, {**ACCOUNT, "cash": None}],
    ids=repr,
)
def test_account_with_malformed_record_raises_unexpected_response(body: object) -> None:
    with pytest.raises(UnexpectedResponseError, match="account"):
        broker_over(Script([answer(200, body)])).account()


def test_order_by_client_id_unknown_returns_none() -> None:
    assert broker_over(Script([answer(404, NO_ORDER)])).order_by_client_id("x") is None


@pytest.mark.parametrize(
    "body",
    [
        {"code": 42210000, "message": 'order is already in "filled" state'},
        {"code": 42210000, "message": "a text that is not documented"},
        {"code": 40010001, "message": "order_id is missing"},
        "<html>unprocessable</html>",
    ],
    ids=str,
)
def test_cancel_refused_with_422_means_look_again(body: object) -> None:
    with pytest.raises(OrderNotCancelableError, match="DELETE /v2/orders/an-id: 422") as raised:
        broker_over(Script([answer(422, body)])).cancel("an-id")

    assert raised.value.status == 422
    assert raised.value.code == (body["code"] if isinstance(body, dict) else None)


def test_cancel_of_an_unknown_order_raises_not_found() -> None:
    with pytest.raises(OrderNotFoundError):
        broker_over(Script([answer(404, NO_ORDER)])).cancel("an-id")


def test_cancel_without_an_answer_is_sent_once() -> None:
    script = Script([TimeoutError("ReadTimeout")])

    with pytest.raises(BrokerTimeoutError):
        broker_over(script).cancel("an-id")
    assert script.is_spent


def test_cancel_accepted_sends_one_delete() -> None:
    script = Script([Response(204, {}, b"")])

    broker_over(script).cancel("an-id")

    assert script.request_lines == ["DELETE /v2/orders/an-id"]
