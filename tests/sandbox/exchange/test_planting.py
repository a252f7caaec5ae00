"""Planted positions, conditions and corporate actions, through the control endpoints."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.exchange.account import AccountMode
from sandbox.exchange.corporate_actions import CorporateAction
from sandbox.exchange.market import Market
from sandbox.exchange.planting_routes import read_actions
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.service import Venue
from sandbox.exchange.store import StateFile
from tests.sandbox.exchange.venues import payload, venue_of
from tests.sandbox.exchange.worlds import THURSDAY, exchange_at, send, week_market


def test_position_that_is_odd_is_listed_with_nulls() -> None:
    venue = venue_of()
    planted = payload(
        venue.respond("POST", "/_control/positions", {}, {"symbol": "628ESC012", "qty": "3", "current_price": None})
    )
    crypto = {"symbol": "BTCUSD", "qty": "0.5", "asset_class": "crypto", "current_price": "40000"}
    venue.respond("POST", "/_control/positions", {}, {**crypto, "avg_entry_price": "30000"})
    rows = {row["symbol"]: row for row in payload(venue.respond("GET", "/v2/positions"))}
    account = payload(venue.respond("GET", "/v2/account"))

    assert [row["symbol"] for row in planted] == ["628ESC012"]
    assert {name for name, value in rows["628ESC012"].items() if value is None} == {
        "market_value",
        "unrealized_pl",
        "unrealized_plpc",
        "unrealized_intraday_pl",
        "unrealized_intraday_plpc",
        "current_price",
        "lastday_price",
        "change_today",
    }
    assert {name: rows["BTCUSD"][name] for name in ("asset_class", "exchange", "market_value", "unrealized_pl")} == {
        "asset_class": "crypto",
        "exchange": "CRYPTO",
        "market_value": "20000",
        "unrealized_pl": "5000",
    }
    assert (rows["BTCUSD"]["asset_marginable"], rows["628ESC012"]["asset_marginable"]) == (False, True)
    assert account["equity"] == "30000"


def test_position_that_is_odd_can_be_read_and_not_be_traded() -> None:
    venue = venue_of()
    venue.respond("POST", "/_control/positions", {}, {"symbol": "628ESC012", "qty": "3"})

    assert payload(venue.respond("GET", "/v2/positions/628ESC012"))["qty"] == "3"
    assert venue.respond("DELETE", "/v2/positions/628ESC012").payload == {
        "code": 42210000,
        "message": "asset not found for 628ESC012",
    }


def test_position_of_a_known_symbol_has_the_market_price() -> None:
    venue = venue_of()
    quoted = payload(venue.respond("POST", "/_control/positions", {}, {"symbol": "CALM", "qty": "3"}))
    unpriced = {"symbol": "RISE", "qty": "1", "current_price": None}
    both = payload(venue.respond("POST", "/_control/positions", {}, unpriced))
    removed = payload(venue.respond("POST", "/_control/positions", {}, {"symbol": "CALM", "qty": "0"}))

    assert (quoted[0]["current_price"], quoted[0]["market_value"]) == ("100", "300")
    assert [row["current_price"] for row in both] == ["100", None]
    assert [row["symbol"] for row in removed] == ["RISE"]
    assert payload(venue.respond("GET", "/_control/positions")) == removed


def test_close_of_a_short_position_buys_it_back() -> None:
    venue = venue_of(mode=AccountMode.MARGIN)
    send(venue.exchange, "CALM", "sell", "4")
    half = payload(venue.respond("DELETE", "/v2/positions/CALM", {"percentage": "50"}))
    rest = payload(venue.respond("DELETE", "/v2/positions"), 207)

    assert (half["side"], half["qty"], half["position_intent"]) == ("buy", "2", "buy_to_close")
    assert (rest[0]["body"]["qty"], venue.exchange.account.positions) == ("2", {})


def test_close_of_a_long_position_says_sell_to_close() -> None:
    venue = venue_of(mode=AccountMode.MARGIN)
    send(venue.exchange, "CALM", "buy", "4")

    assert payload(venue.respond("DELETE", "/v2/positions/CALM"))["position_intent"] == "sell_to_close"


def test_conditions_are_planted_listed_and_cleared() -> None:
    venue = venue_of()
    planted = payload(venue.respond("POST", "/_control/conditions", {}, {"symbol": "CALM", "spread": "0.8"}))
    venue.respond("POST", "/_control/conditions", {}, {"symbol": "RISE", "no_trade": True})
    left = payload(venue.respond("DELETE", "/_control/conditions", {"symbol": "CALM"}))
    listed = payload(venue.respond("GET", "/_control/conditions"))

    assert (planted[0]["symbol"], planted[0]["spread"], planted[0]["since"]) == ("CALM", "0.8", "2022-03-16T19:45:00Z")
    assert [row["symbol"] for row in left] == [row["symbol"] for row in listed] == ["RISE"]
    assert payload(venue.respond("DELETE", "/_control/conditions")) == []


def test_actions_are_planted_listed_and_cleared() -> None:
    venue = venue_of()
    split = {"type": "forward_split", "symbol": "CALM", "ex_date": "2022-03-17", "new_rate": "2"}
    planted = payload(venue.respond("POST", "/_control/corporate-actions", {}, split))
    listed = venue.respond("GET", "/v1/corporate-actions", {"start": "2022-03-17", "end": "2022-03-17"}).payload
    price = payload(venue.respond("GET", "/v2/stocks/snapshots", {"symbols": "CALM"}))["CALM"]
    cleared = payload(venue.respond("DELETE", "/_control/corporate-actions"))

    assert [(row["symbol"], row["new_rate"], row["ex_date"]) for row in planted] == [("CALM", "2", "2022-03-17")]
    assert listed["corporate_actions"]["forward_splits"][0]["symbol"] == "CALM"  # type: ignore[index]
    assert (price["latestTrade"]["p"], price["dailyBar"]["c"]) == (200.0, 200.0)
    assert cleared == payload(venue.respond("GET", "/_control/corporate-actions")) == []


@pytest.mark.parametrize(
    ("name", "body", "message"),
    [
        ("conditions", {"symbol": "NOPE"}, "symbol: NOPE has no history; GET /_control/ready lists the symbols"),
        ("conditions", {"symbol": "CALM", "spread": "3"}, "spread: "),
        ("corporate-actions", {"type": "forward_split", "symbol": "CALM", "ex_date": "2022-03-17"}, "new_rate"),
        (
            "corporate-actions",
            {"type": "forward_split", "symbol": "NOPE", "ex_date": "2022-03-17", "new_rate": 2},
            "symbol: NOPE has no history",
        ),
        ("positions", {"symbol": "", "qty": "1"}, "symbol: "),
        ("positions", {"symbol": "CALM"}, "qty: "),
    ],
)
def test_planting_with_a_bad_setting_says_why(name: str, body: dict[str, Any], message: str) -> None:
    answer = venue_of().respond("POST", f"/_control/{name}", {}, body)

    assert answer.status == 422
    assert message in answer.payload["message"]  # type: ignore[index]


def test_read_actions_plants_a_file() -> None:
    market = week_market()
    text = b'[{"type":"reverse_split","symbol":"CALM","ex_date":"2022-03-17","old_rate":10}]'
    read_actions(market, text, Path("actions.json"))

    assert market.actions.all() == (
        CorporateAction(type="reverse_split", symbol="CALM", ex_date=THURSDAY, old_rate=Decimal(10)),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "actions.json: not a list of corporate actions: "),
        (
            b'[{"type":"reverse_split","symbol":"NOPE","ex_date":"2022-03-17","old_rate":10}]',
            "actions.json: NOPE has no history",
        ),
    ],
)
def test_read_actions_of_a_bad_file_names_it(text: bytes, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        read_actions(week_market(), text, Path("actions.json"))


def test_state_with_a_planted_position_survives_a_restart(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json")
    venue = Venue(exchange_at(), file)
    payload(venue.respond("POST", "/_control/positions", {}, {"symbol": "628ESC012", "qty": "3"}))
    loaded = file.load()

    assert loaded is not None
    assert loaded.account.positions == venue.exchange.account.positions


def test_markets_of_two_venues_do_not_share_what_is_planted() -> None:
    base = week_market()
    first, second = base.fork(), base.fork()
    first.actions.plant(CorporateAction(type="reverse_split", symbol="CALM", ex_date=THURSDAY, old_rate=Decimal(10)))

    assert not second.actions.has("CALM")
    assert isinstance(second, Market)
    assert second.asset("CALM") == base.asset("CALM")
