import json
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from botocore.exceptions import NoCredentialsError, UnknownServiceError
from botocore.loaders import create_loader

from automation.system import aws
from automation.system.errors import DeploymentError
from automation.system.stacks import StackState
from automation.system.targets import Target
from tests.automation.projects import write_files

_ASSUMED = """<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>of-the-role</AccessKeyId>
<SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>
<AssumedRoleUser><AssumedRoleId>A:b</AssumedRoleId><Arn>arn:aws:sts::1:assumed-role/deploy/b</Arn></AssumedRoleUser>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"""


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


@pytest.mark.parametrize("kind", ["service-2", "endpoint-rule-set-1", "paginators-1"])
def test_service_data_is_that_of_botocore(kind: str) -> None:
    # Clients change what they have read from the common one.
    ours, botocores = aws.service_data.__wrapped__(), create_loader()

    for service in ("cloudformation", "s3"):
        assert ours.load_service_model(service, kind) == botocores.load_service_model(service, kind)
    assert aws.service_data() is aws.service_data()
    with pytest.raises(UnknownServiceError):
        ours.load_service_model("s4", kind)


def test_client_of_a_service_in_the_users_own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    metadata = {"apiVersion": "2026-01-01", "endpointPrefix": "till", "protocol": "json", "jsonVersion": "1.1"}
    metadata |= {"serviceId": "Till", "serviceFullName": "Till", "signatureVersion": "v4", "targetPrefix": "Till"}
    model = {"version": "2.0", "metadata": metadata, "operations": {}, "shapes": {}}
    write_files(tmp_path, {"till/2026-01-01/service-2.json": json.dumps(model)})
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

    client = aws.client("till", Target("us-east-1", "http://127.0.0.1:4568", "test", "test"))

    assert client.meta.service_model.service_id == "Till"


def test_call_without_credentials_says_what_to_type() -> None:
    with pytest.raises(DeploymentError) as caught, aws.translate_errors("shop", Target("eu-west-1")):
        raise NoCredentialsError

    assert str(caught.value) == "shop: no AWS credentials were found; run aws configure, or set AWS_PROFILE"


class FakeTokens(BaseHTTPRequestHandler):
    """STS: it answers every request with the keys of a role, and remembers it."""

    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.asked.append(self.rfile.read(int(self.headers["content-length"])).decode())
        body = _ASSUMED.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


@pytest.mark.enable_socket
def test_role_of_a_workflow_is_assumed_at_the_endpoint_and_wins_over_keys(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a.token.of.github")
    for name, value in {
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/deploy",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ACCESS_KEY_ID": "ambient",
        "AWS_SECRET_ACCESS_KEY": "word",
    }.items():
        monkeypatch.setenv(name, value)
    FakeTokens.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeTokens) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        target = Target("eu-west-1", f"http://127.0.0.1:{server.server_port}")

        credentials = aws.Cloud(target).credentials()
        server.shutdown()

    assert credentials == {
        "AWS_ACCESS_KEY_ID": "of-the-role",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "session",
    }
    [asked] = FakeTokens.asked
    assert "Action=AssumeRoleWithWebIdentity" in asked
    assert "WebIdentityToken=a.token.of.github" in asked
