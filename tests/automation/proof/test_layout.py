"""The size of a function with its layers is compared with Lambda's limit, to the byte."""

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
