"""A job's identity token becomes credentials of its role: GitHub on this machine, the SDK, and the emulator's STS."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from automation.system import aws
from automation.system.targets import Target
from tests.automation.github_server import TOKEN, GitHub, served
from tests.e2e.conftest import Sandbox

ACCOUNT, HOST = "210987654321", "token.actions.githubusercontent.com"
SUBJECT = "repo:shop/till:environment:pr"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"},
            "Condition": {"StringEquals": {f"{HOST}:aud": "sts.amazonaws.com", f"{HOST}:sub": SUBJECT}},
        }
    ],
}


@pytest.fixture
def github(running: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[GitHub]:
    """Put this process into a job of GitHub Actions that has a role in the emulator."""
    iam = running.client("iam", account=ACCOUNT)
    arn = iam.create_role(RoleName=tmp_path.name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.setenv(name, "")  # so that what is set during the test is taken back
        monkeypatch.delenv(name)
    with served() as github:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{github.url}/token?api=2")
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", TOKEN)
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.emulator_url)
        monkeypatch.setenv("AWS_ROLE_ARN", arn)
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
        yield github


def caller(running: Sandbox, github: GitHub, **claims: str) -> dict[str, str]:
    """Return who the SDK is in a job whose token has these claims."""
    known = {"iss": f"https://{HOST}", "aud": "sts.amazonaws.com", "sub": SUBJECT, **claims}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({}, known)]
    github.identity = f"{'.'.join(parts)}.signature"
    aws._session.cache_clear()
    session = aws._session(Target("us-east-1", running.emulator_url))
    aws._session.cache_clear()
    client: Any = session.create_client("sts")
    answer: dict[str, str] = client.get_caller_identity()
    return answer


def test_token_of_the_job_becomes_credentials_of_its_role(running: Sandbox, github: GitHub, tmp_path: Path) -> None:
    who = caller(running, github)

    assert who["Account"] == ACCOUNT
    assert who["Arn"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/{tmp_path.name}/")
    assert github.requests == ["GET /token?api=2&audience=sts.amazonaws.com"]


def test_token_of_another_environment_is_refused(running: Sandbox, github: GitHub) -> None:
    """Planted fault: the job of a pull request asks for the role of prod."""
    with pytest.raises(ClientError, match="AccessDenied"):
        caller(running, github, sub="repo:shop/till:environment:prod")
