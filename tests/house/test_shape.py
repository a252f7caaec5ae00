"""Sizes and names that keep the code readable; CONTRIBUTING.md explains them."""

import ast
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("automation", "the_alchemiser", "sandbox", "desk", "benchmarks")
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 40
PLACEHOLDERS = frozenset({"one", "found", "made", "told", "given", "like"})

type Tree = tuple[str, ast.Module]


def source_trees(packages: tuple[str, ...]) -> Iterator[Tree]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def trees() -> tuple[Tree, ...]:
    return tuple(source_trees(PACKAGES))


def long_functions(path: str, tree: ast.Module) -> list[str]:
    long = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1 - docstring_lines(node)
            if lines > MAX_FUNCTION_LINES:
                long.append(f"{path}:{node.lineno}: {node.name} has {lines} lines")
    return long


def docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    if ast.get_docstring(node) is None:
        return 0
    return (node.body[0].end_lineno or 0) - node.body[0].lineno + 1


def placeholder_names(path: str, tree: ast.Module) -> list[str]:
    places = []
    for node in ast.walk(tree):
        name = node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else ""
        name = node.arg if isinstance(node, ast.arg) else name
        if name in PLACEHOLDERS:
            places.append(f"{path}:{getattr(node, 'lineno', 0)}: {name}")
    return places


def double_comprehensions(path: str, tree: ast.Module) -> list[str]:
    return [
        f"{path}:{node.lineno}: a comprehension with {len(node.generators)} loops"
        for node in ast.walk(tree)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) and len(node.generators) > 1
    ]


def violations(check: Callable[[str, ast.Module], list[str]], trees: tuple[Tree, ...]) -> list[str]:
    return list(chain.from_iterable(check(path, tree) for path, tree in trees))


def test_modules_have_at_most_400_lines() -> None:
    paths = chain.from_iterable((ROOT / package).rglob("*.py") for package in (*PACKAGES, "tests"))

    long = [path for path in paths if len(path.read_text(encoding="utf-8").splitlines()) > MAX_MODULE_LINES]

    assert long == []


def test_functions_have_at_most_40_lines(trees: tuple[Tree, ...]) -> None:
    assert violations(long_functions, trees) == []


def test_names_say_what_they_hold(trees: tuple[Tree, ...]) -> None:
    assert violations(placeholder_names, trees) == []


def test_comprehensions_have_one_loop(trees: tuple[Tree, ...]) -> None:
    assert violations(double_comprehensions, trees) == []


def test_checks_find_planted_faults() -> None:
    body = "\n".join("    x = 1" for _ in range(MAX_FUNCTION_LINES))
    tree = ast.parse(f"def long(found):\n{body}\n\ny = [a for row in z for a in row]\nfor one in y: pass\n")

    assert long_functions("a.py", tree) == ["a.py:1: long has 41 lines"]
    assert sorted(placeholder_names("a.py", tree)) == ["a.py:1: found", "a.py:44: one"]
    assert double_comprehensions("a.py", tree) == ["a.py:43: a comprehension with 2 loops"]
