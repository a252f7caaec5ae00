"""How a message reaches its function: rules, schedules, inboxes, dead-letter queues and their policies."""

import copy
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from tests.templates.reading import (
    DATA,
    Check,
    Fault,
    Template,
    drop,
    grants,
    names_of,
    of_type,
    set_value,
    target,
    target_from,
)
from the_alchemiser.shared.messaging.messages import REGISTRY

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
RULE, QUEUE, SCHEDULE = "AWS::Events::Rule", "AWS::SQS::Queue", "AWS::Scheduler::Schedule"
ACCOUNT = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}"
LONGEST_AGE_S, MOST_ATTEMPTS = 3600, 30


def inboxes(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    queues = of_type(template, QUEUE)
    return ((name, queue) for name, queue in queues if "RedrivePolicy" in queue["Properties"])


def dead_letters_of(template: Template) -> dict[str, str]:
    """Map each inbox to its dead-letter queue."""
    return {
        name: target_from(name, queue["Properties"]["RedrivePolicy"]["deadLetterTargetArn"])
        for name, queue in inboxes(template)
    }


def rule_targets(rule: Mapping[str, Any]) -> list[str]:
    return [target(entry["Arn"]) for entry in rule["Properties"]["Targets"]]


def findings_receives(template: Template) -> list[str]:
    """Return inboxes whose messages are not tried exactly three times."""
    return [name for name, queue in inboxes(template) if queue["Properties"]["RedrivePolicy"]["maxReceiveCount"] != 3]


def findings_redrive(template: Template) -> list[str]:
    """Return dead-letter queues that accept messages of more than their inbox."""
    bad = []
    for inbox, queue in dead_letters_of(template).items():
        name = template["Resources"][inbox]["Properties"]["QueueName"]["Fn::Sub"]
        expected = {"redrivePermission": "byQueue", "sourceQueueArns": [{"Fn::Sub": f"{ACCOUNT}:{name}"}]}
        if template["Resources"][queue]["Properties"].get("RedriveAllowPolicy") != expected:
            bad.append(queue)
    return bad


def findings_fifo(template: Template) -> list[str]:
    """Return inboxes whose name, or whose dead-letter queue, is of the other kind of queue."""
    bad = []
    for inbox, queue in dead_letters_of(template).items():
        properties = template["Resources"][inbox]["Properties"]
        is_fifo = properties.get("FifoQueue", False)
        kinds = {
            properties["QueueName"]["Fn::Sub"].endswith(".fifo"),
            template["Resources"][queue]["Properties"].get("FifoQueue", False),
        }
        if kinds != {is_fifo}:
            bad.append(inbox)
    return bad


def findings_rules(template: Template) -> list[str]:
    """Return message classes whose rule does not target exactly the inboxes of their consumers."""
    reached: dict[tuple[str, str], set[str]] = {}
    for _, rule in of_type(template, RULE):
        pattern = rule["Properties"]["EventPattern"]
        for message in product(pattern["source"], pattern["detail-type"]):
            reached.setdefault(message, set()).update(rule_targets(rule))

    bad = []
    for kind, route in REGISTRY.items():
        expected = {INBOX_OF[consumer] for consumer in route.consumers}
        if not route.queued and reached.get((route.source, kind.__name__)) != expected:
            bad.append(kind.__name__)
    return bad


def findings_delivery(template: Template) -> list[str]:
    """Return targets of rules and schedules that are tried without a limit, or that lose what they cannot deliver."""
    dead_letters = dead_letters_of(template)
    targets = [(name, schedule["Properties"]["Target"]) for name, schedule in of_type(template, SCHEDULE)]
    for name, rule in of_type(template, RULE):
        targets += [(name, entry) for entry in rule["Properties"]["Targets"]]

    bad = []
    for name, entry in targets:
        limits = entry.get("RetryPolicy", {})
        age, attempts = limits.get("MaximumEventAgeInSeconds"), limits.get("MaximumRetryAttempts")
        is_limited = age and attempts and age <= LONGEST_AGE_S and attempts <= MOST_ATTEMPTS
        queue = entry.get("DeadLetterConfig", {}).get("Arn", {"Ref": "missing"})
        if not is_limited or target_from(name, queue) != dead_letters[target_from(name, entry["Arn"])]:
            bad.append(f"{name} -> {target(entry['Arn'])}")
    return bad


def findings_queue_policies(template: Template) -> list[str]:
    """Return rules that may not send to exactly their inboxes and those inboxes' dead-letter queues."""
    granted: set[tuple[str, str]] = set()
    for name, policy in of_type(template, "AWS::SQS::QueuePolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            granted.update(senders_granted(name, statement))

    dead_letters = dead_letters_of(template)
    needed: set[tuple[str, str]] = set()
    for name, rule in of_type(template, RULE):
        queues = [target_from(name, entry["Arn"]) for entry in rule["Properties"]["Targets"]]
        needed.update(product(queues + [dead_letters[queue] for queue in queues], [name]))
    return [f"{rule} -> {queue}" for queue, rule in sorted(granted ^ needed)]


def senders_granted(name: str, statement: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the pairs of queue and rule for which a statement of a policy lets the rule send to the queue."""
    if statement["Principal"] != {"Service": "events.amazonaws.com"} or statement["Action"] != "sqs:SendMessage":
        return set()
    queues = [target_from(name, queue) for queue in statement["Resource"]]
    rules = [target_from(name, rule) for rule in statement["Condition"]["ArnEquals"]["aws:SourceArn"]]
    return set(product(queues, rules))


def findings_shared_policies(template: Template) -> list[str]:
    """Return queues with no policy or with two: SQS keeps one per queue, the one that was written last."""
    covered: list[str] = []
    for name, policy in of_type(template, "AWS::SQS::QueuePolicy"):
        covered += [target_from(name, queue) for queue in policy["Properties"]["Queues"]]
    return [name for name in sorted(names_of(template, QUEUE)) if covered.count(name) != 1]


def findings_schedules(template: Template) -> list[str]:
    """Return schedules outside of their stack's group or time zone, or whose role may not send what they send."""
    roles, dead_letters = dict(of_type(template, "AWS::IAM::Role")), dead_letters_of(template)
    groups = names_of(template, "AWS::Scheduler::ScheduleGroup")

    bad = []
    for name, schedule in of_type(template, SCHEDULE):
        properties = schedule["Properties"]
        inbox = target_from(name, properties["Target"]["Arn"])
        allowed = grants(roles[target_from(name, properties["Target"]["RoleArn"])])
        needed = {queue.removeprefix(DATA) for queue in (inbox, dead_letters[inbox])}
        is_set_up = (
            properties["ScheduleExpressionTimezone"] == "America/New_York"
            and properties["State"] == {"Ref": "ScheduleState"}
            and target_from(name, properties.get("GroupName", {"Ref": "missing"})) in groups
        )
        if not is_set_up or allowed != set(product(["sqs:SendMessage"], needed)):
            bad.append(name)
    return bad


def findings_event_sources(template: Template) -> list[str]:
    """Return functions that cannot report the failure of a single record."""
    return [
        name
        for name, function in of_type(template, "AWS::Serverless::Function")
        if function["Properties"]["Events"]["Inbox"]["Properties"]["FunctionResponseTypes"]
        != ["ReportBatchItemFailures"]
    ]


def findings_fifo_batches(template: Template) -> list[str]:
    """Return functions whose batches have several messages of a FIFO queue, which the shell would not keep in order."""
    bad = []
    for name, function in of_type(template, "AWS::Serverless::Function"):
        source = function["Properties"]["Events"]["Inbox"]["Properties"]
        queue = template["Resources"][target_from(name, source["Queue"])]
        if queue["Properties"].get("FifoQueue") and source["BatchSize"] != 1:
            bad.append(name)
    return bad


def findings_visibility(template: Template) -> list[str]:
    """Return functions whose timeout is not shorter than their inbox's visibility, by the parameters' defaults."""
    parameters = template["Parameters"]
    bad = []
    for name, function in of_type(template, "AWS::Serverless::Function"):
        timeout = function["Properties"].get("Timeout", {"Ref": "HandlerTimeoutS"})
        inbox = target_from(name, function["Properties"]["Events"]["Inbox"]["Properties"]["Queue"])
        visibility = template["Resources"][inbox]["Properties"]["VisibilityTimeout"]
        if parameters[timeout["Ref"]]["Default"] >= parameters[visibility["Ref"]]["Default"]:
            bad.append(name)
    return bad


STRATEGY_POLICY = "StrategyInboxPolicy/Properties/PolicyDocument/Statement/1"
RULE_TARGET = "RunFailedRule/Properties/Targets/0"
CHECKS: list[tuple[Check, Fault]] = [
    (findings_receives, set_value("TradeInbox/Properties/RedrivePolicy/maxReceiveCount", 1)),
    (findings_redrive, drop("TradeDlq/Properties/RedriveAllowPolicy")),
    (findings_redrive, set_value("data:DataDlq/Properties/RedriveAllowPolicy", {"redrivePermission": "allowAll"})),
    (
        findings_redrive,
        set_value("MetricsDlq/Properties/RedriveAllowPolicy/sourceQueueArns/0", {"Fn::Sub": f"{ACCOUNT}:*"}),
    ),
    (findings_fifo, set_value("TradeInbox/Properties/QueueName", {"Fn::Sub": "${AWS::StackName}-trade-inbox"})),
    (findings_fifo, drop("TradeDlq/Properties/FifoQueue")),
    (findings_rules, drop("SignalGeneratedRule")),
    (findings_delivery, drop(f"{RULE_TARGET}/DeadLetterConfig")),
    (findings_delivery, set_value(f"{RULE_TARGET}/DeadLetterConfig/Arn", {"Fn::GetAtt": "MetricsDlq.Arn"})),
    (findings_delivery, drop(f"{RULE_TARGET}/RetryPolicy")),
    (findings_delivery, set_value("Sweep/Properties/Target/RetryPolicy/MaximumEventAgeInSeconds", 86400)),
    (findings_delivery, drop("data:NightlyRefresh/Properties/Target/DeadLetterConfig")),
    (findings_queue_policies, set_value(f"{STRATEGY_POLICY}/Resource", [])),
    (findings_queue_policies, set_value(f"{STRATEGY_POLICY}/Principal", "*")),
    (
        findings_queue_policies,
        set_value(f"{STRATEGY_POLICY}/Condition/ArnEquals/aws:SourceArn", [{"Fn::GetAtt": "RunFailedRule.Arn"}]),
    ),
    (findings_shared_policies, drop("TradeInboxPolicy")),
    (findings_shared_policies, set_value("TradeInboxPolicy/Properties/Queues/0", {"Ref": "MetricsInbox"})),
    (findings_schedules, set_value("SchedulerRole/Properties/Policies", [])),
    (findings_schedules, set_value("data:NightlyRefresh/Properties/ScheduleExpressionTimezone", "UTC")),
    (findings_schedules, set_value("Sweep/Properties/State", "ENABLED")),
    (findings_schedules, drop("AfternoonStart/Properties/GroupName")),
    (
        findings_event_sources,
        set_value("StrategyFunction/Properties/Events/Inbox/Properties/FunctionResponseTypes", []),
    ),
    (findings_fifo_batches, set_value("ExecutionFunction/Properties/Events/Inbox/Properties/BatchSize", 2)),
    (findings_visibility, set_value("TradeInbox/Properties/VisibilityTimeout", {"Ref": "HandlerTimeoutS"})),
]


@pytest.mark.parametrize("find", dict(CHECKS))
def test_templates_of_the_project_pass_every_check(both: Template, find: Check) -> None:
    assert find(both) == []


@pytest.mark.parametrize(("find", "plant"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_templates_with_a_planted_fault_fail_its_check(both: Template, find: Check, plant: Fault) -> None:
    broken = copy.deepcopy(both)

    plant(broken)

    assert find(broken) != []
