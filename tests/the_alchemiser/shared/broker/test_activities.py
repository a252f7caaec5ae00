"""The account's activities other than trades: parsed strictly, in pages, unknown types by name."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.the_alchemiser.shared.broker.answers import Script, answer, broker_over
from the_alchemiser.shared.broker.errors import UnexpectedResponseError
from the_alchemiser.shared.broker.models import Activity

DIVIDEND: dict[str, Any] = {
    "activity_type": "DIV",
    "id": "20190801011955195::5f596936-6f23-4cef-bdf1-3806aae57dbf",
    "date": "2019-08-01",
    "created_at": "2021-05-10T14:01:04.650275Z",
    "net_amount": "1.02",
    "per_share_amount": "0.51",
    "qty": "2",
    "symbol": "T",
    "status": "executed",
}


def activities(*records: dict[str, Any]) -> tuple[Activity, ...]:
    return broker_over(Script([answer(200, list(records))])).activities()


def test_activity_has_amount_time_and_shares() -> None:
    assert activities(DIVIDEND) == (
        Activity(
            id="20190801011955195::5f596936-6f23-4cef-bdf1-3806aae57dbf",
            type="DIV",
            booked_at=datetime(2021, 5, 10, 14, 1, 4, 650275, UTC),
            net_amount=Decimal("1.02"),
            symbol="T",
            quantity=Decimal(2),
        ),
    )


def test_activity_of_an_unknown_type_keeps_its_name() -> None:
    (activity,) = activities(DIVIDEND | {"activity_type": "XYZ2", "status": "correct"})

    assert (activity.type, activity.is_canceled) == ("XYZ2", False)


def test_activity_that_was_taken_back_is_canceled() -> None:
    (activity,) = activities(DIVIDEND | {"status": "canceled"})

    assert activity.is_canceled


@pytest.mark.parametrize(
    ("changes", "booked_at"),
    [
        ({"created_at": None}, datetime(2019, 8, 1, 5, 19, 55, 195000, UTC)),
        ({"created_at": None, "id": "an-id"}, datetime(2019, 8, 1, 4, tzinfo=UTC)),
        ({"created_at": None, "id": "an-id", "date": "2019-12-01T00:00:00Z"}, datetime(2019, 12, 1, 5, tzinfo=UTC)),
    ],
    ids=["the id begins with New York time", "midnight of the day", "a day with a time"],
)
def test_activity_without_a_creation_time_has_the_best_known(changes: dict[str, Any], booked_at: datetime) -> None:
    (activity,) = activities(DIVIDEND | changes)

    assert activity.booked_at == booked_at


def test_activity_that_moves_shares_needs_no_amount() -> None:
    transfer = {name: value for name, value in DIVIDEND.items() if name != "net_amount"}
    (activity,) = activities(transfer | {"activity_type": "JNLS", "qty": "-3", "price": "12.5"})

    assert (activity.net_amount, activity.quantity, activity.price) == (Decimal(0), Decimal(-3), Decimal("12.5"))


@pytest.mark.parametrize(
    "changes",
    [
        {"net_amount": None, "qty": None},
        {"net_amount": "many"},
        {"net_amount": True},
        {"net_amount": "NaN"},
        {"qty": "two"},
        {"price": "?"},
        {"created_at": "2021-05-10T14:01:04"},
        {"created_at": "soon"},
        {"created_at": None, "id": "an-id", "date": "soon"},
    ],
)
def test_activity_that_cannot_be_parsed_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(UnexpectedResponseError, match="activity"):
        activities(DIVIDEND | changes)


@pytest.mark.parametrize("field", ["id", "activity_type", "date"])
def test_activity_without_a_field_is_named(field: str) -> None:
    record = {name: value for name, value in DIVIDEND.items() if name not in {field, "created_at"}}

    with pytest.raises(UnexpectedResponseError, match=field):
        activities(record | ({"id": "an-id"} if field == "date" else {}))


def test_activities_are_requested_oldest_first() -> None:
    script = Script([answer(200, [])])

    assert broker_over(script).activities(after=datetime(2024, 3, 15, tzinfo=UTC)) == ()
    assert script.request_lines == ["GET /v2/account/activities"]
    assert dict(script.requests[0].params) == {
        "category": "non_trade_activity",
        "after": "2024-03-15T00:00:00+00:00",
        "direction": "asc",
        "page_size": "100",
    }


def test_activities_over_pages_come_once_each() -> None:
    first = [DIVIDEND | {"id": f"a::{number}"} for number in range(100)]
    script = Script([answer(200, first), answer(200, [first[-1], DIVIDEND | {"id": "a::100"}])])

    found = broker_over(script).activities()

    assert [activity.id for activity in found] == [f"a::{number}" for number in range(101)]
    assert "after" not in script.requests[0].params
    assert [request.params.get("page_token") for request in script.requests] == [None, "a::99"]


def test_activities_whose_page_repeats_end_with_an_error() -> None:
    page = [DIVIDEND | {"id": f"a::{number}"} for number in range(100)]

    with pytest.raises(UnexpectedResponseError, match="a::99 brings nothing new"):
        broker_over(Script([answer(200, page), answer(200, page)])).activities()
