"""Reading the broker's credentials from the secret."""

from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from the_alchemiser.shared.broker.credentials import (
    CredentialsMalformedError,
    CredentialsUnavailableError,
    read_credentials,
)


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
    with pytest.raises(CredentialsUnavailableError) as raised:
        read_credentials("/alchemiser/other/broker", InMemorySecrets("{}"))

    assert raised.value.retryable
