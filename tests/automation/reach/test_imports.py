from pathlib import Path

import pytest

from automation.reach import imports
from automation.reach.imports import Graph
from tests.automation.projects import write_files

GRAPH = imports.of({"a": ["b", "c.d"], "b": ["e"], "c": ["f"], "c.d": ["b"], "e": [], "f": [], "g": ["a"]})


def read(*folders: Path) -> Graph:
    found = imports.read({"it": folders})["it"]
    assert found is not None
    return found


def test_chain_two_ways_takes_the_shortest() -> None:
    assert imports.chain(GRAPH, "a", {"e"}) == ("a", "b", "e")


def test_chain_from_the_goal_is_itself() -> None:
    assert imports.chain(GRAPH, "a", {"a"}) == ("a",)


def test_chain_no_way_is_empty() -> None:
    assert imports.chain(GRAPH, "e", {"a"}) == ()


def test_chain_module_of_a_package_runs_the_package() -> None:
    assert imports.chain(GRAPH, "a", {"f"}) == ("a", "c", "f")


def test_reaching_goal_names_all_importers() -> None:
    assert imports.reaching(GRAPH, {"f"}) == {"f", "c", "c.d", "a", "g"}


def test_joined_removed_module_keeps_its_importers() -> None:
    now, before = imports.of({"a": []}), imports.of({"a": ["b"], "b": []})

    assert imports.joined(now, before) == before


@pytest.mark.parametrize(
    ("path", "module"), [("a/b.py", "a.b"), ("a/__init__.py", "a"), ("a.py", "a"), ("a/b.json", "")]
)
def test_module_of_path_is_its_dotted_name(path: str, module: str) -> None:
    assert imports.module_of(path) == module


def test_read_namespace_over_two_folders_is_one(tmp_path: Path) -> None:
    write_files(tmp_path, {"one/shop/till.py": "from shop import tax\n", "two/shop/tax.py": ""})

    graph = read(tmp_path / "one", tmp_path / "two")

    assert graph.imports["shop.till"] == {"shop.tax"}


def test_read_loose_modules_are_known(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": "import other\nimport lib.greet\n", "other.py": "", "lib/greet.py": ""})

    assert read(tmp_path).imports["app"] == {"lib.greet", "other"}


def test_read_name_of_the_stdlib_in_a_folder_is_that_folder(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": "import json.mine\n", "json/__init__.py": "", "json/mine.py": ""})

    assert "json" in read(tmp_path).next_to("app")


def test_read_import_for_types_alone_is_left_out(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import other\n"
    write_files(tmp_path, {"app.py": text, "other.py": ""})

    assert "other" not in read(tmp_path).next_to("app")


def test_read_module_that_does_not_parse_is_unknown_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"app.py": "def (\n"})

    found = imports.read({"it": (tmp_path,)})

    assert (found, "imports are not known" in capsys.readouterr().err) == ({"it": None}, True)
