"""The size of a function with its layers is compared with Lambda's limit, to the byte."""

import importlib.util
import os
from pathlib import Path

import pytest

from automation.project.model import LAMBDA_LIMIT_BYTES
from automation.proof import layout
from automation.proof.model import Fault, Subject
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD
from tests.faults.bakery import put


def faults(rule: str, subject: Subject) -> list[Fault]:
    return subjects.faults(layout.RULES, rule, subject)


def sized(root: Path, contents: dict[str, int]) -> Subject:
    """Write a function and a layer, whose files have these sizes."""
    resources = {"App": subjects.function(Layers=[{"Ref": "Libs"}]), "Libs": subjects.layer()}
    subject = subjects.write(root, resources, {"App": {"app.py": ""}, "Libs": {"python/known.py": ""}})
    for name, size_bytes in contents.items():
        put(root / BUILD / name, b"")
        os.truncate(root / BUILD / name, size_bytes)
    return subject


PYC = "Libs/python/__pycache__/known.cpython-312.pyc"


@pytest.mark.parametrize(("bytecode_bytes", "is_blamed"), [(6, True), (5, True), (4, False)])
def test_too_large_through_bytecode_says_how_to_leave_it_out(
    tmp_path: Path, bytecode_bytes: int, is_blamed: bool
) -> None:
    limit = LAMBDA_LIMIT_BYTES
    subject = sized(tmp_path, {"App/data.bin": limit + 5 - bytecode_bytes, PYC: bytecode_bytes})

    (fault,) = faults("too-large", subject)

    assert fault.what.startswith(f"{limit + 5:,} bytes unzipped, 5 over Lambda's limit of {limit:,}: its own tree")
    assert ("bytes of Libs are bytecode that the build adds" in fault.what) is is_blamed
    advice = "add Metadata: {Alchemiser: {Bytecode: false}} to Libs in template.yaml"
    assert (fault.fix == advice) is is_blamed


def test_too_large_at_the_limit_is_no_fault(tmp_path: Path) -> None:
    assert faults("too-large", sized(tmp_path, {"App/data.bin": LAMBDA_LIMIT_BYTES})) == []


def test_too_large_counts_the_layers_of_the_larger_branch(tmp_path: Path) -> None:
    either = {"Fn::If": ["Far", {"Ref": "Small"}, {"Ref": "Large"}]}
    resources = {"App": subjects.function(Layers=[either]), "Small": subjects.layer(), "Large": subjects.layer()}
    conditions = {"Far": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}}
    subject = subjects.write(tmp_path, resources, {"App": {"app.py": ""}}, Conditions=conditions)
    for name, size_bytes in (("Small/data.bin", 5), ("Large/data.bin", LAMBDA_LIMIT_BYTES)):
        put(tmp_path / BUILD / name, b"")
        os.truncate(tmp_path / BUILD / name, size_bytes)

    assert faults("too-large", subject) == []
    put(tmp_path / BUILD / "App/more.txt", "x")
    (fault,) = faults("too-large", subject)
    assert fault.what.endswith(f": Large {LAMBDA_LIMIT_BYTES:,}, its own tree 1")


@pytest.mark.parametrize("name", ["hook-a.async_api", "plain"])
@pytest.mark.parametrize("tag", ["cpython-312", "cpython-312.opt-2"])
def test_stale_bytecode_finds_the_source_of_a_name_with_dots(tmp_path: Path, name: str, tag: str) -> None:
    text = b"x = 1\n"
    pyc = importlib.util.MAGIC_NUMBER + bytes([0b01, 0, 0, 0]) + importlib.util.source_hash(text)
    files: dict[str, str | bytes] = {"app.py": "", f"{name}.py": text, f"__pycache__/{name}.{tag}.pyc": pyc}
    subject = subjects.write(tmp_path, {"App": subjects.function()}, {"App": files})

    assert faults("stale-bytecode", subject) == []
    (tmp_path / BUILD / "App" / f"{name}.py").unlink()
    (fault,) = faults("stale-bytecode", subject)
    assert fault.what == f"bytecode has no source, so Python ignores it: __pycache__/{name}.{tag}.pyc"
