"""A copy of a function, its versions and their invocations. Answers are composed; Stubber validates them."""

import base64
import io
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from automation.system import aws, function_trials
from automation.system.errors import DeploymentError
from automation.system.function_trials import FunctionTrials
from automation.system.invocations import LoggedInvocation
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-trials")
TRIALS = FunctionTrials(TARGET, read_url=lambda url: f"zip of {url}".encode())
COPY = {"FunctionName": "till-coldstart"}
ACTIVE = {"State": "Active", "LastUpdateStatus": "Successful"}
CONFIGURATION: dict[str, Any] = {
    "FunctionName": "till",
    "Runtime": "python3.12",
    "Role": "arn:aws:iam::123456789012:role/till",
    "Handler": "app.main",
    "Timeout": 30,
    "MemorySize": 512,
    "Architectures": ["arm64"],
    "CodeSize": 7,
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "shop"},
}
CREATED: dict[str, Any] = {
    **{name: value for name, value in CONFIGURATION.items() if name not in ("CodeSize", "FunctionName")},
    **COPY,
    "Code": {"ZipFile": b"zip of https://code"},
    "Tags": {"created-by": "inv coldstart"},
    "Environment": {"Variables": {}},
    "Layers": [],
}


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(aws.client("lambda", TARGET)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def add_creation(stub: Stubber, configuration: dict[str, Any], expected: dict[str, Any]) -> None:
    """Expect the calls that create a copy."""
    answer = {"Configuration": configuration, "Code": {"Location": "https://code"}}
    stub.add_response("get_function", answer, {"FunctionName": "till"})
    stub.add_response("create_function", {}, expected)
    stub.add_response("get_function", {"Configuration": ACTIVE}, COPY)


def answer_of(payload: bytes, **more: str) -> dict[str, Any]:
    return {"Payload": StreamingBody(io.BytesIO(payload), len(payload)), **more}


def test_memory_is_that_of_the_function(stub: Stubber) -> None:
    stub.add_response("get_function_configuration", {"MemorySize": 512}, {"FunctionName": "till"})

    assert TRIALS.memory_mb("till") == 512


def test_create_copies_the_code_and_the_settings(stub: Stubber) -> None:
    stub.add_client_error("get_function", "ResourceNotFoundException", expected_params=COPY)
    add_creation(stub, CONFIGURATION, CREATED)

    assert TRIALS.create("till") == "till-coldstart"


def test_create_copies_variables_layers_and_network(stub: Stubber) -> None:
    network = {"SubnetIds": ["s1"], "SecurityGroupIds": ["g1"], "Ipv6AllowedForDualStack": True}
    as_they_are: dict[str, Any] = {
        "EphemeralStorage": {"Size": 512},
        "KMSKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/k1",
        "FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:x", "LocalMountPath": "/mnt/a"}],
        "TracingConfig": {"Mode": "Active"},
    }
    more = as_they_are | {
        "Environment": {"Variables": {"COLOUR": "red"}},
        "Layers": [{"Arn": "arn:layer:1", "CodeSize": 3}],
        "VpcConfig": {**network, "VpcId": "v1"},
    }
    expected = {
        **as_they_are,
        "Environment": more["Environment"],
        "Layers": ["arn:layer:1"],
        "VpcConfig": network,
    }
    stub.add_client_error("get_function", "ResourceNotFoundException")
    add_creation(stub, CONFIGURATION | more, CREATED | expected)

    TRIALS.create("till")


def test_create_function_outside_of_a_network_stays_outside(stub: Stubber) -> None:
    stub.add_client_error("get_function", "ResourceNotFoundException")
    add_creation(stub, CONFIGURATION | {"VpcConfig": {"SubnetIds": [], "VpcId": ""}}, CREATED)

    TRIALS.create("till")


def test_create_replaces_what_an_interrupted_trial_left(stub: Stubber) -> None:
    stub.add_response("get_function", {"Tags": {"created-by": "inv coldstart", "team": "shop"}}, COPY)
    stub.add_response("delete_function", {}, COPY)
    add_creation(stub, CONFIGURATION, CREATED)

    TRIALS.create("till")


@pytest.mark.parametrize("answer", [{}, {"Tags": {"created-by": "ann"}}])
def test_create_keeps_a_function_that_is_not_ours(stub: Stubber, answer: dict[str, Any]) -> None:
    stub.add_response("get_function", answer, COPY)

    with pytest.raises(
        DeploymentError, match="till-coldstart: a function of this name exists that inv coldstart did not"
    ):
        TRIALS.create("till")


@pytest.mark.parametrize(("with_snapstart", "setting"), [(True, "PublishedVersions"), (False, "None")])
def test_publish_sets_snapstart_and_waits(stub: Stubber, with_snapstart: bool, setting: str) -> None:
    stub.add_response("update_function_configuration", {}, {**COPY, "SnapStart": {"ApplyOn": setting}})
    stub.add_response("get_function", {"Configuration": ACTIVE}, COPY)
    stub.add_response("publish_version", {"Version": "2"}, COPY)
    stub.add_response("get_function_configuration", ACTIVE, {**COPY, "Qualifier": "2"})

    assert TRIALS.publish("till-coldstart", with_snapstart=with_snapstart) == "2"


def test_publish_version_that_cannot_be_prepared_is_an_error(stub: Stubber) -> None:
    stub.add_response("update_function_configuration", {})
    stub.add_response("get_function", {"Configuration": ACTIVE})
    stub.add_response("publish_version", {"Version": "2"})
    stub.add_response("get_function_configuration", {"State": "Failed"})

    with pytest.raises(DeploymentError, match=r"till-coldstart: .*PublishedVersionActive"):
        TRIALS.publish("till-coldstart", with_snapstart=True)


def test_invoke_returns_the_end_of_the_log(stub: Stubber) -> None:
    request = {"FunctionName": "till-coldstart:2", "Payload": b'{"health": true}', "LogType": "Tail"}
    log = base64.b64encode(b"REPORT \xff").decode()
    stub.add_response("invoke", answer_of(b"{}", LogResult=log), request)

    assert TRIALS.invoke("till-coldstart", "2", {"health": True}) == LoggedInvocation("", {}, "REPORT \ufffd")


def test_invoke_failed_function_has_its_error(stub: Stubber) -> None:
    payload = b'{"errorType": "ImportError", "errorMessage": "no numpy"}'
    stub.add_response("invoke", answer_of(payload, FunctionError="Unhandled"))

    assert TRIALS.invoke("till-coldstart", "2", {}) == LoggedInvocation("ImportError: no numpy")


def test_delete_removes_the_copy_and_a_missing_one_is_fine(stub: Stubber) -> None:
    stub.add_response("delete_function", {}, COPY)
    stub.add_client_error("delete_function", "ResourceNotFoundException")

    TRIALS.delete("till-coldstart")
    TRIALS.delete("till-coldstart")


def test_delete_refused_is_an_error(stub: Stubber) -> None:
    stub.add_client_error("delete_function", "AccessDeniedException", "not you")

    with pytest.raises(DeploymentError, match="till-coldstart: AWS refused the request"):
        TRIALS.delete("till-coldstart")


@pytest.mark.parametrize(("length", "kept"), [(54, 54), (55, 54), (64, 54)])
def test_copy_name_fits_into_64_letters(length: int, kept: int) -> None:
    assert function_trials.copy_name("f" * length) == "f" * kept + "-coldstart"


def test_download_failure_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_url: str, *, timeout: float) -> None:
        raise URLError(f"no network within {timeout}")

    monkeypatch.setattr(function_trials, "urlopen", refuse)

    with pytest.raises(DeploymentError, match=r"the code of the function cannot be downloaded: .*no network"):
        function_trials.download("https://code")


def test_download_returns_the_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_trials, "urlopen", lambda _url, timeout: io.BytesIO(f"zip {timeout}".encode()))

    assert function_trials.download("https://code") == b"zip 60"
