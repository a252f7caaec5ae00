import os
from pathlib import Path

import pytest

from automation.building import sources
from automation.system.errors import ConfigurationError


def write(root: Path, *names: str, text: str = "x") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


def names(root: Path) -> list[str]:
    return [file.name for file in sources.list_files(root, display_name="code")]


def test_list_files_is_sorted_without_caches_and_requirements(tmp_path: Path) -> None:
    write(
        tmp_path,
        "b.py",
        "a/c.json",
        "requirements.txt",
        "requirements.in",
        "uv.lock",
        "pylock.toml",
        "poetry.lock",
        "a/__pycache__/x.py",
        "a/.gitignore",
        "a/.DS_Store",
        "old.pyc",
        "old.pyo",
    )
    caches = (
        "alchemiser aws-sam cache git hypothesis import_linter_cache mypy_cache nox pytest_cache ruff_cache sandbox"
    )
    write(tmp_path, *(f".{name}/x.py" for name in (*caches.split(), "tools", "tox")))

    assert names(tmp_path) == ["a/c.json", "b.py"]
    assert sources.left_out(tmp_path) == ()


def test_list_files_follows_links_to_folders(tmp_path: Path) -> None:
    write(tmp_path, "elsewhere/app.py", "code/own.py")
    (tmp_path / "code" / "linked").symlink_to(tmp_path / "elsewhere")

    assert names(tmp_path / "code") == ["linked/app.py", "own.py"]


@pytest.mark.parametrize(
    ("target", "message"),
    [("nowhere", "links to nowhere, which does not exist"), (".", "links to a folder that contains it")],
)
def test_list_files_broken_or_circular_link_is_refused(tmp_path: Path, target: str, message: str) -> None:
    (tmp_path / "link").symlink_to(target)

    with pytest.raises(ConfigurationError, match=f"code/link: {message}$"):
        names(tmp_path)


def test_list_files_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(ConfigurationError) as raised:
        names(tmp_path)

    why = "is neither a file nor a folder, so it cannot be shipped; move it out of the code folder"
    assert str(raised.value) == f"code/pipe: {why}"


def test_copy_files_sets_the_modes_of_the_zip(tmp_path: Path) -> None:
    write(tmp_path, "code/deep/er/plain", "code/run.sh")
    (tmp_path / "code/deep/er/plain").chmod(0o600)
    (tmp_path / "code" / "run.sh").chmod(0o700)

    sources.copy_files(sources.list_files(tmp_path / "code", display_name="code"), tmp_path / "out")

    assert [(tmp_path / "out" / name).stat().st_mode & 0o777 for name in ("deep/er/plain", "run.sh")] == [0o644, 0o755]


def test_list_files_leaves_out_what_belongs_to_tools(tmp_path: Path) -> None:
    write(
        tmp_path,
        "app.py",
        "env/settings.py",
        "virtual/pyvenv.cfg",
        "virtual/lib/x.py",
        "lib/deep/venv/pyvenv.cfg",
        "lib/deep/own.py",
        *(f"{name}/x.py" for name in (".chalice", ".idea", ".venv", ".vscode", "htmlcov", "node_modules")),
        "own.egg-info/PKG-INFO",
        *(".coverage", ".env", ".python-version", "samconfig.toml"),
        "locks/own.txt",
        "automation/own.py",
    )
    write(tmp_path, "tasks.py", text="from automation import commands\n")
    write(tmp_path, "noxfile.py", text="import nox\n")

    assert names(tmp_path) == ["app.py", "automation/own.py", "env/settings.py", "lib/deep/own.py", "locks/own.txt"]
    assert sources.left_out(tmp_path) == (
        ".chalice/", ".coverage", ".env", ".idea/", ".python-version", ".venv/", ".vscode/", "htmlcov/",
        "node_modules/", "noxfile.py", "own.egg-info/", "samconfig.toml", "tasks.py", "virtual/",
    )  # fmt: skip


def test_list_files_ships_namesakes_of_the_tools(tmp_path: Path) -> None:
    write(tmp_path, "tasks.py", text="from celery import task\n")
    write(tmp_path, "deep/noxfile.py", text="import nox\n")

    assert names(tmp_path) == ["deep/noxfile.py", "tasks.py"]
    assert sources.left_out(tmp_path) == ()


def test_list_files_leaves_out_this_automation_and_its_locks(tmp_path: Path) -> None:
    write(tmp_path, "app.py")
    own = Path(sources.__file__).resolve().parents[1]
    (tmp_path / "automation").symlink_to(own)
    (tmp_path / "locks").symlink_to(own.with_name("locks"))

    assert names(tmp_path) == ["app.py"]
    assert sources.left_out(tmp_path) == ("automation/", "locks/")


def test_list_files_of_one_file_is_that_file(tmp_path: Path) -> None:
    write(tmp_path, "src/app.py", "src/more.py")

    assert sources.list_files(tmp_path / "src/app.py", display_name="code") == (
        sources.SourceFile("app.py", tmp_path / "src/app.py"),
    )
    assert sources.left_out(tmp_path / "src/app.py") == ()


def test_is_of_tool_knows_caches_folders_of_tools_and_environments(tmp_path: Path) -> None:
    write(tmp_path, ".git/x", ".vscode/x", "env/pyvenv.cfg", "src/x")

    assert [folder.name for folder in sorted(tmp_path.iterdir()) if sources.is_of_tool(folder)] == [
        ".git", ".vscode", "env",
    ]  # fmt: skip
