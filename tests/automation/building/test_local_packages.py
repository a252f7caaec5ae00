from pathlib import Path

from automation.building import local_packages
from tests.automation.projects import write_files


def test_copy_keeps_folders_side_by_side_and_leaves_builds_behind(tmp_path: Path) -> None:
    write_files(tmp_path, {"p/a/setup.py": "a", "p/a/build/x": "", "p/x/b/m/n/b.py": "b", "p/unneeded": ""})
    (tmp_path / "p/a/setup.py").chmod(0o755)

    copies = local_packages.copy([tmp_path / "p/a", tmp_path / "p/x/b"], tmp_path / "work")

    a, b = (copies[(tmp_path / "p" / name).resolve()] for name in ("a", "x/b"))
    assert (b / "../../a").resolve() == a
    assert [path.relative_to(a).as_posix() for path in sorted(a.rglob("*"))] == ["setup.py"]
    assert (a / "setup.py").stat().st_mode & 0o111
    assert (b / "m/n/b.py").read_text() == "b"


def test_copy_single_folder_keeps_its_name(tmp_path: Path) -> None:
    write_files(tmp_path, {"lib/setup.py": ""})

    copies = local_packages.copy([tmp_path / "lib"], tmp_path / "work")

    assert [path.name for path in copies.values()] == ["lib"]


def test_copy_folder_inside_another_lies_in_its_copy(tmp_path: Path) -> None:
    write_files(tmp_path, {"lib/setup.py": "", "lib/inner/setup.py": ""})

    lib, inner = local_packages.copy([tmp_path / "lib", tmp_path / "lib/inner"], tmp_path / "work").values()

    assert (lib, inner) == (tmp_path / "work/packages/lib", lib / "inner")


def test_copy_of_nothing_is_empty(tmp_path: Path) -> None:
    assert local_packages.copy([], tmp_path / "work") == {}
    assert not (tmp_path / "work").exists()
