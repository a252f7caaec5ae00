import base64
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from automation.building import bytecode, uv_installs
from automation.building.uv_installs import BuildFailedError, Installation
from automation.lambda_runtime import interpreters
from automation.lambda_runtime.interpreters import Interpreter
from automation.system.errors import ToolError
from tests.automation.projects import write_files

type FakeUv = Callable[[str], Installation]

CODE = b"x = 1\n"
DIGEST = base64.urlsafe_b64encode(hashlib.sha256(CODE).digest()).rstrip(b"=").decode()
RECORD = f"pkg/__init__.py,sha256={DIGEST},{len(CODE)}\npkg-1.dist-info/RECORD,,\n"
NO_COMPILER = "no-compiler no-compiler no-compiler"
INSTALL = f"""
mkdir -p "$TARGET/pkg" "$TARGET/pkg-1.dist-info"
printf 'x = 1\\n' > "$TARGET/pkg/__init__.py"
printf '{RECORD}' > "$TARGET/pkg-1.dist-info/RECORD"
"""


def installed(tree: Path, code: bytes = CODE) -> Path:
    write_files(tree, {"pkg/__init__.py": code.decode(), "pkg-1.dist-info/RECORD": RECORD})
    return tree


@pytest.fixture
def fake_uv(tmp_path: Path) -> FakeUv:
    """Return what makes an installation whose uv is a script; each of its runs is a line of calls.txt."""

    def make(script: str) -> Installation:
        uv, target = tmp_path / "uv", tmp_path / "target"
        uv.write_text(f'#!/bin/sh\nTARGET={target}\necho "$CC $CXX $CARGO $*" >> {tmp_path}/calls.txt\n{script}\n')
        uv.chmod(0o755)
        write_files(tmp_path, {"src/requirements.txt": ""})
        return Installation(tmp_path / "src/requirements.txt", target, tmp_path, [uv, "install"], "3.12")

    return make


def calls(tmp_path: Path) -> list[str]:
    return [line.strip() for line in (tmp_path / "calls.txt").read_text().splitlines()]


def test_run_takes_wheels_only_and_empties_the_folder_first(tmp_path: Path, fake_uv: FakeUv) -> None:
    write_files(tmp_path, {"target/old.py": ""})

    uv_installs.run(fake_uv(INSTALL))

    assert calls(tmp_path) == [f"install --only-binary :all: --python {sys.executable}"]
    assert sorted(path.name for path in (tmp_path / "target").iterdir()) == ["pkg", "pkg-1.dist-info"]


def test_run_builds_what_has_no_wheel_without_a_compiler(tmp_path: Path, fake_uv: FakeUv) -> None:
    refusal = "echo 'hint: Wheels are required for `pkg` because building from source is disabled' >&2; exit 1"
    program = bytecode.find_interpreter("3.12") or sys.executable

    uv_installs.run(fake_uv(f"case $* in *pkg*) {INSTALL} ;; *) {refusal} ;; esac"))

    assert calls(tmp_path) == [
        f"install --only-binary :all: --python {sys.executable}",
        f"{NO_COMPILER} install --only-binary :all: --no-binary pkg --python {program}",
    ]


def test_run_folder_without_a_name_lifts_the_restriction(tmp_path: Path, fake_uv: FakeUv) -> None:
    refusal = "echo 'error: Building source distributions is disabled' >&2; exit 1"

    uv_installs.run(fake_uv(f"case $* in *only*) {refusal} ;; *) {INSTALL} ;; esac"))

    assert calls(tmp_path)[1].startswith(f"{NO_COMPILER} install --python ")


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        ("Failed to build `pkg==1`\ncommand 'no-compiler' failed", "its source needs a compiler"),
        (
            "Failed to download and build `pkg==1`\nbuilt wheel `pkg-1.whl` is not compatible",
            "its source needs a compiler",
        ),
        ("Failed to build `pkg==1`\nx\nValueError: bad\nhint: y", "its source cannot be built: ValueError: bad"),
        ("failed to build `pkg==1`\nerror: it broke.\nlast words", "its source cannot be built: it broke"),
        ("Failed to build `pkg==1`\nKeyError\n cause: it broke", "its source cannot be built: it broke"),
        ("Failed to build `pkg==1`\nlast words\n\nhint: y", "its source cannot be built: last words"),
    ],
)
def test_run_failed_build_names_the_ways_out(fake_uv: FakeUv, refusal: str, message: str) -> None:
    first = "echo 'error: attempted to build `pkg`' >&2; exit 1"
    script = f"case $* in *no-binary*) printf '%s' \"$REFUSAL\" >&2; exit 1 ;; *) {first} ;; esac"
    quoted = refusal.replace("`", "\\`")
    expected = (
        f"pkg==1 has no wheel for this target, and {message}; choose a version that has a wheel, or run inv build"
    )

    with pytest.raises(BuildFailedError, match=rf"requirements\.txt: {expected} --engine sam$"):
        uv_installs.run(fake_uv(f'REFUSAL="{quoted}"\n{script}'))


def test_run_failed_build_without_a_word_says_so(fake_uv: FakeUv) -> None:
    first = "echo 'error: attempted to build `pkg`' >&2; exit 1"

    with pytest.raises(BuildFailedError, match="its source cannot be built: uv gave no reason; choose a version that"):
        uv_installs.run(fake_uv(f"case $* in *no-binary*) exit 1 ;; *) {first} ;; esac"))


def test_run_that_fails_again_for_the_same_reason_ends(tmp_path: Path, fake_uv: FakeUv) -> None:
    with pytest.raises(
        BuildFailedError, match="pkg has no wheel for this target, and its source cannot be built: attempted"
    ):
        uv_installs.run(fake_uv("echo 'error: attempted to build `pkg`' >&2; exit 1"))

    assert len(calls(tmp_path)) == 2


PROGRESS = "Using x\nResolved x\nPrepared x\nDownloading x\nDownloaded x\nBuilding x\nBuilt x\nUpdating x\nUpdated x\n"
INSTEAD = "choose a version that has a wheel for this target, and run inv lock"


def failure(uv: FakeUv, stderr: str) -> str:
    with pytest.raises(ToolError) as raised:
        uv_installs.run(uv(f"printf '%s' '{stderr}' >&2; exit 1"))

    where, _, message = str(raised.value).partition("src/requirements.txt: ")
    assert where
    return message


@pytest.mark.parametrize(
    ("stderr", "shown"), [(f"{PROGRESS}error: bad\n", "error: bad"), ("1\n\n2\n3\n4\n5\n6\n7", "1 2 3 4 5 6")]
)
def test_run_failure_shows_the_first_lines_without_progress(fake_uv: FakeUv, stderr: str, shown: str) -> None:
    assert failure(fake_uv, stderr) == f"the requirements could not be installed: {shown}"


@pytest.mark.parametrize(
    ("stderr", "fix"),
    [
        (
            "No space left on device",
            "the disk is full and the last build is unchanged; free some space and build again",
        ),
        ("Hash mismatch for a", "somebody changed the wheel or the lock; if the new one is right, run inv lock"),
        ("not found in the package registry", "correct the name; if its index is private, set UV_INDEX to that index"),
        ("a==1 has no wheels with a matching tag", INSTEAD),
        ("a==1 has no usable wheels", INSTEAD),
        ("3.9, which is incompatible with the `pylock.toml`", "install that Python: uv python install VERSION"),
        ("no pkg-resources==0.0.0", "remove that line, which pip freeze of some systems adds by mistake"),
    ],
)
def test_run_known_failure_has_a_fix(fake_uv: FakeUv, stderr: str, fix: str) -> None:
    assert failure(fake_uv, stderr) == f"the requirements could not be installed: {stderr}; {fix}"


@pytest.mark.parametrize(("name", "is_refused"), [("pkg/a.so", True), ("pkg/a.pyd", True), ("pkg/so.py", False)])
def test_run_compiled_module_built_here_is_refused(fake_uv: FakeUv, name: str, is_refused: bool) -> None:
    built = (
        f"{INSTALL}\nprintf '{name},,\\n' >> $TARGET/pkg-1.dist-info/RECORD\n: > $TARGET/pkg-1.dist-info/uv_build.json"
    )
    if not is_refused:
        uv_installs.run(fake_uv(built))
        return

    with pytest.raises(ToolError, match=r"pkg==1 has no wheel for this target, and its source needs a compiler; "):
        uv_installs.run(fake_uv(built))


@pytest.mark.parametrize("failure", ["no-compiler", "KeyError"])
def test_run_source_of_what_never_has_a_wheel_needs_another_package(fake_uv: FakeUv, failure: str) -> None:
    first = "echo 'all versions of pkg have no usable wheels'; echo 'Wheels are required for `pkg` because building'"
    second = f"printf 'Failed to build `pkg==1`\\n{failure}' >&2; exit 1"
    script = f"case $* in *no-binary*) {second} ;; *) {{ {first}; }} >&2; exit 1 ;; esac"
    advice = "no version of pkg has one, so take another package or a layer that has it, or run inv build --engine sam"

    with pytest.raises(BuildFailedError, match=rf"; {advice}$"):
        uv_installs.run(fake_uv(script))


def test_run_source_with_a_sibling_that_has_wheels_names_it(fake_uv: FakeUv) -> None:
    refusal = "printf 'attempted to build `psycopg2`\\nFailed to build `psycopg2==2.9`\\nno-compiler' >&2; exit 1"

    with pytest.raises(ToolError, match=r"needs a compiler; require psycopg2-binary, which has the same modules$"):
        uv_installs.run(fake_uv(refusal))


def test_run_compiled_module_of_a_wheel_is_fine(tmp_path: Path, fake_uv: FakeUv) -> None:
    uv_installs.run(fake_uv(f"{INSTALL}\nprintf 'pkg/a.so,,\\n' >> $TARGET/pkg-1.dist-info/RECORD"))

    assert len(calls(tmp_path)) == 1


@pytest.mark.parametrize(
    ("stderr", "names"),
    [
        ("hint: Wheels are required for `Py-Spark` because building from source is disabled for all", {"py-spark"}),
        ("error: Building source distributions is disabled, but attempted to build `a-b`", {"a-b"}),
        ("Package `a` can't be installed because it is marked as `--no-build` but has no", {"a"}),
        ("Package `a @ file:///b` can't be installed because it is marked as `--no-build`", {"a"}),
        ("error: Building source distributions is disabled", {uv_installs.ANY}),
        ("hint: Wheels are available for `pywin32` (v306) on the following platforms: `win32`", set()),
        ("warning: The package `a==1` does not have an extra named `b`", set()),
    ],
)
def test_without_wheel_reads_the_names_from_uv(stderr: str, names: set[str]) -> None:
    assert uv_installs.without_wheel(stderr) == names


def test_damaged_files_differ_from_the_record(tmp_path: Path) -> None:
    assert list(uv_installs.damaged_files(installed(tmp_path / "sound"))) == []
    assert list(uv_installs.damaged_files(installed(tmp_path / "bad", b"x = 2\n"))) == ["pkg: pkg/__init__.py"]
    (tmp_path / "bad/pkg/__init__.py").unlink()
    assert list(uv_installs.damaged_files(tmp_path / "bad")) == ["pkg: pkg/__init__.py"]


def test_run_damaged_cache_is_bypassed_with_a_warning(
    tmp_path: Path, fake_uv: FakeUv, capsys: pytest.CaptureFixture[str]
) -> None:
    damage = f"{INSTALL}\ncase $* in *--no-cache*) ;; *) echo damaged > $TARGET/pkg/__init__.py ;; esac"

    uv_installs.run(fake_uv(damage))

    assert (tmp_path / "target/pkg/__init__.py").read_bytes() == CODE
    assert calls(tmp_path)[1] == f"install --no-cache --only-binary :all: --python {sys.executable}"
    assert capsys.readouterr().err == (
        "warning: uv's cache contains a damaged file (pkg: pkg/__init__.py); downloading the wheels again; "
        "run uv cache clean pkg to repair the cache\n"
    )


UNREACHABLE = (
    r"uv's cache contains a damaged file \(pkg: pkg/__init__\.py\) and it could not be downloaded again; "
    r"run uv cache clean pkg\nthe requirements could not be installed: no network"
)
WRONG_WHEEL = (
    r"the wheel contains a file that differs from its RECORD \(pkg: pkg/__init__\.py\); "
    "report it to the package's authors"
)


@pytest.mark.parametrize(
    ("without_cache", "message"),
    [
        ("echo no network >&2; exit 1", UNREACHABLE),
        ("true", WRONG_WHEEL),
    ],
)
def test_run_file_that_stays_damaged_is_a_tool_error(fake_uv: FakeUv, without_cache: str, message: str) -> None:
    damage = f"{INSTALL}\necho damaged > $TARGET/pkg/__init__.py\ncase $* in *--no-cache*) {without_cache} ;; esac"

    with pytest.raises(ToolError, match=rf"requirements\.txt: {message}$"):
        uv_installs.run(fake_uv(damage))


def test_interpreter_is_the_artifacts_own_if_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    provided = {"python3.11": Interpreter(Path("/uv/python3.11"))}
    monkeypatch.setattr(bytecode, "find_interpreter", lambda version: Path("/bin/own") if version == "3.13" else None)
    monkeypatch.setattr(interpreters, "find", lambda runtime, _: provided.get(runtime, Interpreter(None, "none")))

    programs = [uv_installs.interpreter(version, tmp_path) for version in ("3.13", "3.11", "3.10")]

    assert programs == [Path("/bin/own"), Path("/uv/python3.11"), Path(sys.executable)]
