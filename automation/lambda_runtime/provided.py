"""What the managed Python runtimes bring: their modules, and the SDK that public sources report."""

from dataclasses import dataclass

from automation.lambda_runtime.runtime import SDK_MODULES

# Modules of every runtime beside the SDK.
# - awslambdaric and what it needs: its repository, 3.1.1 of 2025.
# - snapshot_restore_py: AWS Lambda developer guide, "Lambda SnapStart runtime hooks for Python", 2026-11.
# - pip: Boise-State-Development/agentcore-public-stack, issue 36, 2026-03-13.
_ALWAYS = frozenset({*SDK_MODULES, "awslambdaric", "bootstrap", "pip", "runtime_client", "simplejson"}) | {
    "snapshot_restore_py"
}
# The first Python that has a module.
# - the durable SDK: AWS Lambda developer guide, "Supported runtimes for durable functions", 2026-11.
_SINCE = {"aws_durable_execution_sdk_python": 13}
# The first Python that no longer has a module: Python 3.12 no longer installs setuptools (its "What's New").
_UNTIL = {"pkg_resources": 12, "setuptools": 12}


@dataclass(frozen=True, slots=True)
class ProvidedPackage:
    """One package of the runtime's SDK.

    Attributes:
        version: at least this one; Lambda moves it to later ones at any time.
        requires: what it requires of the others, from the metadata of its wheel.
    """

    name: str
    version: str
    requires: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def _sdk(version: str, before: str, s3transfer: tuple[str, str, str]) -> tuple[ProvidedPackage, ...]:
    """Return the SDK of one version of boto3; botocore has the same.

    Args:
        before: boto3 requires a botocore before this version.
        s3transfer: its version, the first that boto3 refuses, and the oldest botocore that it accepts.
    """
    transfer, transfer_before, oldest_botocore = s3transfer
    of_boto3 = (
        f"botocore<{before},>={version}",
        "jmespath<2.0.0,>=0.7.1",
        f"s3transfer<{transfer_before},>={transfer}",
    )
    return (
        ProvidedPackage("boto3", version, of_boto3),
        ProvidedPackage("botocore", version, _OF_BOTOCORE),
        ProvidedPackage("s3transfer", transfer, (f"botocore<2.0a.0,>={oldest_botocore}",)),
    )


_OF_BOTOCORE = (
    "jmespath<2.0.0,>=0.7.1",
    "python-dateutil<3.0.0,>=2.1",
    'urllib3<1.27,>=1.25.4; python_version < "3.10"',
    'urllib3!=2.2.0,<3,>=1.25.4; python_version >= "3.10"',
)
# The oldest SDK that each runtime may still have.
# - 3.10: developmentseed/titiler-multidim, pull request 93, 2025-09-15: it was updated like 3.11 before.
# - 3.11: boto/boto3, issue 4579, 2025-07-25: its boto3 passes aws_account_id, as boto3 does since 1.37.0.
# - 3.12: developmentseed/titiler-cmr, pull request 73, 2025-09-07: 1.40.4.
# - 3.13: terricain/aioboto3, issue 381, 2025-08-22: 1.38.36.
# - 3.14: published 2025-11, after 3.12 had 1.40.4.
_1_37 = _sdk("1.37.0", "1.38.0", ("0.11.0", "0.12.0", "1.36.0"))
_1_38 = _sdk("1.38.36", "1.39.0", ("0.13.0", "0.14.0", "1.37.4"))
_1_40 = _sdk("1.40.4", "1.41.0", ("0.13.0", "0.14.0", "1.37.4"))
# Nothing is known of the runtimes before.
_OLDEST_MINOR = 8
_SDKS = {10: _1_37, 11: _1_37, 12: _1_40, 13: _1_38, 14: _1_40}


def brings(minor: int, module: str) -> bool:
    """Return whether the managed runtime of Python 3.`minor` has a top-level module that is not of the stdlib."""
    return module in _ALWAYS or _SINCE.get(module, minor + 1) <= minor or minor < _UNTIL.get(module, 0)


def sdk(minor: int) -> tuple[ProvidedPackage, ...]:
    """Return boto3, botocore and s3transfer of the managed runtime of Python 3.`minor`; empty before 3.8.

    A later runtime before or after the known ones counts as the nearest known one.
    """
    if minor < _OLDEST_MINOR:
        return ()
    return _SDKS[min(max(minor, min(_SDKS)), max(_SDKS))]
