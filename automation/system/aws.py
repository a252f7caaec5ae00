"""Calls to AWS, or to whatever answers at an endpoint in its place. The only place that makes them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from automation.system.errors import ConfigurationError, DeploymentError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_FORGOTTEN = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


@dataclass(frozen=True, slots=True)
class Target:
    """Where calls go: the cloud of the surrounding environment, or an endpoint that stands in for it.

    Attributes:
        endpoint: URL of every service; empty for AWS itself.
        key_id, secret: credentials; empty for those that boto3 finds by itself.
    """

    region: str
    endpoint: str = ""
    key_id: str = ""
    secret: str = field(default="", repr=False)

    @property
    def is_loopback(self) -> bool:
        return bool(self.endpoint) and urlsplit(self.endpoint).hostname in _LOOPBACK

    def variables(self) -> dict[str, str]:
        """The environment variables that send a child program (sam) to this target."""
        made = {"AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region}
        if self.endpoint:
            made |= {"AWS_ENDPOINT_URL": self.endpoint}
        if self.key_id:
            made |= {"AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret}
        if self.is_loopback:
            made |= {"NO_PROXY": ",".join(sorted(_LOOPBACK)), "no_proxy": ",".join(sorted(_LOOPBACK))}
        return made

    def forgotten(self) -> tuple[str, ...]:
        """The variables a child program must not see, because they would win over our credentials."""
        return _FORGOTTEN if self.key_id else ()


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as CloudFormation describes it; `status` is empty when there is none.

    Attributes:
        stack_id: another one when the stack was deleted and made again.
        changed_at: when it was last created or updated, RFC 3339.
    """

    name: str
    status: str = ""
    stack_id: str = ""
    changed_at: str = ""

    @property
    def exists(self) -> bool:
        return bool(self.status)


def client(service: str, target: Target) -> Any:
    """A boto3 client. The caller may cast it to the class of boto3-stubs."""
    session = boto3.Session(
        aws_access_key_id=target.key_id or None, aws_secret_access_key=target.secret or None, region_name=target.region
    )
    config = Config(retries={"mode": "standard"}, proxies={} if target.is_loopback else None, connect_timeout=10)
    return session.client(service, endpoint_url=target.endpoint or None, config=config)  # type: ignore[call-overload] # service is any name


@dataclass(frozen=True, slots=True)
class Cloud:
    """What a deployment asks of its target."""

    target: Target

    def account(self) -> str:
        """The account id that the credentials belong to.

        Raises:
            ConfigurationError: there are none, or they are not accepted.
        """
        try:
            return str(client("sts", self.target).get_caller_identity()["Account"])
        except NoCredentialsError as cause:
            raise ConfigurationError("there are no AWS credentials; run aws configure, or set AWS_PROFILE") from cause
        except (BotoCoreError, ClientError) as cause:
            raise ConfigurationError(f"the AWS credentials were not accepted: {cause}") from cause

    def stack_state(self, name: str) -> StackState:
        """How a stack stands now.

        Raises:
            DeploymentError: CloudFormation did not answer.
        """
        cloudformation: CloudFormationClient = client("cloudformation", self.target)
        try:
            with _translated(name, self.target):
                stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except _AbsentError:
            return StackState(name)
        changed_at = stack.get("LastUpdatedTime") or stack["CreationTime"]
        return StackState(name, str(stack["StackStatus"]), stack.get("StackId", ""), changed_at.isoformat())

    def first_failure(self, name: str, *, since: datetime) -> str:
        """Why the last change of a stack failed: `Resource (Type): reason`; empty when no event tells."""
        cloudformation: CloudFormationClient = client("cloudformation", self.target)
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        try:
            with _translated(name, self.target):
                events = [event for page in pages for event in page["StackEvents"] if event["Timestamp"] >= since]
        except (_AbsentError, DeploymentError):
            return ""
        return failure_reason(events)

    def functions(self, stack_name: str) -> Mapping[str, str]:
        """The functions of a stack: physical names by logical id.

        Raises:
            DeploymentError: CloudFormation did not answer.
        """
        cloudformation: CloudFormationClient = client("cloudformation", self.target)
        with _translated(stack_name, self.target):
            found = cloudformation.describe_stack_resources(StackName=stack_name)["StackResources"]
        return {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for one in found
            if one["ResourceType"] == "AWS::Lambda::Function"
        }

    def invoke(self, function: str, payload: Mapping[str, Any]) -> str:
        """Send one message to a function and wait; its error, empty when it answered well.

        Raises:
            DeploymentError: Lambda did not answer.
        """
        functions: LambdaClient = client("lambda", self.target)
        with _translated(function, self.target):
            answer = functions.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        return error_text(answer["Payload"].read()) if answer.get("FunctionError") else ""


def error_text(payload: bytes) -> str:
    """`Type: message` of a failed invocation."""
    try:
        said = json.loads(payload)
        return f"{said['errorType']}: {said['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return payload.decode(errors="replace")[:500]


def failure_reason(events: Iterable[Mapping[str, Any]]) -> str:
    """The first failure among stack events that is not the consequence of another; empty when there is none."""
    for event in sorted(events, key=lambda one: one["Timestamp"]):
        reason = str(event.get("ResourceStatusReason", ""))
        if str(event.get("ResourceStatus", "")).endswith("_FAILED") and "cancelled" not in reason.lower():
            return f"{event.get('LogicalResourceId', '?')} ({event.get('ResourceType', '?')}): {reason or 'no reason'}"
    return ""


class _AbsentError(Exception):
    """There is no such stack."""


@contextmanager
def _translated(name: str, target: Target) -> Iterator[None]:
    try:
        yield
    except ClientError as cause:
        if "does not exist" in str(cause):
            raise _AbsentError(name) from cause
        raise DeploymentError(f"it was refused: {cause}", where=name) from cause
    except BotoCoreError as cause:
        place = target.endpoint or f"AWS in {target.region}"
        raise DeploymentError(f"{place} does not answer: {cause}", where=name) from cause
