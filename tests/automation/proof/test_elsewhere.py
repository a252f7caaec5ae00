"""Who may provide a module that the built trees lack."""

from pathlib import Path

import pytest

from automation.building import built
from automation.lambda_runtime.mounts import Mount
from automation.proof import elsewhere
from tests.automation.proof import subjects

REGION = "arn:aws:lambda:us-east-1"
POWERTOOLS = f"{REGION}:017000801446:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64:7"
DATADOG = f"{REGION}:464622532012:layer:Datadog-Python312:114"
UNKNOWN = f"{REGION}:123456789012:layer:shared:3"
CONDITIONS = {"Far": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}}
MAPPINGS = {"Regions": {"us-east-1": {"Datadog": DATADOG}}}
MOUNT = {"FileSystemConfigs": [{"Arn": "arn", "LocalMountPath": "/mnt/lib"}]}


def mount(root: Path, **properties: object) -> Mount:
    resources = {"App": subjects.function(**properties), "Unbuilt": subjects.layer()}
    subject = subjects.write(root, resources, {"App": {"app.py": ""}}, Conditions=CONDITIONS, Mappings=MAPPINGS)
    (root / subjects.BUILD / "Unbuilt").rmdir()
    return built.mounts_of_project(subject.project)[0]


@pytest.mark.parametrize(
    ("properties", "module", "provider"),
    [
        ({}, "numpy", ""),
        ({}, "snapshot_restore_py", "the runtime provides"),
        ({}, "pip", "the runtime provides"),
        ({}, "pip._internal", "the runtime's own version may provide"),
        ({"Runtime": "python3.13"}, "aws_durable_execution_sdk_python", "the runtime provides"),
        ({}, "aws_durable_execution_sdk_python", ""),
        ({"Layers": [POWERTOOLS]}, "pydantic.main", "a public layer provides"),
        ({"Layers": [POWERTOOLS]}, "numpy", ""),
        ({"Layers": [DATADOG]}, "ddtrace", "a public layer provides"),
        ({"Layers": [DATADOG]}, "numpy", "a layer outside the template may provide"),
        (
            {"Layers": [{"Fn::FindInMap": ["Regions", {"Ref": "AWS::Region"}, "Datadog"]}]},
            "ddtrace",
            "a public layer provides",
        ),
        ({"Layers": [DATADOG, {"Ref": "Unbuilt"}]}, "numpy", "a layer without a built tree may provide"),
        ({"Layers": [UNKNOWN, POWERTOOLS]}, "numpy", "a layer outside the template may provide"),
        ({"Layers": [{"Fn::ImportValue": "libs"}]}, "numpy", "a layer outside the template may provide"),
        (MOUNT, "numpy", ""),
        ({**MOUNT, "Environment": {"Variables": {"PYTHONPATH": "/mnt/lib"}}}, "numpy", "its file system may provide"),
        ({**MOUNT, "Environment": {"Variables": {"PYTHONPATH": "/opt/lib"}}}, "numpy", ""),
    ],
)
def test_provider_is_the_runtime_a_layer_or_a_file_system(
    tmp_path: Path, properties: dict[str, object], module: str, provider: str
) -> None:
    assert elsewhere.provider(mount(tmp_path, **properties), module, changes_path=False) == provider


@pytest.mark.parametrize(
    ("layers", "top", "is_provided"),
    [([], "boto3", True), ([], "pydantic", False), ([POWERTOOLS], "pydantic", True), ([UNKNOWN], "pydantic", False)],
)
def test_is_provided_by_the_runtime_or_a_public_layer(
    tmp_path: Path, layers: list[str], top: str, *, is_provided: bool
) -> None:
    assert elsewhere.is_provided(mount(tmp_path, Layers=layers), top) is is_provided


def test_provider_is_a_file_system_if_the_code_adds_folders(tmp_path: Path) -> None:
    assert elsewhere.provider(mount(tmp_path, **MOUNT), "numpy", changes_path=True) == "its file system may provide"
    assert elsewhere.provider(mount(tmp_path / "b"), "numpy", changes_path=True) == ""


@pytest.mark.parametrize(
    ("configs", "folders"),
    [
        ([{"LocalMountPath": "/mnt/a"}, {"LocalMountPath": "/mnt/b"}], ("/mnt/a", "/mnt/b")),
        ([{"Arn": "arn"}], ("",)),
        (["text"], ()),
        ({"Ref": "Configs"}, ()),
        ([{"Fn::If": ["Far", {"LocalMountPath": "/mnt/a"}, {"LocalMountPath": "/mnt/b"}]}], ("/mnt/a", "/mnt/b")),
        ({"Fn::If": ["Far", [{"LocalMountPath": "/mnt/a"}], {"Ref": "AWS::NoValue"}]}, ("/mnt/a",)),
    ],
)
def test_file_systems_are_the_literal_folders(tmp_path: Path, configs: object, folders: tuple[str, ...]) -> None:
    assert elsewhere.file_systems(mount(tmp_path, FileSystemConfigs=configs)) == folders


def test_minor_of_an_unknown_runtime_is_later_than_all(tmp_path: Path) -> None:
    assert elsewhere.minor_of(mount(tmp_path, Runtime="python3.9")) == 9
    assert elsewhere.minor_of(mount(tmp_path / "b", Runtime="nodejs22.x")) == 99
