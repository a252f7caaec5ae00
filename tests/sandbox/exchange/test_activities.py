"""Deposits, withdrawals, fees, dividends and splits: what they do to the account, and how they are listed."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sandbox.exchange.account import AccountMode
from sandbox.exchange.activities import Entry
from sandbox.exchange.clock import Phase
from sandbox.exchange.corporate_actions import CorporateAction
from sandbox.exchange.positions import Position
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.service import Venue
from tests.sandbox.exchange.venues import BUY, REST, payload, venue_of
from tests.sandbox.exchange.worlds import THURSDAY, WEDNESDAY, exchange_at, move, send

ALL = "/v2/account/activities"
DIVIDEND = {
    "activity_type": "DIV",
    "net_amount": "1.02",
    "symbol": "CALM",
    "qty": "2",
    "per_share_amount": "0.51",
    "description": "dividend of CALM",
    "date": "2022-03-15",
}


def book(venue: Venue, activity_type: str, net_amount: str, **more: str) -> Any:
    body = {"activity_type": activity_type, "net_amount": net_amount, **more}
    return payload(venue.respond("POST", "/_control/activities", body=body))


def listed(venue: Venue, path: str = ALL, **query: str) -> list[str]:
    return [row["activity_type"] for row in payload(venue.respond("GET", path, query))]


@pytest.fixture
def venue() -> Venue:
    """Return a venue with a deposit, a fill, a fee and a withdrawal, in that order."""
    venue = venue_of()
    book(venue, "CSD", "100")
    venue.respond("POST", "/v2/orders", body=BUY)
    book(venue, "FEE", "-0.25")
    book(venue, "CSW", "-40.5")
    return venue


def test_book_moves_the_cash(venue: Venue) -> None:
    bought = Decimal("200.02")

    assert venue.exchange.account.cash == Decimal(10_000) + 100 - bought - Decimal("0.25") - Decimal("40.5")


def test_book_changes_last_equity_after_the_close_only(venue: Venue) -> None:
    account = venue.exchange.account
    today, tomorrow = account.last_equity(WEDNESDAY), THURSDAY

    move(venue.exchange, THURSDAY, Phase.EVENING_BEFORE)

    assert today == 10_000
    assert account.last_equity(tomorrow) == account.cash + 200


def test_activity_has_the_fields_of_the_broker(venue: Venue) -> None:
    payload(venue.respond("POST", "/_control/activities", body=DIVIDEND))

    (row,) = payload(venue.respond("GET", f"{ALL}/DIV"))

    assert row.pop("id").startswith("20220316154500000::")
    assert row.pop("created_at").startswith("2022-03-16T19:45:00")
    assert row == DIVIDEND | {"currency": "USD", "status": "executed"}


def test_activity_without_a_symbol_leaves_its_fields_out(venue: Venue) -> None:
    (row,) = payload(venue.respond("GET", f"{ALL}/FEE"))

    assert not {"symbol", "qty", "per_share_amount"} & row.keys()
    assert (row["date"], row["net_amount"]) == ("2022-03-16", "-0.25")


@pytest.mark.parametrize(
    ("path", "query", "types"),
    [
        (ALL, {}, ["CSW", "FEE", "FILL", "CSD"]),
        (ALL, {"direction": "asc"}, ["CSD", "FILL", "FEE", "CSW"]),
        (ALL, {"category": "non_trade_activity"}, ["CSW", "FEE", "CSD"]),
        (ALL, {"category": "trade_activity"}, ["FILL"]),
        (ALL, {"activity_types": "fee,FILL"}, ["FEE", "FILL"]),
        (f"{ALL}/TRANS", {}, ["CSW", "CSD"]),
        (f"{ALL}/FILL", {}, ["FILL"]),
        (f"{ALL}/INT", {}, []),
        (ALL, {"date": "2022-03-16", "activity_types": "FEE"}, ["FEE"]),
        (ALL, {"date": "2022-03-15"}, []),
        (ALL, {"until": "2022-03-16"}, []),
    ],
)
def test_list_selects(venue: Venue, path: str, query: dict[str, str], types: list[str]) -> None:
    assert listed(venue, path, **query) == types


def test_list_pages_have_every_activity_once(venue: Venue) -> None:
    pages: list[list[str]] = []
    token: dict[str, str] = {}
    while page := payload(venue.respond("GET", ALL, {"page_size": "3", **token})):
        pages.append([row["activity_type"] for row in page])
        token = {"page_token": page[-1]["id"]}

    assert pages == [["CSW", "FEE", "FILL"], ["CSD"]]


def test_list_after_an_activity_leaves_it_out(venue: Venue) -> None:
    fee = payload(venue.respond("GET", f"{ALL}/FEE"))[0]

    assert listed(venue, after=fee["created_at"]) == ["CSW"]
    assert listed(venue, until=fee["created_at"]) == ["FILL", "CSD"]


@pytest.mark.parametrize("query", [{"category": "trade_activity", "activity_types": "FEE"}, {"category": "odd"}])
def test_list_refuses_what_the_broker_refuses(venue: Venue, query: dict[str, str]) -> None:
    assert venue.respond("GET", ALL, query).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {"activity_type": "FILL", "net_amount": "1"},
        {"activity_type": "csd", "net_amount": "1"},
        {"activity_type": "CSD", "net_amount": "1.001"},
        {"activity_type": "CSD", "net_amount": "1", "odd": "1"},
        {"activity_type": "CSW", "net_amount": "-10000.01"},
    ],
)
def test_book_refuses_what_is_wrong(body: dict[str, str]) -> None:
    venue = venue_of()

    assert venue.respond("POST", "/_control/activities", body=body).status == 422
    assert venue.exchange.account.cash == 10_000
    assert venue.exchange.account.activities == ()


def test_withdrawal_leaves_what_open_orders_reserve() -> None:
    venue = venue_of()
    venue.respond("POST", "/v2/orders", body=REST)

    with pytest.raises(Refusal, match="can"):
        venue.exchange.book(Entry("CSW", Decimal("-9900.01")))
    venue.exchange.book(Entry("CSW", Decimal(-9900)))
    assert venue.exchange.account.cash == 100


def test_ids_of_a_reset_account_differ() -> None:
    venue = venue_of()
    book(venue, "CSD", "1")
    first = venue.exchange.account.activities[0].id.partition("::")[2]
    venue.respond("POST", "/_control/reset", body={})

    again = book(venue, "CSD", "1")[0]["id"].partition("::")[2]

    assert first != again


@pytest.mark.parametrize(
    ("held", "added", "cash"), [("25", "-23", "50"), ("20", "-18", "0")], ids=["cash in lieu", "whole"]
)
def test_split_is_an_activity(held: str, added: str, cash: str) -> None:
    exchange = exchange_at(whole_shares=frozenset({"CALM"}), mode=AccountMode.CASH)
    exchange.market.actions.plant(
        CorporateAction(type="reverse_split", symbol="CALM", ex_date=THURSDAY, old_rate=Decimal(10))
    )
    exchange.put_position(Position("CALM", Decimal(held), Decimal(10)))
    move(exchange, THURSDAY)

    (split,) = exchange.account.activities
    assert (split.entry.type, split.entry.symbol, split.date) == ("SPLIT", "CALM", date(2022, 3, 17))
    assert (split.entry.qty, split.entry.net_amount) == (Decimal(added), Decimal(cash))
    assert exchange.account.cash == 10_000 + Decimal(cash)


def test_snapshot_is_not_changed_by_later_activities() -> None:
    exchange = exchange_at()
    before = exchange.snapshot()

    exchange.book(Entry("CSD", Decimal(1)))
    send(exchange)

    assert before.account.activities == ()
