import importlib.util
import marshal
from pathlib import Path

import pytest

from automation.building.explanations import Explanation, Pair, judge_bytecode
from tests.automation.projects import write_files

SOURCE = "VALUE = 1\n"
HEADER = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(SOURCE.encode())
NAMED = "/opt/python/pkg/core.py"
PYC = "python/pkg/__pycache__/core.cpython-312.pyc"
RECORD = "pkg-1.dist-info/RECORD"
ROWS = "pkg/core.py,sha256=a,10\npkg/core.pyi,sha256=b,5\npkg/tests/test_core.py,sha256=c,7\n../../bin/pkg,sha256=d,3\n"


def bytecode(text: str = SOURCE, named: str = NAMED) -> bytes:
    return HEADER + marshal.dumps(compile(text, named, "exec", dont_inherit=True, optimize=0))


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """A layer of one distribution as both builders leave it."""
    shared = {"python/pkg/core.py": SOURCE}
    write_files(tmp_path / "sams", {**shared, f"python/{RECORD}": f"{ROWS}{RECORD},,\n"})
    write_files(tmp_path / "ours", {**shared, f"python/{RECORD}": f"pkg/core.py,sha256=a,10\n{RECORD},,\n"})
    write_files(tmp_path / "source", {"requirements.txt": ""})
    (tmp_path / "ours" / PYC).parent.mkdir()
    (tmp_path / "ours" / PYC).write_bytes(bytecode())
    return Pair(tmp_path / "ours", tmp_path / "sams", tmp_path / "source", "/opt", "python", "3.12")


def told(pair: Pair) -> dict[str, Explanation | str]:
    return {one.path: one.explanation or one.what for one in pair.differences()}


def test_differences_of_a_sound_build_are_bytecode_and_record(pair: Pair) -> None:
    assert told(pair) == {PYC: Explanation.BYTECODE, f"python/{RECORD}": Explanation.RECORD}


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
        ("python/.ruff_cache/x", Explanation.TOOLS),
    ],
)
def test_differences_file_of_sams_alone_is_explained(pair: Pair, path: str, explanation: Explanation) -> None:
    write_files(pair.sams, {path: ""})

    assert told(pair)[path] is explanation


@pytest.mark.parametrize(
    "path", ["python/pkg/more.py", "python/own/tests/test_a.py", "python/own/types.pyi", "python/pkg/requirements.txt"]
)
def test_differences_file_missing_in_ours_is_a_fault(pair: Pair, path: str) -> None:
    write_files(pair.sams, {path: ""})

    assert told(pair)[path] == "is in SAM's artifact alone"


@pytest.mark.parametrize("path", ["python/pkg/more.json", "stray.txt", "python/.env", "python/pkg/odd.so"])
def test_differences_file_extra_in_ours_is_a_fault(pair: Pair, path: str) -> None:
    write_files(pair.ours, {path: ""})

    assert told(pair)[path] == "is in our artifact alone"


def test_differences_file_altered_is_a_fault(pair: Pair) -> None:
    write_files(pair.sams, {"python/pkg/core.py": "VALUE = 2\n"})

    assert told(pair)["python/pkg/core.py"] == "differs"


def test_differences_shared_object_of_the_sources_is_explained(pair: Pair) -> None:
    write_files(pair.source, {"own/fast.so": "elf"})
    write_files(pair.ours, {"python/own/fast.so": "elf"})

    assert told(pair)["python/own/fast.so"] is Explanation.SHARED_OBJECT


def test_differences_installers_mark_is_explained(pair: Pair) -> None:
    write_files(pair.ours, {"python/pkg-1.dist-info/INSTALLER": "uv"})

    assert told(pair)["python/pkg-1.dist-info/INSTALLER"] is Explanation.INSTALLER


def test_differences_record_with_another_digest_is_a_fault(pair: Pair) -> None:
    write_files(pair.ours, {f"python/{RECORD}": f"pkg/core.py,sha256=other,10\n{RECORD},,\n"})

    assert told(pair)[f"python/{RECORD}"] == "differs"


def test_differences_record_without_a_module_is_a_fault(pair: Pair) -> None:
    write_files(pair.ours, {f"python/{RECORD}": f"{RECORD},,\n"})

    assert told(pair)[f"python/{RECORD}"] == "differs"


def test_differences_executable_as_its_wheel_says_is_explained(pair: Pair) -> None:
    (pair.ours / "python/pkg/core.py").chmod(0o755)

    assert told(pair)["python/pkg/core.py"] is Explanation.MODE


def test_differences_program_that_is_executable_for_sam_alone_is_a_fault(pair: Pair) -> None:
    (pair.sams / "python/pkg/core.py").chmod(0o755)

    assert told(pair)["python/pkg/core.py"] == "is executable in one of the artifacts alone"


def test_differences_module_without_bytecode_is_a_fault(pair: Pair) -> None:
    (pair.ours / PYC).unlink()

    assert told(pair)["python/pkg/core.py"] == "has no bytecode"


def test_differences_module_that_does_not_compile_needs_no_bytecode(pair: Pair) -> None:
    for tree in (pair.ours, pair.sams):
        write_files(tree, {"python/pkg/template.py": "{% if %}\n"})

    assert "python/pkg/template.py" not in told(pair)


def test_differences_bytecode_without_source_is_a_fault(pair: Pair) -> None:
    for tree in (pair.ours, pair.sams):
        (tree / "python/pkg/core.py").unlink()

    assert told(pair)[PYC] == "is bytecode without its source"


def test_judge_bytecode_of_the_source_is_right() -> None:
    assert judge_bytecode(bytecode(), SOURCE.encode(), NAMED, is_ours=True) == ""


def test_judge_bytecode_with_a_time_is_stale() -> None:
    made = bytecode()[:4] + bytes(4) + bytecode()[8:]

    assert judge_bytecode(made, SOURCE.encode(), NAMED, is_ours=True) == "is bytecode that Lambda would find stale"


def test_judge_bytecode_of_another_source_is_told() -> None:
    assert judge_bytecode(bytecode(), b"VALUE = 3\n", NAMED, is_ours=True) == "is bytecode of another source"


def test_judge_bytecode_of_other_code_under_a_right_header_is_told() -> None:
    made = bytecode("VALUE = 'evil'\n")

    assert judge_bytecode(made, SOURCE.encode(), NAMED, is_ours=True) == "is bytecode of other code"


def test_judge_bytecode_of_another_place_is_told() -> None:
    made = bytecode(named="/home/somebody/core.py")

    assert judge_bytecode(made, SOURCE.encode(), NAMED, is_ours=True) == "is bytecode of /home/somebody/core.py"


def test_judge_bytecode_cut_short_is_damaged() -> None:
    assert judge_bytecode(bytecode()[:30], SOURCE.encode(), NAMED, is_ours=True) == "is damaged bytecode"


def test_judge_bytecode_for_another_python_is_judged_by_its_header() -> None:
    assert judge_bytecode(HEADER + b"?", SOURCE.encode(), NAMED, is_ours=False) == ""
