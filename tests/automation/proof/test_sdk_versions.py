"""An import here runs with one version of the SDK, and the runtime may have another."""

from pathlib import Path

import pytest

from automation.proof import elsewhere, evidence
from automation.proof.imports import ImportResult, Outcome
from automation.proof.model import Severity
from automation.prove import prove
from tests.automation.proof import subjects
from tests.automation.proof.small import faults, install, make

ONE = "functions/one/app.py"
HANDLER = "\n\ndef handler(event, context): ...\n"
FIX = "correct the name, or ship the version of {} that has it"


@pytest.mark.parametrize(
    ("code", "package"),
    [
        ("from urllib3.util.ssl_ import DEFAULT_CIPHERS", "urllib3"),
        ("import urllib3.packages.six", "urllib3"),
        ("import six\nx = six.nowhere", "six"),
        ("import boto3\nx = boto3.client('unheard-of')", "botocore"),
    ],
)
def test_part_that_another_version_of_the_sdk_may_have_is_a_warning(tmp_path: Path, code: str, package: str) -> None:
    (fault,) = faults(make(tmp_path, {ONE: code + HANDLER}))

    assert (fault.severity, fault.fix) == (Severity.WARNING, FIX.format(package))
    assert len(fault.what) < 500


def test_part_that_the_shipped_version_lacks_is_an_error(tmp_path: Path) -> None:
    install(tmp_path / "functions/one", "six")

    (fault,) = faults(make(tmp_path, {ONE: "import six.packages" + HANDLER}), "import-fails")

    assert (fault.severity, fault.fix) == (Severity.ERROR, FIX.format("six"))


def test_part_of_the_runtime_says_why_the_proof_is_static(tmp_path: Path) -> None:
    one, _ = prove(make(tmp_path, {ONE: "from urllib3 import nowhere" + HANDLER})).functions

    assert one.why == "its import needs a part of urllib3, of which the runtime may have another version"


@pytest.mark.parametrize(
    ("kind", "name", "text", "package"),
    [
        ("ImportError", "urllib3.util", "cannot import name", "urllib3"),
        ("ImportError", "urllib3", "cannot import name", "urllib3"),
        ("ImportError", "numpy", "cannot import name", ""),
        ("ImportError", "", "no zbar", ""),
        ("ModuleNotFoundError", "urllib3.packages", "No module", "urllib3"),
        ("ModuleNotFoundError", "urllib3", "No module", ""),
        ("AttributeError", "x", "module 'boto3.session' has no attribute 'x'", "boto3"),
        ("AttributeError", "x", "module 'json' has no attribute 'x'", ""),
        ("AttributeError", "boto3", "'NoneType' object has no attribute 'x'", ""),
        ("ValueError", "boto3", "module 'boto3' has no attribute 'x'", ""),
        ("UnknownServiceError", "", "Unknown service", "botocore"),
    ],
)
def test_versioned_package_is_one_of_the_sdk(tmp_path: Path, kind: str, name: str, text: str, package: str) -> None:
    (mount,) = subjects.write(tmp_path, {"App": subjects.function()}).mounts
    result = ImportResult(Outcome.FAILED, kinds=(kind, "Exception"), name=name, text=text)

    assert evidence.versioned_package(result, mount) == package


@pytest.mark.parametrize(
    ("owner", "path", "is_shipped"),
    [
        ("App", "urllib3/__init__.py", True),
        ("App", "urllib3.py", True),
        ("App", "python/urllib3/__init__.py", False),
        ("Libs", "python/urllib3/__init__.py", True),
        ("Libs", "python/lib/python3.12/site-packages/urllib3.py", True),
        ("Libs", "python/lib/python3.11/site-packages/urllib3.py", False),
        ("Libs", "urllib3/__init__.py", False),
    ],
)
def test_shipped_version_decides(tmp_path: Path, owner: str, path: str, *, is_shipped: bool) -> None:
    resources = {"App": subjects.function(Layers=[{"Ref": "Libs"}]), "Libs": subjects.layer()}
    (mount,) = subjects.write(tmp_path, resources, {owner: {path: ""}}).mounts
    result = ImportResult(Outcome.FAILED, kinds=("ImportError",), name="urllib3.util")

    assert elsewhere.ships(mount, "urllib3.util") is is_shipped
    assert evidence.versioned_package(result, mount) == ("" if is_shipped else "urllib3")
    provider = "" if is_shipped else "the runtime's own version may provide"
    assert elsewhere.provider(mount, "urllib3.util", changes_path=False) == provider


def test_is_provided_knows_the_runtime_by_the_names_of_its_packages(tmp_path: Path) -> None:
    (mount,) = subjects.write(tmp_path, {"App": subjects.function()}).mounts

    assert elsewhere.is_provided(mount, "simplejson")
    assert not elsewhere.is_provided(mount, "simplejson.nowhere")
    assert elsewhere.provider(mount, "simplejson", changes_path=False) == "the runtime provides"
