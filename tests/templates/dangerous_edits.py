"""Edits of this repository's templates, with what the verdict must say about each."""

from collections.abc import Mapping
from typing import Any

from automation.deploying.changes.model import Rank
from tests.templates.edits import Edit, append, both, default, drop, put, rename

LAMBDA_MAY_ASSUME = {
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]
}
TABLE_KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "day", "KeyType": "RANGE"}]


def index(name: str) -> dict[str, Any]:
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": "run_id", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }


GRANTS = "MetricsFunctionRole/Properties/Policies/0/PolicyDocument/Statement"
INBOX_POLICY = "MetricsInboxPolicy/Properties/PolicyDocument/Statement"
LEDGER_INDEXES = "Ledger/Properties/GlobalSecondaryIndexes"

# The stack, the edit, and the names of its dangers.
FORBIDDEN: Mapping[str, tuple[str, Edit, set[str]]] = {
    "table removed": ("data", drop("FetchRequests"), {"delete:FetchRequests"}),
    "table key changed": ("trading", put("Ledger/Properties/KeySchema", TABLE_KEYS), {"replace:Ledger"}),
    "table named": ("trading", put("Ledger/Properties/TableName", "ledger"), {"replace:Ledger"}),
    "table renamed": ("trading", rename("Ledger", "Trades"), {"rename:Ledger"}),
    "bucket named": ("data", put("Lake/Properties/BucketName", "lake"), {"replace:Lake"}),
    "inbox removed": ("data", drop("MonitorInbox"), {"delete:MonitorInbox"}),
    "inbox renamed": ("trading", put("TradeInbox/Properties/QueueName", "trades.fifo"), {"replace:TradeInbox"}),
    "queue made fifo": ("trading", put("StrategyInbox/Properties/FifoQueue", True), {"replace:StrategyInbox"}),
    "retain removed": ("trading", drop("Ledger/DeletionPolicy"), {"unretain:Ledger"}),
    "replaced table kept no more": (
        "trading",
        put("Ledger/UpdateReplacePolicy", "Delete"),
        {"unretain:Ledger"},
    ),
    "recovery off": (
        "trading",
        put("Ledger/Properties/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled", False),
        {"unprotect:Ledger"},
    ),
    "recovery removed": (
        "trading",
        drop("Ledger/Properties/PointInTimeRecoverySpecification"),
        {"unprotect:Ledger"},
    ),
    "deletion protection off": (
        "trading",
        put("Ledger/Properties/DeletionProtectionEnabled", False),
        {"unprotect:Ledger"},
    ),
    "versions suspended": (
        "data",
        put("Lake/Properties/VersioningConfiguration/Status", "Suspended"),
        {"unprotect:Lake"},
    ),
    "bucket encryption removed": ("data", drop("Lake/Properties/BucketEncryption"), {"unprotect:Lake"}),
    "queue encryption off": (
        "trading",
        put("TradeInbox/Properties/SqsManagedSseEnabled", False),
        {"unprotect:TradeInbox"},
    ),
    "ledger items expire": (
        "trading",
        put("Ledger/Properties/TimeToLiveSpecification", {"AttributeName": "at", "Enabled": True}),
        {"unprotect:Ledger"},
    ),
    "objects expire": (
        "data",
        append(
            "Lake/Properties/LifecycleConfiguration/Rules",
            {"Id": "bars", "Status": "Enabled", "ExpirationInDays": 30},
        ),
        {"unprotect:Lake"},
    ),
    "redrive removed": ("trading", drop("TradeInbox/Properties/RedrivePolicy"), {"unprotect:TradeInbox"}),
    "dead letters removed": (
        "trading",
        both(drop("TradeDlq", "TradeDlqAlarm"), drop("TradeInbox/Properties/RedrivePolicy")),
        {"delete:TradeDlq", "unwatch:TradeDlqAlarm", "unprotect:TradeInbox"},
    ),
    "two indexes at once": (
        "trading",
        both(append(LEDGER_INDEXES, index("by-a")), append(LEDGER_INDEXES, index("by-b"))),
        {"gsi:Ledger"},
    ),
    "index changed in place": (
        "trading",
        put(f"{LEDGER_INDEXES}/0/Projection/ProjectionType", "KEYS_ONLY"),
        {"gsi:Ledger"},
    ),
    "all actions": ("trading", put(f"{GRANTS}/0/Action", "dynamodb:*"), {"widen:MetricsFunctionRole"}),
    "all resources": ("trading", put(f"{GRANTS}/0/Resource", "*"), {"widen:MetricsFunctionRole"}),
    "condition removed": ("trading", drop(f"{GRANTS}/3/Condition"), {"widen:MetricsFunctionRole"}),
    "not action": (
        "trading",
        append(GRANTS, {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
        {"widen:MetricsFunctionRole"},
    ),
    "managed policy": (
        "trading",
        put("MetricsFunctionRole/Properties/ManagedPolicyArns", ["arn:aws:iam::aws:policy/AdministratorAccess"]),
        {"widen:MetricsFunctionRole"},
    ),
    "account may assume the role": (
        "trading",
        put(
            "MetricsFunctionRole/Properties/AssumeRolePolicyDocument/Statement/0/Principal",
            {"AWS": "arn:aws:iam::999999999999:root"},
        ),
        {"widen:MetricsFunctionRole"},
    ),
    "role of SAM": (
        "trading",
        both(drop("MetricsFunction/Properties/Role"), drop("MetricsFunctionRole")),
        {"widen:MetricsFunctionRole"},
    ),
    "queue open to everybody": (
        "trading",
        both(put(f"{INBOX_POLICY}/1/Principal", "*"), drop(f"{INBOX_POLICY}/1/Condition")),
        {"public:MetricsInboxPolicy"},
    ),
    "calls without TLS accepted": ("trading", drop(f"{INBOX_POLICY}/0"), {"widen:MetricsInboxPolicy"}),
    "bucket policy open to everybody": (
        "data",
        append(
            "LakePolicy/Properties/PolicyDocument/Statement",
            {
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": "s3:GetObject",
                "Resource": {"Fn::Sub": "${Lake.Arn}/*"},
            },
        ),
        {"public:LakePolicy"},
    ),
    "public access block removed": (
        "data",
        put("Lake/Properties/PublicAccessBlockConfiguration/BlockPublicPolicy", False),
        {"public:Lake"},
    ),
    "function url": (
        "trading",
        put("MetricsFunction/Properties/FunctionUrlConfig", {"AuthType": "NONE"}),
        {
            "public:MetricsFunctionUrl",
            "public:MetricsFunctionUrlPublicPermissions",
            "public:MetricsFunctionURLInvokeAllowPublicAccess",
        },
    ),
    "alarm removed": ("trading", drop("TradeDlqAlarm"), {"unwatch:TradeDlqAlarm"}),
    "alarm silenced": ("trading", put("TradeDlqAlarm/Properties/ActionsEnabled", False), {"unwatch:TradeDlqAlarm"}),
    "alarm reports to nobody": ("trading", drop("TradeDlqAlarm/Properties/AlarmActions"), {"unwatch:TradeDlqAlarm"}),
    "kill switch on": ("trading", put("KillSwitch/Properties/Value", "enabled"), {"watched:KillSwitch"}),
    "wide role of a new function": (
        "trading",
        put(
            "ReportRole",
            {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": LAMBDA_MAY_ASSUME,
                    "Policies": [
                        {
                            "PolicyName": "all",
                            "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]},
                        }
                    ],
                },
            },
        ),
        {"widen:ReportRole"},
    ),
    "type changed": (
        "trading",
        put("Alerts", {"Type": "AWS::SQS::Queue"}),
        {"retype:Alerts"},
    ),
}

# Not forbidden, but named: the plan needs consent, and the line has this rank and text.
NAMED: Mapping[str, tuple[str, Edit, Rank, str]] = {
    "log retention": (
        "trading",
        put("ExecutionLogs/Properties/RetentionInDays", 1),
        Rank.MONITORING,
        "RetentionInDays: 90 -> 1: what is older is deleted",
    ),
    "alarm threshold": (
        "trading",
        put("TradeDlqAlarm/Properties/Threshold", 1000),
        Rank.MONITORING,
        "Threshold: 0 -> 1000",
    ),
    "schedule disabled": (
        "trading",
        put("AfternoonStart/Properties/State", "DISABLED"),
        Rank.WATCHED,
        "schedule: State: ENABLED -> DISABLED",
    ),
    "schedule removed": (
        "trading",
        drop("AfternoonStart"),
        Rank.WATCHED,
        "the schedule is removed: it no longer starts any work",
    ),
    "event source disabled": (
        "trading",
        put("ExecutionFunction/Properties/Events/Inbox/Properties/Enabled", False),
        Rank.WATCHED,
        "Enabled: (none) -> false: it no longer starts any work",
    ),
    "visibility below the time-out": (
        "trading",
        put("TradeInbox/Properties/VisibilityTimeout", 30),
        Rank.OTHER,
        "VisibilityTimeout: 100 -> 30: a message may be delivered again while it is handled",
    ),
    "function stopped": (
        "trading",
        put("ExecutionFunction/Properties/ReservedConcurrentExecutions", 0),
        Rank.WATCHED,
        "ReservedConcurrentExecutions: 0: the function no longer runs",
    ),
    "kill switch described": (
        "trading",
        put("KillSwitch/Properties/Description", "Whether to trade"),
        Rank.WATCHED,
        "the update sets Value back to paused, whatever it is now",
    ),
    "rule without target": (
        "trading",
        put("RunCompletedRule/Properties/Targets", [{"Id": "x", "Arn": {"Fn::GetAtt": ["MetricsInbox", "Arn"]}}]),
        Rank.WATCHED,
        "Targets: [{Id: notifications-inbox, ",
    ),
    "bus replaced": (
        "data",
        put("Bus/Properties/Name", "new-bus"),
        Rank.REPLACEMENT,
        "is replaced by a new event bus, because Name changes",
    ),
}

HARMLESS: Mapping[str, tuple[str, Edit]] = {
    "function described": ("trading", put("MetricsFunction/Properties/Description", "Computes")),
    "memory": ("trading", put("StrategyFunction/Properties/MemorySize", 3008)),
    "time-out": ("trading", put("MetricsFunction/Properties/Timeout", 20)),
    "code": ("trading", put("MetricsFunction/Properties/CodeUri", "s3://content/new")),
    "layer": ("trading", put("SharedCodeLayer/Properties/ContentUri", "s3://content/new")),
    "variable": ("trading", put("MetricsFunction/Properties/Environment/Variables/LOG_LEVEL", "DEBUG")),
    "tag": ("trading", put("Ledger/Properties/Tags", [{"Key": "team", "Value": "trading"}])),
    "queue": (
        "trading",
        put("ReportInbox", {"Type": "AWS::SQS::Queue", "Properties": {"SqsManagedSseEnabled": True}}),
    ),
    "alarm": (
        "trading",
        put("NewAlarm", {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors", "Threshold": 1}}),
    ),
    "alarm described": ("trading", put("TradeDlqAlarm/Properties/AlarmDescription", "A trade failed")),
    "grant removed": ("trading", drop(f"{GRANTS}/1")),
    "action removed": ("trading", put(f"{GRANTS}/0/Action", ["dynamodb:GetItem"])),
    "grant stated twice": (
        "trading",
        append(GRANTS, {"Effect": "Allow", "Action": "dynamodb:Query", "Resource": {"Fn::GetAtt": ["Ledger", "Arn"]}}),
    ),
    "condition added": (
        "trading",
        put(f"{GRANTS}/1/Condition", {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
    ),
    "policy renamed": (
        "trading",
        put("MetricsFunctionRole/Properties/Policies/0/PolicyName", "of-the-function"),
    ),
    "longer log retention": ("trading", put("ExecutionLogs/Properties/RetentionInDays", 180)),
    "longer message retention": ("trading", put("TradeInbox/Properties/MessageRetentionPeriod", 1209600)),
    "longer visibility": ("trading", put("TradeInbox/Properties/VisibilityTimeout", 200)),
    "one index": ("trading", append(LEDGER_INDEXES, index("by-a"))),
    "index with a new attribute": (
        "trading",
        both(
            append("Ledger/Properties/AttributeDefinitions", {"AttributeName": "day", "AttributeType": "S"}),
            append(LEDGER_INDEXES, {**index("by-day"), "KeySchema": TABLE_KEYS}),
        ),
    ),
    "retain added": ("trading", put("Alerts/DeletionPolicy", "Retain")),
    "old versions kept longer": (
        "data",
        put("Lake/Properties/LifecycleConfiguration/Rules/0/NoncurrentVersionExpiration/NoncurrentDays", 365),
    ),
    "batch": ("trading", put("MetricsFunction/Properties/Events/Inbox/Properties/BatchSize", 1)),
    "address": ("trading", default("MailTo", "trader@example.org")),
}
