"""SAM packages what we have not packed; here a program named sam writes down how it was called."""

import json
from pathlib import Path

import pytest

from automation.deploying.stacks import sam_packages
from automation.deploying.stacks.uploads import CodeBucket
from automation.system.errors import ToolError
from automation.system.targets import Target

TARGET = Target("eu-west-1", "http://127.0.0.1:4566", "test", "secret")
SAM = """#!/bin/sh
echo "$@" > "{folder}/arguments"
env > "{folder}/environment"
while [ $# -gt 0 ]; do
  case "$1" in
    --output-template-file) echo '{{"Resources": {{"A": 1}}}}' > "$2" ;;
    --template-file) cp "$2" "{folder}/template" ;;
    --config-file) cp "$2" "{folder}/settings" ;;
  esac
  shift
done
echo "something went wrong"
exit {code}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("AWS_PROFILE", "somebody")
    write_sam(tmp_path)
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    return tmp_path


def write_sam(folder: Path, exit_code: int = 0) -> None:
    program = folder / "sam"
    program.write_text(SAM.format(folder=folder, code=exit_code))
    program.chmod(0o755)


def test_package_names_bucket_prefix_and_region(folder: Path) -> None:
    packaged = sam_packages.package(folder / "template.yaml", CodeBucket("code", "shop"), root=folder, target=TARGET)

    arguments = (folder / "arguments").read_text()
    assert packaged == json.loads('{"Resources": {"A": 1}}')
    assert arguments.startswith(f"package --template-file {folder}/template.yaml --output-template-file ")
    assert arguments.rstrip().endswith("--region eu-west-1 --s3-bucket code --s3-prefix shop")
    assert "--use-json" in arguments


def test_package_goes_to_the_target_with_settings_of_its_own(folder: Path) -> None:
    sam_packages.package(folder / "template.yaml", CodeBucket("code", "shop"), root=folder, target=TARGET)

    environment = (folder / "environment").read_text().splitlines()
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:4566" in environment
    assert "AWS_ACCESS_KEY_ID=test" in environment
    assert not any(line.startswith("AWS_PROFILE=") for line in environment)
    assert (folder / "settings").read_text() == "version = 0.1\n"


def test_create_managed_bucket_packages_an_empty_template(folder: Path) -> None:
    sam_packages.create_managed_bucket(folder, TARGET)

    arguments = (folder / "arguments").read_text()
    assert arguments.rstrip().endswith("--region eu-west-1 --resolve-s3")
    assert "--s3-bucket" not in arguments
    assert "AWS::CloudFormation::WaitConditionHandle" in (folder / "template").read_text()


def test_package_failed_names_command_and_reason(folder: Path) -> None:
    write_sam(folder, exit_code=3)

    with pytest.raises(ToolError, match=r"sam package .*: failed with exit code 3\nsomething went wrong"):
        sam_packages.package(folder / "template.yaml", CodeBucket("code", "shop"), root=folder, target=TARGET)
