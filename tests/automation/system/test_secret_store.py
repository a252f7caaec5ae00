"""Secrets Manager, against answers that botocore's Stubber compares with AWS's service model."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from automation.system import aws
from automation.system.accounts import CallError, Problem
from automation.system.secret_store import SecretStore, SecretValue
from automation.system.targets import Target

TARGET = Target("eu-west-1", key_id="stubbed", secret="secrets")
STORE = SecretStore(TARGET)
MISSING = "ResourceNotFoundException"


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(aws.client("secretsmanager", TARGET)) as stub:
        yield stub
        stub.assert_no_pending_responses()


def test_read_returns_the_text(stub: Stubber) -> None:
    stub.add_response("get_secret_value", {"SecretString": "hush"}, {"SecretId": "/shop"})

    assert STORE.read("/shop") == SecretValue("hush")


def test_read_missing_or_binary_secret_is_none(stub: Stubber) -> None:
    stub.add_client_error("get_secret_value", MISSING)
    stub.add_response("get_secret_value", {"SecretBinary": b"x"}, {"SecretId": "/shop"})

    assert STORE.read("/shop") is None
    assert STORE.read("/shop") is None


def test_read_refused_raises(stub: Stubber) -> None:
    stub.add_client_error("get_secret_value", "AccessDeniedException")

    with pytest.raises(CallError) as caught:
        STORE.read("/shop")

    assert caught.value.problem is Problem.DENIED


def test_write_replaces_the_value(stub: Stubber) -> None:
    stub.add_response("put_secret_value", {}, {"SecretId": "/shop", "SecretString": "hush"})

    STORE.write("/shop", SecretValue("hush"))


def test_write_creates_a_missing_secret(stub: Stubber) -> None:
    stub.add_client_error("put_secret_value", MISSING)
    stub.add_response("create_secret", {}, {"Name": "/shop", "SecretString": "hush"})

    STORE.write("/shop", SecretValue("hush"))


def test_write_refused_creates_nothing(stub: Stubber) -> None:
    stub.add_client_error("put_secret_value", "InvalidRequestException", "scheduled for deletion")

    with pytest.raises(CallError, match="scheduled for deletion"):
        STORE.write("/shop", SecretValue("hush"))


def test_secret_value_does_not_print_its_text() -> None:
    assert "hush" not in f"{SecretValue('hush')} {SecretValue('hush')!r}"
