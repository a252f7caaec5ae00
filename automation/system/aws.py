"""Connect to AWS, or to an endpoint that replaces it. Every module that calls a service does so through this one."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from functools import cache, cached_property
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.credentials import AssumeRoleWithWebIdentityProvider
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.loaders import Loader
from botocore.session import Session

from automation.system import identity_tokens
from automation.system.errors import ConfigurationError, DeploymentError
from automation.system.invocations import Configuration, Invocation, LoggedInvocation
from automation.system.stacks import NoSuchStackError, StackResource, StackState
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient

_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_CREATION = Lock()
_NO_CREDENTIALS = "no AWS credentials were found; run aws configure, or set AWS_PROFILE"
_NO_SUCH_STACK = re.compile(r"\bStack\b.* does not exist")


def client(service: str, target: Target) -> Any:
    """Return the client of a service; the same one for every call with this target, in every thread.

    The caller may cast it to the class of boto3-stubs.
    """
    return _client(service, target)


@cache
def _client(service: str, target: Target) -> Any:
    """Create a client, which takes longer than most calls."""
    config = Config(retries={"mode": "standard"}, proxies={} if target.is_loopback else None, connect_timeout=10)
    # A session must not be shared between threads, but its clients may be.
    with _CREATION:
        return _session(target).create_client(service, endpoint_url=target.endpoint or None, config=config)


class _ServiceData(Loader):
    """Finds a service by its name: botocore looks into the folders of all 400 services for each kind of file."""

    @cached_property
    def _names(self) -> list[str]:
        folders = (folder for folder in map(Path, self.search_paths) if folder.is_dir())
        return [entry.name for entry in chain.from_iterable(folder.iterdir() for folder in folders)]

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - botocore names it
        """Return the names of all services, whatever kinds of files they have."""
        return self._names


@cache
def service_data() -> Loader:
    """Return what botocore knows of services and regions; it reads a file once."""
    return _ServiceData()


@cache
def _session(target: Target) -> Session:
    """Return the session of a target.

    It is botocore's: boto3 adds what nothing here uses, and takes longer to import.
    """
    identity_tokens.provide()
    session = Session()
    if not session.get_config_variable("data_path"):
        session.register_component("data_loader", service_data())
    session.set_config_variable("region", target.region)
    if target.key_id:
        session.set_credentials(target.key_id, target.secret)
    elif target.endpoint:
        _assume_roles_at_endpoint(session, target)
    return session


def _assume_roles_at_endpoint(session: Session, target: Target) -> None:
    """Let a role that the environment variables name be assumed at the endpoint. Botocore would ask AWS for it."""

    def create_client(service: str, **options: Any) -> Any:
        return session.create_client(service, endpoint_url=target.endpoint, **options)

    provider = AssumeRoleWithWebIdentityProvider(
        load_config=lambda: session.full_config,
        client_creator=create_client,
        profile_name=session.get_config_variable("profile") or "default",
    )
    session.get_component("credential_provider").insert_before("env", provider)


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
            raise ConfigurationError(_NO_CREDENTIALS) from cause
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
        return state_of(stack)

    def resources(self, stack_name: str) -> tuple[StackResource, ...]:
        """Return the resources of a stack, without those that were deleted or never created.

        Raises:
            NoSuchStackError: there is no such stack.
            DeploymentError: CloudFormation did not answer.
        """
        cloudformation: CloudFormationClient = client("cloudformation", self.target)
        # describe_stack_resources would return no more than the first 100.
        pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
        with translate_errors(stack_name, self.target):
            resources = list(chain.from_iterable(page["StackResourceSummaries"] for page in pages))
        return tuple(
            StackResource(resource["LogicalResourceId"], resource["PhysicalResourceId"], resource["ResourceType"])
            for resource in resources
            if resource.get("PhysicalResourceId") and resource["ResourceStatus"] != "DELETE_COMPLETE"
        )

    def functions(self, stack_name: str) -> Mapping[str, str]:
        """Return the physical name of each function of a stack, by logical id.

        Raises:
            NoSuchStackError: there is no such stack.
            DeploymentError: CloudFormation did not answer.
        """
        resources = self.resources(stack_name)
        return {
            resource.logical_id: resource.physical_id
            for resource in resources
            if resource.type == "AWS::Lambda::Function"
        }

    def invoke(self, function: str, payload: Mapping[str, Any]) -> Invocation:
        """Send one message to a function and wait for its answer.

        Raises:
            DeploymentError: Lambda did not answer.
        """
        functions: LambdaClient = client("lambda", self.target)
        with translate_errors(function, self.target):
            response = functions.invoke(FunctionName=function, Payload=json.dumps(payload).encode())
            body = response["Payload"].read()
        return Invocation(error=error_text(body)) if response.get("FunctionError") else Invocation(answer=_parsed(body))

    def invoke_with_log(self, function: str, payload: str) -> LoggedInvocation:
        """Send one event to a function, and wait for its answer.

        Args:
            payload: JSON.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        functions: LambdaClient = client("lambda", self.target)
        with translate_errors(function, self.target):
            response = functions.invoke(FunctionName=function, Payload=payload.encode(), LogType="Tail")
            body = response["Payload"].read()
        log = base64.b64decode(response.get("LogResult", "")).decode(errors="replace")
        if response.get("FunctionError"):
            return LoggedInvocation(error=error_text(body), log=log)
        return LoggedInvocation(answer=_parsed(body), log=log)

    def configuration(self, function: str) -> Configuration:
        """Return what a function runs with.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        functions: LambdaClient = client("lambda", self.target)
        with translate_errors(function, self.target):
            answer = functions.get_function_configuration(FunctionName=function)
        return Configuration(
            answer.get("Environment", {}).get("Variables", {}), answer["MemorySize"], answer["Timeout"]
        )

    def credentials(self) -> Mapping[str, str]:
        """Return the credentials of this process as the environment variables of another one.

        Raises:
            ConfigurationError: there are none.
        """
        credentials = _session(self.target).get_credentials()
        if credentials is None:
            raise ConfigurationError(_NO_CREDENTIALS)
        frozen = credentials.get_frozen_credentials()
        parts = (frozen.access_key, frozen.secret_key, frozen.token)
        return {name: part or "" for name, part in zip(_CREDENTIALS, parts, strict=True)}


def state_of(stack: Mapping[str, Any]) -> StackState:
    """Return the state in one stack of the answer of DescribeStacks."""
    changed_at = (stack.get("LastUpdatedTime") or stack["CreationTime"]).astimezone(UTC).isoformat()
    return StackState(stack["StackName"], str(stack["StackStatus"]), stack.get("StackId", ""), changed_at)


def _parsed(payload: bytes) -> Any:
    """Return the JSON that a function returned; the text when it is something else."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")


def error_text(payload: bytes) -> str:
    """Return the error of a failed invocation as `Type: message`."""
    try:
        error = json.loads(payload)
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return payload.decode(errors="replace")[:500]


@contextmanager
def translate_errors(name: str, target: Target) -> Iterator[None]:
    """Turn boto3's errors into DeploymentError; `name` is the resource in its message.

    Raises:
        NoSuchStackError: there is no such stack.
        DeploymentError: AWS refused the request or does not answer, or there are no credentials.
    """
    try:
        yield
    except NoCredentialsError as cause:
        raise DeploymentError(_NO_CREDENTIALS, where=name) from cause
    except ClientError as cause:
        if _NO_SUCH_STACK.search(str(cause)):
            raise NoSuchStackError("there is no such stack", where=name) from cause
        raise DeploymentError(f"AWS refused the request: {cause}", where=name) from cause
    except BotoCoreError as cause:
        cloud = target.endpoint or f"AWS in {target.region}"
        raise DeploymentError(f"{cloud} does not answer: {cause}", where=name) from cause
