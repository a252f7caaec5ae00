import sys
from pathlib import Path

import pytest

from automation.system import tools
from automation.system.errors import ConfigurationError, ToolError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project with an empty lock, so that creating the environment needs no network."""
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "empty.txt").write_text("")
    return tmp_path


def test_ensure_creates_working_environment(root: Path) -> None:
    environment = tools.ensure("empty", root=root)

    assert environment.path == root / ".tools" / "empty"
    assert environment.program("python3.12").exists()


def test_ensure_again_keeps_the_environment(root: Path) -> None:
    environment = tools.ensure("empty", root=root)
    (environment.path / "kept").touch()

    tools.ensure("empty", root=root)

    assert (environment.path / "kept").exists()


def test_ensure_after_lock_change_recreates_the_environment(root: Path) -> None:
    environment = tools.ensure("empty", root=root)
    (environment.path / "old").touch()
    (root / "locks" / "empty.txt").write_text("# another\n")

    tools.ensure("empty", root=root)

    assert not (environment.path / "old").exists()


def test_ensure_after_interruption_recreates_the_environment(root: Path) -> None:
    unfinished = root / ".tools" / "empty"
    (unfinished / "bin").mkdir(parents=True)
    (unfinished / "bin" / "python").touch()

    environment = tools.ensure("empty", root=root)

    assert (environment.path / "pyvenv.cfg").is_file()


def test_ensure_lock_without_hashes_raises_every_time(root: Path) -> None:
    (root / "locks" / "empty.txt").write_text("requests==2.0\n")

    with pytest.raises(ToolError, match="hash"):
        tools.ensure("empty", root=root)
    with pytest.raises(ToolError, match="hash"):
        tools.ensure("empty", root=root)


def test_ensure_without_lock_raises(root: Path) -> None:
    message = r"^locks/nothing\.txt: this lock does not exist; run inv lock$"
    with pytest.raises(ConfigurationError, match=message):
        tools.ensure("nothing", root=root)


def test_program_missing_from_environment_raises(root: Path) -> None:
    message = r"^sam is not in .*/\.tools/empty; remove that folder and run the command again$"
    with pytest.raises(ToolError, match=message):
        tools.ensure("empty", root=root).program("sam")


def test_stamp_changes_with_lock_and_python() -> None:
    stamps = {tools.stamp(b"a", "3.12"), tools.stamp(b"b", "3.12"), tools.stamp(b"a", "3.13")}

    assert len(stamps) == 3


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the locks that a wheel brings."""
    folder = tmp_path / "wheel"
    folder.mkdir()
    monkeypatch.setattr(tools, "_SHIPPED_LOCKS", folder)
    return folder


@pytest.fixture
def path_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is PATH; our Python lies in another empty one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python" / "python"))
    return folder


def test_uv_program_without_its_package_is_the_one_on_path(path_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    with pytest.raises(ToolError, match=r"^uv was not found; run: python -m pip install uv$"):
        tools.uv_program()

    (path_folder / "uv").touch(mode=0o755)
    assert tools.uv_program() == path_folder / "uv"


def test_environment_on_windows_has_the_folders_of_windows() -> None:
    environment = tools.environment_at(Path("x"), platform="win32")

    assert environment == tools.ToolEnvironment(
        Path("x"), Path("x/Scripts/python.exe"), Path("x/Scripts"), Path("x/Lib/site-packages")
    )


def test_environment_elsewhere_has_a_site_for_its_python() -> None:
    site = Path("x/lib") / f"python{tools.own_python_version()}" / "site-packages"

    assert tools.environment_at(Path("x"), platform="darwin") == tools.ToolEnvironment(
        Path("x"), Path("x/bin/python"), Path("x/bin"), site
    )


def test_ensure_compiles_the_runtime_only(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    uv, runtime, empty = root / "uv", root / ".tools/runtime", root / ".tools/empty"
    uv.write_text('#!/bin/sh\necho "$*$VIRTUAL_ENV$PYTHONPATH$PYTHONHOME" >> words\n')
    uv.chmod(0o755)
    (root / "locks" / "runtime.txt").touch()
    monkeypatch.setattr(tools, "uv_program", lambda: uv)
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"):
        monkeypatch.setenv(name, "not for uv")

    for name in ("runtime", "empty"):
        tools.ensure(name, root=root)

    install, lock = "pip install --python", f"--require-hashes -r {root}/locks"
    assert (root / "words").read_text().splitlines() == [
        f"venv --quiet --python {sys.executable} {runtime}",
        f"{install} {runtime}/bin/python {lock}/runtime.txt --compile-bytecode",
        f"venv --quiet --python {sys.executable} {empty}",
        f"{install} {empty}/bin/python {lock}/empty.txt",
    ]


def test_ensure_site_is_where_packages_are(root: Path) -> None:
    assert tools.ensure("empty", root=root).site.is_dir()


def test_program_of_windows_has_an_ending(tmp_path: Path) -> None:
    environment = tools.ToolEnvironment(tmp_path, tmp_path, tmp_path, tmp_path)
    (tmp_path / "sam.exe").touch()

    assert environment.program("sam") == tmp_path / "sam.exe"


def test_lock_file_of_the_project_comes_before_the_shipped_one(root: Path, shipped: Path) -> None:
    assert tools.lock_file(root, "sam") == root / "locks" / "sam.txt"

    (shipped / "sam.txt").touch()
    (shipped / "empty.txt").touch()
    assert tools.lock_file(root, "sam") == shipped / "sam.txt"
    assert tools.lock_file(root, "empty") == root / "locks" / "empty.txt"


def test_ensure_uses_the_shipped_lock(root: Path, shipped: Path) -> None:
    (shipped / "more.txt").write_text("")

    assert tools.ensure("more", root=root).path == root / ".tools" / "more"
    assert (root / ".tools" / ".gitignore").read_text() == "*\n"


def test_find_program_prefers_an_installed_one_to_the_shipped_lock(
    root: Path, shipped: Path, path_folder: Path
) -> None:
    programs = root / ".tools" / "sam" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "sam"):
        (programs / name).touch()
    (programs.parent / "made-from").write_text(tools.stamp(b"", tools.own_python_version()))
    (shipped / "sam.txt").write_text("")
    assert tools.find_program(root, "sam") == programs / "sam"

    (path_folder / "sam").touch(mode=0o755)
    assert tools.find_program(root, "sam") == path_folder / "sam"

    (root / "locks" / "sam.txt").write_text("")
    assert tools.find_program(root, "sam") == programs / "sam"


def test_find_program_without_any_is_none(root: Path, path_folder: Path) -> None:
    assert tools.find_program(root, "sam") is None


def test_installed_program_beside_our_python_comes_before_path(tmp_path: Path, path_folder: Path) -> None:
    assert tools.installed_program("x") is None

    (path_folder / "x").touch(mode=0o755)
    assert tools.installed_program("x") == path_folder / "x"

    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "x").touch(mode=0o755)
    assert tools.installed_program("x") == tmp_path / "python" / "x"
