from datetime import UTC, datetime

import pytest

from automation.system.errors import ConfigurationError
from sandbox.exchange.sessions import NEW_YORK
from sandbox.schedules import Schedule, due_schedules, schedules_of

CLOSING = datetime(2022, 3, 16, 15, 45, tzinfo=NEW_YORK)


def schedule(expression: str) -> Schedule:
    return Schedule("a-schedule", expression, "America/New_York", "arn:aws:sqs:r:1:q", "{}")


@pytest.mark.parametrize(
    "expression",
    [
        "cron(45 15 ? * MON-FRI *)",
        "cron(45 * ? * * *)",
        "cron(30,45 15,20 ? * WED *)",
        "cron(40-50 0/5 ? * 2-6 *)",
        "cron(45 3-23/4 ? * 2-6 *)",
        "cron(45 15 * * ? *)",
    ],
)
def test_due_schedules_at_their_minute_fire(expression: str) -> None:
    assert due_schedules([schedule(expression)], CLOSING) == (schedule(expression),)


@pytest.mark.parametrize(
    "expression",
    [
        "cron(44 15 ? * MON-FRI *)",
        "cron(45 12 ? * MON-FRI *)",
        "cron(45 0/4 ? * MON-FRI *)",
        "cron(40-44 15 ? * MON-FRI *)",
        "cron(45 15 ? * SAT,SUN *)",
    ],
)
def test_due_schedules_at_another_minute_do_not_fire(expression: str) -> None:
    assert due_schedules([schedule(expression)], CLOSING) == ()


def test_due_schedules_that_repeat_often_are_left_out() -> None:
    assert due_schedules([schedule("cron(0/5 12-16 ? * MON-FRI *)")], CLOSING) == ()


def test_due_schedules_use_the_zone_of_the_schedule() -> None:
    assert due_schedules([schedule("cron(45 15 ? * MON-FRI *)")], CLOSING.astimezone(UTC))


@pytest.mark.parametrize("expression", ["rate(5 minutes)", "cron(0 20 1 * ? *)", "cron(0 20 ? 3 MON *)"])
def test_due_schedules_with_an_unknown_expression_fail(expression: str) -> None:
    with pytest.raises(ConfigurationError, match="the sandbox cannot read"):
        due_schedules([schedule(expression)], CLOSING)


@pytest.mark.parametrize("body", ['{"command": "sweep-runs"}', '{"command": "sweep-runs", "more": 1}'])
def test_schedules_of_a_command_are_those_that_send_it(body: str) -> None:
    sweep = Schedule("sweep", "cron(0/5 9-19 ? * MON-FRI *)", "America/New_York", "arn:aws:sqs:r:1:q", body)
    bodies = ('{"command": "start-run"}', "sweep-runs", '["sweep-runs"]', "{}")
    others = [
        Schedule(text, "cron(0 9 ? * MON-FRI *)", "America/New_York", "arn:aws:sqs:r:1:q", text) for text in bodies
    ]

    assert schedules_of([*others, sweep], "sweep-runs") == (sweep,)
