from pathlib import Path
from typing import Any

import pytest

from automation.building import parent_packages
from automation.project.model import Function
from automation.system.errors import ConfigurationError


def function(code: str, handler: str, **build_properties: Any) -> Function:
    return Function(
        "Fn", "main", handler, code, (), "python3.12", (), None, None, metadata={"BuildProperties": build_properties}
    )


@pytest.mark.parametrize(("packages", "folder"), [("src.orders", "src/orders"), ("src", "src"), ("a.b.c", "a/b/c")])
def test_folder_explicit_is_the_named_packages(tmp_path: Path, packages: str, folder: str) -> None:
    named = function("src/orders", "app.main", ParentPackageMode="explicit", ParentPackages=packages)

    assert parent_packages.folder(named, tmp_path) == folder


@pytest.mark.parametrize(
    ("code", "handler", "folder"),
    [
        ("src/orders", "src.orders.app.main", "src/orders"),
        ("src", "src.orders.app.main", "src"),
        ("lib/src/orders", "src.orders.app.main", "src/orders"),
        ("src/orders", "app.main", ""),
        ("src/orders", "main", ""),
        ("src/orders", "other.app.main", ""),
        # SAM then takes as many folders as the handler has packages.
        ("src/orders/deep", "src.app.main", "src"),
    ],
)
def test_folder_auto_follows_handler_and_path(tmp_path: Path, code: str, handler: str, folder: str) -> None:
    assert parent_packages.folder(function(code, handler, ParentPackageMode="auto"), tmp_path) == folder


def test_folder_auto_ignores_a_namesake_above_the_project(tmp_path: Path) -> None:
    root = tmp_path / "src" / "shop"

    assert parent_packages.folder(function("src/orders", "src.orders.app.main", ParentPackageMode="auto"), root) == (
        "src/orders"
    )


def test_folder_without_a_mode_is_the_top(tmp_path: Path) -> None:
    assert parent_packages.folder(function("src", "src.app.main"), tmp_path) == ""
    assert parent_packages.folder(function("src", "src.app.main", ParentPackages="src"), tmp_path) == ""


@pytest.mark.parametrize(
    ("build_properties", "message"),
    [
        ({"ParentPackageMode": "best"}, "^Fn: ParentPackageMode is best; set it to auto or explicit$"),
        ({"ParentPackageMode": "explicit"}, "^Fn: ParentPackageMode explicit needs ParentPackages, .*: src.orders$"),
    ],
)
def test_folder_of_a_wrong_mode_raises(tmp_path: Path, build_properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parent_packages.folder(function("src", "src.app.main", **build_properties), tmp_path)
