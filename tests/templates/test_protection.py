"""What protects data and alerts: retention, recovery, TLS, topics, names without collision, and limits in prod."""

import copy
import tomllib
from typing import Any

import pytest

from tests.templates.reading import (
    ROOT,
    Check,
    Fault,
    Template,
    as_list,
    drop,
    names_of,
    of_type,
    set_value,
    target_from,
)

STATEFUL = {"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::SSM::Parameter"}
TABLE, TOPIC = "AWS::DynamoDB::Table", "AWS::SNS::Topic"
# The types of policies, with the property that lists what a policy is for, the denied actions, and the type of that.
POLICIES = {
    "AWS::S3::BucketPolicy": ("Bucket", "s3:*", "AWS::S3::Bucket"),
    "AWS::SQS::QueuePolicy": ("Queues", "sqs:*", "AWS::SQS::Queue"),
    "AWS::SNS::TopicPolicy": ("Topics", "sns:Publish", TOPIC),
}
WITHOUT_TLS = {"Bool": {"aws:SecureTransport": "false"}}
NAMES = {"Name", "QueueName", "TableName", "BucketName", "TopicName", "RoleName", "FunctionName", "LogGroupName"}


def findings_retain(template: Template) -> list[str]:
    """Return stateful resources that a deletion or a replacement deletes, or that a failed creation leaves behind."""
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] in STATEFUL
        and (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy")) != ("RetainExceptOnCreate", "Retain")
    ]


def findings_tables(template: Template) -> list[str]:
    """Return tables without protection or backups, tables of evidence that expire, and others that never do."""
    evidence = {"Runs", "Ledger", "Performance"}
    bad = []
    for name, table in of_type(template, TABLE):
        properties = table["Properties"]
        is_protected = properties.get("DeletionProtectionEnabled") is True
        is_recoverable = properties.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled")
        expires = properties.get("TimeToLiveSpecification", {}).get("Enabled", False)
        if not is_protected or not is_recoverable or expires == (name in evidence):
            bad.append(name)
    return bad


def findings_transport(template: Template) -> list[str]:
    """Return buckets, queues and topics whose policy does not deny everybody what comes without TLS."""
    closed: set[str] = set()
    exposed: set[str] = set()
    for kind, (property_name, action, resource_type) in POLICIES.items():
        exposed |= names_of(template, resource_type)
        for name, policy in of_type(template, kind):
            covered = [target_from(name, entry) for entry in as_list(policy["Properties"][property_name])]
            denied = denied_without_tls(name, policy["Properties"]["PolicyDocument"]["Statement"], action)
            closed |= set(covered) & denied
    return sorted(exposed - closed)


def denied_without_tls(name: str, statements: list[dict[str, Any]], action: str) -> set[str]:
    """Return the resources for which the statements of a policy deny an action to everybody without TLS."""
    denied: set[str] = set()
    for statement in statements:
        described = {key: statement.get(key) for key in ("Effect", "Principal", "Action", "Condition")}
        if described == {"Effect": "Deny", "Principal": "*", "Action": action, "Condition": WITHOUT_TLS}:
            resources = [entry for entry in as_list(statement["Resource"]) if "Fn::Sub" not in entry]
            denied |= {target_from(name, resource) for resource in resources}
    return denied


def findings_objects(template: Template) -> list[str]:
    """Return bucket policies whose denial does not cover the objects."""
    bad = []
    for name, policy in of_type(template, "AWS::S3::BucketPolicy"):
        objects = {"Fn::Sub": f"${{{policy['Properties']['Bucket']['Ref']}.Arn}}/*"}
        if objects not in policy["Properties"]["PolicyDocument"]["Statement"][0]["Resource"]:
            bad.append(name)
    return bad


def findings_topics(template: Template) -> list[str]:
    """Return topics with a key, which CloudWatch could not use, and topics that AlertsTo does not subscribe to."""
    subscribed = set()
    for name, subscription in of_type(template, "AWS::SNS::Subscription"):
        properties = {key: value for key, value in subscription["Properties"].items() if key != "TopicArn"}
        if (properties, subscription.get("Condition")) == (
            {"Protocol": "email", "Endpoint": {"Ref": "AlertsTo"}},
            "HasSubscriber",
        ):
            subscribed.add(target_from(name, subscription["Properties"]["TopicArn"]))
    return [
        name
        for name, topic in of_type(template, TOPIC)
        if name not in subscribed or "KmsMasterKeyId" in topic.get("Properties", {})
    ]


def findings_names(template: Template) -> list[str]:
    """Return names that would be the same in two stages of an account."""
    bad = []
    for name, resource in template["Resources"].items():
        for key in NAMES & (resource.get("Properties") or {}).keys():
            text = resource["Properties"][key].get("Fn::Sub", "")
            if "${AWS::StackName}" not in text and "${Stage}" not in text:
                bad.append(f"{name}: {key}")
    return bad


CHECKS: list[tuple[Check, Fault]] = [
    (findings_retain, set_value("Runs/DeletionPolicy", "Retain")),
    (findings_retain, set_value("Runs/UpdateReplacePolicy", "Delete")),
    (findings_tables, set_value("Ledger/Properties/PointInTimeRecoverySpecification", {})),
    (findings_tables, drop("data:FetchRequests/Properties/PointInTimeRecoverySpecification")),
    (findings_tables, drop("Claims/Properties/TimeToLiveSpecification")),
    (findings_tables, set_value("Ledger/Properties/TimeToLiveSpecification", {"Enabled": True})),
    (findings_tables, set_value("data:Claims/Properties/DeletionProtectionEnabled", value=False)),
    (findings_transport, drop("data:LakePolicy")),
    (findings_transport, drop("TradeInboxPolicy/Properties/PolicyDocument/Statement/0")),
    (findings_transport, drop("AlertsPolicy/Properties/PolicyDocument/Statement/1")),
    (
        findings_transport,
        set_value("MetricsInboxPolicy/Properties/PolicyDocument/Statement/0/Principal", {"Service": "x"}),
    ),
    (findings_transport, drop("MetricsInboxPolicy/Properties/Queues/1")),
    (findings_transport, drop("MetricsInboxPolicy/Properties/PolicyDocument/Statement/0/Resource/1")),
    (findings_objects, drop("data:LakePolicy/Properties/PolicyDocument/Statement/0/Resource/1")),
    (findings_topics, drop("AlertsSubscription")),
    (findings_topics, set_value("data:AlertsSubscription/Properties/Protocol", "sms")),
    (findings_topics, set_value("Alerts/Properties", {"KmsMasterKeyId": "alias/aws/sns"})),
    (findings_names, set_value("data:Bus/Properties/Name", {"Fn::Sub": "bus"})),
    (findings_names, set_value("MetricsInbox/Properties/QueueName", {"Fn::Sub": "${AWS::Region}-metrics"})),
]


@pytest.mark.parametrize("find", dict(CHECKS))
def test_templates_of_the_project_pass_every_check(both: Template, find: Check) -> None:
    assert find(both) == []


@pytest.mark.parametrize(("find", "plant"), CHECKS, ids=[check.__name__ for check, _ in CHECKS])
def test_templates_with_a_planted_fault_fail_its_check(both: Template, find: Check, plant: Fault) -> None:
    broken = copy.deepcopy(both)

    plant(broken)

    assert find(broken) != []


def test_address_of_the_subscriber_is_in_no_file(both: Template) -> None:
    assert both["Parameters"]["AlertsTo"]["Default"] == ""
    assert both["Conditions"]["HasSubscriber"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlertsTo"}, ""]}]}
    assert "AlertsTo" not in (ROOT / "samconfig.toml").read_text()


def test_prod_sets_every_limit_of_orders_and_days(both: Template) -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())["prod"]["deploy"]["parameters"]
    values = dict(entry.split("=", 1) for entry in settings["parameter_overrides"])

    limits = {
        name for name in both["Parameters"] if name.endswith("Limit") and both["Parameters"][name]["Default"] == ""
    }
    assert limits == {"OrderNotionalLimit", "DayNotionalLimit", "DayTradeLimit"}
    assert {name: float(values[name]) > 0 for name in limits} == dict.fromkeys(limits, True)
    assert float(values["OrderNotionalLimit"]) < float(values["DayNotionalLimit"])
