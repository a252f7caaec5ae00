from datetime import datetime, timedelta, timezone

import pytest
from botocore.exceptions import NoCredentialsError

from automation.system import aws
from automation.system.errors import DeploymentError
from automation.system.stacks import StackState
from automation.system.targets import Target


def test_target_variables_point_a_child_to_the_endpoint() -> None:
    target = Target("us-east-1", "http://127.0.0.1:4566", "test", "secret")

    assert target.variables() == {
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "NO_PROXY": "127.0.0.1,::1,localhost",
        "no_proxy": "127.0.0.1,::1,localhost",
    }
    assert "AWS_PROFILE" in target.hidden_variables()


def test_target_of_aws_keeps_ambient_credentials() -> None:
    target = Target("eu-west-1")

    assert target.variables() == {"AWS_DEFAULT_REGION": "eu-west-1", "AWS_REGION": "eu-west-1"}
    assert target.hidden_variables() == ()
    assert not target.is_loopback


def test_target_does_not_print_its_secret() -> None:
    assert "hidden" not in repr(Target("us-east-1", key_id="a", secret="hidden"))


def test_stack_state_without_status_does_not_exist() -> None:
    assert not StackState("x").exists
    assert StackState("x", "CREATE_COMPLETE").exists


def test_state_of_a_stack_has_the_time_of_its_last_change_in_utc() -> None:
    created = datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    described = {"StackName": "x", "StackStatus": "UPDATE_COMPLETE", "StackId": "arn:x", "CreationTime": created}

    updated = aws.state_of({**described, "LastUpdatedTime": created + timedelta(days=1)})

    assert aws.state_of(described) == StackState("x", "UPDATE_COMPLETE", "arn:x", "2026-01-01T00:00:00+00:00")
    assert updated.changed_at == "2026-01-02T00:00:00+00:00"


def test_client_uses_endpoint_and_region_of_target() -> None:
    client = aws.client("sqs", Target("us-east-1", "http://127.0.0.1:4566", "test", "test"))

    assert client.meta.endpoint_url == "http://127.0.0.1:4566"
    assert client.meta.region_name == "us-east-1"


@pytest.mark.parametrize(("key_id", "signer"), [("own", "own"), ("", "ambient")])
def test_client_signs_with_the_credentials_of_target_or_those_that_it_finds(
    monkeypatch: pytest.MonkeyPatch, key_id: str, signer: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ambient")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "word")

    client = aws.client("s3", Target("eu-north-1", "http://127.0.0.1:4567", key_id, key_id))

    assert f"Credential={signer}%2F" in client.generate_presigned_url("list_buckets")


def test_call_without_credentials_says_what_to_type() -> None:
    with pytest.raises(DeploymentError) as caught, aws.translate_errors("shop", Target("eu-west-1")):
        raise NoCredentialsError

    assert str(caught.value) == "shop: no AWS credentials were found; run aws configure, or set AWS_PROFILE"
