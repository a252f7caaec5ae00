"""The invariants of notices and dead letters notice their planted violations."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from sandbox.exchange.orders import Side
from tests.simulation.healthy import (
    DAY,
    ENDED,
    RUN,
    SELL,
    SELL_ID,
    SOLD,
    after,
    attempt,
    history,
    line,
    notice,
    order,
    published,
    run,
    sentences,
)
from tests.simulation.scenario import Act, ActKind, DayKind, Scenario
from the_alchemiser.notifications_v2.completed_page import FIRST_FIGURES
from the_alchemiser.shared.run.runs import RunState

HEALTHY = history()
SALE, PURCHASE = HEALTHY.orders
MAIL_ID = f"{RUN}/RunCompleted/run"


def dead(kind: str = "RunCompleted", message_id: str = MAIL_ID) -> Mapping[str, tuple[str, ...]]:
    body = json.dumps({"detail-type": kind, "detail": {"message_id": message_id}})
    return {"NotificationsDlq": (body,)}


@pytest.mark.parametrize(("channel", "name"), [("mails", "mail"), ("notices", "topic")])
def test_news_that_reaches_nobody_violates(channel: str, name: str) -> None:
    expected = [f"{MAIL_ID} reached nobody by {name}"]
    assert sentences("every_news_is_reported", **{channel: ()}) == expected


def test_news_in_the_dead_letters_reaches_people_by_their_alarm() -> None:
    assert sentences("every_news_is_reported", mails=(), notices=(), dead_letters=dead()) == []


def test_mail_about_nothing_violates() -> None:
    expected = ["a mail is about 'x/RunFailed/run', which was never published"]
    assert sentences("every_news_is_reported", mails=(notice(), notice("x/RunFailed/run"))) == expected


@pytest.mark.parametrize(
    ("text", "violations"),
    [
        ("$1,000.00, P&L of the day", []),
        ("$1,000.00 MISSING IN THIS MAIL", []),
        (f"$1,000.00\n{FIRST_FIGURES}", []),
        ("$999.00, P&L of the day", [f"the mail about {MAIL_ID} does not have its equity"]),
        ("$1,000.00", [f"the mail about {MAIL_ID} has no P&L, and does not say why"]),
    ],
)
def test_mail_without_its_figures_violates(text: str, violations: list[str]) -> None:
    assert sentences("mails_say_what_they_know", mails=(notice(text=text),)) == violations


@pytest.mark.parametrize(("passed", "count"), [(True, 0), (False, 2)])
def test_check_of_the_data_is_news_when_it_fails(passed: bool, count: int) -> None:
    messages = (*HEALTHY.published, published("DataQualityChecked", passed=passed))
    assert len(sentences("every_news_is_reported", published=messages)) == count


def test_third_mail_violates() -> None:
    killed = (attempt(MAIL_ID, result="killed"),)
    expected = [f"{MAIL_ID} was sent 3 times by mail"]
    assert sentences("mail_at_most_twice", mails=(notice(),) * 3, attempts=killed) == expected


def test_second_mail_without_a_fault_violates() -> None:
    expected = [f"{MAIL_ID} was sent twice by mail, although the first attempt was recorded"]
    assert sentences("mail_at_most_twice", mails=(notice(), notice(at=after(5)))) == expected


TWICE = {"mails": (notice(), notice(at=after(5)))}
UNRECORDED = [f"{MAIL_ID} was sent twice by mail, although the first attempt was recorded"]


@pytest.mark.parametrize("result", ["killed", "timed out"])
@pytest.mark.parametrize(("early_s", "expected"), [(29, []), (33, UNRECORDED)])
def test_second_mail_after_a_kill_is_right(result: str, early_s: int, expected: list[str]) -> None:
    """The attempt took a second. Its request may arrive up to half a minute after it was killed."""
    killed = (attempt(MAIL_ID, at=ENDED - timedelta(seconds=early_s), result=result),)
    assert sentences("mail_at_most_twice", **TWICE, attempts=killed) == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("sesv2.send_email", []),
        ("dynamodb.put_item Claims notifications_v2#mail#x", []),
        ("dynamodb.put_item Claims notifications_v2#topic#x", UNRECORDED),
        ("sns.publish", UNRECORDED),
        ("dynamodb.get_item Claims notifications_v2#mail#x", UNRECORDED),
    ],
)
def test_second_mail_after_a_lost_answer_is_right(call: str, expected: list[str]) -> None:
    lost = line(call, ENDED, fault="call times out", invocation=f"{MAIL_ID}.1")
    trace = (lost._replace(function="notifications_v2"),)
    assert sentences("mail_at_most_twice", **TWICE, trace=trace) == expected


def test_message_that_was_never_handled_violates() -> None:
    attempts = (attempt(MAIL_ID, result="failed"), attempt("a/b/c", result="killed"))
    expected = [
        f"notifications_v2 never handled {message_id}, and no dead letter says so" for message_id in ("a/b/c", MAIL_ID)
    ]
    assert sentences("every_subject_is_handled", attempts=attempts) == expected


def test_message_in_the_dead_letters_needs_no_handling() -> None:
    attempts = (attempt(MAIL_ID, result="failed"),)
    assert sentences("every_subject_is_handled", attempts=attempts, dead_letters=dead()) == []


def test_dead_letter_that_never_failed_violates() -> None:
    expected = [f"{MAIL_ID} lies in the dead letters, but no attempt at it failed"]
    assert sentences("dead_letters_have_a_reason", dead_letters=dead()) == expected


def test_day_without_a_word_violates() -> None:
    assert sentences("every_day_is_reported", runs={}) == [f"{DAY} had no completed run, and nobody read of it"]


def test_day_with_a_refusal_is_reported() -> None:
    refused = published("RunRefused", trading_date=DAY.isoformat())
    assert sentences("every_day_is_reported", runs={}, published=(refused,)) == []


def test_day_with_a_failed_run_is_reported() -> None:
    assert sentences("every_day_is_reported", runs={RUN: run(state=RunState.FAILED)}) == []


def test_day_whose_start_lies_in_the_dead_letters_is_reported() -> None:
    letters = {"CoordinatorDlq": ('{"command": "start-run"}',)}
    assert sentences("every_day_is_reported", runs={}, dead_letters=letters) == []


def forced_at(at: Any) -> Mapping[str, Any]:
    return {"scenario": Scenario(1, DayKind.NORMAL, (DAY,), acts=(Act(ActKind.FORCE, at),))}


def test_forced_start_without_answer_violates() -> None:
    expected = ["the start forced at 19:46:00 led to no run and to no refusal"]
    assert sentences("every_forced_start_answers", **forced_at(SOLD)) == expected


def test_forced_start_that_began_the_run_is_answered() -> None:
    assert sentences("every_forced_start_answers", **forced_at(HEALTHY.started_at)) == []


def test_forced_start_that_was_refused_is_answered() -> None:
    refused = (published("RunRefused", at=SOLD),)
    assert sentences("every_forced_start_answers", **forced_at(SOLD), published=refused) == []


def test_start_of_a_healthy_history_has_an_order_for_each_builder() -> None:
    """The builders agree with each other: what `order` makes is what the exchange would have filled."""
    assert order(SELL_ID, f"{SELL}-1", Side.SELL, "AAA", "10", SOLD) == SALE
