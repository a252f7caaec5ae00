"""Call AWS, or an endpoint that replaces it. The only module that does."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from automation.system.errors import ConfigurationError, DeploymentError
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as CloudFormation describes it; `status` is empty when there is no such stack.

    Attributes:
        stack_id: changes when the stack is deleted and created again.
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
    """Return a boto3 client. The caller may cast it to the class of boto3-stubs."""
    session = boto3.Session(
        aws_access_key_id=target.key_id or None, aws_secret_access_key=target.secret or None, region_name=target.region
    )
    config = Config(retries={"mode": "standard"}, proxies={} if target.is_loopback else None, connect_timeout=10)
    return session.client(service, endpoint_url=target.endpoint or None, config=config)  # type: ignore[call-overload] # service is any name


@dataclass(frozen=True, slots=True)
class Cloud:
    """The calls that a deployment makes to its target."""

    target: Target

    def account(self) -> str:
        """Return the account id that the credentials belong to.

        Raises:
            ConfigurationError: there are no credentials, or AWS does not accept them.
        """
        try:
            return str(client("sts", self.target).get_caller_identity()["Account"])
        except NoCredentialsError as cause:
            raise ConfigurationError("no AWS credentials were found; run aws configure, or set AWS_PROFILE") from cause
        except (BotoCoreError, ClientError) as cause:
            raise ConfigurationError(f"AWS did not accept the credentials: {cause}") from cause

    def stack_state(self, name: str) -> StackState:
        """Return the current state of a stack.

        Raises:
            DeploymentError: CloudFormation did not answer.
        """
        cloudformation: CloudFormationClient = client("cloudformation", self.target)
        try:
            with translate_errors(name, self.target):
                stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except NoSuchStackError:
            return StackState(name)
        changed_at = stack.get("LastUpdatedTime") or stack["CreationTime"]
        return StackState(name, str(stack["StackStatus"]), stack.get("StackId", ""), changed_at.isoformat())

    def first_failure(self, name: str, *, since: datetime) -> str:
        """Return why the last change of a stack failed, as `Resource (Type): reason`; empty when no event says."""
        cloudformation: CloudFormationClient = client("cloudformation", self.target)
        pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
        try:
            with translate_errors(name, self.target):
                events = list(chain.from_iterable(page["StackEvents"] for page in pages))
        except (NoSuchStackError, DeploymentError):
            return ""
        return failure_reason([event for event in events if event["Timestamp"] >= since])

    def functions(self, stack_name: str) -> Mapping[str, str]:
        """Return the physical name of each function of a stack, by logical id.

        Raises:
            DeploymentError: CloudFormation did not answer.
        """
        cloudformation: CloudFormationClient = client("cloudformation", self.target)
        with translate_errors(stack_name, self.target):
            resources = cloudformation.describe_stack_resources(StackName=stack_name)["StackResources"]
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for resource in resources
            if resource["ResourceType"] == "AWS::Lambda::Function"
        }

    def invoke(self, function: str, payload: Mapping[str, Any]) -> str:
        """Send one message to a function and wait; return its error, empty for success.

        Raises:
            DeploymentError: Lambda did not answer.
        """
        functions: LambdaClient = client("lambda", self.target)
        with translate_errors(function, self.target):
            answer = functions.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        return error_text(answer["Payload"].read()) if answer.get("FunctionError") else ""


def error_text(payload: bytes) -> str:
    """Return the error of a failed invocation as `Type: message`."""
    try:
        error = json.loads(payload)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return payload.decode(errors="replace")[:500]


def failure_reason(events: Iterable[Mapping[str, Any]]) -> str:
    """Return the first failure among stack events that is not the consequence of another; empty when there is none."""
    for event in sorted(events, key=lambda event: event["Timestamp"]):
        reason = str(event.get("ResourceStatusReason", ""))
        if str(event.get("ResourceStatus", "")).endswith("_FAILED") and "cancelled" not in reason.lower():
            return f"{event.get('LogicalResourceId', '?')} ({event.get('ResourceType', '?')}): {reason or 'no reason'}"
    return ""


class NoSuchStackError(Exception):
    """CloudFormation has no stack of that name."""


@contextmanager
def translate_errors(name: str, target: Target) -> Iterator[None]:
    """Turn boto3's errors into DeploymentError; `name` is the resource in its message.

    Raises:
        NoSuchStackError: there is no such stack.
        DeploymentError: AWS refused the request or does not answer.
    """
    try:
        yield
    except ClientError as cause:
        if "does not exist" in str(cause):
            raise NoSuchStackError(name) from cause
        raise DeploymentError(f"AWS refused the request: {cause}", where=name) from cause
    except BotoCoreError as cause:
        cloud = target.endpoint or f"AWS in {target.region}"
        raise DeploymentError(f"{cloud} does not answer: {cause}", where=name) from cause
