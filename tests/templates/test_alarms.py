"""Everything that can fail without a person near has an alarm, and every alarm reaches a person who can act on it.

tests/e2e/test_2_alarms.py fires every alarm of both deployed stacks.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.templates.reading import Check, Fault, Template, drop, names_of, of_type, set_value, target, target_from
from tests.templates.test_messaging import dead_letters_of

ALARM, FUNCTION = "AWS::CloudWatch::Alarm", "AWS::Serverless::Function"
RUNBOOK = re.compile(r"see docs/runbook\.md#[a-z]+(-[a-z]+)*$")
# An alarm of a figure that is missing when all is well must not count that as a fault; a missing heartbeat is one.
HEARTBEATS = {"NoRunTodayAlarm"}
RECOVERS = {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"}
# On a bus with a name, the figures of a rule have two dimensions.
ON_A_BUS = {"EventBusName", "RuleName"}
# Namespace, dimensions and statistic of each metric. Source: the pages on CloudWatch metrics of each service's guide.
METRICS = {
    "ApproximateNumberOfMessagesVisible": ("AWS/SQS", {"QueueName"}, "Maximum"),
    "ApproximateAgeOfOldestMessage": ("AWS/SQS", {"QueueName"}, "Maximum"),
    "Errors": ("AWS/Lambda", {"FunctionName"}, "Sum"),
    "Throttles": ("AWS/Lambda", {"FunctionName"}, "Sum"),
    "FailedInvocations": ("AWS/Events", ON_A_BUS, "Sum"),
    "TargetErrorCount": ("AWS/Scheduler", {"ScheduleGroup"}, "Sum"),
    "InvocationDroppedCount": ("AWS/Scheduler", {"ScheduleGroup"}, "Sum"),
    "NumberOfNotificationsFailed": ("AWS/SNS", {"TopicName"}, "Sum"),
    "DaysWithoutRun": ("Alchemiser", {"Stage"}, "Maximum"),
    "BooksDiffering": ("Alchemiser", {"Stage"}, "Maximum"),
}
# Ref of a queue is its URL, and Ref of a topic its ARN; the figures have the names.
NAMED_BY = {"QueueName", "TopicName"}
type Watched = tuple[str, str]


def watched(template: Template) -> Iterator[Watched]:
    """Yield each metric with the resource whose figure an alarm watches."""
    for name, alarm in of_type(template, ALARM):
        properties = alarm["Properties"]
        for dimension in properties["Dimensions"]:
            if dimension["Name"] not in {"EventBusName", "Stage"}:
                yield properties["MetricName"], target_from(name, _of_select(dimension["Value"]))


def _of_select(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the reference to the resource whose ARN a dimension takes a part of."""
    if "Fn::Select" not in value:
        return value
    index, parts = value["Fn::Select"]
    assert (index, parts["Fn::Split"][0]) == (2, "/"), value
    reference: Mapping[str, Any] = parts["Fn::Split"][1]
    return reference


def needed(template: Template) -> Iterator[Watched]:
    dead_letters = dead_letters_of(template)
    for metrics, resources in (
        (("Errors", "Throttles"), names_of(template, FUNCTION)),
        (("ApproximateAgeOfOldestMessage",), set(dead_letters)),
        (("ApproximateNumberOfMessagesVisible",), set(dead_letters.values())),
        (("FailedInvocations",), names_of(template, "AWS::Events::Rule")),
        (("TargetErrorCount", "InvocationDroppedCount"), names_of(template, "AWS::Scheduler::ScheduleGroup")),
        (("NumberOfNotificationsFailed",), names_of(template, "AWS::SNS::Topic")),
    ):
        for metric in metrics:
            yield from ((metric, resource) for resource in resources)


def findings_unwatched(template: Template) -> list[str]:
    """Return what can fail without an alarm, and alarms that watch nothing of these."""
    return [f"{metric} of {resource}" for metric, resource in sorted(set(watched(template)) ^ set(needed(template)))]


def findings_dimensions(template: Template) -> list[str]:
    """Return alarms whose figure could be that of another stack, or that of no rule at all."""
    bad = []
    for name, alarm in of_type(template, ALARM):
        dimensions = {dimension["Name"] for dimension in alarm["Properties"]["Dimensions"]}
        is_rule = alarm["Properties"]["Namespace"] == "AWS/Events"
        is_literal = any(isinstance(dimension["Value"], str) for dimension in alarm["Properties"]["Dimensions"])
        if not dimensions or is_literal or (dimensions == ON_A_BUS) != is_rule:
            bad.append(name)
    return bad


def findings_metrics(template: Template) -> list[str]:
    """Return alarms of a figure that AWS never publishes, so that they would never ring."""
    bad = []
    for name, alarm in of_type(template, ALARM):
        properties = alarm["Properties"]
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in properties["Dimensions"]}
        metric = (properties["Namespace"], set(dimensions), properties["Statistic"])
        names = [value for key, value in dimensions.items() if key in NAMED_BY]
        is_named = all(value.get("Fn::GetAtt", ["", ""])[1] in NAMED_BY for value in names)
        if metric != METRICS[properties["MetricName"]] or not is_named:
            bad.append(name)
    return bad


def findings_actions(template: Template) -> list[str]:
    """Return alarms that do not notify their stack's topic, or that report no recovery where there can be one."""
    bad = []
    for name, alarm in of_type(template, ALARM):
        properties = alarm["Properties"]
        notified = [target(action) for action in properties.get("AlarmActions", [])]
        notified_again = [target(action) for action in properties.get("OKActions", [])]
        recovery = ["Alerts"] if properties["MetricName"] in RECOVERS else []
        if notified != ["Alerts"] or notified_again != recovery or "ActionsEnabled" in properties:
            bad.append(name)
    return bad


def findings_hasty(template: Template) -> list[str]:
    """Return alarms on old messages that ring while the message may still be handled at its last receive."""
    bad = []
    for name, alarm in of_type(template, ALARM):
        properties = alarm["Properties"]
        if properties["MetricName"] == "ApproximateAgeOfOldestMessage":
            queue = template["Resources"][target_from(name, properties["Dimensions"][0]["Value"])]["Properties"]
            visibility_s = template["Parameters"][queue["VisibilityTimeout"]["Ref"]]["Default"]
            if properties["Threshold"] < visibility_s * queue["RedrivePolicy"]["maxReceiveCount"]:
                bad.append(name)
    return bad


def findings_descriptions(template: Template) -> list[str]:
    """Return alarms whose description does not end with the place in the runbook that says what to type."""
    alarms = of_type(template, ALARM)
    return [name for name, alarm in alarms if not RUNBOOK.search(alarm["Properties"].get("AlarmDescription", ""))]


def findings_missing_data(template: Template) -> list[str]:
    """Return alarms that would stay undecided without figures, or take the silence of a quiet day for a fault."""
    bad = []
    for name, alarm in of_type(template, ALARM):
        treatment = alarm["Properties"].get("TreatMissingData")
        if (treatment == "notBreaching") == (name in HEARTBEATS) or treatment is None:
            bad.append(name)
    return bad


CHECKS: list[tuple[Check, Fault]] = [
    (findings_unwatched, drop("TradeDlqAlarm")),
    (findings_unwatched, drop("data:MonitorInboxAlarm")),
    (findings_unwatched, drop("MetricsFunctionThrottlesAlarm")),
    (findings_unwatched, drop("RunFailedRuleAlarm")),
    (findings_unwatched, drop("SchedulesDroppedAlarm")),
    (findings_unwatched, drop("AlertsFailedAlarm")),
    (findings_unwatched, set_value("TradeDlqAlarm/Properties/Dimensions/0/Value", {"Ref": "MetricsDlq"})),
    (findings_dimensions, set_value("TradeDlqAlarm/Properties/Dimensions/0/Value", "trade-dlq")),
    (findings_dimensions, drop("RunFailedRuleAlarm/Properties/Dimensions/0")),
    (findings_metrics, set_value("TradeDlqAlarm/Properties/Namespace", "AWS/Lambda")),
    (findings_metrics, set_value("TradeDlqAlarm/Properties/Dimensions/0/Value", {"Ref": "TradeDlq"})),
    (findings_metrics, set_value("SchedulesDroppedAlarm/Properties/Dimensions/0/Name", "GroupName")),
    (findings_metrics, set_value("MetricsFunctionErrorsAlarm/Properties/Statistic", "Average")),
    (findings_metrics, drop("RunFailedRuleAlarm/Properties/Dimensions/0")),
    (findings_hasty, set_value("StrategyInboxAlarm/Properties/Threshold", 300)),
    (findings_actions, set_value("TradeDlqAlarm/Properties/AlarmActions", [])),
    (findings_actions, drop("TradeDlqAlarm/Properties/OKActions")),
    (findings_actions, set_value("TradeDlqAlarm/Properties/ActionsEnabled", value=False)),
    (findings_descriptions, set_value("TradeDlqAlarm/Properties/AlarmDescription", "A trade failed")),
    (findings_missing_data, drop("TradeDlqAlarm/Properties/TreatMissingData")),
    (findings_missing_data, set_value("TradeDlqAlarm/Properties/TreatMissingData", "breaching")),
]


@pytest.mark.parametrize("find", dict(CHECKS))
def test_templates_of_the_project_pass_every_check(both: Template, find: Check) -> None:
    assert find(both) == []


@pytest.mark.parametrize(("find", "plant"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_templates_with_a_planted_fault_fail_its_check(both: Template, find: Check, plant: Fault) -> None:
    broken = copy.deepcopy(both)

    plant(broken)

    assert find(broken) != []
