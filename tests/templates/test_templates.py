"""Assert on the templates what only AWS enforces: retention, alarms, grants, schedules and queue settings."""

import copy
import tomllib
from collections.abc import Callable, Iterator, Mapping
from itertools import product
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
# What Lambda needs to read an inbox for a function, and to write its logs.
READS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
SENDS = ("sqs:SendMessage", "sqs:GetQueueUrl")
WRITES_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
# CloudFormation names a function <stack>-<logical id>-<12 characters>, and shortens it to 64 characters.
LONGEST_PREFIX = 64 - 12


def load(name: str) -> Template:
    template: Template = cfn_yaml.load(str(ROOT / name))
    return template


@pytest.fixture(scope="module")
def both() -> Template:
    """Return both templates as one; the data template's resources get a prefix, since some ids are in both."""
    trading, data = load("template.yaml"), load("data-template.yaml")
    merged = {f"data:{name}": resource for name, resource in data["Resources"].items()}
    return {
        "Resources": {**trading["Resources"], **merged},
        "Parameters": {**data["Parameters"], **trading["Parameters"]},
    }


def of_type(template: Template, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, resource) for name, resource in template["Resources"].items() if resource["Type"] == kind)


def target(reference: Any) -> str:
    """Return the logical id behind a Ref or GetAtt."""
    name = reference.get("Ref") or reference["Fn::GetAtt"]
    return str(name[0] if isinstance(name, list) else name).split(".")[0]


def findings_retain(template: Template) -> list[str]:
    """Return stateful resources that a deletion or a replacement would delete."""
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] in STATEFUL
        and (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) != ("Retain", "Retain")
    ]


def findings_alarms(template: Template) -> list[str]:
    """Return dead-letter queues without an alarm that notifies somebody."""
    watched: set[str] = set()
    for _, alarm in of_type(template, "AWS::CloudWatch::Alarm"):
        if alarm["Properties"]["AlarmActions"]:
            watched.update(target(dimension["Value"]) for dimension in alarm["Properties"]["Dimensions"])

    policies = (queue["Properties"]["RedrivePolicy"] for _, queue in inboxes(template))
    dead_letter_queues = {target(policy["deadLetterTargetArn"]) for policy in policies}
    return sorted(dead_letter_queues - watched)


def inboxes(template: Template) -> Iterator[tuple[str, Mapping[str, Any]]]:
    queues = of_type(template, "AWS::SQS::Queue")
    return ((name, queue) for name, queue in queues if "RedrivePolicy" in queue["Properties"])


def findings_receives(template: Template) -> list[str]:
    """Return inboxes whose messages are not tried exactly three times."""
    return [name for name, queue in inboxes(template) if queue["Properties"]["RedrivePolicy"]["maxReceiveCount"] != 3]


def findings_rules(template: Template) -> list[str]:
    """Return message classes whose rule does not target exactly the inboxes of their consumers."""
    reached: dict[tuple[str, str], set[str]] = {}
    for _, rule in of_type(template, "AWS::Events::Rule"):
        pattern = rule["Properties"]["EventPattern"]
        inboxes_of_rule = rule_targets(rule)
        for message in product(pattern["source"], pattern["detail-type"]):
            reached.setdefault(message, set()).update(inboxes_of_rule)

    bad = []
    for kind, route in REGISTRY.items():
        expected = {INBOX_OF[consumer] for consumer in route.consumers}
        if not route.queued and reached.get((route.source, kind.__name__)) != expected:
            bad.append(kind.__name__)
    return bad


def rule_targets(rule: Mapping[str, Any]) -> list[str]:
    return [target(entry["Arn"]) for entry in rule["Properties"]["Targets"]]


def findings_queue_policies(template: Template) -> list[str]:
    """Return inboxes that a rule targets, but that no queue policy opens to that rule."""
    granted: set[tuple[str, str]] = set()
    for _, policy in of_type(template, "AWS::SQS::QueuePolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            granted.update(senders_granted(statement))

    bad = []
    for name, rule in of_type(template, "AWS::Events::Rule"):
        closed = [inbox for inbox in rule_targets(rule) if (inbox, name.removeprefix("data:")) not in granted]
        bad += [f"{name} -> {inbox}" for inbox in closed]
    return bad


def senders_granted(statement: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the pairs of queue and rule for which a statement lets the rule send to the queue."""
    if statement["Principal"] != {"Service": "events.amazonaws.com"} or statement["Action"] != "sqs:SendMessage":
        return set()
    queues = map(target, statement["Resource"])
    return set(product(queues, map(target, statement["Condition"]["ArnEquals"]["aws:SourceArn"])))


def findings_schedules(template: Template) -> list[str]:
    """Return schedules whose role may not send to their inbox, or whose time zone is not the exchange's."""
    roles = {name: queues_allowed(role) for name, role in of_type(template, "AWS::IAM::Role")}

    bad = []
    for name, schedule in of_type(template, "AWS::Scheduler::Schedule"):
        prefix = "data:" if name.startswith("data:") else ""
        properties = schedule["Properties"]
        allowed = roles[prefix + target(properties["Target"]["RoleArn"])]
        is_exchange_time = properties["ScheduleExpressionTimezone"] == "America/New_York"
        if (
            target(properties["Target"]["Arn"]) not in allowed
            or not is_exchange_time
            or properties["State"] != {"Ref": "ScheduleState"}
        ):
            bad.append(name)
    return bad


def queues_allowed(role: Mapping[str, Any]) -> set[str]:
    """Return the queues that a role may send to."""
    return {resource for action, resource in grants(role) if action == "sqs:SendMessage"}


def statements(role: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for policy in role["Properties"].get("Policies", []):
        yield from policy["PolicyDocument"]["Statement"]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def grants(role: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the pairs of action and resource that a role allows; a resource is its logical id, or its text."""
    pairs: set[tuple[str, str]] = set()
    for statement in statements(role):
        resources = map(resource_name, as_list(statement["Resource"]))
        pairs.update(product(as_list(statement["Action"]), resources))
    return pairs


def resource_name(resource: Any) -> str:
    if isinstance(resource, Mapping) and ("Ref" in resource or "Fn::GetAtt" in resource):
        return target(resource)
    return str(resource["Fn::Sub"] if isinstance(resource, Mapping) and "Fn::Sub" in resource else resource)


def role_of(template: Template, function: str) -> Mapping[str, Any]:
    """Return the role that is written for a function; a role without policies when there is none."""
    role: Mapping[str, Any] = template["Resources"].get(f"{function}Role", {"Properties": {}})
    return role


def findings_roles(template: Template) -> list[str]:
    """Return functions that do not use a role written only for them, which only Lambda may assume.

    SAM generates the missing role of a function, with managed policies for every queue and every log group.
    """
    roles = dict(of_type(template, "AWS::IAM::Role"))
    lambda_only = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}

    bad = []
    for name, function in of_type(template, "AWS::Serverless::Function"):
        used = target(function["Properties"].get("Role", {"Ref": ""}))
        role = roles.get(f"{name}Role", {"Properties": {}})
        trust = role["Properties"].get("AssumeRolePolicyDocument", {}).get("Statement")
        if used != f"{name.removeprefix('data:')}Role" or trust != [lambda_only]:
            bad.append(name)
    return bad


def findings_policies(template: Template) -> list[str]:
    """Return roles with a managed policy, and policies outside of a role, whose grants no check here reads."""
    managed = [name for name, role in of_type(template, "AWS::IAM::Role") if "ManagedPolicyArns" in role["Properties"]]
    separate = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy")
    return managed + [name for name, resource in template["Resources"].items() if resource["Type"] in separate]


def findings_queue_reads(template: Template) -> list[str]:
    """Return functions whose role does not exactly read the queues of its events and look up those it sends to."""
    bad = []
    for name, function in of_type(template, "AWS::Serverless::Function"):
        events = function["Properties"]["Events"].values()
        queues = {target(event["Properties"]["Queue"]) for event in events if event["Type"] == "SQS"}
        allowed = {pair for pair in grants(role_of(template, name)) if pair[0].lower().startswith("sqs:")}
        sent_to = {queue for action, queue in allowed if action == "sqs:SendMessage"}
        if allowed != set(product(READS, queues)) | set(product(SENDS, sent_to)):
            bad.append(name)
    return bad


def findings_log_writes(template: Template) -> list[str]:
    """Return functions whose role may not write exactly the function's own log group."""
    bad = []
    for name, _ in of_type(template, "AWS::Serverless::Function"):
        place = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}"
        group = f"{place}:log-group:/aws/lambda/${{AWS::StackName}}-{name.removeprefix('data:')}-*:*"
        allowed = {pair for pair in grants(role_of(template, name)) if pair[0].lower().startswith("logs:")}
        if allowed != set(product(WRITES_LOGS, [group])):
            bad.append(name)
    return bad


def findings_long_names(template: Template) -> list[str]:
    """Return functions whose name CloudFormation would shorten: their roles could not write their logs."""
    names = stack_names()
    bad = []
    for name, _ in of_type(template, "AWS::Serverless::Function"):
        is_data = name.startswith("data:")
        stack = max((stack for stack in names if stack.endswith("-data") == is_data), key=len)
        if len(f"{stack}-{name.removeprefix('data:')}-") > LONGEST_PREFIX:
            bad.append(name)
    return bad


def stack_names() -> list[str]:
    """Return the names of the stacks of every environment."""
    sections = tomllib.loads((ROOT / "samconfig.toml").read_text()).values()
    deploys = (section["deploy"] for section in sections if isinstance(section, Mapping) and "deploy" in section)
    return [deploy["parameters"]["stack_name"] for deploy in deploys]


def findings_event_sources(template: Template) -> list[str]:
    """Return functions that cannot report the failure of a single record."""
    return [
        name
        for name, function in of_type(template, "AWS::Serverless::Function")
        if function["Properties"]["Events"]["Inbox"]["Properties"]["FunctionResponseTypes"]
        != ["ReportBatchItemFailures"]
    ]


def findings_visibility(template: Template) -> list[str]:
    """Return functions whose timeout is not shorter than their inbox's visibility, by the parameters' defaults."""
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
    """Return functions without a log group of limited retention."""
    kept = {
        group["Properties"]["LogGroupName"]["Fn::Sub"].split("${")[1].rstrip("}")
        for _, group in of_type(template, "AWS::Logs::LogGroup")
        if group["Properties"].get("RetentionInDays")
    }
    functions = of_type(template, "AWS::Serverless::Function")
    return [name for name, _ in functions if name.removeprefix("data:") not in kept]


def findings_topics(template: Template) -> list[str]:
    """Return topics without a policy of their own: publishing to such a topic is not restricted."""
    covered: set[str] = set()
    for name, policy in of_type(template, "AWS::SNS::TopicPolicy"):
        prefix = "data:" if name.startswith("data:") else ""
        covered.update(prefix + target(topic) for topic in policy["Properties"]["Topics"])
    return [name for name, _ in of_type(template, "AWS::SNS::Topic") if name not in covered]


def findings_grants(template: Template) -> list[str]:
    """Return statements that allow a whole service, or every resource where the service could name one."""
    without_resources = {"ses:SendEmail", "cloudwatch:PutMetricData"}
    bad = []
    for name, role in of_type(template, "AWS::IAM::Role"):
        for statement in statements(role):
            actions = as_list(statement["Action"])
            needs_all = set(actions) <= without_resources and "Condition" in statement
            is_wide = "*" in as_list(statement["Resource"]) and not needs_all
            if is_wide or any("*" in action for action in actions):
                bad.append(f"{name}: {', '.join(actions)}")
    return bad


def findings_tables(template: Template) -> list[str]:
    """Return tables of evidence without point-in-time recovery, and other tables whose items never expire."""
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


def set_value(path: str, value: Any) -> Callable[[Template], None]:
    def plant(template: Template) -> None:
        *parents, last = path.split("/")
        node: Any = template["Resources"]
        for part in parents:
            node = node[int(part) if isinstance(node, list) else part]
        node[int(last) if isinstance(node, list) else last] = value

    return plant


def drop(name: str) -> Callable[[Template], None]:
    def plant(template: Template) -> None:
        del template["Resources"][name]

    return plant


METRICS_GRANTS = "MetricsFunctionRole/Properties/Policies/0/PolicyDocument/Statement"
CHECKS: list[tuple[Callable[[Template], list[str]], Callable[[Template], None]]] = [
    (findings_retain, set_value("Runs/DeletionPolicy", "Delete")),
    (findings_alarms, drop("TradeDlqAlarm")),
    (findings_receives, set_value("TradeInbox/Properties/RedrivePolicy/maxReceiveCount", 1)),
    (findings_rules, drop("SignalGeneratedRule")),
    (findings_queue_policies, set_value("InboxPolicy/Properties/PolicyDocument/Statement/0/Resource", [])),
    (findings_schedules, set_value("SchedulerRole/Properties/Policies", [])),
    (findings_schedules, set_value("data:NightlyRefresh/Properties/ScheduleExpressionTimezone", "UTC")),
    (
        findings_event_sources,
        set_value("StrategyFunction/Properties/Events/Inbox/Properties/FunctionResponseTypes", []),
    ),
    (findings_visibility, set_value("TradeInbox/Properties/VisibilityTimeout", {"Ref": "HandlerTimeoutS"})),
    (findings_logs, drop("ExecutionLogs")),
    (findings_topics, drop("AlertsPolicy")),
    (findings_roles, drop("data:SharedDataFunctionRole")),
    (findings_roles, set_value("MetricsFunction/Properties/Role", {"Fn::GetAtt": "ExecutionFunctionRole.Arn"})),
    (findings_roles, set_value("MetricsFunctionRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal", "*")),
    (findings_policies, set_value("MetricsFunctionRole/Properties/ManagedPolicyArns", ["arn:aws:iam::aws:policy/X"])),
    (findings_policies, set_value("MoreGrants", {"Type": "AWS::IAM::Policy"})),
    (findings_queue_reads, set_value(f"{METRICS_GRANTS}/4/Resource", {"Fn::GetAtt": "TradeInbox.Arn"})),
    (findings_queue_reads, set_value(f"{METRICS_GRANTS}/4/Action", "sqs:ReceiveMessage")),
    (findings_queue_reads, set_value(f"{METRICS_GRANTS}/0/Action", "sqs:PurgeQueue")),
    (findings_queue_reads, set_value(f"{METRICS_GRANTS}/0/Action", "sqs:GetQueueUrl")),
    (findings_log_writes, set_value(f"{METRICS_GRANTS}/5/Resource", {"Fn::Sub": "arn:aws:logs:*:*:log-group:*"})),
    (findings_log_writes, set_value(f"{METRICS_GRANTS}/5/Action", "logs:PutLogEvents")),
    (findings_long_names, set_value(f"{'Long' * 8}Function", {"Type": "AWS::Serverless::Function"})),
    (findings_grants, set_value(f"{METRICS_GRANTS}/0/Resource", "*")),
    (findings_tables, set_value("Ledger/Properties/PointInTimeRecoverySpecification", {})),
]


@pytest.mark.parametrize(("find", "plant"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_templates_of_the_project_pass_every_check(
    both: Template, find: Callable[[Template], list[str]], plant: Callable[[Template], None]
) -> None:
    assert find(both) == []


@pytest.mark.parametrize(("find", "plant"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_templates_with_a_planted_fault_fail_its_check(
    both: Template, find: Callable[[Template], list[str]], plant: Callable[[Template], None]
) -> None:
    broken = copy.deepcopy(both)

    plant(broken)

    assert find(broken) != []
