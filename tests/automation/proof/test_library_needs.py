"""How certain it is that a compiled file is loaded decides between an error, a warning and nothing."""

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import pytest

from automation.proof import elf, library_needs
from automation.proof.built_trees import BuiltTree
from automation.proof.elf import Dynamic
from tests.automation.proof import subjects
from tests.automation.proof.subjects import BUILD
from tests.faults.bakery import install, put
from tests.faults.elves import shared_object

MODULE = "stone/_mill.cpython-312-x86_64-linux-gnu.so"


def tree_of(root: Path, modules: Mapping[str, str], *compiled: str, app: str = "", needs: str = "") -> BuiltTree:
    """Write a function with the distribution `stone` of these modules and compiled files."""
    site = root / BUILD / "App"
    install(site, "stone", "1.0", modules)
    for name in compiled:
        put(site / name, shared_object([needs] if needs else []))
        record = site / "stone-1.0.dist-info" / "RECORD"
        put(record, f"{record.read_text()}{name},,\n")
    return subjects.write(root, {"App": subjects.function()}, {"App": {"app.py": app}}).built_trees[0]


def files_of(tree: BuiltTree) -> dict[PurePosixPath, Dynamic]:
    read = ((path, elf.read(tree.folder / path)) for path in tree.paths if ".so" in path.name)
    return {path: dynamic for path, dynamic in read if dynamic is not None}


def loaded(tree: BuiltTree) -> set[str]:
    return {str(path) for path in library_needs.loaded_files(tree, files_of(tree), 12)}


def test_loaded_files_are_modules_and_what_they_need(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"stone/__init__.py": ""}, MODULE, "stone/liba.so", "stone/libb.so", needs="liba.so")

    assert loaded(tree) == {MODULE, "stone/liba.so"}


def test_loaded_files_modules_of_another_python_do_not_count(tmp_path: Path) -> None:
    assert loaded(tree_of(tmp_path, {}, MODULE.replace("312", "311"))) == set()


@pytest.mark.parametrize(
    ("code", "is_loaded"), [("import ctypes\n", True), ("ffi.dlopen(x)\n", True), ("x = 1\n", False)]
)
def test_loaded_files_library_of_a_package_without_modules(tmp_path: Path, code: str, is_loaded: bool) -> None:
    tree = tree_of(tmp_path, {"stone/__init__.py": code}, "stone/lib_stone.so")

    assert (loaded(tree) == {"stone/lib_stone.so"}) is is_loaded


def test_loaded_files_plugin_of_a_package_with_modules_does_not_count(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"stone/__init__.py": "import ctypes\n"}, MODULE, "stone/libplugin.so")

    assert loaded(tree) == {MODULE}


@pytest.mark.parametrize(
    ("app", "is_imported"),
    [
        ("import stone", True),
        ("import stone.sub as s", True),
        ("import json, stone # both", True),
        ("import pebble", True),
        ("import bin", False),
        ("def f():\n    from stone.sub import x", True),
        ("import stones", False),
        ("from json import stone", False),
        ("# import stone", False),
    ],
)
def test_imported_distributions_are_those_that_own_code_names(tmp_path: Path, app: str, is_imported: bool) -> None:
    modules = {"stone/__init__.py": "", "pebble.py": "import stone\n", "bin/stone.py": ""}
    tree = tree_of(tmp_path, modules, app=f"{app}\n")

    assert ("stone" in library_needs.imported_distributions([tree])) is is_imported


def test_imported_distributions_are_read_of_code_that_is_not_utf_8_too(tmp_path: Path) -> None:
    put(tmp_path / BUILD / "App" / "latin.py", b"# \xe9\nimport stone\n")
    tree = tree_of(tmp_path, {"stone/__init__.py": ""})

    assert library_needs.imported_distributions([tree]) == {"stone"}


def test_imported_distributions_have_what_they_require(tmp_path: Path) -> None:
    requirements = ("Sand_Box>=2", 'clay; python_version >= "3.8"', 'gravel; extra == "all"', "not a name!", "stone")
    requiring(tmp_path, "stone", requirements)
    requiring(tmp_path, "sand-box", ["soil"])
    for name in ("clay", "gravel", "soil"):
        requiring(tmp_path, name, [])
    tree = subjects.write(tmp_path, {"App": subjects.function()}, {"App": {"app.py": "import stone\n"}}).built_trees[0]

    assert library_needs.imported_distributions([tree]) == {"stone", "sand-box", "clay", "soil"}


def requiring(root: Path, name: str, requirements: Iterable[str]) -> None:
    site = root / BUILD / "App"
    install(site, name, "1.0", {f"{name}.py": ""})
    lines = [f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {text}" for text in requirements)]
    put(site / f"{name}-1.0.dist-info" / "METADATA", "\n".join(lines))


GUARDED = "try:\n    from stone import _mill\nexcept ImportError:\n    _mill = None\n"


@pytest.mark.parametrize(
    ("code", "is_optional"),
    [
        (GUARDED, True),
        ("def f():\n    try:\n        import stone._mill as m\n    except ImportError:\n        pass\n", True),
        ("try:\n    from stone._mill import grind\nexcept ImportError:\n    pass\n", True),
        ("try:\n    from . import _mill\nexcept ImportError:\n    pass\n", True),
        (f"{GUARDED}import stone._mill as m\n", False),
        (f"{GUARDED}from ._mill import grind\n", False),
        ("from stone import _mill\n", False),
        (f"{GUARDED}from stone._mill import grind\n", False),
        ("try:\n    pass\nexcept ImportError:\n    from stone import _mill\n", False),
        ("try:\n    from stone import _mill\nfinally:\n    pass\n", False),
        ("x = '_mill'\n", False),
        ("this does not parse _mill\n", False),
    ],
)
def test_is_optional_needs_every_import_to_be_caught(tmp_path: Path, code: str, is_optional: bool) -> None:
    tree = tree_of(tmp_path, {"stone/__init__.py": code}, MODULE, app="from stone import _mill\n")

    assert library_needs.is_optional(tree, PurePosixPath(MODULE)) is is_optional


def test_is_optional_plain_or_own_file_is_not(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, {"stone/__init__.py": GUARDED}, "stone/lib_mill.so")
    put(tmp_path / BUILD / "App" / "_mill.so", shared_object())

    assert not library_needs.is_optional(tree, PurePosixPath("stone/lib_mill.so"))
    assert not library_needs.is_optional(tree, PurePosixPath("_mill.so"))
