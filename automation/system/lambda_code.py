"""Ask Lambda which code it runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from automation.system import aws
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True, slots=True)
class LambdaCode:
    """The calls to Lambda that report the digest of deployed code: the SHA-256 of its zip, in base64."""

    target: Target

    def function_digest(self, function: str) -> str:
        """Return the digest of a function's code.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        client: LambdaClient = aws.client("lambda", self.target)
        with aws.translate_errors(function, self.target):
            return client.get_function(FunctionName=function)["Configuration"]["CodeSha256"]

    def layer_digest(self, arn: str) -> str:
        """Return the digest of the content of a layer version.

        Args:
            arn: of the layer version, its number included.

        Raises:
            DeploymentError: Lambda refused the request, or did not answer.
        """
        client: LambdaClient = aws.client("lambda", self.target)
        with aws.translate_errors(arn, self.target):
            return client.get_layer_version_by_arn(Arn=arn)["Content"]["CodeSha256"]
