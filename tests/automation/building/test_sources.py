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
        "a/__pycache__/x.pyc",
        ".git/HEAD",
        "old.pyc",
    )

    assert names(tmp_path) == ["a/c.json", "b.py"]


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

    with pytest.raises(ConfigurationError, match=f"code/link: {message}"):
        names(tmp_path)


def test_copy_files_sets_the_modes_of_the_zip(tmp_path: Path) -> None:
    write(tmp_path, "code/plain", "code/run.sh")
    (tmp_path / "code" / "plain").chmod(0o600)
    (tmp_path / "code" / "run.sh").chmod(0o700)

    sources.copy_files(sources.list_files(tmp_path / "code", display_name="code"), tmp_path / "out")

    assert [(tmp_path / "out" / name).stat().st_mode & 0o777 for name in ("plain", "run.sh")] == [0o644, 0o755]


def test_requirement_lines_join_continuations_and_leave_out_comments(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text("# by uv\n\na==1 \\\n    --hash=sha256:00\n    # via b\nb @ https://x/y#sha256=1  # c\n")

    assert list(sources.requirement_lines(lock)) == [(3, "a==1 --hash=sha256:00"), (6, "b @ https://x/y#sha256=1")]


def test_lock_files_are_the_lock_and_its_includes_once(tmp_path: Path) -> None:
    write(tmp_path, "layer/requirements.txt", text="-r ../base.txt\n-c limits.txt\n")
    write(tmp_path, "base.txt", text="--requirement=layer/limits.txt\n")
    write(tmp_path, "layer/limits.txt", text="-r requirements.txt\n")

    paths = sources.lock_files(tmp_path / "layer" / "requirements.txt")

    assert [path.name for path in paths] == ["requirements.txt", "base.txt", "limits.txt"]


def test_lock_files_missing_include_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, "requirements.txt", text="a==1\n-r missing.txt\n")

    with pytest.raises(ConfigurationError, match=r"requirements\.txt:2: missing\.txt does not exist"):
        sources.lock_files(tmp_path / "requirements.txt")
