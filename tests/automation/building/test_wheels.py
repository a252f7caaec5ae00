import base64
import hashlib
from pathlib import Path

import pytest

from automation.building import wheels
from automation.system import tools
from automation.system.errors import ConfigurationError, ToolError
from tests.automation.projects import write_files

HASH = f"--hash=sha256:{'0' * 64}"
CODE = b"x = 1\n"
DIGEST = base64.urlsafe_b64encode(hashlib.sha256(CODE).digest()).rstrip(b"=").decode()
RECORD = f"pkg/__init__.py,sha256={DIGEST},{len(CODE)}\npkg-1.dist-info/RECORD,,\n"


def locked(root: Path, text: str, *, asked: bool = True) -> Path:
    write_files(root, {"layer/requirements.txt": text} | ({"layer/requirements.in": "pkg\n"} if asked else {}))
    return root / "layer" / "requirements.txt"


def installed(tree: Path, code: bytes = CODE) -> Path:
    write_files(tree, {"pkg/__init__.py": code.decode(), "pkg-1.dist-info/RECORD": RECORD})
    return tree


def stand_in_for_uv(root: Path, *, then: str) -> Path:
    """A uv that installs a damaged file from its cache; what it does without the cache is `then`."""
    program = root / "uv"
    program.write_text(f"""#!/bin/sh
mkdir -p "$4/pkg" "$4/pkg-1.dist-info"
printf 'damaged' > "$4/pkg/__init__.py"
printf '{RECORD}' > "$4/pkg-1.dist-info/RECORD"
case "$*" in *--no-cache*) {then};; esac
""")
    program.chmod(0o755)
    return program


def test_prune_keeps_metadata_and_takes_what_no_import_needs(tmp_path: Path) -> None:
    wanted = ["numpy/core.py", "numpy-1.dist-info/METADATA", "tests/kept.py"]
    unwanted = ["bin/f2py", ".lock", "numpy/core.pyi", "numpy/tests/test_a.py", "numpy-1.dist-info/REQUESTED"]
    write_files(tmp_path, dict.fromkeys([*wanted, *unwanted], ""))

    wheels.prune(tmp_path)

    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()) == sorted(wanted)


def test_prune_record_lists_what_is_left_whatever_a_programs_first_line_was(tmp_path: Path) -> None:
    record = "numpy-1.dist-info/RECORD"
    core = '"numpy/a,b.py",sha256=x,1'
    for folder in ("one", "two"):
        rows = f"{core}\nbin/f2py,sha256={folder},9\nnumpy/core.pyi,sha256=y,1\n{record},,\n"
        files_there = dict.fromkeys(["numpy/a,b.py", "bin/f2py", "numpy/core.pyi"], "")
        write_files(tmp_path / folder, {**files_there, record: rows})
        wheels.prune(tmp_path / folder)

    assert (tmp_path / "one" / record).read_text() == f"{core}\n{record},,\n"
    assert (tmp_path / "one" / record).read_bytes() == (tmp_path / "two" / record).read_bytes()


@pytest.mark.parametrize(
    ("version", "architecture", "named"),
    [
        ("3.12", "x86_64", "x86_64-manylinux_2_34"),
        ("3.13", "arm64", "aarch64-manylinux_2_34"),
        ("3.11", "arm64", "aarch64-manylinux_2_17"),
    ],
)
def test_platform_is_that_of_the_runtimes_system(version: str, architecture: str, named: str) -> None:
    assert wheels.platform(version, architecture) == named


def test_platform_of_another_architecture_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="architecture mips is not one of x86_64, arm64"):
        wheels.platform("3.12", "mips")


@pytest.mark.parametrize(
    ("text", "asked", "line"),
    [
        (f"a==1 {HASH}\nb==2\n", False, "2: b==2"),
        ("# none\na==1\n", True, "2: a==1"),
        (f"a==1 {HASH}\nb @ https://example.com/b.whl\n", True, "2: b @ https"),
    ],
)
def test_is_lock_requirement_without_hash_is_named_with_its_line(
    tmp_path: Path, text: str, asked: bool, line: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"requirements\.txt:{line}.* has no hash.*run inv lock"):
        wheels.is_lock(locked(tmp_path, text, asked=asked))


def test_is_lock_plain_list_is_none_and_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not wheels.is_lock(locked(tmp_path, "a\nb>2\n", asked=False))
    assert "is not locked" in capsys.readouterr().err


def test_is_lock_with_every_hash_or_nothing_to_install(tmp_path: Path) -> None:
    assert wheels.is_lock(locked(tmp_path, f"a==1 {HASH}\n"))
    assert wheels.is_lock(locked(tmp_path, "# nothing\n"))


def test_install_that_uv_refuses_tells_its_words(tmp_path: Path) -> None:
    lock = locked(tmp_path, f"pkg=={HASH}\n")

    with pytest.raises(ToolError, match=r"requirements\.txt: its requirements could not be installed: "):
        wheels.install(lock, tmp_path / "target", version="3.12", architecture="x86_64")


def test_damages_are_files_that_are_not_as_recorded(tmp_path: Path) -> None:
    assert list(wheels.damages(installed(tmp_path / "sound"))) == []
    assert list(wheels.damages(installed(tmp_path / "bad", b"x = 2\n"))) == ["pkg: pkg/__init__.py"]


def test_install_from_a_damaged_cache_fetches_again_and_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uv = stand_in_for_uv(tmp_path, then="printf 'x = 1\\n' > \"$4/pkg/__init__.py\"")
    monkeypatch.setattr(tools, "uv_program", lambda: uv)

    wheels.install(locked(tmp_path, f"pkg==1 {HASH}\n"), tmp_path / "target", version="3.12", architecture="x86_64")

    assert (tmp_path / "target/pkg/__init__.py").read_bytes() == CODE
    assert "run uv cache clean pkg to mend the cache" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("then", "told"),
    [("echo no network >&2; exit 1", "could not be fetched again.*no network"), ("true", "not as its RECORD says")],
)
def test_install_from_a_damaged_cache_that_stays_damaged_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str, told: str
) -> None:
    monkeypatch.setattr(tools, "uv_program", lambda: stand_in_for_uv(tmp_path, then=then))

    with pytest.raises(ToolError, match=f"(?s)requirements.txt: .*{told}"):
        wheels.install(locked(tmp_path, f"pkg==1 {HASH}\n"), tmp_path / "t", version="3.12", architecture="x86_64")
