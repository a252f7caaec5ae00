"""Small resolved stacks for the rules of the security scan."""

from collections.abc import Mapping
from typing import Any

from automation.scanning.model import SecurityFinding
from automation.scanning.scanned_stacks import ScannedStack

TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


def stack(name: str = "main", /, **resources: Mapping[str, Any]) -> ScannedStack:
    lines = {logical_id: number for number, logical_id in enumerate(resources, 10)}
    return ScannedStack(name, "template.yaml", {"Resources": resources}, resources, lines)


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


def allow(actions: Any, resources: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(*statements: Any, **more: Any) -> dict[str, Any]:
    policies = [{"PolicyName": "run", "PolicyDocument": document(*statements)}]
    return resource("IAM::Role", AssumeRolePolicyDocument=TRUST, Policies=policies, **more)


def function(*, variables: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a function whose role is `WorkerRole` and whose log group is `WorkerLogs`."""
    defaults = {"Role": arn("WorkerRole"), "LoggingConfig": {"LogGroup": {"Ref": "WorkerLogs"}}}
    return resource("Lambda::Function", Environment={"Variables": variables or {}}, **{**defaults, **more})


def logs(**more: Any) -> dict[str, Any]:
    return resource("Logs::LogGroup", **{"RetentionInDays": 90, **more})


def source(queue: str, target: Any = None) -> dict[str, Any]:
    """Return an event source that sends the messages of a queue to `Worker`."""
    return resource("Lambda::EventSourceMapping", EventSourceArn=arn(queue), FunctionName=target or {"Ref": "Worker"})


def arn(logical_id: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def finding(rule: str = "checkov:CKV_1", resource: str = "Orders", sentence: str = "is open") -> SecurityFinding:
    tool, _, name = rule.partition(":")
    return SecurityFinding("template.yaml", 7, resource, tool, name, sentence)
