"""The calls to Lambda that replace the code of deployed functions, as a protocol."""

from collections.abc import Sequence
from typing import Protocol

from automation.system.invocations import RunningCode


class Code(Protocol):
    """What replaces code returns when the update is finished; lambda_code.LambdaCode is the real one."""

    def running(self, function: str) -> RunningCode:
        """Return what a function runs."""
        ...

    def replace(self, function: str, content: bytes) -> None:
        """Give a function the code of a zip."""
        ...

    def restore(self, function: str, bucket: str, key: str) -> None:
        """Give a function the code of a zip in S3."""
        ...

    def mount(self, function: str, layers: Sequence[str]) -> None:
        """Give a function other layers: the ARNs of all that it mounts."""
        ...

    def publish_layer(self, name: str, content: bytes, *, model_arn: str, description: str) -> str:
        """Publish a version of a layer for the runtimes of another version, and return its ARN."""
        ...

    def published_layers(self, name: str, description: str) -> tuple[str, ...]:
        """Return the ARNs of the versions of a layer that have a description."""
        ...

    def delete_layer(self, arn: str) -> None:
        """Delete a layer version."""
        ...
