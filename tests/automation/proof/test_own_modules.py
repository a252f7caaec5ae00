"""Imports that mean a module of the project by a wrong name."""

from dataclasses import replace
from pathlib import Path

import pytest

from automation.building import built
from automation.project.templates import Unresolved
from automation.proof.own_modules import OwnModules
from tests.automation.proof import subjects
from tests.faults.bakery import put

INTO = "into it, or into a layer of the function"
TREES = {
    "App": {"app.py": "", "util.py": "", "shop/Prices.py": "", "shop/__init__.py": "", "Data/x.txt": ""},
    "Libs": {"python/common/money.py": ""},
}


def own_modules(root: Path, code_uri: str = "backend/src/") -> OwnModules:
    resources = {
        "App": subjects.function(CodeUri=code_uri, Layers=[{"Ref": "Libs"}]),
        "Libs": subjects.layer(ContentUri="layers/libs/"),
    }
    subject = subjects.write(root, resources, TREES)
    return OwnModules(root, built.mounts_of_project(subject.project)[0])


@pytest.mark.parametrize(
    ("module", "fix"),
    [
        ("src.util", "backend/src/ is the root on Lambda: import util instead of src.util"),
        ("backend.src.util", "backend/src/ is the root on Lambda: import util instead of backend.src.util"),
        ("src", "backend/src/ is the root on Lambda: remove src from the import"),
        ("backend.src", "backend/src/ is the root on Lambda: remove backend.src from the import"),
        ("libs.common.money", "layers/libs/ is the root on Lambda: import common.money instead of libs.common.money"),
        ("src.absent", ""),
        ("backend.util", ""),
        ("Util", "import util instead of Util: the file is util.py, and on Lambda case counts"),
        ("shop.prices", "import shop.Prices instead of shop.prices: the file is Prices.py, and on Lambda case counts"),
        (
            "Common.Money",
            "import common.money instead of Common.Money: the file is money.py, and on Lambda case counts",
        ),
        ("requests", ""),
        ("util.absent", ""),
    ],
)
def test_fix_of_a_wrong_root_or_case_names_the_right_module(tmp_path: Path, module: str, fix: str) -> None:
    assert own_modules(tmp_path).fix(module) == fix


@pytest.mark.parametrize(
    ("file", "module", "fix"),
    [
        (
            "common2/rules.py",
            "common2.rules",
            "common2/rules.py is outside backend/src/: move common2 into it, or into a layer of the function",
        ),
        (
            "backend/rules.py",
            "rules",
            "backend/rules.py is outside backend/src/: move backend/rules.py into it, or into a layer of the function",
        ),
        (
            "backend/kit/__init__.py",
            "kit",
            f"backend/kit/__init__.py is outside backend/src/: move backend/kit {INTO}",
        ),
        (".venv/yaml.py", "yaml", ""),
        ("docker/Dockerfile", "docker", ""),
        ("node_modules/kit.py", "kit", ""),
    ],
)
def test_fix_of_code_outside_the_folder_names_what_to_move(tmp_path: Path, file: str, module: str, fix: str) -> None:
    put(tmp_path / file, "")

    assert own_modules(tmp_path).fix(module) == fix


def test_fix_of_a_function_at_the_root_is_empty(tmp_path: Path) -> None:
    assert own_modules(tmp_path, "./").fix("absent") == ""


def test_fix_of_a_code_folder_that_is_not_known_is_empty(tmp_path: Path) -> None:
    put(tmp_path / "rules.py", "")
    known = own_modules(tmp_path)
    function = replace(known.mount.function, code_uri=Unresolved("{'Ref': 'Code'}"))

    assert known.fix("rules") != ""
    assert OwnModules(tmp_path, replace(known.mount, function=function)).fix("rules") == ""


@pytest.mark.parametrize(
    ("module", "fix"),
    [
        ("src.orders.rates", "add code/rates.py, or correct the import"),
        ("src.orders.deep.rates", "add code/deep/rates.py, or correct the import"),
        ("src.other", ""),
    ],
)
def test_fix_below_parent_packages_names_the_file_to_add(tmp_path: Path, module: str, fix: str) -> None:
    properties = {"ParentPackageMode": "explicit", "ParentPackages": "src.orders"}
    function = {**subjects.function(CodeUri="code/"), "Metadata": {"BuildProperties": properties}}
    subject = subjects.write(tmp_path, {"App": function}, {"App": {"src/orders/app.py": ""}})

    assert OwnModules(tmp_path, built.mounts_of_project(subject.project)[0]).fix(module) == fix


def test_origins_find_the_source_below_parent_packages(tmp_path: Path) -> None:
    properties = {"ParentPackageMode": "explicit", "ParentPackages": "src.orders"}
    function = {**subjects.function(CodeUri="code/"), "Metadata": {"BuildProperties": properties}}
    subject = subjects.write(tmp_path, {"App": function}, {"App": {"src/orders/app.py": "", "lib/x.py": ""}})
    put(tmp_path / "code" / "app.py", "")
    [tree] = [origin.tree for origin in subject.origins.trees]

    assert subject.origins.label(tree / "src/orders/app.py") == "code/app.py"
    assert subject.origins.is_own(tree / "src/orders/app.py")
    assert not subject.origins.is_own(tree / "lib/x.py")
