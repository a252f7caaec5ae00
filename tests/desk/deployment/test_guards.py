"""The guards stop a deployment around the close, during a run, and while trades are queued, but not elsewhere."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from desk.deployment import guards
from desk.deployment.account import Queue
from tests.desk.deployment.accounts import SANDBOX, FakeAccount, hook_context, unreachable
from the_alchemiser.shared.run.runs import RunState

# 2026-11-25 is a whole day, 2026-11-26 is Thanksgiving, 2026-11-27 closes at 13:00.
WHOLE_DAY, HOLIDAY, HALF_DAY = "2026-11-25", "2026-11-26", "2026-11-27"
INBOX = Queue("StrategyInbox", 0, has_trades=False)
TRADES = Queue("TradeInbox", 0, has_trades=True)
EVERY_GUARD_OF_STATE = pytest.mark.parametrize(
    "guard", [guards.open_runs, guards.queued_messages, guards.changed_contracts]
)


def at(day: str, time: str, **changes: Any) -> dict[str, Any]:
    return hook_context(f"{day}T{time}-05:00", **changes)


def levels(context: dict[str, Any]) -> list[str]:
    return [line["level"] for line in guards.market_hours(context)]


@pytest.mark.parametrize(
    ("day", "time", "level"),
    [
        (WHOLE_DAY, "09:29:59", []),
        (WHOLE_DAY, "09:30:00", ["warn"]),
        (WHOLE_DAY, "15:29:59", ["warn"]),
        (WHOLE_DAY, "15:30:00", ["stop"]),
        (WHOLE_DAY, "16:14:59", ["stop"]),
        (WHOLE_DAY, "16:15:00", []),
        (HALF_DAY, "12:29:59", ["warn"]),
        (HALF_DAY, "12:30:00", ["stop"]),
        (HALF_DAY, "13:14:59", ["stop"]),
        (HALF_DAY, "13:15:00", []),
        (HALF_DAY, "15:45:00", []),
        (HOLIDAY, "15:45:00", []),
        ("2026-11-28", "15:45:00", []),
    ],
)
def test_market_hours_stop_around_the_close_and_warn_before(day: str, time: str, level: list[str]) -> None:
    assert levels(at(day, time)) == level


def test_market_hours_use_the_date_in_new_york() -> None:
    assert levels(hook_context("2026-11-25T20:45:00+00:00")) == ["stop"]
    assert levels(hook_context("2026-11-26T05:45:00+09:00")) == ["stop"]


def test_market_hours_near_the_close_say_when_to_come_back() -> None:
    assert guards.market_hours(at(HALF_DAY, "12:45:00")) == [
        {
            "level": "stop",
            "where": "market hours",
            "what": "it is 12:45 in New York; the day's run trades between 12:30 and 13:15",
            "fix": "wait until 13:15 New York time, then run inv deploy --env prod",
        }
    ]


def test_market_hours_while_open_say_how_long_there_is_time() -> None:
    assert guards.market_hours(at(WHOLE_DAY, "10:05:00")) == [
        {
            "level": "warn",
            "where": "market hours",
            "what": "it is 10:05 in New York and the market is open (09:30 to 16:00)",
            "fix": "finish before 15:30, because the day's run comes next",
        }
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": SANDBOX},
        {"parameters": SANDBOX | {"ScheduleState": "ENABLED"}},
        {"parameters": {"Stage": "dev", "ScheduleState": "DISABLED"}},
        {"outputs": {}},
    ],
    ids=["sandbox", "sandbox with schedules", "no schedules", "not deployed"],
)
def test_market_hours_do_not_matter_where_nothing_trades(changes: dict[str, Any]) -> None:
    assert guards.market_hours(at(WHOLE_DAY, "15:45:00", **changes)) == []


def test_market_hours_without_a_schedule_parameter_count() -> None:
    assert levels(at(WHOLE_DAY, "15:45:00", parameters={"Stage": "prod"})) == ["stop"]


def test_market_hours_on_an_emulator_only_warn() -> None:
    assert levels(at(WHOLE_DAY, "15:45:00", endpoint="http://127.0.0.1:4566")) == ["warn"]
    assert levels(at(WHOLE_DAY, "15:45:00", endpoint="https://proxy.fund.test")) == ["stop"]


@EVERY_GUARD_OF_STATE
@pytest.mark.parametrize("changes", [{"parameters": SANDBOX}, {"outputs": {}}], ids=["sandbox", "not deployed"])
def test_guards_of_state_ask_nothing_where_nothing_trades(guard: Callable[..., Any], changes: dict[str, Any]) -> None:
    assert guard(hook_context(breaking_contracts=["RunMeta"], **changes), connect=unreachable) == []


@EVERY_GUARD_OF_STATE
def test_guards_of_state_find_nothing_in_an_idle_account(guard: Callable[..., Any]) -> None:
    account = FakeAccount(queues=(INBOX, TRADES))

    assert guard(hook_context(breaking_contracts=["RunMeta"]), connect=account) == []


def test_open_runs_of_today_stop() -> None:
    account = FakeAccount(runs={"prod-2026-11-25": RunState.SELLING})

    lines = guards.open_runs(hook_context("2026-11-26T01:00:00+00:00"), connect=account)

    assert account.asked == [date(2026, 11, 25)]
    assert lines == [
        {
            "level": "stop",
            "where": "prod-2026-11-25",
            "what": "the run is SELLING",
            "fix": "wait until it is COMPLETED or FAILED: inv status --env prod",
        }
    ]


def test_queued_trades_stop_and_queued_messages_warn() -> None:
    account = FakeAccount(queues=(INBOX._replace(messages=2), TRADES._replace(messages=1), INBOX))

    lines = guards.queued_messages(hook_context(), connect=account)

    fix = "wait until the queue is empty: inv status --env prod"
    assert lines == [
        {"level": "warn", "where": "StrategyInbox", "what": "2 messages queued", "fix": fix},
        {"level": "stop", "where": "TradeInbox", "what": "1 trade queued", "fix": fix},
    ]


def test_changed_contracts_without_a_change_ask_nothing() -> None:
    assert guards.changed_contracts(hook_context(), connect=unreachable) == []


@pytest.mark.parametrize(
    ("runs", "messages", "in_use"),
    [
        ({"a-run": RunState.BUYING}, 0, "1 open run and 0 queued messages"),
        ({}, 3, "0 open runs and 3 queued messages"),
    ],
)
def test_changed_contracts_in_use_stop(runs: dict[str, RunState], messages: int, in_use: str) -> None:
    account = FakeAccount(runs=runs, queues=(INBOX._replace(messages=messages), TRADES))

    lines = guards.changed_contracts(hook_context(breaking_contracts=["RunMeta", "RunPlan"]), connect=account)

    assert lines == [
        {
            "level": "stop",
            "where": "RunMeta, RunPlan",
            "what": f"the new release changes their form while there are {in_use}",
            "fix": "wait until the runs have ended and the queues are empty: inv status --env prod",
        }
    ]
