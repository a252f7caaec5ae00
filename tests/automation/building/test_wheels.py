import base64
import hashlib
from pathlib import Path

import pytest

from automation.building import wheels
from automation.system import files, tools
from automation.system.errors import ConfigurationError, ToolError
from tests.automation.projects import write_files

HASH = f"--hash=sha256:{'0' * 64}"
CODE = b"x = 1\n"
DIGEST = base64.urlsafe_b64encode(hashlib.sha256(CODE).digest()).rstrip(b"=").decode()
RECORD = f"pkg/__init__.py,sha256={DIGEST},{len(CODE)}\npkg-1.dist-info/RECORD,,\n"


def locked(root: Path, text: str, *, with_input: bool = True) -> Path:
    write_files(root, {"layer/requirements.txt": text} | ({"layer/requirements.in": "pkg\n"} if with_input else {}))
    return root / "layer" / "requirements.txt"


def installed(tree: Path, code: bytes = CODE) -> Path:
    write_files(tree, {"pkg/__init__.py": code.decode(), "pkg-1.dist-info/RECORD": RECORD})
    return tree


def fake_uv(root: Path, *, without_cache: str) -> Path:
    """Write a uv that installs a damaged file from its cache, and runs `without_cache` when it may not use it."""
    program = root / "uv"
    program.write_text(f"""#!/bin/sh
mkdir -p "$4/pkg" "$4/pkg-1.dist-info"
printf 'damaged' > "$4/pkg/__init__.py"
printf '{RECORD}' > "$4/pkg-1.dist-info/RECORD"
case "$*" in *--no-cache*) {without_cache};; esac
""")
    program.chmod(0o755)
    return program


def test_prune_keeps_metadata_and_removes_what_no_import_needs(tmp_path: Path) -> None:
    wanted = ["numpy/core.py", "numpy-1.dist-info/METADATA", "tests/kept.py"]
    unwanted = ["bin/f2py", ".lock", "numpy/core.pyi", "numpy/tests/test_a.py", "numpy-1.dist-info/REQUESTED"]
    write_files(tmp_path, dict.fromkeys([*wanted, *unwanted], ""))

    wheels.prune(tmp_path)

    assert sorted(path.as_posix() for path in files.walk(tmp_path)) == sorted(wanted)


def test_prune_record_lists_only_what_is_left(tmp_path: Path) -> None:
    record = "numpy-1.dist-info/RECORD"
    core = '"numpy/a,b.py",sha256=x,1'
    for folder in ("here", "there"):
        rows = f"{core}\nbin/f2py,sha256={folder},9\nnumpy/core.pyi,sha256=y,1\n{record},,\n"
        files_there = dict.fromkeys(["numpy/a,b.py", "bin/f2py", "numpy/core.pyi"], "")
        write_files(tmp_path / folder, {**files_there, record: rows})
        wheels.prune(tmp_path / folder)

    assert (tmp_path / "here" / record).read_text() == f"{core}\n{record},,\n"
    assert (tmp_path / "here" / record).read_bytes() == (tmp_path / "there" / record).read_bytes()


@pytest.mark.parametrize(
    ("version", "architecture", "name"),
    [
        ("3.12", "x86_64", "x86_64-manylinux_2_34"),
        ("3.13", "arm64", "aarch64-manylinux_2_34"),
        ("3.11", "arm64", "aarch64-manylinux_2_17"),
    ],
)
def test_platform_follows_the_system_of_the_runtime(version: str, architecture: str, name: str) -> None:
    assert wheels.platform(version, architecture) == name


def test_platform_unknown_architecture_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="architecture mips is not one of x86_64, arm64"):
        wheels.platform("3.12", "mips")


@pytest.mark.parametrize(
    ("text", "with_input", "line"),
    [
        (f"a==1 {HASH}\nb==2\n", False, "2: b==2"),
        ("# none\na==1\n", True, "2: a==1"),
        (f"a==1 {HASH}\nb @ https://example.com/b.whl\n", True, "2: b @ https"),
    ],
)
def test_is_lock_requirement_without_hash_is_refused(tmp_path: Path, text: str, with_input: bool, line: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"requirements\.txt:{line}.* has no hash.*run inv lock"):
        wheels.is_lock(locked(tmp_path, text, with_input=with_input))


def test_is_lock_plain_list_is_false_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not wheels.is_lock(locked(tmp_path, "a\nb>2\n", with_input=False))
    assert "is not locked" in capsys.readouterr().err


def test_is_lock_with_every_hash_or_no_requirement_is_true(tmp_path: Path) -> None:
    assert wheels.is_lock(locked(tmp_path, f"a==1 {HASH}\n"))
    assert wheels.is_lock(locked(tmp_path, "# nothing\n"))


def test_install_failure_of_uv_is_a_tool_error(tmp_path: Path) -> None:
    lock = locked(tmp_path, f"pkg=={HASH}\n")

    with pytest.raises(ToolError, match=r"requirements\.txt: the requirements could not be installed: "):
        wheels.install(lock, tmp_path / "target", version="3.12", architecture="x86_64")


def test_damaged_files_differ_from_the_record(tmp_path: Path) -> None:
    assert list(wheels.damaged_files(installed(tmp_path / "sound"))) == []
    assert list(wheels.damaged_files(installed(tmp_path / "bad", b"x = 2\n"))) == ["pkg: pkg/__init__.py"]


def test_install_damaged_cache_is_bypassed_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uv = fake_uv(tmp_path, without_cache="printf 'x = 1\\n' > \"$4/pkg/__init__.py\"")
    monkeypatch.setattr(tools, "uv_program", lambda: uv)

    wheels.install(locked(tmp_path, f"pkg==1 {HASH}\n"), tmp_path / "target", version="3.12", architecture="x86_64")

    assert (tmp_path / "target/pkg/__init__.py").read_bytes() == CODE
    assert "run uv cache clean pkg to repair the cache" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("without_cache", "message"),
    [("echo no network >&2; exit 1", "could not be downloaded again.*no network"), ("true", "differs from its RECORD")],
)
def test_install_file_that_stays_damaged_is_a_tool_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_cache: str, message: str
) -> None:
    monkeypatch.setattr(tools, "uv_program", lambda: fake_uv(tmp_path, without_cache=without_cache))

    with pytest.raises(ToolError, match=f"(?s)requirements.txt: .*{message}"):
        wheels.install(locked(tmp_path, f"pkg==1 {HASH}\n"), tmp_path / "t", version="3.12", architecture="x86_64")
