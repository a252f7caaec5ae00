"""What is less watched, or no longer runs."""

from typing import Any

import pytest

from automation.deploying.changes.model import Rank
from tests.automation.deploying.planned_changes import (
    ALARM,
    FUNCTION,
    QUEUE,
    SCHEDULE,
    TOPIC,
    assess,
    lines,
    names,
    resource,
    update,
)

RULE = "AWS::Events::Rule"
SOURCE = "AWS::Lambda::EventSourceMapping"
TOPICS = {"AlarmActions": [{"Ref": "Alerts"}, "pager"], "Threshold": 1}


def test_removed_alarm_is_a_danger() -> None:
    assessment = assess({"X": resource(ALARM, TOPICS)}, {})

    [danger] = assessment.dangers
    assert (danger.name, danger.rank, danger.what) == ("unwatch:X", Rank.MONITORING, "the alarm is deleted")
    assert danger.fix == "keep X in the template"
    assert len(assessment.changes) == 1


def test_renamed_alarm_that_watches_the_same_needs_attention() -> None:
    after = {"Y": resource(ALARM, {**TOPICS, "AlarmName": "y", "AlarmDescription": "new"})}

    assessment = assess({"X": resource(ALARM, TOPICS)}, after)

    assert (names(assessment), lines(assessment)[0]) == ([], ("renamed to Y; it watches the same", True))
    assert names(assess({"X": resource(ALARM, TOPICS)}, {"Y": resource(ALARM, {"Threshold": 1})})) == ["unwatch:X"]


def test_disabled_alarm_is_a_danger() -> None:
    for before in ({}, {"ActionsEnabled": True}):
        [danger] = update(ALARM, before, {"ActionsEnabled": False}).dangers
        assert danger.what == "ActionsEnabled is false: the alarm reports to nobody"
        assert danger.fix == "keep ActionsEnabled as deployed"
    assert names(update(ALARM, {"ActionsEnabled": False}, {})) == []
    assert names(update(ALARM, {"ActionsEnabled": True}, {})) == []


def test_alarm_with_fewer_actions_is_a_danger() -> None:
    [danger] = update(ALARM, TOPICS, {"AlarmActions": ["other"], "Threshold": 1}).dangers

    assert danger.what == "the alarm no longer reports to ${Alerts}, pager"
    assert danger.fix == "keep AlarmActions as deployed"
    assert len(lines(update(ALARM, TOPICS, {"Threshold": 1}))) == 1
    assert names(update(ALARM, TOPICS, {"AlarmActions": ["pager", {"Ref": "Alerts"}, "more"], "Threshold": 1})) == []


@pytest.mark.parametrize("kind", [ALARM, "AWS::CloudWatch::CompositeAlarm"])
@pytest.mark.parametrize(
    "name",
    [
        "AlarmRule",
        "ComparisonOperator",
        "DatapointsToAlarm",
        "Dimensions",
        "EvaluationPeriods",
        "ExtendedStatistic",
        "MetricName",
        "Metrics",
        "Namespace",
        "Period",
        "Statistic",
        "Threshold",
        "TreatMissingData",
    ],
)
def test_changed_sensitivity_of_an_alarm_needs_attention(kind: str, name: str) -> None:
    assessment = update(kind, {name: 1}, {name: 2})

    assert lines(assessment) == [(f"{name}: 1 -> 2", True)]
    assert assessment.changes[0].rank is Rank.MONITORING


@pytest.mark.parametrize(
    "change", [{"AlarmDescription": "b"}, {"OKActions": ["a"]}, {"InsufficientDataActions": ["a"]}]
)
def test_other_properties_of_an_alarm_are_harmless(change: dict[str, Any]) -> None:
    assert [needs for _, needs in lines(update(ALARM, {}, change))] == [False]


@pytest.mark.parametrize(
    ("kind", "rank", "what"),
    [
        ("AWS::SNS::Subscription", Rank.MONITORING, "the subscription is removed"),
        ("AWS::SNS::Topic", Rank.MONITORING, "the topic is removed"),
        ("AWS::Logs::MetricFilter", Rank.MONITORING, "the metric filter is removed"),
        ("AWS::CloudTrail::Trail", Rank.MONITORING, "the trail is removed"),
        ("AWS::CloudWatch::AnomalyDetector", Rank.MONITORING, "the anomaly detector is removed"),
        ("AWS::CloudWatch::Dashboard", Rank.MONITORING, "the dashboard is removed"),
        ("AWS::Logs::SubscriptionFilter", Rank.MONITORING, "the subscription filter is removed"),
        (SCHEDULE, Rank.WATCHED, "the schedule is removed: it no longer starts any work"),
        (RULE, Rank.WATCHED, "the rule is removed: it no longer starts any work"),
        (SOURCE, Rank.WATCHED, "the event source mapping is removed: it no longer starts any work"),
    ],
)
def test_removed_watcher_or_starter_needs_attention(kind: str, rank: Rank, what: str) -> None:
    assessment = assess({"X": resource(kind)}, {})

    assert (names(assessment), lines(assessment)) == ([], [(what, True)])
    assert assessment.changes[0].rank is rank


@pytest.mark.parametrize(
    ("kind", "switch", "on", "off"),
    [
        (SCHEDULE, "State", "ENABLED", "DISABLED"),
        (RULE, "State", "ENABLED", "DISABLED"),
        (RULE, "State", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "DISABLED"),
        (SOURCE, "Enabled", True, False),
        ("AWS::Pipes::Pipe", "DesiredState", "RUNNING", "STOPPED"),
    ],
)
def test_stopped_starter_needs_attention(kind: str, switch: str, on: Any, off: Any) -> None:
    shown = str(off).lower() if isinstance(off, bool) else off
    for before in ({switch: on}, {}):
        assessment = update(kind, before, {switch: off})
        [(what, needs_attention)] = lines(assessment)
        assert needs_attention
        assert what.endswith(f"-> {shown}: it no longer starts any work")
        assert assessment.changes[0].rank is Rank.WATCHED
    for after in ({switch: on}, {}):
        assert [needs for _, needs in lines(update(kind, {switch: off}, after))] == [False]


@pytest.mark.parametrize(("kind", "name"), [(RULE, "Targets"), (TOPIC, "Subscription")])
def test_fewer_receivers_need_attention(kind: str, name: str) -> None:
    both, first = {name: [{"Id": "a"}, {"Id": "b"}]}, {name: [{"Id": "a"}]}

    assert lines(update(kind, both, first)) == [(f"{name}: [{{Id: a}}, {{Id: b}}] -> [{{Id: a}}]", True)]
    assert [needs for _, needs in lines(update(kind, first, both))] == [False]


def test_function_without_concurrency_needs_attention() -> None:
    stopped = {"ReservedConcurrentExecutions": 0}

    what = "ReservedConcurrentExecutions: 0: the function no longer runs"
    assert lines(update(FUNCTION, {}, stopped)) == [(what, True)]
    assert lines(update(FUNCTION, stopped, {"ReservedConcurrentExecutions": 1}))[0][1] is False
    assert lines(update(FUNCTION, stopped, {**stopped, "Timeout": 3}))[0] == ("Timeout: (none) -> 3", False)


@pytest.mark.parametrize(
    ("kind", "before", "path"),
    [
        (FUNCTION, {"DeadLetterConfig": {"TargetArn": "a"}}, "DeadLetterConfig"),
        (
            "AWS::Lambda::EventInvokeConfig",
            {"DestinationConfig": {"OnFailure": {"Destination": "a"}}},
            "DestinationConfig.OnFailure",
        ),
        (SCHEDULE, {"Target": {"DeadLetterConfig": {"Arn": "a"}}}, "Target.DeadLetterConfig"),
    ],
)
def test_removed_destination_of_failures_needs_attention(kind: str, before: dict[str, Any], path: str) -> None:
    assert lines(update(kind, before, {})) == [(f"{path} is removed: what fails is not kept any more", True)]
    assert [needs for _, needs in lines(update(kind, {}, before))] == [False]


def test_added_alarm_and_schedule_are_harmless() -> None:
    added = {"A": resource(ALARM, TOPICS), "S": resource(SCHEDULE, {"State": "DISABLED"}), "Q": resource(QUEUE)}

    assert lines(assess({}, added)) == [("added", False)] * 3
