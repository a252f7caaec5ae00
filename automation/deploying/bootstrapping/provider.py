"""GitHub's identity provider in IAM. It belongs to no stack: every environment of the account trusts the same one."""

from collections.abc import Sequence
from typing import Protocol

from automation.deploying.bootstrapping.policies import AUDIENCE, PROVIDER
from automation.deploying.checks.hooks import Step, StepState

_WHERE = "identity provider of GitHub"


class Providers(Protocol):
    """The calls to IAM; identity_providers.IdentityProviders is the real one."""

    def audiences(self, arn: str) -> Sequence[str] | None:
        """Return the audiences that a provider accepts; None when there is no such provider."""
        ...

    def create(self, url: str, audience: str) -> None:
        """Create a provider; do nothing when it exists."""
        ...

    def add_audience(self, arn: str, audience: str) -> None:
        """Let a provider accept one more audience."""
        ...


def arn_of(partition: str, account: str) -> str:
    """Return the ARN of the provider in an account."""
    return f"arn:{partition}:iam::{account}:oidc-provider/{PROVIDER}"


def look(arn: str, providers: Providers) -> Step:
    """Return the step that creates the provider, or lets one that exists accept our audience.

    Raises:
        DeploymentError: IAM did not answer.
    """
    audiences = providers.audiences(arn)
    if audiences is None:
        return Step(StepState.DUE, _WHERE, f"create it for https://{PROVIDER}")
    if AUDIENCE not in audiences:
        return Step(StepState.DUE, _WHERE, f"let it accept the audience {AUDIENCE}")
    return Step(StepState.DONE, _WHERE, "exists; the environments of the account share it")


def ensure(arn: str, providers: Providers) -> Step:
    """Do that step, and return what is so afterwards. Idempotent.

    Raises:
        DeploymentError: IAM refused it, or did not answer.
    """
    audiences = providers.audiences(arn)
    if audiences is None:
        providers.create(f"https://{PROVIDER}", AUDIENCE)
    elif AUDIENCE not in audiences:
        providers.add_audience(arn, AUDIENCE)
    return look(arn, providers)
