"""The runtime that a function names."""

from pathlib import Path

import pytest

from automation.proof import configuration
from automation.proof.model import Fault, Severity, Subject
from tests.automation.proof import subjects
from tests.automation.proof.subjects import function

SUPPORTED = ["python3.8", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"]


def faults(subject: Subject) -> list[Fault]:
    return subjects.faults(configuration.RULES, "runtime-unavailable", subject)


def test_runtime_that_lambda_takes_is_no_fault(tmp_path: Path) -> None:
    runtimes = [*SUPPORTED, "nodejs22.x", {"Ref": "Runtime"}]
    resources = {f"F{number}": function(Runtime=runtime) for number, runtime in enumerate(runtimes)}

    assert faults(subjects.write(tmp_path, resources)) == []


@pytest.mark.parametrize(
    ("runtime", "dates", "severity"),
    [
        ("python2.7", "since 2021-07-15, and updates none since 2022-05-30", Severity.ERROR),
        ("python3.6", "since 2022-07-18, and updates none since 2022-08-29", Severity.ERROR),
        ("python3.7", "since 2024-01-09", Severity.WARNING),
    ],
)
def test_runtime_that_is_retired_is_named_once(tmp_path: Path, runtime: str, dates: str, severity: Severity) -> None:
    resources = {"A": function(Runtime=runtime), "B": function(Runtime=runtime), "C": function()}

    assert faults(subjects.write(tmp_path, resources)) == [
        Fault(
            "template.yaml: A, B",
            f"Runtime {runtime} is retired: Lambda creates no function with it {dates}",
            "set Runtime to a later Python, up to python3.14",
            severity,
        )
    ]


@pytest.mark.parametrize(
    ("runtime", "fix", "severity"),
    [
        ("Python3.12", "correct Runtime; did you mean python3.12 or python3.14?", Severity.ERROR),
        ("python3.5", "correct Runtime; did you mean python3.9 or python3.8?", Severity.ERROR),
        ("python", "correct Runtime; did you mean python3.9 or python3.8?", Severity.ERROR),
        ("python3.15", "correct Runtime, unless Lambda has it by now", Severity.WARNING),
    ],
)
def test_runtime_that_lambda_never_had_is_named(tmp_path: Path, runtime: str, fix: str, severity: Severity) -> None:
    assert faults(subjects.write(tmp_path, {"A": function(Runtime=runtime)})) == [
        Fault(
            "template.yaml: A",
            f"Runtime {runtime} is not among those of Lambda, which has python3.8 to python3.14",
            fix,
            severity,
        )
    ]
