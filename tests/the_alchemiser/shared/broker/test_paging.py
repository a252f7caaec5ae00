"""Answers in pages: orders by time, bars by symbol, corporate actions of every kind."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.the_alchemiser.shared.broker.answers import ORDER, Script, answer, broker_over
from the_alchemiser.shared.broker.errors import AssetNotFoundError, UnexpectedResponseError
from the_alchemiser.shared.broker.models import Bar
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActionKind

OPEN = datetime(2024, 3, 15, 13, 30, tzinfo=UTC)
DAYS = (date(2024, 7, 1), date(2024, 7, 3))


def record(number: int, *, second: int | None = None, **fields: object) -> dict[str, object]:
    """Return an order that was submitted so many seconds after the open."""
    at = OPEN + timedelta(seconds=number if second is None else second)
    return {**ORDER, "id": f"order-{number}", "submitted_at": f"{at:%Y-%m-%dT%H:%M:%S}.123456789Z", **fields}


def params_of(script: Script) -> list[dict[str, str]]:
    return [dict(request.params) for request in script.requests]


def test_orders_are_requested_from_the_broker_oldest_first() -> None:
    script = Script([answer(200, [record(1), record(2)])])

    orders = broker_over(script).orders(after=OPEN)

    assert [order.id for order in orders] == ["order-1", "order-2"]
    assert script.request_lines == ["GET /v2/orders"]
    assert params_of(script) == [
        {
            "status": "all",
            "direction": "asc",
            "nested": "false",
            "limit": "500",
            "after": "2024-03-15T13:30:00+00:00",
        }
    ]


def test_orders_of_symbols_and_status_are_selected_by_the_broker() -> None:
    script = Script([answer(200, [])])

    assert broker_over(script).orders(after=OPEN, symbols=["SPY", "GLD", "SPY"], status="open") == ()
    assert script.requests[0].params["symbols"] == "GLD,SPY"
    assert script.requests[0].params["status"] == "open"


def test_orders_over_pages_come_once_each() -> None:
    first = [record(number) for number in range(500)]
    second = [record(499), record(500)]
    script = Script([answer(200, first), answer(200, second)])

    orders = broker_over(script).orders(after=OPEN)

    assert [order.id for order in orders] == [f"order-{number}" for number in range(501)]
    # Just before the last order of the page: another one of the same moment may not have fitted on it.
    assert params_of(script)[1]["after"] == "2024-03-15T13:38:19.123455+00:00"


def test_orders_on_one_full_page_need_a_second_request() -> None:
    page = [record(number) for number in range(500)]
    script = Script([answer(200, page), answer(200, [record(499)])])

    assert len(broker_over(script).orders(after=OPEN)) == 500
    assert script.is_spent


def test_orders_when_a_full_page_repeats_itself_raise() -> None:
    page = [record(number, second=0) for number in range(500)]
    script = Script([answer(200, page), answer(200, page)])

    with pytest.raises(UnexpectedResponseError, match=r"after 2024-03-15T13:30:00\.123455\+00:00 brings no new order$"):
        broker_over(script).orders(after=OPEN)


def test_orders_leave_out_an_order_of_several_legs() -> None:
    of_legs = record(1, symbol="", side="", type="", qty=None)
    without_side = record(2, side=None)
    script = Script([answer(200, [of_legs, without_side, record(3)])])

    assert [order.id for order in broker_over(script).orders(after=OPEN)] == ["order-3"]


def test_orders_with_several_legs_on_a_full_page_continue() -> None:
    page = [record(number) for number in range(499)] + [record(499, symbol="")]
    script = Script([answer(200, page), answer(200, [record(498), record(500)])])

    orders = broker_over(script).orders(after=OPEN)

    assert len(orders) == 500
    assert params_of(script)[1]["after"] == "2024-03-15T13:38:18.123455+00:00"


@pytest.mark.parametrize(
    "payload", [{}, '"orders"', [[]], [{"symbol": "SPY", "side": "buy"}], [{"symbol": "SPY"}]], ids=repr
)
def test_orders_in_another_shape_raise(payload: object) -> None:
    with pytest.raises(UnexpectedResponseError):
        broker_over(Script([answer(200, payload)])).orders(after=OPEN)


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

    series = list(broker_over(script).bars(["C", "B", "A"], *DAYS))

    assert [(symbol, _days(bars)) for symbol, bars in series] == [("A", [1, 2]), ("B", [1, 2, 3]), ("C", [1])]
    assert series[0][1][0].high == Decimal("2.5")
    assert [request.params.get("page_token") for request in script.requests] == [None, "t1", "t2"]
    assert script.request_lines == ["GET /v2/stocks/bars"] * 3
    assert params_of(script)[0] == {
        "symbols": "A,B,C",
        "timeframe": "1Day",
        "start": "2024-07-01T00:00:00-04:00",
        "end": "2024-07-03T00:00:00-04:00",
        "adjustment": "all",
        "limit": "10000",
    }


def _page(token: str | None, **rows: list[dict[str, object]]) -> dict[str, object]:
    return {"bars": rows, "next_page_token": token}


def test_bars_after_an_empty_page_belong_to_the_same_symbol() -> None:
    pages = [_page("t1", A=_rows(1)), _page("t2"), _page("t3", B=[]), _page(None, A=_rows(2), B=_rows(1))]
    script = Script([answer(200, page) for page in pages])

    series = list(broker_over(script).bars(["A", "B"], *DAYS))

    assert [(symbol, _days(bars)) for symbol, bars in series] == [("A", [1, 2]), ("B", [1])]


def test_bars_with_ten_empty_pages_in_a_row_continue() -> None:
    pages = [_page(f"t{number}") for number in range(10)]
    pages += [_page("u", A=_rows(1)), *(_page(f"v{number}") for number in range(10)), _page(None, A=_rows(2))]
    script = Script([answer(200, page) for page in pages])

    assert [_days(bars) for _, bars in broker_over(script).bars(["A"], *DAYS)] == [[1, 2]]


def test_bars_with_empty_pages_without_end_raise() -> None:
    script = Script([answer(200, _page(f"t{number}")) for number in range(11)])

    with pytest.raises(UnexpectedResponseError, match=r"^GET /v2/stocks/bars: more than 10 empty pages in a row$"):
        list(broker_over(script).bars(["A"], *DAYS))
    assert script.is_spent


@pytest.mark.parametrize("tokens", [("t", "t"), ("t", "u", "t")])
def test_bars_with_a_page_token_that_repeats_raise(tokens: tuple[str, ...]) -> None:
    script = Script([answer(200, _page(token, A=_rows(1))) for token in tokens])

    with pytest.raises(UnexpectedResponseError, match=r"^GET /v2/stocks/bars: the page token 't' comes twice$"):
        list(broker_over(script).bars(["A"], *DAYS))
    assert script.is_spent


def test_bars_of_a_symbol_that_was_complete_raise() -> None:
    pages = [_page("t1", A=_rows(1), B=_rows(1)), _page("t2", B=_rows(2)), _page(None, A=_rows(2))]
    script = Script([answer(200, page) for page in pages])

    with pytest.raises(UnexpectedResponseError, match=r"^GET /v2/stocks/bars: A comes back after it was complete$"):
        list(broker_over(script).bars(["A", "B"], *DAYS))


def test_corporate_actions_with_a_page_token_that_repeats_raise() -> None:
    page = {"corporate_actions": {}, "next_page_token": "t"}

    with pytest.raises(UnexpectedResponseError, match="the page token 't' comes twice"):
        broker_over(Script([answer(200, page)] * 2)).corporate_actions(["A"], *DAYS)


def test_bars_with_unknown_symbol_raises_its_name() -> None:
    script = Script([answer(400, {"message": "invalid symbol: NOPE"})])

    with pytest.raises(AssetNotFoundError, match="NOPE"):
        list(broker_over(script).bars(["NOPE"], *DAYS))


@pytest.mark.parametrize("adjustment", ["raw", "split"])
def test_bars_are_adjusted_as_the_caller_says(adjustment: Any) -> None:
    script = Script([answer(200, {"bars": None, "next_page_token": ""})])

    assert list(broker_over(script).bars(["A"], *DAYS, adjustment=adjustment)) == []
    assert script.requests[0].params["adjustment"] == adjustment


def test_bars_of_no_symbols_send_no_request() -> None:
    assert list(broker_over(Script([])).bars([], *DAYS)) == []


SPLIT, OTHER = CorporateActionKind.SPLIT, CorporateActionKind.OTHER
ACTIONS: list[tuple[str, dict[str, object], CorporateAction]] = [
    (
        "forward_splits",
        {"symbol": "NVDA", "old_rate": 1, "new_rate": 10, "ex_date": "2024-06-10", "process_date": "2024-06-10"},
        CorporateAction("NVDA", date(2024, 6, 10), SPLIT, Decimal(1), Decimal(10)),
    ),
    (
        "reverse_splits",
        {"symbol": "UVXY", "old_rate": 5, "new_rate": 1, "ex_date": "2024-04-11", "process_date": "2024-04-12"},
        CorporateAction("UVXY", date(2024, 4, 11), SPLIT, Decimal(5), Decimal(1)),
    ),
    (
        "stock_dividends",
        {"symbol": "MSEX", "rate": 0.05, "ex_date": "2024-02-01"},
        CorporateAction("MSEX", date(2024, 2, 1), SPLIT, Decimal(1), Decimal("1.05")),
    ),
    (
        "cash_dividends",
        {"symbol": "SPY", "rate": 1.594937, "ex_date": "2024-03-15", "special": False},
        CorporateAction("SPY", date(2024, 3, 15), CorporateActionKind.DIVIDEND, cash=Decimal("1.594937")),
    ),
    (
        "spin_offs",
        {"source_symbol": "GE", "new_symbol": "GEV", "new_rate": 0.25, "ex_date": "2024-04-02"},
        CorporateAction("GE", date(2024, 4, 2), OTHER),
    ),
    (
        "cash_mergers",
        {"acquiree_symbol": "X", "acquirer_symbol": None, "rate": 55, "effective_date": "2025-06-18"},
        CorporateAction("X", date(2025, 6, 18), OTHER),
    ),
    (
        "name_changes",
        {"old_symbol": "FB", "new_symbol": "META", "process_date": "2022-06-09"},
        CorporateAction("FB", date(2022, 6, 9), OTHER),
    ),
    (
        "kinds_to_come",
        {"symbol": "A", "ex_date": "2024-07-01", "rate": "a text"},
        CorporateAction("A", date(2024, 7, 1), OTHER),
    ),
]


@pytest.mark.parametrize(("kind", "action", "expected"), ACTIONS)
def test_corporate_action_of_each_kind_is_parsed(
    kind: str, action: dict[str, object], expected: CorporateAction
) -> None:
    script = Script([answer(200, {"corporate_actions": {kind: [action]}, "next_page_token": None})])

    assert broker_over(script).corporate_actions(["A"], *DAYS) == (expected,)


def test_corporate_actions_over_pages_are_sorted_by_symbol_and_date() -> None:
    def dividend(symbol: str, day: int) -> dict[str, object]:
        return {"symbol": symbol, "rate": 1, "ex_date": f"2024-07-{day:02}"}

    pages = [
        {"corporate_actions": {"cash_dividends": [dividend("B", 1)]}, "next_page_token": "t1"},
        {"corporate_actions": {"cash_dividends": [dividend("A", 3)], "spin_offs": None}, "next_page_token": "t2"},
        {"corporate_actions": {"cash_dividends": [dividend("A", 2)]}, "next_page_token": "t3"},
        {"corporate_actions": {}, "next_page_token": None},
    ]
    script = Script([answer(200, page) for page in pages])

    actions = broker_over(script).corporate_actions(["B", "A"], *DAYS)

    assert [(action.symbol, action.ex_date.day) for action in actions] == [("A", 2), ("A", 3), ("B", 1)]
    assert script.requests[0].full_url.startswith("http://data.test/v1/corporate-actions?")
    assert params_of(script)[0] == {"symbols": "A,B", "start": "2024-07-01", "end": "2024-07-03", "limit": "1000"}
    assert [params.get("page_token") for params in params_of(script)] == [None, "t1", "t2", "t3"]


def test_corporate_actions_of_no_symbols_send_no_request() -> None:
    assert broker_over(Script([])).corporate_actions([], *DAYS) == ()


@pytest.mark.parametrize(
    "payload",
    [
        {"next_page_token": None},
        {"corporate_actions": {}},
        {"corporate_actions": {"cash_dividends": [{"rate": 1, "ex_date": "2024-07-01"}]}, "next_page_token": None},
        {"corporate_actions": {"cash_dividends": [{"symbol": "A", "rate": 1}]}, "next_page_token": None},
        {"corporate_actions": {"forward_splits": [{"symbol": "A", "ex_date": "2024-07-01"}]}, "next_page_token": None},
    ],
    ids=repr,
)
def test_corporate_actions_in_another_shape_raise(payload: object) -> None:
    with pytest.raises(UnexpectedResponseError):
        broker_over(Script([answer(200, payload)])).corporate_actions(["A"], *DAYS)
