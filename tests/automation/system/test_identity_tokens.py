"""A job of GitHub Actions gets its identity token into a file, and nothing else ever asks for one."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from automation.system import aws, identity_tokens
from automation.system.errors import ConfigurationError, ToolError
from automation.system.targets import Target
from tests.automation.github_server import TOKEN, Fault, GitHub, served

pytestmark = pytest.mark.enable_socket

ROLE = "arn:aws:iam::123456789012:role/deploy"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with served() as github:
        yield github


@pytest.fixture
def variables(github: GitHub, tmp_path: Path) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "AWS_ROLE_ARN": ROLE,
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{github.url}/token?api=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": TOKEN,
        "RUNNER_TEMP": str(tmp_path),
    }


def test_provide_writes_the_token_for_sts_to_a_private_file(variables: dict[str, str], github: GitHub) -> None:
    identity_tokens.provide(variables)

    file = Path(variables["AWS_WEB_IDENTITY_TOKEN_FILE"])
    assert file == Path(variables["RUNNER_TEMP"]) / "aws-identity-token"
    assert file.read_text() == "identity-token for sts.amazonaws.com"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert github.requests == ["GET /token?api=2&audience=sts.amazonaws.com"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"AWS_ROLE_ARN": ""}, True),
        ({"GITHUB_ACTIONS": "false"}, False),
        ({"AWS_ACCESS_KEY_ID": "own"}, False),
        ({"AWS_ACCESS_KEY_ID": ""}, True),
    ],
)
def test_is_job_with_a_role_and_without_keys(
    variables: dict[str, str], changes: dict[str, str], expected: bool
) -> None:
    assert identity_tokens.is_job({**variables, **changes}) is expected


@pytest.mark.parametrize(("age_s", "expected"), [(179.9, "identity-token"), (180.0, "second")])
def test_provide_again_replaces_a_token_of_three_minutes(
    variables: dict[str, str], github: GitHub, age_s: float, expected: str
) -> None:
    """GitHub's tokens live for 5 minutes; a smoke test or a hook may start later."""
    identity_tokens.provide(variables)
    file = Path(variables["AWS_WEB_IDENTITY_TOKEN_FILE"])
    os.utime(file, (1000, 1000))
    github.identity = "second for {audience}"

    identity_tokens.provide(variables, clock=lambda: 1000 + age_s)

    assert file.read_text() == f"{expected} for sts.amazonaws.com"


def test_provide_ignores_a_file_that_an_earlier_job_left(variables: dict[str, str], github: GitHub) -> None:
    (Path(variables["RUNNER_TEMP"]) / "aws-identity-token").write_text("of an earlier job")

    identity_tokens.provide(variables)

    assert Path(variables["AWS_WEB_IDENTITY_TOKEN_FILE"]).read_text() == "identity-token for sts.amazonaws.com"


def test_provide_writes_a_file_that_was_deleted_again(variables: dict[str, str], github: GitHub) -> None:
    identity_tokens.provide(variables)
    Path(variables["AWS_WEB_IDENTITY_TOKEN_FILE"]).unlink()
    identity_tokens.provide(variables)

    assert Path(variables["AWS_WEB_IDENTITY_TOKEN_FILE"]).is_file()


@pytest.mark.parametrize(
    "change",
    [
        {"GITHUB_ACTIONS": "false"},
        {"GITHUB_ACTIONS": None},
        {"AWS_ROLE_ARN": None},
        {"AWS_ACCESS_KEY_ID": "AKIA"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/somebody/elses"},
    ],
)
def test_provide_anywhere_else_asks_nobody(
    variables: dict[str, str], github: GitHub, change: dict[str, str | None]
) -> None:
    for name, value in change.items():
        variables.pop(name, None)
        if value is not None:
            variables[name] = value
    before = dict(variables)

    identity_tokens.provide(variables)

    assert (variables, github.requests) == (before, [])


@pytest.mark.parametrize(
    "names",
    [
        ["ACTIONS_ID_TOKEN_REQUEST_URL"],
        ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
        ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
        ["RUNNER_TEMP"],
    ],
)
def test_provide_without_the_permission_says_which(variables: dict[str, str], names: list[str]) -> None:
    for name in names:
        del variables[name]

    with pytest.raises(ConfigurationError) as caught:
        identity_tokens.provide(variables)

    message = f"{', '.join(names)} is missing; give the job the permission id-token: write"
    assert str(caught.value) == f"GitHub's identity tokens: {message}"


def test_provide_without_the_role_says_where_to_set_it(variables: dict[str, str]) -> None:
    variables["AWS_ROLE_ARN"] = ""

    with pytest.raises(
        ConfigurationError, match=r"^AWS_ROLE_ARN: is empty; set it as a variable of .* in GitHub's settings$"
    ):
        identity_tokens.provide(variables)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (Fault(200, "{}"), "GitHub gave no token: 200 OK: no message"),
        (Fault(200, '{"value": ""}'), "GitHub gave no token: 200 OK: no message"),
        (Fault(200, '["value"]'), "GitHub gave no token: 200 OK: no message"),
        (Fault(400, '{"message": "audience"}'), "GitHub gave no token: 400 Bad Request: audience"),
    ],
)
def test_provide_without_a_token_is_an_error(
    variables: dict[str, str], github: GitHub, fault: Fault, message: str
) -> None:
    github.faults = [fault]

    with pytest.raises(ToolError) as caught:
        identity_tokens.provide(variables)

    assert str(caught.value) == f"GitHub's identity tokens: {message}"
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" not in variables


def test_session_of_a_job_has_the_token_of_its_role(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own provider for a web identity finds what it needs."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    aws._session.cache_clear()

    session = aws._session(Target("eu-west-1"))

    aws._session.cache_clear()
    provider = session.get_component("credential_provider").get_provider("assume-role-with-web-identity")
    settings = {name: provider._get_config(name) for name in ("role_arn", "web_identity_token_file")}
    assert settings["role_arn"] == ROLE
    assert Path(str(settings["web_identity_token_file"])).read_text() == "identity-token for sts.amazonaws.com"
