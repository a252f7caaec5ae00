from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from the_alchemiser.shared.broker.models import Activity
from the_alchemiser.shared.performance.activities import ActivityTotals, activity_totals

NOON = datetime(2022, 3, 15, 16, tzinfo=UTC)
NOTHING = ActivityTotals(*(Decimal(0),) * 5, other={})


def activity(kind: str, amount: str, *, at: datetime = NOON, **more: str) -> Activity:
    shares = {name: Decimal(text) for name, text in more.items()}
    return Activity(f"{kind}-{amount}", kind, at, Decimal(amount), **shares)  # type: ignore[arg-type]  # only decimals


def totals(*activities: Activity) -> ActivityTotals:
    return activity_totals(activities, until=NOON)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        *(((kind, "cash")) for kind in ("CSD", "CSW", "TRANS", "ACATC", "JNL", "JNLC")),
        *(((kind, "shares")) for kind in ("ACATS", "JNLS", "FOPT")),
        *(((kind, "fees")) for kind in ("FEE", "CFEE", "PTC", "PTR")),
        *(((kind, "interest")) for kind in ("INT", "INTNRA", "INTTW")),
        *(((kind, "dividends")) for kind in ("DIV", "DIVCGL", "DIVCGS", "DIVFEE", "DIVFT", "DIVNRA", "DIVROC")),
        *(((kind, "dividends")) for kind in ("CGD", "DIVTW", "DIVTXEX")),
    ],
)
def test_type_counts_where_it_belongs(kind: str, field: str) -> None:
    assert totals(activity(kind, "-1.50")) == NOTHING.changed(**{field: Decimal("-1.50")})


@pytest.mark.parametrize("kind", ["MISC", "SPLIT", "A_TYPE_OF_A_LATER_YEAR"])
def test_other_type_keeps_its_name(kind: str) -> None:
    assert totals(activity(kind, "2")) == NOTHING.changed(other={kind: Decimal(2)})


def test_other_types_without_money_are_left_out() -> None:
    assert totals(activity("SPLIT", "0", quantity="-9")) == NOTHING


def test_deposits_are_money_and_shares() -> None:
    found = totals(activity("CSD", "100"), activity("CSW", "-30"), activity("JNLS", "0", quantity="2", price="10.5"))

    assert (found.cash, found.shares, found.deposits) == (Decimal(70), Decimal(21), Decimal(91))


def test_shares_with_an_amount_count_with_it() -> None:
    assert totals(activity("ACATS", "25", quantity="2", price="10")).shares == 25
    assert totals(activity("ACATS", "0", quantity="2")).shares == 0
    assert totals(activity("DIV", "0", quantity="2", price="10")).dividends == 0


def test_canceled_activities_do_not_count() -> None:
    assert totals(activity("CSD", "100").changed(is_canceled=True)) == NOTHING


def test_activities_count_from_after_one_moment_until_another() -> None:
    step = timedelta(microseconds=1)
    booked = [activity("FEE", str(number), at=NOON + number * step) for number in (-2, -1, 0, 1)]

    assert activity_totals(booked, until=NOON).fees == -3
    assert activity_totals(booked, until=NOON, after=NOON - step).fees == 0
    assert activity_totals(booked, until=NOON + step, after=NOON - 2 * step).fees == 0
    assert activity_totals(booked, until=NOON - step, after=NOON - 3 * step).fees == -3
