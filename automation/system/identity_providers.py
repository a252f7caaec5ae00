"""Call IAM about its OpenID Connect providers. An account has at most one per URL, so that environments share it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from automation.system import aws
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient


@dataclass(frozen=True, slots=True)
class IdentityProviders:
    """The calls to IAM."""

    target: Target

    @property
    def _client(self) -> "IAMClient":
        client: IAMClient = aws.client("iam", self.target)
        return client

    def audiences(self, arn: str) -> tuple[str, ...] | None:
        """Return the audiences that a provider accepts; None when there is no such provider.

        Raises:
            DeploymentError: IAM refused the request, or did not answer.
        """
        with aws.translate_errors(arn, self.target):
            try:
                answer = self._client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
            except self._client.exceptions.NoSuchEntityException:
                return None
        return tuple(answer.get("ClientIDList", ()))

    def create(self, url: str, audience: str) -> None:
        """Create a provider; do nothing when somebody else was faster.

        Raises:
            DeploymentError: IAM refused the request, or did not answer.
        """
        with aws.translate_errors(url, self.target):
            try:
                self._client.create_open_id_connect_provider(Url=url, ClientIDList=[audience])
            except self._client.exceptions.EntityAlreadyExistsException:
                return

    def add_audience(self, arn: str, audience: str) -> None:
        """Let a provider accept one more audience. Idempotent.

        Raises:
            DeploymentError: IAM refused the request, or did not answer.
        """
        with aws.translate_errors(arn, self.target):
            self._client.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=audience)
