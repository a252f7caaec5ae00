"""What only the platform uses, and the emulator does not enforce, is asserted on the templates themselves."""

import copy
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml

from the_alchemiser.shared.messaging.messages import REGISTRY

ROOT = Path(__file__).parents[2]
Template = dict[str, Any]

STATEFUL = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::SSM::Parameter"}
INBOX_OF = {
    "data_v2": "DataInbox",
    "data_quality_monitor": "MonitorInbox",
    "strategy_v2": "StrategyInbox",
    "aggregator_v2": "AggregatorInbox",
    "portfolio_v2": "PortfolioInbox",
    "trade_aggregator": "TradeAggregatorInbox",
    "execution_v2": "TradeInbox",
    "notifications_v2": "NotificationsInbox",
    "metrics_v2": "MetricsInbox",
}


def load(name: str) -> Template:
    template: Template = cfn_yaml.load(str(ROOT / name))
    return template


@pytest.fixture(scope="module")
def both() -> Template:
    """Both templates as one: logical ids of what is shared by name (Claims, Alerts) are checked alike in each."""
    trading, data = load("template.yaml"), load("data-template.yaml")
    merged = {f"data:{name}": resource for name, resource in data["Resources"].items()}
    return {
        "Resources": {**trading["Resources"], **merged},
        "Parameters": {**data["Parameters"], **trading["Parameters"]},
    }


def of_type(template: Template, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, res) for name, res in template["Resources"].items() if res["Type"] == kind)


def target(reference: Any) -> str:
    """The logical id behind a Ref or GetAtt."""
    where = reference.get("Ref") or reference["Fn::GetAtt"]
    return str(where[0] if isinstance(where, list) else where).split(".")[0]


def findings_retain(template: Template) -> list[str]:
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] in STATEFUL
        and (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) != ("Retain", "Retain")
    ]


def findings_alarms(template: Template) -> list[str]:
    watched = {
        target(dimension["Value"])
        for _, alarm in of_type(template, "AWS::CloudWatch::Alarm")
        for dimension in alarm["Properties"]["Dimensions"]
        if alarm["Properties"]["AlarmActions"]
    }
    dead = {target(q["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]) for _, q in inboxes(template)}
    return sorted(dead - watched)


def inboxes(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((n, q) for n, q in of_type(template, "AWS::SQS::Queue") if "RedrivePolicy" in q["Properties"])


def findings_receives(template: Template) -> list[str]:
    return [n for n, q in inboxes(template) if q["Properties"]["RedrivePolicy"]["maxReceiveCount"] != 3]


def findings_rules(template: Template) -> list[str]:
    """Message classes whose rule does not reach exactly the inboxes of their consumers."""
    reached: dict[tuple[str, str], set[str]] = {}
    for _, rule in of_type(template, "AWS::Events::Rule"):
        pattern = rule["Properties"]["EventPattern"]
        for source in pattern["source"]:
            for kind in pattern["detail-type"]:
                targets = {target(t["Arn"]) for t in rule["Properties"]["Targets"]}
                reached.setdefault((source, kind), set()).update(targets)
    return [
        kind.__name__
        for kind, route in REGISTRY.items()
        if not route.queued
        and reached.get((route.source, kind.__name__)) != {INBOX_OF[consumer] for consumer in route.consumers}
    ]


def findings_queue_policies(template: Template) -> list[str]:
    """Inboxes that a rule targets and no queue policy opens to that very rule."""
    granted = {
        (target(queue), target(rule))
        for _, policy in of_type(template, "AWS::SQS::QueuePolicy")
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "events.amazonaws.com"} and statement["Action"] == "sqs:SendMessage"
        for queue in statement["Resource"]
        for rule in statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    }
    return [
        f"{name} -> {target(t['Arn'])}"
        for name, rule in of_type(template, "AWS::Events::Rule")
        for t in rule["Properties"]["Targets"]
        if (target(t["Arn"]), name.removeprefix("data:")) not in granted
    ]


def findings_schedules(template: Template) -> list[str]:
    """Schedules whose role may not send to their inbox, or whose time is not the exchange's."""
    roles = {
        name: {
            target(statement["Resource"])
            for policy in role["Properties"].get("Policies", [])
            for statement in policy["PolicyDocument"]["Statement"]
            if statement["Action"] == "sqs:SendMessage"
        }
        for name, role in of_type(template, "AWS::IAM::Role")
    }
    bad = []
    for name, schedule in of_type(template, "AWS::Scheduler::Schedule"):
        prefix = "data:" if name.startswith("data:") else ""
        properties = schedule["Properties"]
        allowed = roles[prefix + target(properties["Target"]["RoleArn"])]
        at_home = properties["ScheduleExpressionTimezone"] == "America/New_York"
        if (
            target(properties["Target"]["Arn"]) not in allowed
            or not at_home
            or properties["State"] != {"Ref": "ScheduleState"}
        ):
            bad.append(name)
    return bad


def findings_event_sources(template: Template) -> list[str]:
    """Functions whose inbox does not report failures record by record."""
    return [
        name
        for name, function in of_type(template, "AWS::Serverless::Function")
        if function["Properties"]["Events"]["Inbox"]["Properties"]["FunctionResponseTypes"]
        != ["ReportBatchItemFailures"]
    ]


def findings_visibility(template: Template) -> list[str]:
    """Functions whose time-out is not shorter than their inbox's visibility, by the parameters' defaults."""
    parameters = template["Parameters"]
    bad = []
    for name, function in of_type(template, "AWS::Serverless::Function"):
        timeout = function["Properties"].get("Timeout", {"Ref": "HandlerTimeoutS"})
        prefix = "data:" if name.startswith("data:") else ""
        queue = template["Resources"][prefix + target(function["Properties"]["Events"]["Inbox"]["Properties"]["Queue"])]
        visibility = queue["Properties"]["VisibilityTimeout"]
        if parameters[timeout["Ref"]]["Default"] >= parameters[visibility["Ref"]]["Default"]:
            bad.append(name)
    return bad


def findings_logs(template: Template) -> list[str]:
    """Functions without a log group of limited retention."""
    kept = {
        group["Properties"]["LogGroupName"]["Fn::Sub"].split("${")[1].rstrip("}")
        for _, group in of_type(template, "AWS::Logs::LogGroup")
        if group["Properties"].get("RetentionInDays")
    }
    return [n for n, _ in of_type(template, "AWS::Serverless::Function") if n.removeprefix("data:") not in kept]


def findings_topics(template: Template) -> list[str]:
    """Topics without a policy of their own: on such a topic anybody's publish passes unchecked."""
    covered = {
        ("data:" if name.startswith("data:") else "") + target(topic)
        for name, policy in of_type(template, "AWS::SNS::TopicPolicy")
        for topic in policy["Properties"]["Topics"]
    }
    return [name for name, _ in of_type(template, "AWS::SNS::Topic") if name not in covered]


def findings_grants(template: Template) -> list[str]:
    """Statements that allow a whole service or, where the service knows resources, every resource."""
    without_resources = {"ses:SendEmail", "cloudwatch:PutMetricData"}
    bad = []
    for name, function in of_type(template, "AWS::Serverless::Function"):
        for policy in function["Properties"]["Policies"]:
            for statement in policy["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                wide = statement["Resource"] == "*" and not (
                    set(actions) <= without_resources and "Condition" in statement
                )
                if wide or any("*" in action for action in actions):
                    bad.append(f"{name}: {', '.join(actions)}")
    return bad


def findings_tables(template: Template) -> list[str]:
    """Evidence without point-in-time recovery, and claims or requests that never expire."""
    recoverable = {"Runs", "Ledger", "Performance"}
    return [
        name
        for name, table in of_type(template, "AWS::DynamoDB::Table")
        if not (
            table["Properties"].get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
            if name in recoverable
            else table["Properties"].get("TimeToLiveSpecification", {}).get("Enabled")
        )
    ]


def _set(path: str, value: Any) -> Callable[[Template], None]:
    def plant(template: Template) -> None:
        *parents, last = path.split("/")
        node: Any = template["Resources"]
        for part in parents:
            node = node[int(part) if isinstance(node, list) else part]
        node[int(last) if isinstance(node, list) else last] = value

    return plant


def _drop(name: str) -> Callable[[Template], None]:
    def plant(template: Template) -> None:
        del template["Resources"][name]

    return plant


CHECKS: list[tuple[Callable[[Template], list[str]], Callable[[Template], None]]] = [
    (findings_retain, _set("Runs/DeletionPolicy", "Delete")),
    (findings_alarms, _drop("TradeDlqAlarm")),
    (findings_receives, _set("TradeInbox/Properties/RedrivePolicy/maxReceiveCount", 1)),
    (findings_rules, _drop("SignalGeneratedRule")),
    (findings_queue_policies, _set("InboxPolicy/Properties/PolicyDocument/Statement/0/Resource", [])),
    (findings_schedules, _set("SchedulerRole/Properties/Policies", [])),
    (findings_schedules, _set("data:NightlyRefresh/Properties/ScheduleExpressionTimezone", "UTC")),
    (findings_event_sources, _set("StrategyFunction/Properties/Events/Inbox/Properties/FunctionResponseTypes", [])),
    (findings_visibility, _set("TradeInbox/Properties/VisibilityTimeout", {"Ref": "HandlerTimeoutS"})),
    (findings_logs, _drop("ExecutionLogs")),
    (findings_topics, _drop("AlertsPolicy")),
    (findings_grants, _set("MetricsFunction/Properties/Policies/0/Statement/0/Resource", "*")),
    (findings_tables, _set("Ledger/Properties/PointInTimeRecoverySpecification", {})),
]


@pytest.mark.parametrize(("find", "plant"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_templates_as_they_stand_hold_every_rule(
    both: Template, find: Callable[[Template], list[str]], plant: Callable[[Template], None]
) -> None:
    assert find(both) == []


@pytest.mark.parametrize(("find", "plant"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_templates_with_a_planted_fault_are_found_out(
    both: Template, find: Callable[[Template], list[str]], plant: Callable[[Template], None]
) -> None:
    broken = copy.deepcopy(both)

    plant(broken)

    assert find(broken) != []
