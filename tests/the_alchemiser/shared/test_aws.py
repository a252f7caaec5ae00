"""The SDK's clients: how long a call may take, and how often it is sent."""

from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.the_alchemiser.aws_wire import CREDENTIALS
from the_alchemiser.shared import aws

FUNCTION_TIMEOUT_S = 30
LONGEST_PAUSES_S = 1 + 2  # of the SDK's standard mode, before the second and the third attempt


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def config_of(client: Any) -> tuple[float, float, dict[str, object], int]:
    config = client.meta.config
    return config.connect_timeout, config.read_timeout, config.retries, config.max_pool_connections


def test_client_has_short_timeouts_and_three_attempts() -> None:
    expected = (2, 5, {"mode": "standard", "total_max_attempts": 3}, 10)

    assert config_of(aws.client("ssm")) == expected


def test_client_of_a_call_without_repetition_has_one_attempt() -> None:
    retries = config_of(aws.client("ssm", attempts=1))[2]

    assert retries == {"mode": "standard", "total_max_attempts": 1}


def test_client_has_the_connections_that_were_requested() -> None:
    assert config_of(aws.client("ssm", connections=32))[3] == 32


def test_call_without_an_answer_fails_before_the_function_is_stopped() -> None:
    connect_s, read_s, retries, _ = config_of(aws.client("ssm"))
    attempts = retries["total_max_attempts"]

    assert isinstance(attempts, int)
    assert attempts * (connect_s + read_s) + LONGEST_PAUSES_S == 24 < FUNCTION_TIMEOUT_S


def test_errors_of_the_sdk_are_looked_up_by_name() -> None:
    assert (aws.ClientError, aws.BotoCoreError) == (ClientError, BotoCoreError)


def test_name_that_is_not_an_error_of_the_sdk_is_missing() -> None:
    with pytest.raises(AttributeError, match="Session"):
        _ = aws.Session  # type: ignore[attr-defined] # which is what the test is about
