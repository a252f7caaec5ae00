"""Ask Lambda which code it runs, and replace that code."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from automation.system import aws
from automation.system.errors import DeploymentError
from automation.system.invocations import RunningCode
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_UPDATED_POLL_S = 0.05
_UPDATED_WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class LambdaCode:
    """The calls to Lambda about deployed code; a digest is the SHA-256 of a zip, in base64.

    What replaces code returns when the update is finished: from then on Lambda starts no environment with the old code.
    """

    target: Target

    @property
    def _client(self) -> "LambdaClient":
        client: LambdaClient = aws.client("lambda", self.target)
        return client

    def function_digest(self, function: str) -> str:
        """Return the digest of a function's code.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        with aws.translate_errors(function, self.target):
            return self._client.get_function(FunctionName=function)["Configuration"]["CodeSha256"]

    def layer_digest(self, arn: str) -> str:
        """Return the digest of the content of a layer version.

        Args:
            arn: of the layer version, its number included.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        with aws.translate_errors(arn, self.target):
            return self._client.get_layer_version_by_arn(Arn=arn)["Content"]["CodeSha256"]

    def running(self, function: str) -> RunningCode:
        """Return what a function runs.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        with aws.translate_errors(function, self.target):
            answer = self._client.get_function_configuration(FunctionName=function)
        layers = tuple(layer["Arn"] for layer in answer.get("Layers", ()))
        return RunningCode(answer["CodeSha256"], layers, answer.get("Handler", ""), answer.get("Runtime", ""))

    def replace(self, function: str, content: bytes) -> None:
        """Give a function the code of a zip.

        Raises:
            DeploymentError: Lambda refused the code, or did not answer.
        """
        self._update(function, {"ZipFile": content})

    def restore(self, function: str, bucket: str, key: str) -> None:
        """Give a function the code of a zip in S3.

        Raises:
            DeploymentError: Lambda refused the code, or did not answer.
        """
        self._update(function, {"S3Bucket": bucket, "S3Key": key})

    def mount(self, function: str, layers: Sequence[str]) -> None:
        """Give a function other layers.

        Args:
            layers: the ARNs of layer versions, all that it mounts, in the order of mounting.

        Raises:
            DeploymentError: Lambda refused them, or did not answer.
        """
        with aws.translate_errors(function, self.target):
            self._client.update_function_configuration(FunctionName=function, Layers=list(layers))
        self._wait(function)

    def publish_layer(self, name: str, content: bytes, *, model_arn: str, description: str) -> str:
        """Publish a version of a layer, and return its ARN.

        Args:
            model_arn: the ARN of the version whose runtimes and architectures it gets.

        Raises:
            DeploymentError: Lambda refused the content, or did not answer.
        """
        with aws.translate_errors(name, self.target):
            version: Mapping[str, Any] = self._client.get_layer_version_by_arn(Arn=model_arn)
            kinds = ("CompatibleRuntimes", "CompatibleArchitectures")
            answer = self._client.publish_layer_version(
                LayerName=name,
                Content={"ZipFile": content},
                Description=description,
                **{kind: version[kind] for kind in kinds if version.get(kind)},
            )
        return answer["LayerVersionArn"]

    def published_layers(self, name: str, description: str) -> tuple[str, ...]:
        """Return the ARNs of the versions of a layer that have a description.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        pages = self._client.get_paginator("list_layer_versions").paginate(LayerName=name)
        with aws.translate_errors(name, self.target):
            versions = list(chain.from_iterable(page["LayerVersions"] for page in pages))
        return tuple(version["LayerVersionArn"] for version in versions if version.get("Description") == description)

    def delete_layer(self, arn: str) -> None:
        """Delete a layer version; functions that mount it keep it. Do nothing when it is missing.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        name, number = arn.split(":")[-2:]
        with aws.translate_errors(arn, self.target):
            self._client.delete_layer_version(LayerName=name, VersionNumber=int(number))

    def _update(self, function: str, code: Mapping[str, Any]) -> None:
        with aws.translate_errors(function, self.target):
            self._client.update_function_code(FunctionName=function, **code)
        self._wait(function)

    def _wait(self, function: str) -> None:
        """Wait until Lambda has finished an update: it refuses another one before, and still starts the old code."""
        deadline = time.monotonic() + _UPDATED_WAIT_S
        while True:
            with aws.translate_errors(function, self.target):
                answer = self._client.get_function_configuration(FunctionName=function)
            status = answer.get("LastUpdateStatus", "")
            if status == "Successful":
                return
            if status == "Failed" or time.monotonic() > deadline:
                reason = answer.get("LastUpdateStatusReason") or f"is {status} after {_UPDATED_WAIT_S:.0f} s"
                raise DeploymentError(f"the update of its code was not finished: {reason}", where=function)
            time.sleep(_UPDATED_POLL_S)
