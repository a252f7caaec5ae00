"""Reading the broker's credentials from the secret."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from the_alchemiser.shared.broker.credentials import (
    CredentialsMalformedError,
    CredentialsMissingError,
    CredentialsUnavailableError,
    read_credentials,
)
from the_alchemiser.shared.errors import SetupIncompleteError


class InMemorySecrets:
    """Secrets Manager with one secret."""

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]:  # noqa: N803 - the vendor's name
        if SecretId != "/alchemiser/local/broker":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self._text}


def test_read_credentials_json_secret_returns_both_and_prints_neither() -> None:
    secrets = InMemorySecrets('{"key": "sandbox-key", "secret": "sandbox-secret"}')

    credentials = read_credentials("/alchemiser/local/broker", secrets)

    assert (credentials.key, credentials.secret) == ("sandbox-key", "sandbox-secret")
    assert "sandbox" not in repr(credentials)


@pytest.mark.parametrize("text", ["", "sandbox-secret", '["sandbox-secret"]', '{"key": "sandbox-secret"}', '"x"'])
def test_read_credentials_malformed_secret_is_not_quoted(text: str) -> None:
    with pytest.raises(CredentialsMalformedError) as raised:
        read_credentials("/alchemiser/local/broker", InMemorySecrets(text))

    assert "sandbox-secret" not in str(raised.value)


def test_read_credentials_missing_secret_raises_retryable() -> None:
    with pytest.raises(CredentialsMissingError, match="secret /alchemiser/other/broker: ") as raised:
        read_credentials("/alchemiser/other/broker", InMemorySecrets("{}"))

    assert raised.value.retryable
    assert isinstance(raised.value, SetupIncompleteError)
    assert raised.value.missing == "broker secret"


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue"),
        EndpointConnectionError(endpoint_url="https://secretsmanager"),
        KeyError("SecretString"),
    ],
    ids=["refused", "unreachable", "binary"],
)
def test_read_credentials_unreadable_secret_is_not_missing(error: Exception) -> None:
    class Unreadable:
        def get_secret_value(self, *, SecretId: str) -> Mapping[str, Any]:  # noqa: N803 - the vendor's name
            raise error

    with pytest.raises(CredentialsUnavailableError, match="secret /alchemiser/local/broker: ") as raised:
        read_credentials("/alchemiser/local/broker", Unreadable())

    assert raised.value.retryable
    assert not isinstance(raised.value, SetupIncompleteError)
