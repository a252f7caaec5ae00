"""What each managed runtime brings."""

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from automation.lambda_runtime import provided


@pytest.mark.parametrize(
    ("minor", "module", "is_there"),
    [
        (12, "boto3", True),
        (10, "urllib3", True),
        (9, "dateutil", True),
        (12, "snapshot_restore_py", True),
        (14, "pip", True),
        (12, "awslambdaric", True),
        (12, "aws_durable_execution_sdk_python", False),
        (13, "aws_durable_execution_sdk_python", True),
        (14, "aws_durable_execution_sdk_python", True),
        (11, "pkg_resources", True),
        (12, "pkg_resources", False),
        (11, "setuptools", True),
        (13, "setuptools", False),
        (12, "requests", False),
        (12, "json", False),
    ],
)
def test_brings_knows_the_modules_of_each_runtime(minor: int, module: str, is_there: bool) -> None:
    assert provided.brings(minor, module) is is_there


@pytest.mark.parametrize(
    ("minor", "version"),
    [(8, "1.37.0"), (10, "1.37.0"), (11, "1.37.0"), (12, "1.40.4"), (13, "1.38.36"), (14, "1.40.4"), (15, "1.40.4")],
)
def test_sdk_is_the_reported_one_or_the_nearest(minor: int, version: str) -> None:
    assert [str(package) for package in provided.sdk(minor)][:2] == [f"boto3 {version}", f"botocore {version}"]


@pytest.mark.parametrize("minor", [10, 11, 12, 13, 14])
def test_sdk_fits_together(minor: int) -> None:
    packages = {package.name: package for package in provided.sdk(minor)}

    assert set(packages) == {"boto3", "botocore", "s3transfer"}
    for package in packages.values():
        for requirement in map(Requirement, package.requires):
            if requirement.name in packages:
                assert requirement.specifier.contains(Version(packages[requirement.name].version))
