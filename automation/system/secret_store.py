"""Read and write secrets in Secrets Manager. No error, log or return value of these calls repeats a value."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from automation.system.account_checks import translate_errors
from automation.system.accounts import CallError, Problem
from automation.system.aws import client
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


@dataclass(frozen=True, slots=True)
class SecretValue:
    """The text of a secret; it does not print it."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecretStore:
    """The secrets of an account. Each method raises CallError when its call fails."""

    target: Target

    def read(self, name: str) -> SecretValue | None:
        """Return the value of a secret; None when there is no such secret, or it has no text."""
        try:
            with translate_errors():
                secrets: SecretsManagerClient = client("secretsmanager", self.target)
                answer = secrets.get_secret_value(SecretId=name)
        except CallError as cause:
            if cause.problem is Problem.MISSING:
                return None
            raise
        return SecretValue(answer["SecretString"]) if answer.get("SecretString") else None

    def write(self, name: str, value: SecretValue) -> None:
        """Replace the value of a secret, or create the secret."""
        try:
            with translate_errors():
                secrets: SecretsManagerClient = client("secretsmanager", self.target)
                secrets.put_secret_value(SecretId=name, SecretString=value.text)
        except CallError as cause:
            if cause.problem is not Problem.MISSING:
                raise
            with translate_errors():
                secrets.create_secret(Name=name, SecretString=value.text)
