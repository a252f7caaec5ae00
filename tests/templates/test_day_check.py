"""The alarm "no run today" watches the figure that the coordinator publishes, and its schedule never pauses."""

import copy
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox.schedules import Schedule, due_schedules
from tests.templates.edits import drop, put
from tests.templates.reading import Template, grants, role_of, statements
from the_alchemiser.coordinator_v2.day_check import OVER_AFTER_CLOSE, days_without_run
from the_alchemiser.shared.gauges import NAMESPACE
from the_alchemiser.shared.messaging.commands import CheckDay
from the_alchemiser.shared.messaging.delivery import parse

SATURDAY = datetime(2026, 11, 28, 0, 0, tzinfo=ZoneInfo("America/New_York"))
A_WEEK = tuple(SATURDAY + timedelta(minutes=minute) for minute in range(7 * 24 * 60))
PUT = "cloudwatch:PutMetricData"


def properties(template: Template, name: str) -> Mapping[str, Any]:
    content: Mapping[str, Any] = template["Resources"].get(name, {}).get("Properties", {})
    return content


def is_watched(template: Template) -> bool:
    """Return whether the alarm rings for the figure 1, and for a figure that is missing for three hours."""
    alarm = properties(template, "NoRunTodayAlarm")
    figure = days_without_run(is_missing=True)
    return (
        (alarm.get("Namespace"), alarm.get("MetricName")) == (NAMESPACE, figure.name)
        and alarm["Dimensions"] == [{"Name": "Stage", "Value": {"Ref": "Stage"}}]
        and (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Maximum", 3 * 60 * 60, 1)
        and (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
        and alarm["TreatMissingData"] == {"Fn::If": ["AreSchedulesEnabled", "breaching", "notBreaching"]}
        and alarm["AlarmActions"] == [{"Ref": "Alerts"}]
    )


def is_scheduled(template: Template) -> bool:
    """Return whether the check comes every hour of a week, soon after the last run of a day must have ended."""
    schedule = properties(template, "DayCheck")
    if not schedule or not isinstance(parse(schedule["Target"]["Input"]), CheckDay):
        return False
    deployed = Schedule("DayCheck", schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"], "", "")
    fired = [moment for moment in A_WEEK if due_schedules([deployed], moment)]
    return len(fired) == 7 * 24 and fired[0].minute >= OVER_AFTER_CLOSE.seconds / 60


def is_granted(template: Template) -> bool:
    """Return whether the coordinator may publish figures, in this namespace only."""
    role = role_of(template, "StrategyOrchestratorFunction")
    conditions = [statement.get("Condition") for statement in statements(role) if statement["Action"] == PUT]
    return (PUT, "*") in grants(role) and conditions == [{"StringEquals": {"cloudwatch:namespace": NAMESPACE}}]


CHECKS: list[tuple[Callable[[Template], bool], Callable[[Template], None]]] = [
    (is_watched, drop("NoRunTodayAlarm")),
    (is_watched, put("NoRunTodayAlarm/Properties/MetricName", "DaysWithRun")),
    (is_watched, put("NoRunTodayAlarm/Properties/TreatMissingData", "notBreaching")),
    (is_watched, put("NoRunTodayAlarm/Properties/Dimensions", [])),
    (is_watched, put("NoRunTodayAlarm/Properties/AlarmActions", [])),
    (is_scheduled, drop("DayCheck")),
    (is_scheduled, put("DayCheck/Properties/ScheduleExpression", "cron(55 * ? * MON-FRI *)")),
    (is_scheduled, put("DayCheck/Properties/ScheduleExpression", "cron(45 * ? * * *)")),
    (is_scheduled, put("DayCheck/Properties/Target/Input", '{"command": "sweep-runs"}')),
    (is_granted, put("StrategyOrchestratorFunctionRole/Properties/Policies", [])),
]


@pytest.mark.parametrize("check", [is_watched, is_scheduled, is_granted], ids=lambda check: check.__name__)
def test_template_of_the_project_passes_the_check(both: Template, check: Callable[[Template], bool]) -> None:
    assert check(both)


@pytest.mark.parametrize(("check", "plant"), CHECKS)
def test_template_with_a_planted_fault_fails_the_check(
    both: Template, check: Callable[[Template], bool], plant: Callable[[Template], None]
) -> None:
    broken = copy.deepcopy(both)

    plant(broken)

    assert not check(broken)
