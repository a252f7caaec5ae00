"""The broker's key and secret, from Secrets Manager at first use, kept for the life of the process."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Protocol

from the_alchemiser.shared import aws
from the_alchemiser.shared.errors import AlchemiserError


class CredentialsUnavailableError(AlchemiserError):
    """The secret cannot be read now."""

    retryable: ClassVar[bool] = True


class CredentialsMalformedError(AlchemiserError):
    """The secret is not `{"key": …, "secret": …}`."""


class Credentials:
    """Never printed: a log line with this value shows neither."""

    __slots__ = ("key", "secret")

    def __init__(self, key: str, secret: str) -> None:
        self.key = key
        self.secret = secret


class Secrets(Protocol):
    """What is needed of Secrets Manager."""

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]: ...  # noqa: N803 - the vendor's name


def read_credentials(secret_name: str, secrets: Secrets) -> Credentials:
    """Read the secret.

    Raises:
        CredentialsUnavailableError: Secrets Manager did not answer, has no such secret, or refused.
        CredentialsMalformedError: the value is not the JSON expected; the message does not quote it.
    """
    try:
        text = str(secrets.get_secret_value(SecretId=secret_name)["SecretString"])
    except (aws.BotoCoreError, aws.ClientError, KeyError) as error:
        raise CredentialsUnavailableError(f"secret {secret_name}: {error}") from error
    try:
        value = json.loads(text)
        return Credentials(key=str(value["key"]), secret=str(value["secret"]))
    except (ValueError, KeyError, TypeError):
        # Without the cause: its text could quote the secret.
        raise CredentialsMalformedError(f'secret {secret_name}: expected {{"key": …, "secret": …}}') from None


@cache
def broker_credentials(secret_name: str) -> Credentials:
    """The credentials by the secret's name; a failed read is not kept."""
    return read_credentials(secret_name, aws.client("secretsmanager"))
