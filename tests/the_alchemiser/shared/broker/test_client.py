"""The client over a scripted transport: its requests, its results, and its reaction to failures of the broker."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

import httpx
import pytest

from tests.the_alchemiser.shared.broker.answers import ACCOUNT, ORDER, Answer, Script, answer, broker_over
from the_alchemiser.shared.broker.errors import (
    AssetNotFoundError,
    BrokerServerError,
    BrokerTimeoutError,
    BrokerUnreachableError,
    InsufficientBuyingPowerError,
    OrderNotCancelableError,
    RateLimitedError,
    UnexpectedResponseError,
)
from the_alchemiser.shared.broker.models import Bar, OrderRequest, OrderStatus, OrderType
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
    assert script.requests[0].url.params["start"] == "2023-11-24"


def test_asset_inactive_is_not_tradable() -> None:
    record = {"symbol": "OLD", "name": "Old", "status": "inactive", "tradable": True, "fractionable": False}

    asset = broker_over(Script([answer(200, record)])).asset("OLD")

    assert not asset.tradable


def test_submit_limit_order_sends_plain_decimal_strings() -> None:
    script = Script([answer(200, ORDER)])

    order = broker_over(script).submit(REQUEST)

    assert json.loads(script.requests[0].content) == {
        "symbol": "SPY",
        "side": "buy",
        "qty": "12.345678",
        "type": "limit",
        "time_in_force": "day",
        "client_order_id": "local-2024-03-15-BUY-SPY-1",
        "limit_price": "509.88",
    }
    assert order.status is OrderStatus.FILLED
    assert order.is_done


LOST_ANSWERS = [
    answer(504, "<html>Gateway Time-out</html>"),
    answer(504, {"code": 50410000, "message": "request timed out"}),
    answer(500, {"message": "internal server error"}),
    answer(200, "<html>ok</html>"),
    httpx.ReadTimeout("slow"),
    httpx.ReadError("reset"),
    answer(422, {"code": 40010001, "message": "client_order_id must be unique"}),
]


@pytest.mark.parametrize("lost", LOST_ANSWERS, ids=repr)
def test_submit_lost_answer_finds_the_order_and_sends_it_once(lost: Answer) -> None:
    script = Script([lost, answer(200, ORDER)])

    order = broker_over(script).submit(REQUEST)

    assert order.id == ORDER["id"]
    assert script.request_lines == ["POST /v2/orders", LOOK_UP]


def test_submit_lost_answer_without_order_raises_retryable() -> None:
    script = Script([httpx.ReadTimeout("slow"), answer(404, NO_ORDER)])

    with pytest.raises(BrokerTimeoutError) as raised:
        broker_over(script).submit(REQUEST)

    assert raised.value.retryable
    assert script.request_lines.count("POST /v2/orders") == 1


def test_submit_when_rate_limited_raises_without_sending_again() -> None:
    script = Script([answer(429, {"code": 42910000, "message": "rate limit exceeded"})])

    with pytest.raises(RateLimitedError):
        broker_over(script).submit(REQUEST)

    assert script.is_spent


def test_submit_without_money_raises_named_rejection() -> None:
    body = {"code": 40310000, "message": "insufficient buying power", "buying_power": "1", "cost_basis": "2"}

    with pytest.raises(InsufficientBuyingPowerError, match="insufficient buying power") as raised:
        broker_over(Script([answer(403, body)])).submit(REQUEST)

    assert not raised.value.retryable


@pytest.mark.parametrize(
    "fault", [answer(429, {"message": "too many requests."}), answer(503), httpx.ConnectTimeout("slow")], ids=repr
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
        (httpx.ReadTimeout("slow"), BrokerTimeoutError),
        (httpx.ConnectError("refused"), BrokerUnreachableError),
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


def test_cancel_of_done_order_raises_not_cancelable() -> None:
    body = {"code": 42210000, "message": 'order is already in "filled" state; cannot cancel'}

    with pytest.raises(OrderNotCancelableError):
        broker_over(Script([answer(422, body)])).cancel("an-id")


def test_cancel_accepted_sends_one_delete() -> None:
    script = Script([httpx.Response(204)])

    broker_over(script).cancel("an-id")

    assert script.request_lines == ["DELETE /v2/orders/an-id"]


def test_latest_trades_with_json_numbers_returns_exact_decimals() -> None:
    body = '{"trades": {"SPY": {"t": "2024-03-15T19:44:59Z", "x": "V", "p": 509.83, "s": 100}}}'
    script = Script([answer(200, body)])

    trades = broker_over(script).latest_trades(["SPY", "NONE"])

    assert trades["SPY"].price == Decimal("509.83")
    assert "NONE" not in trades
    assert str(script.requests[0].url).startswith("http://data.test/v2/stocks/trades/latest?symbols=NONE%2CSPY")


def test_latest_quotes_of_no_symbols_sends_no_request() -> None:
    script = Script([])

    assert broker_over(script).latest_quotes([]) == {}
    assert script.requests == []


def _rows(*days: int) -> list[dict[str, object]]:
    # 04:00Z is New York midnight in summer time.
    return [
        {"t": f"2024-07-{day:02}T04:00:00Z", "o": 1, "h": 2.5, "l": 0.5, "c": 2, "v": 10, "n": 1, "vw": 1}
        for day in days
    ]


def _days(bars: Iterable[Bar]) -> list[int]:
    return [bar.date.day for bar in bars]


def test_bars_over_pages_yields_each_symbol_once_and_complete() -> None:
    pages = [
        {"bars": {"A": _rows(1, 2), "B": _rows(1)}, "next_page_token": "t1"},
        {"bars": {"B": _rows(2)}, "next_page_token": "t2"},
        {"bars": {"B": _rows(3), "C": _rows(1)}, "next_page_token": None},
    ]
    script = Script([answer(200, page) for page in pages])

    series = list(broker_over(script).bars(["C", "B", "A"], date(2024, 7, 1), date(2024, 7, 3)))

    assert [(symbol, _days(bars)) for symbol, bars in series] == [("A", [1, 2]), ("B", [1, 2, 3]), ("C", [1])]
    assert series[0][1][0].high == Decimal("2.5")
    assert [request.url.params.get("page_token") for request in script.requests] == [None, "t1", "t2"]
    assert script.requests[0].url.params["adjustment"] == "all"
    assert script.requests[0].url.params["end"] == "2024-07-03T00:00:00-04:00"


def test_bars_with_unknown_symbol_raises_its_name() -> None:
    script = Script([answer(400, {"message": "invalid symbol: NOPE"})])

    with pytest.raises(AssetNotFoundError, match="NOPE"):
        list(broker_over(script).bars(["NOPE"], date(2024, 7, 1), date(2024, 7, 3)))
