"""Parts of packages and modules of the standard library that another module hides."""

import colorsys
from collections.abc import Iterable
from json import encoder
from pathlib import Path

import pytest

from automation.proof import hidden_modules
from automation.proof.finder import Finder
from automation.proof.hidden_modules import HiddenPart, Shadow
from tests.faults.bakery import put


def hidden(
    root: Path, *names: str, owned: Iterable[str] = (), owner_folders: Iterable[str] = ("a", "b")
) -> list[HiddenPart]:
    """Return the hidden parts on a search path of the folders `a` and `b`.

    Args:
        owned: the names that distributions own in `owner_folders`.
    """
    for name in ("a/app.py", "b/lib.py", *names):
        put(root / name, "")
    installed = {root / name: frozenset(owned if name in owner_folders else ()) for name in ("a", "b")}
    return list(hidden_modules.hidden_parts(Finder(list(installed)), installed))


def test_hidden_parts_package_hides_the_modules_of_a_later_folder(tmp_path: Path) -> None:
    names = ("a/shop/__init__.py", "a/shop/x.py", "b/shop/x.py", "b/shop/y.py", "b/shop/deep/z.cpython-312.so")

    assert hidden(tmp_path, *names, "b/shop/notes.txt") == [
        HiddenPart("shop", tmp_path / "a/shop/__init__.py", tmp_path / "b/shop", ("deep/z", "y"))
    ]


def test_hidden_parts_package_hides_the_modules_of_an_earlier_folder(tmp_path: Path) -> None:
    assert hidden(tmp_path, "a/shop/y.py", "b/shop/__init__.py") == [
        HiddenPart("shop", tmp_path / "b/shop/__init__.py", tmp_path / "a/shop", ("y",))
    ]


@pytest.mark.parametrize("part", ["a", "b"])
def test_hidden_parts_module_hides_the_folder_of_its_name(tmp_path: Path, part: str) -> None:
    assert hidden(tmp_path, "a/shop.py", f"{part}/shop/y.py") == [
        HiddenPart("shop", tmp_path / "a/shop.py", tmp_path / part / "shop", ("y",))
    ]


def test_hidden_parts_are_found_inside_a_namespace_package(tmp_path: Path) -> None:
    names = ("a/shop/orders/__init__.py", "b/shop/orders/y.py", "a/shop/stock/__init__.py", "b/shop/stock/z.py")

    assert hidden(tmp_path, *names) == [
        HiddenPart("shop.orders", tmp_path / "a/shop/orders/__init__.py", tmp_path / "b/shop/orders", ("y",)),
        HiddenPart("shop.stock", tmp_path / "a/shop/stock/__init__.py", tmp_path / "b/shop/stock", ("z",)),
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("a/shop/__init__.py", "b/shop/__init__.py"),
        ("a/shop/x.py", "b/shop/y.py"),
        ("a/shop/__init__.py", "a/shop/x.py"),
        ("a/shop/__init__.py", "b/shop/data.json"),
        ("a/shop.py", "b/shop.py"),
    ],
    ids=["equal", "namespace package", "one folder", "no modules", "no folder"],
)
def test_hidden_parts_that_lose_no_module_are_none(tmp_path: Path, names: tuple[str, ...]) -> None:
    assert hidden(tmp_path, *names) == []


@pytest.mark.parametrize(("folders", "count"), [(("a", "b"), 0), (("a",), 1), (("b",), 1)])
def test_hidden_parts_of_two_distributions_are_one_package(
    tmp_path: Path, folders: tuple[str, ...], count: int
) -> None:
    names = ("a/shop/__init__.py", "b/shop/y.py")

    assert len(hidden(tmp_path, *names, owned={"shop"}, owner_folders=folders)) == count


def shadows(folder: Path, *owned: str) -> list[Shadow]:
    installed = {folder: frozenset(owned)}
    return list(hidden_modules.shadows(Finder([folder]), installed))


def test_shadows_have_the_name_of_a_stdlib_module(tmp_path: Path) -> None:
    for name in ("queue.py", "json/__init__.py", "json/queue.py", "shop.py", "email/mime.py"):
        put(tmp_path / name, "X = 1\n")

    assert shadows(tmp_path, "json") == [
        Shadow("json", tmp_path / "json/__init__.py", is_distributed=True),
        Shadow("queue", tmp_path / "queue.py", is_distributed=False),
    ]


def test_shadows_copy_of_the_stdlib_is_none(tmp_path: Path) -> None:
    put(tmp_path / "colorsys.py", Path(str(colorsys.__file__)).read_bytes())
    put(tmp_path / "json/__init__.py", Path(str(encoder.__file__)).with_name("__init__.py").read_bytes())
    assert shadows(tmp_path) == []

    put(tmp_path / "colorsys.py", "X = 1\n")
    put(tmp_path / "json/__init__.py", "X = 1\n")
    assert [shadow.name for shadow in shadows(tmp_path)] == ["colorsys", "json"]
