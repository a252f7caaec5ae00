"""The broker's key and secret: read from Secrets Manager at first use, and again when the broker refuses them."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Protocol

from the_alchemiser.shared import aws
from the_alchemiser.shared.errors import AlchemiserError, SetupIncompleteError


class CredentialsUnavailableError(AlchemiserError):
    """The secret cannot be read at the moment."""

    retryable: ClassVar[bool] = True


class CredentialsMissingError(CredentialsUnavailableError, SetupIncompleteError):
    """There is no such secret."""

    missing: ClassVar[str] = "broker secret"


class CredentialsMalformedError(AlchemiserError):
    """The secret is not a JSON object with the expected fields."""


class Credentials:
    """The key and the secret. A log line that prints this object shows neither of them."""

    __slots__ = ("key", "secret")

    def __init__(self, key: str, secret: str) -> None:
        self.key = key
        self.secret = secret


class Secrets(Protocol):
    """The part of Secrets Manager that is used here."""

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]: ...  # noqa: N803 - the vendor's name


def read_credentials(secret_name: str, secrets: Secrets) -> Credentials:
    """Read the broker's secret.

    Raises:
        CredentialsUnavailableError, CredentialsMalformedError: see `read_fields`.
    """
    return Credentials(*read_fields(secret_name, secrets, ("key", "secret")))


def read_fields(secret_name: str, secrets: Secrets, names: tuple[str, ...]) -> tuple[str, ...]:
    """Read fields of a secret that is a JSON object.

    Raises:
        CredentialsMissingError: there is no such secret.
        CredentialsUnavailableError: Secrets Manager did not answer, or denied access.
        CredentialsMalformedError: the value is not the expected JSON. The message does not quote it.
    """
    try:
        text = str(secrets.get_secret_value(SecretId=secret_name)["SecretString"])
    except aws.ClientError as error:
        is_missing = error.response["Error"]["Code"] == "ResourceNotFoundException"
        error_class = CredentialsMissingError if is_missing else CredentialsUnavailableError
        raise error_class(f"secret {secret_name}: {error}") from error
    except (aws.BotoCoreError, KeyError) as error:
        raise CredentialsUnavailableError(f"secret {secret_name}: {error}") from error
    try:
        value = json.loads(text)
        return tuple(str(value[name]) for name in names)
    except (ValueError, KeyError, TypeError):
        # `from None`: the text of the cause could quote the secret.
        form = json.dumps(dict.fromkeys(names, "…"), ensure_ascii=False)
        message = f"secret {secret_name}: must be the JSON {form}; store it again in this form"
        raise CredentialsMalformedError(message) from None


@cache
def broker_credentials(secret_name: str) -> Credentials:
    """Return the credentials in this secret; they are cached, but a failed read is not.

    Raises:
        CredentialsUnavailableError, CredentialsMalformedError: see `read_credentials`.
    """
    return read_credentials(secret_name, aws.client("secretsmanager"))


def reread_broker_credentials(secret_name: str) -> Credentials:
    """Return the credentials that are in this secret now, and cache them.

    Raises:
        CredentialsUnavailableError, CredentialsMalformedError: see `read_credentials`.
    """
    broker_credentials.cache_clear()
    return broker_credentials(secret_name)
