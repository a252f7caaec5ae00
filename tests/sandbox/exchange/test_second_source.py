"""The second source: Twelve Data's shape, its errors, its limit, and an outage that the broker does not have."""

from typing import Any

import pytest

from sandbox.exchange.keys import SECOND_KEY
from tests.sandbox.exchange.venues import payload, venue_of

QUERY = {"symbol": "RISE", "interval": "1day", "start_date": "2022-03-14", "end_date": "2022-03-15"}


def ask(query: dict[str, str] = QUERY, *, key: str = SECOND_KEY, venue: Any = None, method: str = "GET") -> Any:
    return (venue or venue_of()).respond(method, "/time_series", query, key=key)


def test_series_has_meta_values_and_status() -> None:
    answer = payload(ask())

    assert answer["meta"]["symbol"] == "RISE"
    assert answer["meta"]["interval"] == "1day"
    assert answer["status"] == "ok"
    assert answer["values"] == [
        {
            "datetime": "2022-03-15",
            "open": "51.00000",
            "high": "51.00000",
            "low": "51.00000",
            "close": "51.00000",
            "volume": "0",
        },
        {
            "datetime": "2022-03-14",
            "open": "50.00000",
            "high": "50.00000",
            "low": "50.00000",
            "close": "50.00000",
            "volume": "0",
        },
    ]


def test_series_ascends_on_request_and_ends_with_the_latest() -> None:
    values = payload(ask({**QUERY, "order": "ASC", "outputsize": "1"}))["values"]

    assert [row["datetime"] for row in values] == ["2022-03-15"]


def test_series_takes_the_key_from_the_query_too() -> None:
    assert payload(ask({**QUERY, "apikey": SECOND_KEY}, key=""))["status"] == "ok"


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"symbol": "NOPE"}, 404, "the symbol parameter is missing or invalid: NOPE"),
        ({"symbol": ""}, 404, "the symbol parameter is missing or invalid"),
        ({"interval": "1h"}, 400, "interval must be 1day"),
        ({"adjust": "some"}, 400, "adjust must be one of all, dividends, none, splits"),
        ({"start_date": "soon"}, 400, "start_date must be a date such as 2022-03-15, got soon"),
        ({"outputsize": "5001"}, 400, "outputsize must be a number from 1 to 5000, got 5001"),
        ({"start_date": "2022-03-19", "end_date": "2022-03-20"}, 400, "No data is available on the specified dates."),
    ],
)
def test_series_errors_have_code_message_and_status(change: dict[str, str], code: int, message: str) -> None:
    error = payload(ask({**QUERY, **change}), code)

    assert (error["code"], error["status"]) == (code, "error")
    assert error["message"].startswith(message)


def test_series_with_another_key_is_refused() -> None:
    assert payload(ask(key="other"), 401)["code"] == 401


def test_series_takes_only_get() -> None:
    assert payload(ask(method="POST"), 404)["code"] == 404


def test_series_of_many_symbols_come_together_with_their_errors() -> None:
    answer = payload(ask({**QUERY, "symbol": "RISE,NOPE"}))

    assert answer["RISE"]["status"] == "ok"
    assert answer["NOPE"]["code"] == 404


def test_limit_counts_symbols_and_says_what_is_left() -> None:
    venue = venue_of()
    venue.respond("POST", "/_control/second-source", {}, {"credits_per_minute": 2})

    answers = [ask(venue=venue) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.headers.get("api-credits-left") for answer in answers] == ["1", "0", None]
    assert answers[2].payload["code"] == 429


def test_limit_of_the_broker_is_another_one() -> None:
    venue = venue_of(per_minute=1)

    assert [ask(venue=venue).status for _ in range(3)] == [200] * 3
    assert venue.respond("GET", "/v2/clock").status == 200


def test_outage_is_its_own() -> None:
    venue = venue_of()
    venue.respond("POST", "/_control/faults", {}, {"kind": "refuse", "status": 503, "path": "/time_series"})

    assert venue.respond("GET", "/v2/clock").status == 200
    assert payload(ask(venue=venue), 503) == {"code": 503, "message": "service unavailable", "status": "error"}
    assert ask(venue=venue).status == 200


def test_fault_may_be_of_one_symbol() -> None:
    venue = venue_of()
    fault = {"kind": "refuse", "status": 500, "path": "/time_series", "symbol": "CALM"}
    venue.respond("POST", "/_control/faults", {}, fault)

    assert ask(venue=venue).status == 200
    assert ask({**QUERY, "symbol": "CALM"}, venue=venue).status == 500
