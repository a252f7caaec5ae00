"""Each call to Lambda about versions: its parameters, and what is read of the answers. Stubber validates them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from automation.system import aws
from automation.system.errors import DeploymentError
from automation.system.lambda_versions import LambdaVersions
from automation.system.leftovers import FunctionVersion, LayerContent, LayerVersion
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:1", "123456789012", "stubbed-versions")
VERSIONS = LambdaVersions(TARGET)
TEXT, MOMENT = "2026-01-02T03:04:05.678+0000", datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
CODE = "arn:aws:lambda:eu-west-1:123456789012:layer:code"
TILL = FunctionVersion("till", 3, "arn:till:3", "abc=", 12, MOMENT, (f"{CODE}:7",))
LAYER = LayerVersion("code", 7, f"{CODE}:7", MOMENT)
ANSWER = {
    "FunctionName": "till",
    "FunctionArn": "arn:till:3",
    "Version": "3",
    "CodeSha256": "abc=",
    "CodeSize": 12,
    "LastModified": TEXT,
    "Layers": [{"Arn": f"{CODE}:7"}],
}


@pytest.fixture
def stub() -> Iterator[Stubber]:
    with Stubber(aws.client("lambda", TARGET)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def test_function_versions_come_from_every_page_without_the_latest(stub: Stubber) -> None:
    pages: list[dict[str, Any]] = [
        {"Versions": [{**ANSWER, "Version": "$LATEST"}, ANSWER], "NextMarker": "2"},
        {"Versions": [{**ANSWER, "Version": "4", "FunctionArn": "arn:till:4", "Layers": []}]},
    ]
    stub.add_response("list_versions_by_function", pages[0], {"FunctionName": "till"})
    stub.add_response("list_versions_by_function", pages[1], {"FunctionName": "till", "Marker": "2"})

    newer = replace(TILL, version=4, arn="arn:till:4", layers=())
    assert VERSIONS.function_versions("till") == (TILL, newer)


def test_function_version_without_layers_has_none(stub: Stubber) -> None:
    answer = {name: value for name, value in ANSWER.items() if name != "Layers"}
    stub.add_response("list_versions_by_function", {"Versions": [answer]})

    assert VERSIONS.function_versions("till") == (replace(TILL, layers=()),)


def test_aliased_versions_include_those_that_get_a_part(stub: Stubber) -> None:
    aliases = [
        {"FunctionVersion": "3", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}},
        {"FunctionVersion": "$LATEST"},
        {"FunctionVersion": "5", "RoutingConfig": {}},
    ]
    stub.add_response("list_aliases", {"Aliases": aliases[:1], "NextMarker": "2"}, {"FunctionName": "till"})
    stub.add_response("list_aliases", {"Aliases": aliases[1:]}, {"FunctionName": "till", "Marker": "2"})

    assert VERSIONS.aliased_versions("till") == {2, 3, 5}


def test_layer_users_are_all_versions_of_all_functions(stub: Stubber) -> None:
    latest = {**ANSWER, "Version": "$LATEST", "Layers": []}
    stub.add_response("list_functions", {"Functions": [ANSWER], "NextMarker": "2"}, {"FunctionVersion": "ALL"})
    stub.add_response("list_functions", {"Functions": [latest]}, {"FunctionVersion": "ALL", "Marker": "2"})

    assert VERSIONS.layer_users() == {("till", "3"): (f"{CODE}:7",), ("till", "$LATEST"): ()}


def test_layer_versions_come_from_every_page(stub: Stubber) -> None:
    version = {"Version": 7, "LayerVersionArn": f"{CODE}:7", "CreatedDate": TEXT}
    older = {**version, "Version": 6, "LayerVersionArn": f"{CODE}:6"}
    stub.add_response("list_layer_versions", {"LayerVersions": [version], "NextMarker": "2"}, {"LayerName": "code"})
    stub.add_response("list_layer_versions", {"LayerVersions": [older]}, {"LayerName": "code", "Marker": "2"})

    assert VERSIONS.layer_versions("code") == (LAYER, replace(LAYER, version=6, arn=f"{CODE}:6"))


def test_layer_content_is_digest_and_size(stub: Stubber) -> None:
    answer = {"Content": {"CodeSha256": "abc=", "CodeSize": 12}}
    stub.add_response("get_layer_version_by_arn", answer, {"Arn": f"{CODE}:7"})

    assert VERSIONS.layer_content(f"{CODE}:7") == LayerContent("abc=", 12)


def test_delete_function_version_names_the_version(stub: Stubber) -> None:
    """Without the qualifier, Lambda would delete the whole function."""
    stub.add_response("delete_function", {}, {"FunctionName": "till", "Qualifier": "3"})
    stub.add_client_error("delete_function", "ResourceNotFoundException", "gone")

    VERSIONS.delete_function_version(TILL)
    VERSIONS.delete_function_version(TILL)


def test_delete_function_version_of_an_alias_is_an_error(stub: Stubber) -> None:
    stub.add_client_error("delete_function", "ResourceConflictException", "referenced by an alias")

    with pytest.raises(DeploymentError, match=r"^till:3: AWS refused the request: .*referenced by an alias"):
        VERSIONS.delete_function_version(TILL)


def test_delete_layer_version_names_the_version(stub: Stubber) -> None:
    stub.add_response("delete_layer_version", {}, {"LayerName": "code", "VersionNumber": 7})

    VERSIONS.delete_layer_version(LAYER)


@pytest.mark.parametrize(
    ("operation", "call", "where"),
    [
        ("list_versions_by_function", lambda: VERSIONS.function_versions("till"), "till"),
        ("list_aliases", lambda: VERSIONS.aliased_versions("till"), "till"),
        ("list_functions", VERSIONS.layer_users, "functions"),
        ("list_layer_versions", lambda: VERSIONS.layer_versions("code"), "code"),
        ("get_layer_version_by_arn", lambda: VERSIONS.layer_content(f"{CODE}:7"), f"{CODE}:7"),
        ("delete_layer_version", lambda: VERSIONS.delete_layer_version(LAYER), f"{CODE}:7"),
    ],
)
def test_versions_refused_request_names_the_resource(
    stub: Stubber, operation: str, call: Callable[[], object], where: str
) -> None:
    stub.add_client_error(operation, "AccessDeniedException", "not you")

    with pytest.raises(DeploymentError, match=f"^{where}: AWS refused the request"):
        call()
