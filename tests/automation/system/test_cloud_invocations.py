"""What a function answers and logs, and what it runs with. Answers are composed; Stubber validates them."""

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from automation.system import aws
from automation.system.aws import Cloud
from automation.system.errors import ConfigurationError, DeploymentError
from automation.system.invocations import Configuration, LoggedInvocation
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-invocations")
CALL = {"FunctionName": "till:live", "Payload": b'[1, "two"]', "LogType": "Tail"}
LOG = {"LogResult": base64.b64encode("sold für 3\n".encode()).decode()}


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(aws.client("lambda", TARGET)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answer_of(payload: bytes, **more: str) -> dict[str, Any]:
    return {"Payload": StreamingBody(io.BytesIO(payload), len(payload)), **more}


@pytest.mark.parametrize(
    ("response", "invoked"),
    [
        (answer_of(b'{"ok": true}', **LOG), LoggedInvocation("", {"ok": True}, "sold für 3\n")),
        (answer_of(b"null"), LoggedInvocation("", None, "")),
        (
            answer_of(b'{"errorType": "KeyError", "errorMessage": "price"}', FunctionError="Unhandled", **LOG),
            LoggedInvocation("KeyError: price", None, "sold für 3\n"),
        ),
    ],
)
def test_invoke_with_log_returns_the_answer_or_the_error(
    stub: Stubber, response: dict[str, Any], invoked: LoggedInvocation
) -> None:
    stub.add_response("invoke", response, CALL)

    assert Cloud(TARGET).invoke_with_log("till:live", '[1, "two"]') == invoked


def test_invoke_with_log_refused_is_a_deployment_error(stub: Stubber) -> None:
    stub.add_client_error("invoke", "ResourceNotFoundException", "no such function")

    with pytest.raises(DeploymentError, match=r"till:live: AWS refused the request: .*no such function"):
        Cloud(TARGET).invoke_with_log("till:live", "[]")


@pytest.mark.parametrize("variables", [{}, {"TABLE": "sales"}])
def test_configuration_has_the_variables_and_the_limits(stub: Stubber, variables: dict[str, str]) -> None:
    environment = {"Environment": {"Variables": variables}} if variables else {}
    answer = {"MemorySize": 512, "Timeout": 30, **environment}
    stub.add_response("get_function_configuration", answer, {"FunctionName": "till"})

    assert Cloud(TARGET).configuration("till") == Configuration(variables, 512, 30)


def test_credentials_are_those_of_the_target() -> None:
    assert Cloud(TARGET).credentials() == {
        "AWS_ACCESS_KEY_ID": "123456789012",
        "AWS_SECRET_ACCESS_KEY": "stubbed-invocations",
        "AWS_SESSION_TOKEN": "",
    }


def test_credentials_that_are_missing_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(ConfigurationError, match="no AWS credentials were found; run aws configure"):
        Cloud(Target("eu-north-1")).credentials()
