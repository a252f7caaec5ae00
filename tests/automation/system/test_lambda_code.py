"""The digests that Lambda reports. Answers are composed; Stubber validates them."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber

from automation.system import aws
from automation.system.errors import DeploymentError
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
