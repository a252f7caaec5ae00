"""The code that Lambda reports, and how it is replaced. Answers are composed; Stubber validates them."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from automation.system import aws, lambda_code
from automation.system.errors import DeploymentError
from automation.system.invocations import RunningCode
from automation.system.lambda_code import LambdaCode
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-lambda")
CODE = LambdaCode(TARGET)
ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:shared:3"


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(aws.client("lambda", TARGET)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_function_digest_is_that_of_its_code(stub: Stubber) -> None:
    stub.add_response("get_function", {"Configuration": {"CodeSha256": "abc="}}, {"FunctionName": "till"})

    assert CODE.function_digest("till") == "abc="


def test_layer_digest_is_that_of_its_content(stub: Stubber) -> None:
    stub.add_response("get_layer_version_by_arn", {"Content": {"CodeSha256": "def="}}, {"Arn": ARN})

    assert CODE.layer_digest(ARN) == "def="


def test_digest_refused_request_names_the_resource(stub: Stubber) -> None:
    stub.add_client_error("get_function", "AccessDeniedException", "not you")
    stub.add_client_error("get_layer_version_by_arn", "AccessDeniedException", "not you")

    with pytest.raises(DeploymentError, match="till: AWS refused the request"):
        CODE.function_digest("till")
    with pytest.raises(DeploymentError, match=f"{ARN}: AWS refused the request"):
        CODE.layer_digest(ARN)


def test_running_is_what_the_function_has(stub: Stubber) -> None:
    layers = [{"Arn": ARN}, {"Arn": f"{ARN}1"}]
    answer = {"CodeSha256": "abc=", "Layers": layers, "Handler": "a.main", "Runtime": "python3.12"}
    stub.add_response("get_function_configuration", answer, {"FunctionName": "till"})
    stub.add_response("get_function_configuration", {"CodeSha256": "def="}, {"FunctionName": "image"})

    assert CODE.running("till") == RunningCode("abc=", (ARN, f"{ARN}1"), "a.main", "python3.12")
    assert CODE.running("image") == RunningCode("def=")


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_code, "_UPDATED_POLL_S", 0.0)


def expect_update(stub: Stubber, *statuses: str, reason: str = "") -> None:
    """Expect that the status of the update is asked for until it is final."""
    for status in statuses:
        answer = {"LastUpdateStatus": status, **({"LastUpdateStatusReason": reason} if reason else {})}
        stub.add_response("get_function_configuration", answer, {"FunctionName": "till"})


@pytest.mark.usefixtures("_at_once")
def test_replace_returns_when_the_update_is_finished(stub: Stubber) -> None:
    stub.add_response("update_function_code", {}, {"FunctionName": "till", "ZipFile": b"zip"})
    expect_update(stub, "InProgress", "InProgress", "Successful")

    CODE.replace("till", b"zip")


@pytest.mark.usefixtures("_at_once")
def test_restore_takes_the_zip_of_the_bucket(stub: Stubber) -> None:
    stub.add_response("update_function_code", {}, {"FunctionName": "till", "S3Bucket": "code", "S3Key": "k.zip"})
    expect_update(stub, "Successful")

    CODE.restore("till", "code", "k.zip")


@pytest.mark.usefixtures("_at_once")
def test_mount_gives_all_layers_and_waits(stub: Stubber) -> None:
    stub.add_response("update_function_configuration", {}, {"FunctionName": "till", "Layers": [ARN, f"{ARN}1"]})
    expect_update(stub, "InProgress", "Successful")

    CODE.mount("till", (ARN, f"{ARN}1"))


@pytest.mark.usefixtures("_at_once")
def test_replace_failed_update_is_an_error(stub: Stubber) -> None:
    stub.add_response("update_function_code", {}, {"FunctionName": "till", "ZipFile": b"zip"})
    expect_update(stub, "InProgress", "Failed", reason="the role is gone")

    with pytest.raises(DeploymentError, match="till: the update of its code was not finished: the role is gone"):
        CODE.replace("till", b"zip")


@pytest.mark.usefixtures("_at_once")
def test_replace_update_without_an_end_is_an_error(stub: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lambda_code, "_UPDATED_WAIT_S", -1.0)
    stub.add_response("update_function_code", {}, {"FunctionName": "till", "ZipFile": b"zip"})
    expect_update(stub, "InProgress")

    with pytest.raises(DeploymentError, match="is InProgress after"):
        CODE.replace("till", b"zip")


def test_publish_layer_is_for_the_runtimes_of_its_model(stub: Stubber) -> None:
    model = {"CompatibleRuntimes": ["python3.12"], "CompatibleArchitectures": []}
    stub.add_response("get_layer_version_by_arn", model, {"Arn": ARN})
    request = {
        "LayerName": "shared",
        "Content": {"ZipFile": b"zip"},
        "Description": "of a test",
        "CompatibleRuntimes": ["python3.12"],
    }
    stub.add_response("publish_layer_version", {"LayerVersionArn": f"{ARN}1"}, request)

    assert CODE.publish_layer("shared", b"zip", model_arn=ARN, description="of a test") == f"{ARN}1"


def test_published_layers_are_those_with_the_description_on_all_pages(stub: Stubber) -> None:
    first = {"LayerVersions": [{"LayerVersionArn": ARN, "Description": "ours"}], "NextMarker": "m"}
    rest = {"LayerVersions": [{"LayerVersionArn": f"{ARN}1"}, {"LayerVersionArn": f"{ARN}2", "Description": "ours"}]}
    stub.add_response("list_layer_versions", first, {"LayerName": "shared"})
    stub.add_response("list_layer_versions", rest, {"LayerName": "shared", "Marker": "m"})

    assert CODE.published_layers("shared", "ours") == (ARN, f"{ARN}2")


def test_delete_layer_names_layer_and_version(stub: Stubber) -> None:
    stub.add_response("delete_layer_version", {}, {"LayerName": "shared", "VersionNumber": 3})

    CODE.delete_layer(ARN)


def test_replace_refused_request_names_the_function(stub: Stubber) -> None:
    for _ in range(2):
        stub.add_client_error("update_function_code", "AccessDeniedException", "not you")
    stub.add_client_error("update_function_configuration", "AccessDeniedException", "not you")

    with pytest.raises(DeploymentError, match="till: AWS refused the request"):
        CODE.replace("till", b"zip")
    with pytest.raises(DeploymentError, match="till: AWS refused the request"):
        CODE.restore("till", "code", "k.zip")
    with pytest.raises(DeploymentError, match="till: AWS refused the request"):
        CODE.mount("till", ())
