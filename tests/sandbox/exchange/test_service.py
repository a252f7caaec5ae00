"""The venue without HTTP: routing, faults and rate limit through `Venue.respond`."""

from datetime import timedelta

import pytest

from sandbox.exchange.account import AccountMode
from sandbox.exchange.faults import Fault
from sandbox.exchange.service import Answer
from tests.sandbox.exchange.venues import BUY, REST, payload, venue_of
from tests.sandbox.exchange.worlds import send


def test_respond_carries_an_order_through_its_life() -> None:
    venue = venue_of()
    order = payload(venue.respond("POST", "/v2/orders", {}, REST))
    path = f"/v2/orders/{order['id']}"
    changed = payload(venue.respond("PATCH", path, body={"qty": "1"}))
    canceled = venue.respond("DELETE", f"/v2/orders/{changed['id']}")

    assert (order["status"], changed["replaces"], canceled) == ("pending_new", order["id"], Answer(status=204))
    assert payload(venue.respond("GET", path))["replaced_by"] == changed["id"]


def test_respond_renders_stop_price_and_intent() -> None:
    order = payload(venue_of().respond("POST", "/v2/orders", {}, {**BUY, "type": "stop", "stop_price": "120"}))

    assert (order["stop_price"], order["limit_price"], order["position_intent"]) == ("120", None, "buy_to_open")
    assert (order["type"], order["order_type"], order["time_in_force"]) == ("stop", "stop", "day")


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v2/nothing", 404, "endpoint not found"),
        ("GET", "/v2/orders/", 404, "endpoint not found"),
        ("GET", "/v3/orders/1", 404, "endpoint not found"),
        ("PUT", "/v2/orders", 405, "method not allowed"),
        ("POST", "/v2/orders/1", 405, "method not allowed"),
        ("POST", "/v2/clock", 405, "method not allowed"),
        ("DELETE", "/v2/account/activities/FILL", 405, "method not allowed"),
    ],
)
def test_respond_to_an_unknown_path_or_method_says_which(method: str, path: str, status: int, message: str) -> None:
    assert venue_of().respond(method, path) == Answer({"message": message}, status)


def test_respond_to_a_refused_request_is_an_answer() -> None:
    answer = venue_of().respond("DELETE", "/v2/orders/not-a-uuid")

    assert answer == Answer({"code": 40010001, "message": "order_id is missing"}, 422)


def test_respond_beyond_the_rate_limit_is_refused_and_has_no_effect() -> None:
    venue = venue_of(2)
    answers = [venue.respond("POST", "/v2/orders", {}, REST) for _ in range(3)]
    data = venue.respond("GET", "/v2/stocks/snapshots", {"symbols": "CALM"})
    listed = venue.respond("GET", "/v1/corporate-actions")

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].payload == {"code": 42910000, "message": "rate limit exceeded"}
    assert data.payload == listed.payload == {"message": "too many requests."}
    assert len(venue.exchange.account.orders) == 2


def test_respond_counts_failures_but_no_control_requests() -> None:
    venue = venue_of(2)
    first = venue.respond("GET", "/v2/nothing")
    control = venue.respond("GET", "/_control/state")
    second = venue.respond("GET", "/v2/clock")

    assert (first.headers["X-RateLimit-Remaining"], control.headers, second.status) == ("1", {}, 200)
    assert venue.respond("GET", "/v2/clock").status == 429
    assert venue.respond("GET", "/_control/state").status == 200


@pytest.mark.parametrize(("now", "status"), [("2022-03-16T15:46:00-04:00", 200), ("2022-03-16T15:45:00-04:00", 429)])
def test_clock_that_moves_forward_clears_the_window(now: str, status: int) -> None:
    venue = venue_of(1)
    venue.respond("GET", "/v2/clock")
    payload(venue.respond("POST", "/_control/clock", {}, {"now": now}))

    assert venue.respond("GET", "/v2/clock").status == status


def test_reset_clears_the_window_and_everything_planted() -> None:
    venue = venue_of(1)
    venue.respond("GET", "/v2/clock")
    venue.faults.plant(Fault(kind="rest"))
    payload(venue.respond("POST", "/_control/conditions", {}, {"symbol": "CALM", "halted": True}))
    terms = {"mode": "margin", "whole_shares": ["CALM"], "fractional_shorts": True}
    payload(venue.respond("POST", "/_control/reset", {}, terms))
    account = venue.exchange.account

    assert venue.respond("GET", "/v2/clock").status == 200
    assert (venue.faults.planted, venue.exchange.market.conditions) == ([], {})
    assert (account.mode, account.whole_shares, account.fractional_shorts) == (
        AccountMode.MARGIN,
        frozenset({"CALM"}),
        True,
    )


def test_fault_latency_shows_in_the_answer_and_acts_at_once() -> None:
    venue = venue_of()
    venue.faults.plant(Fault(kind="latency", seconds=3))
    answer = venue.respond("POST", "/v2/orders", {}, BUY)

    assert (answer.status, answer.delay_s, answer.hangs) == (200, 3.0, False)
    assert venue.respond("GET", "/v2/clock").delay_s == 0


def test_fault_hang_shows_in_the_answer_and_does_nothing() -> None:
    venue = venue_of()
    venue.faults.plant(Fault(kind="hang"))
    answer = venue.respond("POST", "/v2/orders", {}, BUY)

    assert (answer.status, answer.hangs) == (504, True)
    assert len(venue.exchange.account.orders) == 0


def test_fault_of_a_request_is_used_up_beyond_the_rate_limit_only_if_let_through() -> None:
    venue = venue_of(1)
    venue.respond("GET", "/v2/clock")
    venue.faults.plant(Fault(kind="rest"))
    venue.respond("POST", "/v2/orders", {}, BUY)

    assert len(venue.faults.planted) == 1


@pytest.mark.parametrize(
    ("fault", "is_data", "body"),
    [
        (
            Fault(kind="refuse", status=422, code=42210000, message="potential wash trade", facts={"existing": "7"}),
            False,
            {"code": 42210000, "message": "potential wash trade", "existing": "7"},
        ),
        (
            Fault(kind="refuse", status=403, code=40310100, message="pattern day trading"),
            False,
            {"code": 40310100, "message": "pattern day trading"},
        ),
        (Fault(kind="refuse", status=418), False, {"code": 41810000, "message": "i'm a teapot"}),
        (Fault(kind="refuse", status=500), True, {"message": "internal server error occurred"}),
        (Fault(kind="refuse", status=403, message="no SIP"), True, {"message": "no SIP"}),
    ],
)
def test_fault_refuse_answers_as_planted(fault: Fault, is_data: bool, body: dict[str, object]) -> None:
    venue = venue_of()
    venue.faults.plant(fault)
    answer = (
        venue.respond("GET", "/v2/stocks/snapshots", {"symbols": "CALM"})
        if is_data
        else venue.respond("POST", "/v2/orders", {}, BUY)
    )

    assert (answer.status, answer.payload) == (fault.status, body)


def test_fault_cancel_ignored_answers_204_without_effect() -> None:
    venue = venue_of()
    open_one, filled = send(venue.exchange, limit_price="50"), send(venue.exchange)
    venue.faults.plant(Fault(kind="cancel_ignored", times=3))
    answers = [venue.respond("DELETE", f"/v2/orders/{order.id}").status for order in (open_one, filled)]
    listed = venue.respond("DELETE", "/v2/orders")

    assert (answers, listed) == ([204, 204], Answer([], 207))
    assert venue.exchange.order(open_one.id).is_open
    assert venue.respond("DELETE", f"/v2/orders/{filled.id}") == Answer(
        {"code": 42210000, "message": 'order is already in "filled" state'}, 422
    )


def test_fault_cancel_slowly_takes_exchange_time() -> None:
    venue = venue_of()
    order = send(venue.exchange, limit_price="50")
    venue.faults.plant(Fault(kind="cancel_slowly", seconds=30, symbol="CALM"))
    canceled = venue.respond("DELETE", f"/v2/orders/{order.id}")
    pending = payload(venue.respond("GET", f"/v2/orders/{order.id}"))
    venue.exchange.advance(venue.exchange.now + timedelta(seconds=31))

    assert (canceled.status, pending["status"], pending["canceled_at"]) == (204, "pending_cancel", None)
    assert payload(venue.respond("GET", f"/v2/orders/{order.id}"))["status"] == "canceled"


def test_fault_cancel_slowly_holds_for_all_orders() -> None:
    venue = venue_of()
    first = send(venue.exchange, limit_price="50")
    venue.exchange.cancel(first.id, delay_s=60)
    second = send(venue.exchange, limit_price="51")
    venue.faults.plant(Fault(kind="cancel_slowly", seconds=30))
    answer = venue.respond("DELETE", "/v2/orders")

    assert answer == Answer([{"id": str(second.id), "status": 200}], 207)
    assert venue.exchange.order(second.id).status == "pending_cancel"


def test_fault_replace_slowly_takes_exchange_time() -> None:
    venue = venue_of()
    order = send(venue.exchange, "CALM", "buy", "2", limit_price="50")
    venue.faults.plant(Fault(kind="replace_slowly", seconds=30))
    payload(venue.respond("PATCH", f"/v2/orders/{order.id}", {}, {"qty": "1"}))

    assert payload(venue.respond("GET", f"/v2/orders/{order.id}"))["status"] == "pending_replace"


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/v2/orders/{id}", {}),
        ("GET", "/v2/orders:by_client_order_id", {"client_order_id": "mine"}),
        ("GET", "/v2/positions/CALM", {}),
        ("GET", "/v2/stocks/snapshots", {"symbols": "RISE,CALM"}),
    ],
)
def test_fault_of_a_symbol_matches_requests_that_mean_it(method: str, path: str, query: dict[str, str]) -> None:
    venue = venue_of()
    order = send(venue.exchange, client_order_id="mine")
    venue.faults.plant(Fault(kind="refuse", status=503, symbol="calm"))
    others = venue.respond("GET", "/v2/positions/RISE").status, venue.respond("GET", "/v2/clock").status

    assert others == (404, 200)
    assert venue.respond(method, path.format(id=order.id), query).status == 503


def test_fault_of_a_close_scripts_the_order() -> None:
    venue = venue_of()
    send(venue.exchange, "CALM", "buy", "4")
    venue.faults.plant(Fault(kind="odd_status", seconds=60))
    order = payload(venue.respond("POST", "/v2/orders", {}, {**BUY, "side": "sell"}))

    assert order["status"] == "under_observation"
    assert payload(venue.respond("GET", "/v2/orders", {"status": "closed"}))[0]["status"] == "under_observation"


def test_refused_change_of_the_exchange_changes_nothing() -> None:
    venue = venue_of()
    order = send(venue.exchange, "CALM", "buy", "2", limit_price="50")
    before = venue.exchange.snapshot()
    answer = venue.respond("PATCH", f"/v2/orders/{order.id}", {}, {"qty": "100000"})

    assert answer.status == 403
    assert venue.exchange.snapshot() == before
