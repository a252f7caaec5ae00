from datetime import UTC, datetime

import pytest

from automation.system.errors import ConfigurationError
from sandbox.exchange.sessions import NEW_YORK
from sandbox.schedules import Schedule, due

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
def test_due_at_its_minute_fires(expression: str) -> None:
    assert due([schedule(expression)], CLOSING) == (schedule(expression),)


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
def test_due_at_another_minute_does_not_fire(expression: str) -> None:
    assert due([schedule(expression)], CLOSING) == ()


def test_due_leaves_out_what_repeats_every_few_minutes() -> None:
    assert due([schedule("cron(0/5 12-16 ? * MON-FRI *)")], CLOSING) == ()


def test_due_counts_in_the_schedules_zone_whatever_the_moments() -> None:
    assert due([schedule("cron(45 15 ? * MON-FRI *)")], CLOSING.astimezone(UTC))


@pytest.mark.parametrize("expression", ["rate(5 minutes)", "cron(0 20 1 * ? *)", "cron(0 20 ? 3 MON *)"])
def test_due_of_an_expression_that_is_not_known_is_refused(expression: str) -> None:
    with pytest.raises(ConfigurationError, match="not read by the sandbox"):
        due([schedule(expression)], CLOSING)
