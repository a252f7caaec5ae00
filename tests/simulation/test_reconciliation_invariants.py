"""The invariants of the reconciliation notice their planted violations."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from sandbox.exchange.orders import Side
from tests.simulation.end_state import BooksChange, Gauge
from tests.simulation.healthy import (
    AGREED,
    BEGAN,
    DAY,
    OPENED,
    RUN,
    check,
    fill,
    history,
    order,
    post,
    published,
    rerun_at,
    sentences,
)
from tests.simulation.market import WHOLE_SHARES
from tests.simulation.scenario import Act, ActKind, Condition, ConditionKind, DayKind, Scenario, Split
from the_alchemiser.shared.books.checks import CheckState
from the_alchemiser.shared.messaging.messages import Difference

HEALTHY = history()
NEXT = DAY + timedelta(days=1)
LATER = BEGAN + timedelta(days=1)
BY_HAND = UUID(int=7)
AT_NOON = BEGAN - timedelta(hours=1)


def difference(symbol: str, broker: str, books: str = "0", **changes: Any) -> Difference:
    return Difference(symbol=symbol, broker=Decimal(broker), books=Decimal(books), **changes)


def differs(*rows: Difference, day: date = DAY) -> BooksChange:
    return check(CheckState.DIFFERS, day=day, at=AGREED.check.checked_at, differences=rows)


def owner_bought(shares: str, *, symbol: str = "CCC", side: Side = Side.BUY, minutes: float = 5) -> dict[str, Any]:
    """Return the changes to a healthy history in which the owner traded some minutes after the run began."""
    at = BEGAN + timedelta(minutes=minutes)
    bought = fill(BY_HAND, side, symbol, shares, at)
    return {
        "orders": (*HEALTHY.orders, order(BY_HAND, "by-hand", side, symbol, shares, at)),
        "fills": (*HEALTHY.fills, bought),
    }


# --- opened and checked ---


@pytest.mark.parametrize(
    "checks",
    [(), (AGREED,), (check(CheckState.OPENED, day=DAY, at=BEGAN),)],
    ids=["no check", "not opened", "opened late"],
)
def test_run_before_the_books_are_opened_violates(checks: tuple[BooksChange, ...]) -> None:
    assert sentences("first_run_opens_the_books", checks=checks) == ["the first run began without opened books"]


def test_history_without_a_run_needs_no_books() -> None:
    assert sentences("first_run_opens_the_books", checks=(), runs={}) == []


def test_day_without_a_check_violates() -> None:
    assert sentences("every_day_is_checked", checks=(OPENED,)) == [f"{DAY} has no check of the books"]


def test_day_without_a_check_before_the_books_are_opened_is_fine() -> None:
    late = OPENED._replace(at=BEGAN + timedelta(hours=2))
    assert sentences("every_day_is_checked", checks=(late,)) == []
    assert sentences("every_day_is_checked", checks=()) == []


@pytest.mark.parametrize(("minutes", "expected"), [(80, []), (70, [f"{DAY} has no check of the books"])])
def test_evening_without_a_broker_needs_no_check(minutes: int, expected: list[str]) -> None:
    unreadable = Condition(ConditionKind.UNREADABLE, "", BEGAN, BEGAN + timedelta(minutes=minutes))
    scenario = Scenario(1, DayKind.NORMAL, (DAY,), conditions=(unreadable,))
    assert sentences("every_day_is_checked", checks=(OPENED,), scenario=scenario) == expected


@pytest.mark.parametrize(("hours", "expected"), [(0, []), (1, [f"{DAY} has no check of the books"])])
def test_day_with_the_keys_of_another_account_needs_no_check(hours: int, expected: list[str]) -> None:
    changed = Act(ActKind.CHANGE_KEYS, BEGAN + timedelta(hours=hours))
    scenario = Scenario(1, DayKind.NORMAL, (DAY,), acts=(changed,))
    assert sentences("every_day_is_checked", checks=(OPENED,), scenario=scenario) == expected


# --- differences ---

NAME = "differences_are_somebody_elses_trades"


def test_trade_by_hand_that_agrees_violates() -> None:
    expected = [f"{DAY} AGREED: CCC differs by 0, others traded 3"]
    assert sentences(NAME, **owner_bought("3")) == expected


def test_difference_without_a_trade_by_hand_violates() -> None:
    checks = (OPENED, differs(difference("CCC", "3")))
    assert sentences(NAME, checks=checks) == [f"{DAY} DIFFERS: CCC differs by 3, others traded 0"]


@pytest.mark.parametrize(("side", "shares"), [(Side.BUY, "3"), (Side.SELL, "-3")])
def test_difference_by_a_trade_by_hand_is_fine(side: Side, shares: str) -> None:
    checks = (OPENED, differs(difference("CCC", shares)))
    assert sentences(NAME, checks=checks, **owner_bought("3", side=side)) == []


def test_difference_of_another_size_violates() -> None:
    checks = (OPENED, differs(difference("CCC", "2")))
    expected = [f"{DAY} DIFFERS: CCC differs by 2, others traded 3"]
    assert sentences(NAME, checks=checks, **owner_bought("3")) == expected


@pytest.mark.parametrize("minutes", [-1.0, 25.0], ids=["before the base", "after the check"])
def test_trade_outside_the_look_is_no_difference(minutes: float) -> None:
    assert sentences(NAME, **owner_bought("3", minutes=minutes)) == []


@pytest.mark.parametrize("seconds", [-4.5, 1_200.5], ids=["while the base was made", "while the check was made"])
def test_trade_during_a_look_may_be_either(seconds: float) -> None:
    assert sentences(NAME, **owner_bought("3", minutes=seconds / 60)) == []


def test_accepted_difference_is_the_base_of_the_next_check() -> None:
    accepted = check(CheckState.ACCEPTED, at=AGREED.check.checked_at, differences=(difference("CCC", "3"),))
    following = check(day=NEXT, at=LATER)
    assert sentences(NAME, checks=(OPENED, accepted, following), **owner_bought("3")) == []


def test_standing_difference_is_no_base() -> None:
    standing, following = differs(difference("CCC", "3")), check(day=NEXT, at=LATER)
    expected = [f"{NEXT} AGREED: CCC differs by 0, others traded 3"]
    assert sentences(NAME, checks=(OPENED, standing, following), **owner_bought("3")) == expected


def test_open_order_of_ours_violates() -> None:
    row = difference("CCC", "3", kind="order", order="an-order")
    expected = [f"{DAY}: order an-order differs, although every run is settled"]
    assert sentences(NAME, checks=(OPENED, differs(row))) == expected


WHOLE = min(WHOLE_SHARES)


@pytest.mark.parametrize(
    ("symbol", "broker", "is_fine"),
    [
        ("CCC", "6", True),
        ("CCC", "6.00000002", True),
        ("CCC", "6.00000003", False),
        (WHOLE, "6.9", True),
        (WHOLE, "7.1", False),
    ],
)
def test_trade_before_a_split_counts_in_new_shares(symbol: str, broker: str, *, is_fine: bool) -> None:
    scenario = Scenario(1, DayKind.SPLIT, (DAY, NEXT), splits=(Split(symbol, NEXT, 1, 2),))
    row = difference(symbol, broker)
    later = check(CheckState.DIFFERS, day=NEXT, at=LATER, differences=(row,))
    changes = {"checks": (OPENED, later), "scenario": scenario, **owner_bought("3", symbol=symbol)}
    assert (sentences(NAME, **changes) == []) is is_fine


# --- reports ---


def test_difference_that_nobody_reads_of_violates() -> None:
    checks = (OPENED, differs(difference("CCC", "3")))
    expected = [f"the books of {DAY} differ, and nobody read of it"]
    assert sentences("differences_are_reported", checks=checks) == expected


@pytest.mark.parametrize(
    "message",
    [
        published("BooksDiffer", trading_date=DAY.isoformat()),
        published("RunRefused", reason="books_differ", at=LATER),
    ],
)
def test_difference_that_people_read_of_is_fine(message: Any) -> None:
    checks = (OPENED, differs(difference("CCC", "3")))
    assert sentences("differences_are_reported", checks=checks, published=(message,)) == []


@pytest.mark.parametrize(
    "message",
    [
        published("BooksDiffer", trading_date=NEXT.isoformat()),
        published("RunRefused", reason="paused", at=LATER),
        published("RunRefused", reason="books_differ", at=BEGAN),
    ],
)
def test_other_messages_do_not_report_a_difference(message: Any) -> None:
    checks = (OPENED, differs(difference("CCC", "3")))
    assert len(sentences("differences_are_reported", checks=checks, published=(message,))) == 1


def test_difference_that_is_gone_needs_no_report() -> None:
    gone = check(at=LATER)
    assert sentences("differences_are_reported", checks=(OPENED, differs(difference("CCC", "3")), gone)) == []


# --- starts, states, figures ---


def test_run_that_begins_while_the_books_differ_violates() -> None:
    began = AGREED.at + timedelta(minutes=1)
    checks = (OPENED, differs(difference("CCC", "3")))
    expected = [f"{RUN}-r1 began while the books differed"]
    assert sentences("no_run_begins_while_books_differ", checks=checks, **rerun_at(began)) == expected


def test_run_that_begins_after_the_difference_is_gone_is_fine() -> None:
    checks = (OPENED, differs(difference("CCC", "3")), check(CheckState.ACCEPTED, at=AGREED.at))
    began = AGREED.at + timedelta(minutes=1)
    assert sentences("no_run_begins_while_books_differ", checks=checks, **rerun_at(began)) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CheckState.AGREED, CheckState.DIFFERS),
        (CheckState.ACCEPTED, CheckState.AGREED),
        (CheckState.OPENED, CheckState.AGREED),
    ],
)
def test_check_that_goes_back_violates(before: CheckState, after: CheckState) -> None:
    checks = (check(before), check(after, at=LATER))
    expected = [f"the check of {DAY} went from {before} to {after}"]
    assert sentences("checks_never_go_back", checks=checks) == expected


def test_checks_of_two_days_are_independent() -> None:
    checks = (check(), check(CheckState.DIFFERS, day=NEXT, at=LATER))
    assert sentences("checks_never_go_back", checks=checks) == []


@pytest.mark.parametrize(("state", "value"), [(CheckState.DIFFERS, 0.0), (CheckState.AGREED, 1.0)])
def test_wrong_figure_of_differing_books_violates(state: CheckState, value: float) -> None:
    gauge = Gauge(LATER, "BooksDiffering", value)
    expected = [f"{NEXT}: the figure of differing books is {value:g}"]
    assert sentences("books_are_measured_rightly", checks=(check(state),), gauges=(gauge,)) == expected


@pytest.mark.parametrize(("name", "value"), [("BooksDiffering", 0.0), ("Another", 1.0)])
def test_right_or_another_figure_is_fine(name: str, value: float) -> None:
    gauges = (Gauge(LATER, name, value),)
    assert sentences("books_are_measured_rightly", checks=(check(),), gauges=gauges) == []


# --- the account ---


def in_another_account(**changes: Any) -> list[str]:
    scenario = Scenario(1, DayKind.NORMAL, (DAY,), acts=(Act(ActKind.CHANGE_KEYS, AT_NOON),))
    healthy: dict[str, Any] = {"posts": (), "runs": {}, "checks": ()}
    return sentences("another_account_is_left_alone", scenario=scenario, **{**healthy, **changes})


def test_another_account_that_is_left_alone_is_fine() -> None:
    assert in_another_account() == []


def test_order_in_another_account_violates() -> None:
    posts = (post("before", "buy", "CCC", AT_NOON), post("after", "buy", "CCC", BEGAN))
    assert in_another_account(posts=posts) == ["after was ordered in another account"]


def test_run_in_another_account_violates() -> None:
    assert in_another_account(runs=HEALTHY.runs) == [f"{RUN} began in another account"]


def test_check_of_another_account_violates() -> None:
    expected = [f"the books of {DAY} were checked in another account"]
    assert in_another_account(checks=(check(),)) == expected
    assert in_another_account(checks=(check(CheckState.ACCEPTED, accepted_by="a person"),)) == []


def test_keys_that_never_change_leave_everything_allowed() -> None:
    assert sentences("another_account_is_left_alone") == []
