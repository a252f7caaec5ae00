from pathlib import Path

import pytest

from automation.proof import finder
from automation.proof.finder import Finder
from tests.automation.proof.small import install


def lay(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return root


def test_find_package_hides_the_module_of_a_later_folder(tmp_path: Path) -> None:
    first, second = lay(tmp_path / "a", "shop/__init__.py"), lay(tmp_path / "b", "shop.py")

    module = Finder([first, second]).find("shop")

    assert module is not None
    assert module.file == first / "shop" / "__init__.py"


def test_find_namespace_package_has_the_folders_of_all_its_parts(tmp_path: Path) -> None:
    first, second = lay(tmp_path / "a", "shop/till.py"), lay(tmp_path / "b", "shop/stock.py")

    module = Finder([first, second]).find("shop")

    assert module is not None
    assert (module.file, module.folders) == (None, (first / "shop", second / "shop"))


def test_find_package_of_a_later_folder_goes_before_a_namespace(tmp_path: Path) -> None:
    first, second = lay(tmp_path / "a", "shop/till.py"), lay(tmp_path / "b", "shop/__init__.py")

    assert Finder([first, second]).find("shop.till") is None


def test_find_compiled_module_goes_before_a_source(tmp_path: Path) -> None:
    root = lay(tmp_path, "fast.py", "fast.cpython-312-x86_64-linux-gnu.so")

    module = Finder([root]).find("fast")

    assert module is not None
    assert module.file == root / "fast.cpython-312-x86_64-linux-gnu.so"


@pytest.mark.parametrize(
    ("name", "missing"), [("shop.till", ""), ("shop.tills.one", "shop.tills"), ("stop", "stop"), ("shop", "")]
)
def test_first_missing_is_the_shortest_prefix_that_is_not_found(tmp_path: Path, name: str, missing: str) -> None:
    assert Finder([lay(tmp_path, "shop/till.py")]).first_missing(name) == missing


@pytest.mark.parametrize(
    ("name", "minor", "is_known"),
    [
        ("json", 12, True),
        ("binhex", 10, True),
        ("binhex", 11, False),
        ("distutils", 11, True),
        ("distutils", 12, False),
        ("cgi", 12, True),
        ("cgi", 13, False),
        ("tomllib", 10, False),
        ("tomllib", 11, True),
        ("annotationlib", 13, False),
        ("annotationlib", 14, True),
        ("compression", 14, True),
        ("pandas", 14, False),
    ],
)
def test_is_stdlib_depends_on_the_version(name: str, minor: int, is_known: bool) -> None:
    assert finder.is_stdlib(name, minor) is is_known


def test_installed_names_are_those_of_the_record(tmp_path: Path) -> None:
    lay(tmp_path, "ours.py")
    install(tmp_path, "theirs")

    names = finder.installed_names(tmp_path)

    assert "theirs" in names
    assert "ours" not in names


def test_installed_names_of_an_egg_info_are_its_top_levels(tmp_path: Path) -> None:
    lay(tmp_path, "x.egg-info/top_level.txt").joinpath("x.egg-info/top_level.txt").write_text("theirs\n")

    assert finder.installed_names(tmp_path) == {"theirs"}


def test_installed_names_of_a_missing_folder_are_empty(tmp_path: Path) -> None:
    assert finder.installed_names(tmp_path / "none") == frozenset()
