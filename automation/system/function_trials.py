"""Publish versions of a copy of a function, with and without SnapStart, and invoke them. The function is only read.

A setting of the function itself would have to change for each version, and the running function with it.

Permissions: lambda:GetFunction, CreateFunction, UpdateFunctionConfiguration, PublishVersion, InvokeFunction,
DeleteFunction and TagResource, and iam:PassRole for the role of the function.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

from automation.system import aws
from automation.system.aws import Cloud
from automation.system.errors import DeploymentError
from automation.system.invocations import LoggedInvocation
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_lambda.type_defs import FunctionConfigurationTypeDef, SnapStartTypeDef

_TAGS = {"created-by": "inv coldstart"}
_SUFFIX = "-coldstart"
_LONGEST_NAME = 64
_DOWNLOAD_TIMEOUT_S = 60
# What a copy needs to start as its original does; a value that is missing has Lambda's default in both.
_COPIED = (
    *("Runtime", "Role", "Handler", "Timeout", "MemorySize", "Architectures", "EphemeralStorage", "KMSKeyArn"),
    *("FileSystemConfigs", "LoggingConfig", "TracingConfig"),
)


def download(url: str) -> bytes:
    """Return what a URL of AWS contains.

    Raises:
        DeploymentError: it cannot be read.
    """
    try:
        with urlopen(url, timeout=_DOWNLOAD_TIMEOUT_S) as answer:  # noqa: S310 - Lambda gave us the URL
            content: bytes = answer.read()
    except OSError as cause:
        raise DeploymentError(f"the code of the function cannot be downloaded: {cause}") from cause
    return content


def copy_name(function: str) -> str:
    """Return the name of the copy of a function; the same for every trial, so that a leftover is found."""
    return f"{function[: _LONGEST_NAME - len(_SUFFIX)]}{_SUFFIX}"


@dataclass(frozen=True, slots=True)
class FunctionTrials:
    """The calls to Lambda.

    Attributes:
        read_url: returns what a URL contains.
    """

    target: Target
    read_url: Callable[[str], bytes] = field(default=download)

    @property
    def _client(self) -> "LambdaClient":
        client: LambdaClient = aws.client("lambda", self.target)
        return client

    def memory_mb(self, function: str) -> int:
        """Return the memory of a function.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        with aws.translate_errors(function, self.target):
            return self._client.get_function_configuration(FunctionName=function)["MemorySize"]

    def create(self, function: str) -> str:
        """Create a copy of a function that no event reaches, and return its name. A leftover copy is replaced.

        Raises:
            DeploymentError: Lambda refused a request or did not answer, or another function has that name.
        """
        name = copy_name(function)
        self._delete_leftover(name)
        with aws.translate_errors(function, self.target):
            answer = self._client.get_function(FunctionName=function)
        code = self.read_url(answer["Code"]["Location"])
        with aws.translate_errors(name, self.target):
            self._client.create_function(
                FunctionName=name, Code={"ZipFile": code}, Tags=_TAGS, **_settings(answer["Configuration"])
            )
            self._client.get_waiter("function_active_v2").wait(FunctionName=name)
        return name

    def publish(self, copy: str, *, with_snapstart: bool) -> str:
        """Publish a version of a copy, wait until it can be invoked, and return its number.

        Raises:
            DeploymentError: Lambda refused a request or did not answer, or the version cannot be prepared.
        """
        setting: SnapStartTypeDef = {"ApplyOn": "PublishedVersions" if with_snapstart else "None"}
        with aws.translate_errors(copy, self.target):
            self._client.update_function_configuration(FunctionName=copy, SnapStart=setting)
            self._client.get_waiter("function_updated_v2").wait(FunctionName=copy)
            version = self._client.publish_version(FunctionName=copy)["Version"]
            self._client.get_waiter("published_version_active").wait(FunctionName=copy, Qualifier=version)
        return version

    def invoke(self, copy: str, version: str, payload: Mapping[str, Any]) -> LoggedInvocation:
        """Send one message to a version, and return its answer or error, and the end of its log.

        Raises:
            DeploymentError: Lambda did not answer.
        """
        return Cloud(self.target).invoke_with_log(f"{copy}:{version}", json.dumps(payload))

    def delete(self, copy: str) -> None:
        """Delete a copy with all its versions; do nothing when it is missing.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        with aws.translate_errors(copy, self.target), suppress(self._client.exceptions.ResourceNotFoundException):
            self._client.delete_function(FunctionName=copy)

    def _delete_leftover(self, name: str) -> None:
        with aws.translate_errors(name, self.target):
            try:
                tags = self._client.get_function(FunctionName=name).get("Tags", {})
            except self._client.exceptions.ResourceNotFoundException:
                return
        # Only what an interrupted trial has left may go: the name alone does not say so.
        if not _TAGS.items() <= tags.items():
            raise DeploymentError("a function of this name exists that inv coldstart did not create", where=name)
        self.delete(name)


def _settings(configuration: "FunctionConfigurationTypeDef") -> dict[str, Any]:
    """Return the settings of a function as CreateFunction takes them."""
    values: Mapping[str, Any] = configuration
    settings = {name: values[name] for name in _COPIED if name in values}
    settings["Environment"] = {"Variables": values.get("Environment", {}).get("Variables", {})}
    settings["Layers"] = [layer["Arn"] for layer in values.get("Layers", ())]
    network = values.get("VpcConfig", {})
    if network.get("SubnetIds"):
        names = ("SubnetIds", "SecurityGroupIds", "Ipv6AllowedForDualStack")
        settings["VpcConfig"] = {name: network[name] for name in names if name in network}
    return settings
