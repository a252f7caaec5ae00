import sys
from pathlib import Path

import pytest

from automation.reach import import_graphs
from automation.reach.import_graphs import ImportGraph
from tests.automation.projects import write_files

GRAPH = import_graphs.graph_of({"a": ["b", "c.d"], "b": ["e"], "c": ["f"], "c.d": ["b"], "e": [], "f": [], "g": ["a"]})


def read_graph(*folders: Path) -> ImportGraph:
    graph = import_graphs.read({"it": folders})["it"]
    assert graph is not None
    return graph


def test_shortest_chain_two_chains_takes_the_shortest() -> None:
    assert import_graphs.shortest_chain(GRAPH, "a", {"e"}) == ("a", "b", "e")


def test_shortest_chain_from_the_goal_is_the_goal() -> None:
    assert import_graphs.shortest_chain(GRAPH, "a", {"a"}) == ("a",)


def test_shortest_chain_unreachable_goal_is_empty() -> None:
    assert import_graphs.shortest_chain(GRAPH, "e", {"a"}) == ()


def test_shortest_chain_import_of_a_submodule_runs_its_package() -> None:
    assert import_graphs.shortest_chain(GRAPH, "a", {"f"}) == ("a", "c", "f")


def test_importers_of_goal_names_direct_and_indirect_ones() -> None:
    assert import_graphs.importers_of(GRAPH, {"f"}) == {"f", "c", "c.d", "a", "g"}


def test_union_removed_module_keeps_its_importers() -> None:
    now, before = import_graphs.graph_of({"a": []}), import_graphs.graph_of({"a": ["b"], "b": []})

    assert import_graphs.union(now, before) == before


@pytest.mark.parametrize(
    ("path", "module"), [("a/b.py", "a.b"), ("a/__init__.py", "a"), ("a.py", "a"), ("a/b.json", "")]
)
def test_module_name_of_a_path_is_dotted(path: str, module: str) -> None:
    assert import_graphs.module_name(path) == module


def test_read_namespace_package_over_two_folders_is_merged(tmp_path: Path) -> None:
    write_files(tmp_path, {"one/shop/till.py": "from shop import tax\n", "two/shop/tax.py": ""})

    graph = read_graph(tmp_path / "one", tmp_path / "two")

    assert graph.imports["shop.till"] == {"shop.tax"}


def test_read_modules_outside_packages_are_included(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": "import utility\nimport lib.greet\n", "utility.py": "", "lib/greet.py": ""})

    assert read_graph(tmp_path).imports["app"] == {"lib.greet", "utility"}


def test_read_package_named_as_the_stdlib_is_the_local_one(tmp_path: Path) -> None:
    write_files(tmp_path, {"app.py": "import json.mine\n", "json/__init__.py": "", "json/mine.py": ""})

    assert "json" in read_graph(tmp_path).loaded_by("app")


def test_read_import_under_type_checking_is_left_out(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import utility\n"
    write_files(tmp_path, {"app.py": text, "utility.py": ""})

    assert "utility" not in read_graph(tmp_path).loaded_by("app")


def test_read_two_search_paths_at_once_keeps_them_apart(tmp_path: Path) -> None:
    write_files(tmp_path, {"a/app.py": "import json\n", "b/app.py": "import html\n"})

    graphs = import_graphs.read({"a": (tmp_path / "a",), "b": (tmp_path / "b",)})

    expected = {"a": {"app": ["json"], "json": []}, "b": {"app": ["html"], "html": []}}
    assert graphs == {name: import_graphs.graph_of(imports) for name, imports in expected.items()}


def test_read_without_grimp_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys._base_executable} -S "$@"\n')  # type: ignore[attr-defined]
    bare.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(bare))

    assert import_graphs.read({"it": (tmp_path,)}) == {"it": None}
    assert capsys.readouterr().err == (
        "warning: imports are unknown, so every function counts as an importer of the change: "
        "grimp is not installed; run: pip install grimp\n"
    )


def test_read_module_that_cannot_be_parsed_is_unknown_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_files(tmp_path, {"app.py": "def (\n"})

    graphs = import_graphs.read({"it": (tmp_path,)})

    assert (graphs, "imports are unknown" in capsys.readouterr().err) == ({"it": None}, True)
