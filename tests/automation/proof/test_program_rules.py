"""What code runs is compared with what is mounted: whether it is there, may be run, and is for Lambda's machine."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from automation.proof import program_rules
from automation.proof.cases import Case, FunctionFault
from automation.proof.evidence import Evidence, ProofMethod
from automation.proof.literals import LambdaPath
from automation.proof.model import Severity
from automation.proof.module_facts import When
from automation.proof.scan import CodeLocation, Scan
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD
from tests.faults.bakery import ARM64, put
from tests.faults.elves import shared_object

SCRIPT = b"#!/bin/sh\necho hi\n"
UNKNOWN = "arn:aws:lambda:eu-central-1:123456789012:layer:libs:1"


def faults(
    root: Path,
    programs: str,
    contents: Mapping[str, bytes] | None = None,
    *,
    mode: int = 0o755,
    when: When = When.HANDLED,
    layer: Mapping[str, bytes] | None = None,
    sets_path: bool = False,
    imported: frozenset[str] = frozenset(),
    **properties: Any,
) -> list[FunctionFault]:
    """Return the faults of a function that runs programs at line 3."""
    layers = [{"Ref": "Libs"}, *properties.pop("Layers", [])]
    resources = {"App": subjects.function(Layers=layers, **properties), "Libs": subjects.layer()}
    trees = {"App": {"app.py": b"", **(contents or {})}, "Libs": layer or {"python/x.py": b""}}
    subject = subjects.write(root, resources, trees)
    for folder, files in (("App", contents or {}), ("Libs", layer or {})):
        for name in files:
            (root / BUILD / folder / name).chmod(mode)

    location = CodeLocation((root / BUILD / "App" / "app.py").resolve(), 3, when)
    paths = (LambdaPath(PurePosixPath(program)) for program in programs.split())
    scan = Scan(ran=tuple((location, path) for path in paths), sets_path=sets_path, imported=imported)
    evidence = Evidence(subject.mounts[0], ProofMethod.STATIC, scan=scan)
    return list(program_rules.check_programs(Case(subject, evidence, scan)))


def test_program_with_the_run_bit_is_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, "/var/task/tool.sh", {"tool.sh": SCRIPT}) == []
    assert faults(tmp_path, "/opt/bin/tool", layer={"bin/tool": shared_object()}) == []


def test_program_without_the_run_bit_is_an_error(tmp_path: Path) -> None:
    put(tmp_path / "code" / "tool.sh", SCRIPT)

    (fault,) = faults(tmp_path, "/var/task/tool.sh", {"tool.sh": SCRIPT}, mode=0o644)

    assert fault.where.endswith("app.py:3")
    assert fault.what == "runs /var/task/tool.sh, which has no run bit, so Lambda answers PermissionError"
    assert fault.fix == "run chmod +x code/tool.sh, then inv build"
    assert fault.severity is Severity.ERROR


def test_program_that_may_not_be_run_is_a_warning(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "/var/task/tool.sh", {"tool.sh": SCRIPT}, mode=0o644, when=When.MAYBE)

    assert fault.severity is Severity.WARNING


def test_program_that_is_missing_is_an_error(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "/var/task/bin/tool")

    assert fault.what == "runs /var/task/bin/tool, which is missing in what {functions} mounts"
    assert (fault.fix, fault.severity) == ("add the program to the sources, or correct the path", Severity.ERROR)


@pytest.mark.parametrize(
    ("program", "severity"), [("/opt/bin/tool", Severity.WARNING), ("/var/task/bin/tool", Severity.ERROR)]
)
def test_program_that_an_unknown_layer_may_bring_is_a_warning(tmp_path: Path, program: str, severity: Severity) -> None:
    (fault,) = faults(tmp_path, program, Layers=[UNKNOWN])

    assert fault.severity is severity


def test_program_at_another_path_is_named(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "/opt/bin/tool", layer={"python/bin/tool": SCRIPT})

    assert fault.fix == "run /opt/python/bin/tool"
    (fault,) = faults(tmp_path / "own", "/opt/tool", {"bin/tool": SCRIPT})
    assert fault.fix == "run /var/task/bin/tool"


def test_program_outside_of_the_trees_is_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, "/tmp/tool") == []  # noqa: S108 - a path on Lambda
    assert faults(tmp_path, "/bin/sh") == []


@pytest.mark.parametrize(
    ("content", "what", "fix"),
    [
        (
            b"#!/bin/sh\r\necho hi\r\n",
            "whose lines end with CR LF, so its interpreter is not found",
            "save /var/task/tool with LF alone",
        ),
        (b"MZ\x90", "which is a program for Windows", "put one for x86_64 on Linux in its place"),
        (bytes.fromhex("cffaedfe"), "which is a program for macOS", "put one for x86_64 on Linux in its place"),
        (
            shared_object(machine=ARM64),
            "which is a program for arm64",
            "put one for x86_64 on Linux in its place",
        ),
    ],
)
def test_program_that_lambda_cannot_start_is_an_error(tmp_path: Path, content: bytes, what: str, fix: str) -> None:
    (fault,) = faults(tmp_path, "/var/task/tool", {"tool": content})

    assert (fault.what, fault.fix, fault.severity) == (f"runs /var/task/tool, {what}", fix, Severity.ERROR)


def test_program_that_only_contains_cr_lf_is_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, "/var/task/tool", {"tool": b"echo hi\r\n"}) == []
    assert faults(tmp_path / "b", "/var/task/tool", {"tool": b"#!/bin/sh\necho hi\r\n"}) == []


def test_name_of_a_program_in_a_layers_bin_is_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, "git", layer={"bin/git": SCRIPT}) == []


def test_name_of_a_program_without_the_run_bit_is_an_error(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "git", layer={"bin/git": SCRIPT}, mode=0o644)

    assert fault.what.startswith("runs /opt/bin/git, which has no run bit")


@pytest.mark.parametrize(
    ("contents", "place"),
    [
        ({"contents": {"bin/tool": SCRIPT}}, "/var/task/bin/tool"),
        ({"layer": {"python/bin/tool": SCRIPT}}, "/opt/python/bin/tool"),
    ],
)
def test_name_of_a_program_beside_the_packages_is_an_error(
    tmp_path: Path, contents: dict[str, Any], place: str
) -> None:
    (fault,) = faults(tmp_path, "tool", **contents)

    assert fault.what == f"runs tool by its name, and {place} is not on Lambda's PATH"
    assert (fault.fix, fault.severity) == (f"run {place}", Severity.ERROR)


def test_name_of_a_program_that_lambda_lacks_is_a_warning(tmp_path: Path) -> None:
    names = (
        "aws chromium convert docker ffmpeg ffprobe gcc git google-chrome gs helm java kubectl libreoffice magick make "
        "mysql mysqldump node npm pdftoppm pdftotext pg_dump pg_restore psql rsync soffice ssh terraform tesseract "
        "unzip wget wkhtmltopdf zip"
    )

    assert [(fault.what, fault.fix, fault.severity) for fault in faults(tmp_path, names)] == [
        (f"runs {name}, which Lambda's image does not have", f"mount a layer that has bin/{name}", Severity.WARNING)
        for name in names.split()
    ]


def test_name_of_a_program_that_an_unknown_layer_may_bring_is_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, "git", Layers=[UNKNOWN]) == []


def test_name_that_is_not_listed_or_found_elsewhere_is_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, "ls") == []
    assert faults(tmp_path, "git", sets_path=True) == []
    assert faults(tmp_path, "git", Environment={"Variables": {"PATH": "/opt/git/bin"}}) == []


def test_package_that_runs_an_absent_program_is_a_warning(tmp_path: Path) -> None:
    imported = frozenset({"pytesseract", "git", "json"})

    assert faults(tmp_path, "", {"git/__init__.py": b""}, imported=imported) == [
        FunctionFault(
            "template.yaml: App",
            f"imports {package}, which runs {name}, and Lambda's image does not have that program",
            f"mount a layer that has bin/{name}",
            Severity.WARNING,
        )
        for package, name in (("git", "git"), ("pytesseract", "tesseract"))
    ]


@pytest.mark.parametrize(
    "options",
    [
        {"contents": {"files/pandoc": b""}},
        {"layer": {"bin/pandoc": shared_object()}},
        {"sets_path": True},
        {"Layers": [UNKNOWN]},
        {"Environment": {"Variables": {"PATH": "/opt/tools"}}},
    ],
)
def test_package_that_may_find_its_program_is_no_fault(tmp_path: Path, options: dict[str, Any]) -> None:
    assert faults(tmp_path, "", imported=frozenset({"pypandoc"}), **options) == []


def test_package_whose_program_the_code_runs_too_is_one_fault(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, "ffmpeg", imported=frozenset({"ffmpeg"}))

    assert fault.what == "runs ffmpeg, which Lambda's image does not have"
