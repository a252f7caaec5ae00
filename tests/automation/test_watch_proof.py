"""The proof before an update by `inv watch`: of each function alone, and stricter than that of `inv prove`."""

from pathlib import Path

import pytest

from automation import watch_proof
from automation.system.errors import Finding
from tests.automation.proof.small import TEMPLATE, make

ONE, TWO = ("main", "One"), ("main", "Two")
SOUND = "def handler(event, context): ...\n"
BROKEN = "import pandas\n\ndef handler(event, context): ...\n"
# What only Lambda knows: the name of the table.
NEEDS_TABLE = "import os\n\ndef handler(event, context): ...\n\nraise RuntimeError(os.environ['TABLE'])\n"
OLD_RUNTIME = TEMPLATE.replace("functions/one/,", "functions/one/, Runtime: python3.9,")


def test_check_sound_functions_are_imported_and_not_refused(tmp_path: Path) -> None:
    verdicts = watch_proof.check(make(tmp_path), [ONE, TWO, ONE])

    assert (verdicts.refused, set(verdicts.imported)) == ({}, {ONE, TWO})


def test_check_fault_of_one_function_refuses_that_one_alone(tmp_path: Path) -> None:
    third = "  Three:\n    Type: AWS::Serverless::Function\n"
    template = f"{TEMPLATE}{third}    Properties: {{CodeUri: functions/two/, Handler: app.handler}}\n"
    built = make(tmp_path, {"functions/one/app.py": BROKEN}, template=template)

    verdicts = watch_proof.check(built, [ONE, TWO, ("main", "Three")])

    assert (set(verdicts.refused), set(verdicts.imported)) == ({ONE}, {TWO, ("main", "Three")})
    [finding] = verdicts.refused[ONE]
    assert finding.where == "functions/one/app.py:1"
    assert finding.what.startswith("undeclared-import: imports pandas, which is missing in One")


@pytest.mark.parametrize(
    ("code", "template", "reason"),
    [
        (SOUND, OLD_RUNTIME, "the SDK no longer runs on its runtime python3.9"),
        (NEEDS_TABLE, TEMPLATE, "its import needs the value of TABLE, which is only known at deploy time"),
    ],
)
def test_check_function_that_is_only_read_keeps_code_that_was_imported(
    tmp_path: Path, code: str, template: str, reason: str
) -> None:
    built = make(tmp_path, {"functions/one/app.py": code}, template=template)

    first = watch_proof.check(built, [ONE, TWO], imported_before=frozenset({TWO}))
    later = watch_proof.check(built, [ONE, TWO], imported_before=frozenset({ONE}))

    assert (first.refused, set(first.imported)) == ({}, {TWO})
    assert (set(later.refused), set(later.imported)) == ({ONE}, {TWO})
    [finding] = later.refused[ONE]
    assert finding.where == "template.yaml: One"
    assert finding.what == f"its import does not succeed here: {reason}"


def test_check_import_whose_failure_proves_nothing_is_refused(tmp_path: Path) -> None:
    """`inv prove` reads such a function: the value of TABLE may have what it lacks here."""
    code = "import os\n\ndef handler(event, context): ...\n\nos.environ['TABLE'].x\n"

    verdicts = watch_proof.check(make(tmp_path, {"functions/one/app.py": code}), [ONE, TWO])

    what = "its import does not succeed here: AttributeError: 'str' object has no attribute 'x'"
    assert verdicts.refused == {ONE: (Finding("template.yaml: One", what),)}


def test_check_function_without_evidence_is_refused(tmp_path: Path) -> None:
    unknown = ("other", "One")

    verdicts = watch_proof.check(make(tmp_path), [unknown, TWO])

    assert verdicts.refused == {unknown: (Finding("One", "it was not built", "run inv build"),)}
