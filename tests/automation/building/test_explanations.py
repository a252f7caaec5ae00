import importlib.util
import marshal
from pathlib import Path

import pytest

from automation.building.explanations import Explanation, TreePair, find_bytecode_fault
from tests.automation.projects import write_files

SOURCE = "VALUE = 1\n"
HEADER = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(SOURCE.encode())
MOUNTED = "/opt/python/pkg/core.py"
PYC = "python/pkg/__pycache__/core.cpython-312.pyc"
RECORD = "pkg-1.dist-info/RECORD"
ROWS = "pkg/core.py,sha256=a,10\npkg/core.pyi,sha256=b,5\npkg/tests/test_core.py,sha256=c,7\n../../bin/pkg,sha256=d,3\n"


def bytecode(text: str = SOURCE, path: str = MOUNTED) -> bytes:
    return HEADER + marshal.dumps(compile(text, path, "exec", dont_inherit=True, optimize=0))


def fault(pyc: bytes, source: str = SOURCE, *, is_own_version: bool = True) -> str:
    return find_bytecode_fault(pyc, source.encode(), MOUNTED, is_own_version=is_own_version)


@pytest.fixture
def pair(tmp_path: Path) -> TreePair:
    """Our tree and SAM's tree of a layer with one distribution."""
    shared = {"python/pkg/core.py": SOURCE}
    write_files(tmp_path / "sams", {**shared, f"python/{RECORD}": f"{ROWS}{RECORD},,\n"})
    write_files(tmp_path / "ours", {**shared, f"python/{RECORD}": f"pkg/core.py,sha256=a,10\n{RECORD},,\n"})
    write_files(tmp_path / "source", {"requirements.txt": ""})
    (tmp_path / "ours" / PYC).parent.mkdir()
    (tmp_path / "ours" / PYC).write_bytes(bytecode())
    return TreePair(tmp_path / "ours", tmp_path / "sams", tmp_path / "source", "/opt", "python", "3.12")


def reasons(pair: TreePair) -> dict[str, Explanation | str]:
    """Return the explanation or the fault of each difference, by path."""
    return {difference.path: difference.explanation or difference.what for difference in pair.differences()}


def test_differences_sound_build_has_bytecode_and_record(pair: TreePair) -> None:
    assert reasons(pair) == {PYC: Explanation.BYTECODE, f"python/{RECORD}": Explanation.RECORD}


@pytest.mark.parametrize(
    ("path", "explanation"),
    [
        ("python/pkg/core.pyi", Explanation.STUBS),
        ("python/pkg/tests/test_core.py", Explanation.TESTS),
        ("python/bin/pkg", Explanation.PROGRAMS),
        ("python/pkg-1.data/scripts/pkg", Explanation.PROGRAMS),
        ("python/requirements.txt", Explanation.REQUIREMENTS),
        ("python/requirements.in", Explanation.REQUIREMENTS),
        ("python/pkg-1.dist-info/REQUESTED", Explanation.INSTALLER),
    ],
)
def test_differences_file_only_in_sams_is_explained(pair: TreePair, path: str, explanation: Explanation) -> None:
    write_files(pair.sam_tree, {path: ""})

    assert reasons(pair)[path] is explanation


def test_differences_source_that_is_not_shipped_is_explained(pair: TreePair) -> None:
    write_files(pair.sam_tree, {"python/.venv/x": "", "python/samconfig.toml": ""})
    write_files(pair.source, {".venv/x": "", "samconfig.toml": ""})

    assert reasons(pair)["python/.venv/x"] is Explanation.TOOLS
    assert reasons(pair)["python/samconfig.toml"] is Explanation.TOOLS


@pytest.mark.parametrize(
    "path", ["python/pkg/more.py", "python/own/tests/test_a.py", "python/own/types.pyi", "python/pkg/requirements.txt"]
)
def test_differences_file_missing_in_ours_is_a_fault(pair: TreePair, path: str) -> None:
    write_files(pair.sam_tree, {path: ""})

    assert reasons(pair)[path] == "is only in SAM's artifact"


@pytest.mark.parametrize("path", ["python/pkg/more.json", "stray.txt", "python/.env", "python/pkg/odd.so"])
def test_differences_file_extra_in_ours_is_a_fault(pair: TreePair, path: str) -> None:
    write_files(pair.own_tree, {path: ""})

    assert reasons(pair)[path] == "is only in our artifact"


def test_differences_altered_file_is_a_fault(pair: TreePair) -> None:
    write_files(pair.sam_tree, {"python/pkg/core.py": "VALUE = 2\n"})

    assert reasons(pair)["python/pkg/core.py"] == "differs"


def test_differences_shared_object_of_the_sources_is_explained(pair: TreePair) -> None:
    write_files(pair.source, {"own/fast.so": "elf"})
    write_files(pair.own_tree, {"python/own/fast.so": "elf"})

    assert reasons(pair)["python/own/fast.so"] is Explanation.SHARED_OBJECT


def test_differences_file_of_the_installer_is_explained(pair: TreePair) -> None:
    write_files(pair.own_tree, {"python/pkg-1.dist-info/INSTALLER": "uv"})

    assert reasons(pair)["python/pkg-1.dist-info/INSTALLER"] is Explanation.INSTALLER


def test_differences_record_with_another_digest_is_a_fault(pair: TreePair) -> None:
    write_files(pair.own_tree, {f"python/{RECORD}": f"pkg/core.py,sha256=other,10\n{RECORD},,\n"})

    assert reasons(pair)[f"python/{RECORD}"] == "differs"


def test_differences_record_without_a_module_is_a_fault(pair: TreePair) -> None:
    write_files(pair.own_tree, {f"python/{RECORD}": f"{RECORD},,\n"})

    assert reasons(pair)[f"python/{RECORD}"] == "differs"


def test_differences_executable_as_its_wheel_says_is_explained(pair: TreePair) -> None:
    (pair.own_tree / "python/pkg/core.py").chmod(0o755)

    assert reasons(pair)["python/pkg/core.py"] is Explanation.MODE


def test_differences_file_executable_only_in_sams_is_a_fault(pair: TreePair) -> None:
    (pair.sam_tree / "python/pkg/core.py").chmod(0o755)

    assert reasons(pair)["python/pkg/core.py"] == "is executable in only one of the artifacts"


def test_differences_module_without_bytecode_is_a_fault(pair: TreePair) -> None:
    for tree in (pair.own_tree, pair.sam_tree):
        write_files(tree, {"python/pkg/more.py": SOURCE})

    assert reasons(pair)["python/pkg/more.py"] == "has no bytecode"


def test_differences_uncompilable_module_needs_no_bytecode(pair: TreePair) -> None:
    for tree in (pair.own_tree, pair.sam_tree):
        write_files(tree, {"python/pkg/template.py": "{% if %}\n"})

    assert "python/pkg/template.py" not in reasons(pair)


def test_differences_bytecode_without_source_is_a_fault(pair: TreePair) -> None:
    for tree in (pair.own_tree, pair.sam_tree):
        (tree / "python/pkg/core.py").unlink()

    assert reasons(pair)[PYC] == "is bytecode without its source"


def test_find_bytecode_fault_of_its_source_is_empty() -> None:
    assert fault(bytecode()) == ""


def test_find_bytecode_fault_with_a_timestamp_is_stale() -> None:
    timestamped = bytecode()[:4] + bytes(4) + bytecode()[8:]

    assert fault(timestamped) == "is bytecode that Lambda would find stale"


def test_find_bytecode_fault_of_another_source_says_so() -> None:
    assert fault(bytecode(), "VALUE = 3\n") == "is bytecode of another source"


def test_find_bytecode_fault_right_header_with_wrong_code_says_so() -> None:
    forged = bytecode("VALUE = 'evil'\n")

    assert fault(forged) == "is bytecode that its source does not compile to"


def test_find_bytecode_fault_of_another_path_names_it() -> None:
    moved = bytecode(path="/home/somebody/core.py")

    assert fault(moved) == "is bytecode compiled for /home/somebody/core.py"


def test_find_bytecode_fault_cut_short_is_damaged() -> None:
    assert fault(bytecode()[:30]) == "is damaged bytecode"


def test_find_bytecode_fault_of_another_python_checks_the_header() -> None:
    assert fault(HEADER + b"?", is_own_version=False) == ""


def test_differences_program_with_another_interpreter_is_explained(pair: TreePair) -> None:
    write_files(pair.own_tree, {"python/bin/pkg": "#!/var/lang/bin/python3.12\n"})
    write_files(pair.sam_tree, {"python/bin/pkg": "#!/usr/bin/python3.12\n"})

    assert reasons(pair)["python/bin/pkg"] is Explanation.SCRIPT


def test_differences_artifact_without_any_bytecode_has_no_fault(pair: TreePair) -> None:
    (pair.own_tree / PYC).unlink()

    assert reasons(pair) == {f"python/{RECORD}": Explanation.RECORD}
