"""The sweep comes whenever a run may be alive or an order of an ended run may rest, and late orders are news."""

import copy
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.schedules import Schedule, fires_at
from tests.templates.edits import put
from tests.templates.reading import Template
from the_alchemiser.shared.messaging.commands import SweepRuns
from the_alchemiser.shared.messaging.delivery import parse

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = datetime(2026, 11, 30, tzinfo=NEW_YORK)
A_WEEK = tuple(MONDAY + timedelta(minutes=minute) for minute in range(7 * 24 * 60))
# A person may force a run from the opening on. Orders of a day expire at the close, and the broker says so within the
# evening; what is open even then, the sweeps of the next session settle.
FIRST, LAST = timedelta(hours=9, minutes=30), timedelta(hours=16 + 3)
EVERY = timedelta(minutes=5)


def properties(template: Template, name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = template["Resources"].get(name, {}).get("Properties", {})
    return content


def is_scheduled(template: Template) -> bool:
    """Return whether the sweep comes every five minutes from the opening until three hours after the close."""
    schedule = properties(template, "Sweep")
    if not schedule or not isinstance(parse(schedule["Target"]["Input"]), SweepRuns):
        return False

    deployed = Schedule("Sweep", schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"], "", "")
    fired = {moment for moment in A_WEEK if fires_at(deployed, moment)}
    return all(due(day) <= fired for day in range(5))


def due(day: int) -> set[datetime]:
    """Return the moments at which a sweep must come on a weekday, Monday first."""
    midnight = MONDAY + timedelta(days=day)
    count = (LAST - FIRST) // EVERY + 1
    return {midnight + FIRST + number * EVERY for number in range(count)}


def is_delivered(template: Template) -> bool:
    """Return whether a sweep that waits is dropped before the next one comes."""
    target: Mapping[str, Any] = properties(template, "Sweep").get("Target", {})
    age_s: int = target.get("RetryPolicy", {}).get("MaximumEventAgeInSeconds", 0)
    return 0 < age_s <= EVERY.total_seconds()


CHECKS: list[tuple[Callable[[Template], bool], Callable[[Template], None]]] = [
    (is_scheduled, put("Sweep", {"Properties": {}})),
    (is_scheduled, put("Sweep/Properties/Target/Input", '{"command": "check-day"}')),
    (is_scheduled, put("Sweep/Properties/ScheduleExpression", "cron(0/5 12-19 ? * MON-FRI *)")),
    (is_scheduled, put("Sweep/Properties/ScheduleExpression", "cron(0/5 9-18 ? * MON-FRI *)")),
    (is_scheduled, put("Sweep/Properties/ScheduleExpression", "cron(0/10 9-19 ? * MON-FRI *)")),
    (is_scheduled, put("Sweep/Properties/ScheduleExpression", "cron(0/5 9-19 ? * MON-THU *)")),
    (is_scheduled, put("Sweep/Properties/ScheduleExpressionTimezone", "UTC")),
    (is_delivered, put("Sweep/Properties/Target/RetryPolicy/MaximumEventAgeInSeconds", 301)),
    (is_delivered, put("Sweep/Properties/Target/RetryPolicy", {})),
]


@pytest.mark.parametrize("check", [is_scheduled, is_delivered], ids=lambda check: check.__name__)
def test_template_of_the_project_passes_the_check(both: Template, check: Callable[[Template], bool]) -> None:
    assert check(both)


@pytest.mark.parametrize(("check", "plant"), CHECKS)
def test_template_with_a_planted_fault_fails_its_check(
    both: Template, check: Callable[[Template], bool], plant: Callable[[Template], None]
) -> None:
    broken = copy.deepcopy(both)

    plant(broken)

    assert not check(broken)
