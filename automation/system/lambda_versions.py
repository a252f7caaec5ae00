"""List and delete the versions of functions and layers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from automation.system import aws
from automation.system.leftovers import FunctionVersion, LayerContent, LayerVersion
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_LATEST = "$LATEST"


@dataclass(frozen=True, slots=True)
class LambdaVersions:
    """The calls to Lambda about versions."""

    target: Target

    @property
    def _client(self) -> "LambdaClient":
        client: LambdaClient = aws.client("lambda", self.target)
        return client

    def function_versions(self, function: str) -> tuple[FunctionVersion, ...]:
        """Return the published versions of a function.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        with aws.translate_errors(function, self.target):
            versions = list(chain.from_iterable(page["Versions"] for page in pages))
        return tuple(_function_version(version) for version in versions if version["Version"] != _LATEST)

    def aliased_versions(self, function: str) -> frozenset[int]:
        """Return the versions that an alias of a function sends requests to.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        pages = self._client.get_paginator("list_aliases").paginate(FunctionName=function)
        with aws.translate_errors(function, self.target):
            aliases = list(chain.from_iterable(page["Aliases"] for page in pages))
        names = chain.from_iterable(_versions_of(alias) for alias in aliases)
        return frozenset(int(name) for name in names if name != _LATEST)

    def layer_users(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """Return the layers of each version of each function of the account, by function and version.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        pages = self._client.get_paginator("list_functions").paginate(FunctionVersion="ALL")
        with aws.translate_errors("functions", self.target):
            functions = list(chain.from_iterable(page["Functions"] for page in pages))
        return {(function["FunctionName"], function["Version"]): _layers(function) for function in functions}

    def layer_versions(self, layer: str) -> tuple[LayerVersion, ...]:
        """Return the versions of a layer.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        pages = self._client.get_paginator("list_layer_versions").paginate(LayerName=layer)
        with aws.translate_errors(layer, self.target):
            versions = list(chain.from_iterable(page["LayerVersions"] for page in pages))
        return tuple(
            LayerVersion(layer, version["Version"], version["LayerVersionArn"], _moment(version["CreatedDate"]))
            for version in versions
        )

    def layer_content(self, arn: str) -> LayerContent:
        """Return the digest and the size of a layer version.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        with aws.translate_errors(arn, self.target):
            content = self._client.get_layer_version_by_arn(Arn=arn)["Content"]
        return LayerContent(content["CodeSha256"], content["CodeSize"])

    def delete_function_version(self, version: FunctionVersion) -> None:
        """Delete a version of a function; do nothing when it is missing.

        Raises:
            DeploymentError: an alias uses the version by now, Lambda refused the request, or did not answer.
        """
        with aws.translate_errors(f"{version.function}:{version.version}", self.target):
            try:
                # Destructive: without the qualifier, Lambda would delete the function itself.
                self._client.delete_function(FunctionName=version.function, Qualifier=str(version.version))
            except self._client.exceptions.ResourceNotFoundException:
                return

    def delete_layer_version(self, version: LayerVersion) -> None:
        """Delete a version of a layer; do nothing when it is missing.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        with aws.translate_errors(version.arn, self.target):
            self._client.delete_layer_version(LayerName=version.layer, VersionNumber=version.version)


def _function_version(answer: Mapping[str, Any]) -> FunctionVersion:
    return FunctionVersion(
        function=answer["FunctionName"],
        version=int(answer["Version"]),
        arn=answer["FunctionArn"],
        digest=answer["CodeSha256"],
        size_bytes=answer["CodeSize"],
        modified_at=_moment(answer["LastModified"]),
        layers=_layers(answer),
    )


def _layers(answer: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(layer["Arn"] for layer in answer.get("Layers") or ())


def _versions_of(alias: Mapping[str, Any]) -> Iterable[str]:
    """Return the versions that an alias sends requests to: two while it shifts from one to the next."""
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return (alias["FunctionVersion"], *weights)


def _moment(text: str) -> datetime:
    """Return a time as Lambda writes it: `2026-01-02T03:04:05.678+0000`."""
    return datetime.fromisoformat(text)
