"""What each function may do, and that it may do nothing more."""

import copy
from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest

from tests.templates.reading import (
    DATA,
    Check,
    Fault,
    Template,
    as_list,
    drop,
    grants,
    of_type,
    role_of,
    set_value,
    statements,
    target,
    target_from,
)

FUNCTION, ROLE = "AWS::Serverless::Function", "AWS::IAM::Role"
# What Lambda needs to read an inbox for a function, and to write its logs.
READS = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
SENDS = ("sqs:SendMessage", "sqs:GetQueueUrl")
WRITES_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
# Actions for which a policy names no single resource, and the condition that limits each. `IfExists` would fail open.
LIMITED: Mapping[str, Mapping[str, Any]] = {
    "ses:SendEmail": {"StringEquals": {"ses:FromAddress": {"Ref": "MailFrom"}}},
    "cloudwatch:PutMetricData": {"StringEquals": {"cloudwatch:namespace": "Alchemiser"}},
}


def findings_roles(template: Template) -> list[str]:
    """Return functions that do not use a role written only for them, which only Lambda may assume.

    SAM generates the missing role of a function, with managed policies for every queue and every log group.
    """
    roles = dict(of_type(template, ROLE))
    lambda_only = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}

    bad = []
    for name, function in of_type(template, FUNCTION):
        used = target(function["Properties"].get("Role", {"Ref": "missing"}))
        role = roles.get(f"{name}Role", {"Properties": {}})
        trust = role["Properties"].get("AssumeRolePolicyDocument", {}).get("Statement")
        if used != f"{name.removeprefix(DATA)}Role" or trust != [lambda_only]:
            bad.append(name)
    return bad


def findings_policies(template: Template) -> list[str]:
    """Return roles with a managed policy, and policies outside of a role, whose grants no check here reads."""
    managed = [name for name, role in of_type(template, ROLE) if "ManagedPolicyArns" in role["Properties"]]
    separate = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy")
    return managed + [name for name, resource in template["Resources"].items() if resource["Type"] in separate]


def findings_queue_reads(template: Template) -> list[str]:
    """Return functions whose role does not exactly read the queues of its events and look up those it sends to."""
    bad = []
    for name, function in of_type(template, FUNCTION):
        events = function["Properties"]["Events"].values()
        queues = {target(event["Properties"]["Queue"]) for event in events if event["Type"] == "SQS"}
        allowed = {pair for pair in grants(role_of(template, name)) if pair[0].lower().startswith("sqs:")}
        sent_to = {queue for action, queue in allowed if action == "sqs:SendMessage"}
        if allowed != set(product(READS, queues)) | set(product(SENDS, sent_to)):
            bad.append(name)
    return bad


def findings_logs(template: Template) -> list[str]:
    """Return functions without a log group of their own that the stack creates first and whose lines expire."""
    groups = dict(of_type(template, "AWS::Logs::LogGroup"))
    used: list[str] = []
    bad = []
    for name, function in of_type(template, FUNCTION):
        group = target_from(name, function["Properties"].get("LoggingConfig", {}).get("LogGroup", {"Ref": "missing"}))
        properties = groups.get(group, {"Properties": {}})["Properties"]
        if group in used or not properties.get("RetentionInDays") or "LogGroupName" in properties:
            bad.append(name)
        used.append(group)
    return bad


def findings_log_writes(template: Template) -> list[str]:
    """Return functions whose role may not write exactly the function's own log group."""
    bad = []
    for name, function in of_type(template, FUNCTION):
        group = target(function["Properties"]["LoggingConfig"]["LogGroup"])
        allowed = {pair for pair in grants(role_of(template, name)) if pair[0].lower().startswith("logs:")}
        if allowed != set(product(WRITES_LOGS, [group])):
            bad.append(name)
    return bad


def is_every(resource: Any) -> bool:
    """Return whether a resource of a statement is every resource of its type."""
    text = resource["Fn::Sub"] if isinstance(resource, Mapping) and "Fn::Sub" in resource else resource
    return text == "*" or str(text).endswith("identity/*")


def findings_grants(template: Template) -> list[str]:
    """Return statements that allow a whole service, or every resource without the condition that limits the action."""
    bad = []
    for name, role in of_type(template, ROLE):
        for statement in statements(role):
            actions = as_list(statement["Action"])
            is_limited = all(statement.get("Condition") == LIMITED.get(action, "none") for action in actions)
            is_wide = any(is_every(resource) for resource in as_list(statement["Resource"]))
            if (is_wide and not is_limited) or any("*" in action for action in actions):
                bad.append(f"{name}: {', '.join(actions)}")
    return bad


METRICS_GRANTS = "MetricsFunctionRole/Properties/Policies/0/PolicyDocument/Statement"
CHECKS: list[tuple[Check, Fault]] = [
    (findings_roles, drop("data:SharedDataFunctionRole")),
    (findings_roles, set_value("MetricsFunction/Properties/Role", {"Fn::GetAtt": "ExecutionFunctionRole.Arn"})),
    (findings_roles, set_value("MetricsFunctionRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal", "*")),
    (findings_policies, set_value("MetricsFunctionRole/Properties/ManagedPolicyArns", ["arn:aws:iam::aws:policy/X"])),
    (findings_policies, set_value("MoreGrants", {"Type": "AWS::IAM::Policy"})),
    (findings_queue_reads, set_value(f"{METRICS_GRANTS}/4/Resource", {"Fn::GetAtt": "TradeInbox.Arn"})),
    (findings_queue_reads, set_value(f"{METRICS_GRANTS}/4/Action", "sqs:ReceiveMessage")),
    (findings_queue_reads, set_value(f"{METRICS_GRANTS}/0/Action", "sqs:PurgeQueue")),
    (findings_queue_reads, set_value(f"{METRICS_GRANTS}/0/Action", "sqs:GetQueueUrl")),
    (findings_logs, drop("ExecutionLogs")),
    (findings_logs, drop("data:SharedDataFunction/Properties/LoggingConfig")),
    (findings_logs, drop("MetricsLogs/Properties/RetentionInDays")),
    (findings_logs, set_value("MetricsLogs/Properties/LogGroupName", "/shop/metrics")),
    (findings_logs, set_value("MetricsFunction/Properties/LoggingConfig/LogGroup", {"Ref": "ExecutionLogs"})),
    (findings_log_writes, set_value(f"{METRICS_GRANTS}/5/Resource", {"Fn::Sub": "arn:aws:logs:*:*:log-group:*"})),
    (findings_log_writes, set_value(f"{METRICS_GRANTS}/5/Resource", {"Fn::GetAtt": "ExecutionLogs.Arn"})),
    (findings_log_writes, set_value(f"{METRICS_GRANTS}/5/Action", "logs:PutLogEvents")),
    (findings_grants, set_value(f"{METRICS_GRANTS}/0/Resource", "*")),
    (findings_grants, drop(f"{METRICS_GRANTS}/3/Condition")),
    (
        findings_grants,
        set_value(
            f"{METRICS_GRANTS}/3/Condition",
            {"StringEqualsIfExists": LIMITED["cloudwatch:PutMetricData"]["StringEquals"]},
        ),
    ),
]


@pytest.mark.parametrize("find", dict(CHECKS))
def test_templates_of_the_project_pass_every_check(both: Template, find: Check) -> None:
    assert find(both) == []


@pytest.mark.parametrize(("find", "plant"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_templates_with_a_planted_fault_fail_its_check(both: Template, find: Check, plant: Fault) -> None:
    broken = copy.deepcopy(both)

    plant(broken)

    assert find(broken) != []
