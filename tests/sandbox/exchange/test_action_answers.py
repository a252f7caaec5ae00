from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.exchange.action_answers import actions_page
from sandbox.exchange.corporate_actions import CorporateAction
from sandbox.exchange.refusals import Refusal

TODAY = date(2022, 3, 16)
FORWARD = CorporateAction(type="forward_split", symbol="AMZN", ex_date=date(2022, 3, 10), new_rate=Decimal(20))
REVERSE = CorporateAction(
    type="reverse_split",
    symbol="GE",
    ex_date=date(2022, 3, 16),
    new_rate=Decimal("2.5"),
    old_rate=Decimal(8),
)
DIVIDEND = CorporateAction(
    type="cash_dividend",
    symbol="KO",
    ex_date=date(2022, 3, 14),
    rate=Decimal("0.44"),
    process_date=date(2022, 4, 1),
    announced=date(2022, 3, 16),
)
ALL = (FORWARD, REVERSE, DIVIDEND)
WIDE = {"start": "2022-01-01", "end": "2022-12-31"}


def ask(params: dict[str, str], today: date = TODAY) -> dict[str, list[str]]:
    groups: Any = actions_page(params, ALL, today)["corporate_actions"]
    return {name: [row["symbol"] for row in rows] for name, rows in groups.items()}


def test_page_has_the_actions_by_type_with_their_fields() -> None:
    page = actions_page(WIDE, ALL, TODAY)

    assert page == {
        "corporate_actions": {
            "forward_splits": [
                {
                    "id": str(FORWARD.id),
                    "symbol": "AMZN",
                    "cusip": "AMZN",
                    "new_rate": 20,
                    "old_rate": 1,
                    "process_date": "2022-03-10",
                    "ex_date": "2022-03-10",
                    "record_date": "2022-03-10",
                    "payable_date": "2022-03-10",
                    "due_bill_redemption_date": "2022-03-10",
                }
            ],
            "reverse_splits": [
                {
                    "id": str(REVERSE.id),
                    "symbol": "GE",
                    "old_cusip": "GE",
                    "new_cusip": "GE",
                    "new_rate": 2.5,
                    "old_rate": 8,
                    "process_date": "2022-03-16",
                    "ex_date": "2022-03-16",
                    "record_date": "2022-03-16",
                    "payable_date": "2022-03-16",
                }
            ],
            "cash_dividends": [
                {
                    "id": str(DIVIDEND.id),
                    "symbol": "KO",
                    "cusip": "KO",
                    "rate": 0.44,
                    "special": False,
                    "foreign": False,
                    "process_date": "2022-04-01",
                    "ex_date": "2022-03-14",
                    "record_date": "2022-03-14",
                    "payable_date": "2022-04-01",
                }
            ],
        },
        "next_page_token": None,
    }


@pytest.mark.parametrize(
    ("params", "symbols"),
    [
        ({}, ["GE"]),
        ({"start": "2022-03-10"}, ["AMZN", "GE"]),
        ({"start": "2022-03-11", "end": "2022-03-31"}, ["GE"]),
        ({"start": "2022-03-10", "end": "2022-03-10"}, ["AMZN"]),
        ({"start": "2022-03-17", "end": "2022-04-01"}, ["KO"]),
        ({**WIDE, "symbols": "ge,KO"}, ["GE", "KO"]),
        ({**WIDE, "types": "forward_split,spin_off"}, ["AMZN"]),
        ({"ids": f"{FORWARD.id},{DIVIDEND.id}"}, ["AMZN", "KO"]),
    ],
)
def test_page_selects_by_process_date_symbol_type_and_id(params: dict[str, str], symbols: list[str]) -> None:
    assert sorted(symbol for rows in ask(params).values() for symbol in rows) == symbols


def test_page_lists_an_action_from_its_announcement_on() -> None:
    assert "cash_dividends" not in ask(WIDE, date(2022, 3, 15))
    assert ask(WIDE, date(2022, 3, 16))["cash_dividends"] == ["KO"]


@pytest.mark.parametrize(
    ("sort", "types"),
    [
        ("asc", ["forward_splits", "reverse_splits", "cash_dividends"]),
        ("desc", ["cash_dividends", "reverse_splits", "forward_splits"]),
    ],
)
def test_pages_add_up_to_every_action_in_order(sort: str, types: list[str]) -> None:
    seen: list[str] = []
    params = {**WIDE, "limit": "1", "sort": sort}
    while True:
        page: Any = actions_page(params, ALL, TODAY)
        seen += page["corporate_actions"]
        if page["next_page_token"] is None:
            break
        params["page_token"] = page["next_page_token"]

    assert seen == types


def test_page_that_is_exactly_full_has_no_next_one() -> None:
    assert actions_page({**WIDE, "limit": "3"}, ALL, TODAY)["next_page_token"] is None


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"limit": "1001"}, "invalid limit: 1001; 1 to 1000"),
        ({"sort": "up"}, "invalid sort: up"),
        ({"types": "forward_split,nonsense"}, "invalid type: nonsense"),
        ({"start": "soon"}, "invalid start: soon"),
        ({"start": "2022-03-17"}, "end should not be before start"),
        ({"ids": "a", "symbols": "KO"}, "ids cannot be combined with other filters"),
        ({"page_token": "?"}, "invalid page_token"),
        ({"page_token": "Q0F8LTE="}, "invalid page_token"),
        ({"page_token": "WFh8MQ=="}, "invalid page_token"),
    ],
)
def test_page_with_a_bad_parameter_is_refused(params: dict[str, str], message: str) -> None:
    with pytest.raises(Refusal) as caught:
        actions_page(params, ALL, TODAY)

    assert (caught.value.status, caught.value.code, str(caught.value)) == (400, None, message)
