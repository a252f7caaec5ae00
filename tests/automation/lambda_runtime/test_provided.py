"""What each managed runtime brings."""

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from automation.lambda_runtime import provided


@pytest.mark.parametrize(
    ("minor", "module", "is_there"),
    [
        *(
            (12, module, True)
            for module in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
        ),
        *((9, module, True) for module in ("awslambdaric", "bootstrap", "pip", "runtime_client", "simplejson")),
        (12, "snapshot_restore_py", True),
        (12, "aws_durable_execution_sdk_python", False),
        (13, "aws_durable_execution_sdk_python", True),
        (14, "aws_durable_execution_sdk_python", True),
        (11, "pkg_resources", True),
        (12, "pkg_resources", False),
        (11, "setuptools", True),
        (12, "setuptools", False),
        (12, "requests", False),
        (12, "json", False),
    ],
)
def test_brings_knows_the_modules_of_each_runtime(minor: int, module: str, is_there: bool) -> None:
    assert provided.brings(minor, module) is is_there


BOTOCORE = (
    "jmespath<2.0.0,>=0.7.1",
    "python-dateutil<3.0.0,>=2.1",
    'urllib3<1.27,>=1.25.4; python_version < "3.10"',
    'urllib3!=2.2.0,<3,>=1.25.4; python_version >= "3.10"',
)


@pytest.mark.parametrize(
    ("minor", "version", "before", "transfer", "transfer_before", "oldest"),
    [
        (11, "1.37.0", "1.38.0", "0.11.0", "0.12.0", "1.36.0"),
        (13, "1.38.36", "1.39.0", "0.13.0", "0.14.0", "1.37.4"),
        (12, "1.40.4", "1.41.0", "0.13.0", "0.14.0", "1.37.4"),
    ],
)
def test_sdk_requires_what_its_wheels_require(
    minor: int, version: str, before: str, transfer: str, transfer_before: str, oldest: str
) -> None:
    of_boto3 = (
        f"botocore<{before},>={version}",
        "jmespath<2.0.0,>=0.7.1",
        f"s3transfer<{transfer_before},>={transfer}",
    )

    assert [(package.name, package.version, package.requires) for package in provided.sdk(minor)] == [
        ("boto3", version, of_boto3),
        ("botocore", version, BOTOCORE),
        ("s3transfer", transfer, (f"botocore<2.0a.0,>={oldest}",)),
    ]


@pytest.mark.parametrize(
    ("minor", "version"),
    [(8, "1.37.0"), (10, "1.37.0"), (11, "1.37.0"), (12, "1.40.4"), (13, "1.38.36"), (14, "1.40.4"), (15, "1.40.4")],
)
def test_sdk_is_the_reported_one_or_the_nearest(minor: int, version: str) -> None:
    assert [str(package) for package in provided.sdk(minor)][:2] == [f"boto3 {version}", f"botocore {version}"]


@pytest.mark.parametrize("minor", [6, 7])
def test_sdk_of_runtimes_before_38_is_not_known(minor: int) -> None:
    assert provided.sdk(minor) == ()


@pytest.mark.parametrize("minor", [10, 11, 12, 13, 14])
def test_sdk_fits_together(minor: int) -> None:
    packages = {package.name: package for package in provided.sdk(minor)}

    assert set(packages) == {"boto3", "botocore", "s3transfer"}
    for package in packages.values():
        for requirement in map(Requirement, package.requires):
            if requirement.name in packages:
                assert requirement.specifier.contains(Version(packages[requirement.name].version))
