"""docs/rehearsal.md: every difference has a test that exists, and every rule of the sandbox has a row."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple, get_args

import pytest
from pydantic import BaseModel

from sandbox.exchange.bar_faults import BarFault
from sandbox.exchange.conditions import Condition
from sandbox.exchange.corporate_actions import CorporateAction
from sandbox.exchange.faults import Fault
from sandbox.exchange.planting_routes import PlantedActivity, PlantedPosition, SecondSourceSetting

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "rehearsal.md"
COLUMNS = 5
# The rules, and the modules that put them into the emulator.
MODULES = sorted([ROOT / "sandbox" / "aws_rules.py", *(ROOT / "sandbox").glob("emulator_*.py")])
_CODE = re.compile(r"`([^`]+)`")
_TEST = re.compile(r"`([\w/]+\.py)::(\w+)(?:\[(\w+)\])?`")

PLANTED: dict[str, type[BaseModel]] = {
    "faults": Fault,
    "conditions": Condition,
    "positions": PlantedPosition,
    "activities": PlantedActivity,
    "corporate-actions": CorporateAction,
    "second-source": SecondSourceSetting,
}
_CURL = re.compile(r"curl -X POST http://127\.0\.0\.1:8765/_control/([\w-]+) (?:\\\n\s*)?-d '([^']+)'")


class Row(NamedTuple):
    """A row of the table, by its columns."""

    difference: str
    aws: str
    emulator: str
    here: str
    test: str


def table(text: str) -> list[list[str]]:
    """Return the cells of the table's rows, without its two head lines."""
    lines = text.partition("<!-- differences -->\n")[2].partition("<!-- end")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def faults(row: Row, root: Path = ROOT) -> list[str]:
    """Return what is wrong with a row: an empty cell, or a test that does not exist."""
    empty = [f"{row.difference}: a cell is empty"] if not all(row) else []
    match = _TEST.fullmatch(row.test)
    if not match:
        return [*empty, f"{row.difference}: {row.test} is not `path::test`"]

    path, name, case = root / match[1], match[2], match[3] or ""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    is_found = f"def {name}(" in text and (not case or f"{case}," in text)
    return empty if is_found else [*empty, f"{row.difference}: there is no test {row.test}"]


def rules(path: Path) -> list[str]:
    """Return a module's rules: the functions that its `apply` uses; without an `apply`, its public functions."""
    functions = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    names = [function.name for function in functions]
    applied = [function for function in functions if function.name == "apply"]
    if not applied:
        return [f"{path.stem}.{name}" for name in names if not name.startswith("_")]
    used = {node.id for node in ast.walk(applied[0]) if isinstance(node, ast.Name)}
    return [f"{path.stem}.{name}" for name in names if name in used]


@cache
def rows() -> tuple[Row, ...]:
    cells = table(PAGE.read_text(encoding="utf-8"))
    assert [row for row in cells if len(row) != COLUMNS] == []
    return tuple(Row(*row) for row in cells)


def test_each_difference_has_a_test_that_exists() -> None:
    found: list[str] = []
    for row in rows():
        found += faults(row)

    assert found == []


def test_differences_are_listed_once() -> None:
    names = [row.difference for row in rows()]

    assert [name for name in names if names.count(name) > 1] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_each_rule_of_the_sandbox_has_a_row(module: Path) -> None:
    named = set(_CODE.findall("\n".join(row.here for row in rows())))

    assert [rule for rule in rules(module) if rule not in named] == []


def test_each_named_rule_exists() -> None:
    modules = sorted((ROOT / "sandbox").glob("*.py"))
    names = [name for row in rows() for name in _CODE.findall(row.here)]
    named = [name.split(".") for name in names if name.partition(".")[0] in {path.stem for path in modules}]

    missing = [
        ".".join(rule) for rule in named if f"def {rule[1]}(" not in (ROOT / "sandbox" / f"{rule[0]}.py").read_text()
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("test", "what"),
    [
        ("`tests/a.py::test_gone`", "there is no test `tests/a.py::test_gone`"),
        ("`tests/b.py::test_here`", "there is no test `tests/b.py::test_here`"),
        ("`tests/a.py::test_here[another]`", "there is no test `tests/a.py::test_here[another]`"),
        ("tests/a.py", "tests/a.py is not `path::test`"),
    ],
)
def test_faults_finds_a_planted_missing_test(tmp_path: Path, test: str, what: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "a.py").write_text("CASES = [(case, 1)]\ndef test_here() -> None: ...\n")

    assert faults(Row("name", "aws", "emulator", "here", test), tmp_path) == [f"name: {what}"]
    assert faults(Row("name", "aws", "emulator", "here", "`tests/a.py::test_here[case]`"), tmp_path) == []


def test_faults_finds_a_planted_empty_cell(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def test_here() -> None: ...\n")

    assert faults(Row("name", "aws", "", "here", "`a.py::test_here`"), tmp_path) == ["name: a cell is empty"]


def test_rules_are_public_functions_or_what_apply_uses(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text("def refuse_all(): ...\ndef _keys(): ...\n")
    (tmp_path / "steps.py").write_text("def apply(): _check_all()\ndef _check_all(): ...\ndef fail(): ...\n")

    assert rules(tmp_path / "rules.py") == ["rules.refuse_all"]
    assert rules(tmp_path / "steps.py") == ["steps._check_all"]


def planted_names(text: str) -> set[str]:
    """Return the kinds and fields in the table of what can be planted."""
    return set(_CODE.findall(text.partition("<!-- faults -->")[2].partition("<!-- end")[0]))


def test_page_lists_every_kind_of_fault_and_every_condition() -> None:
    kinds = set(get_args(Fault.model_fields["kind"].annotation))
    fields = Condition.model_fields.keys() - {"symbol", "since"}
    actions = set(get_args(CorporateAction.model_fields["type"].annotation))

    assert planted_names(PAGE.read_text(encoding="utf-8")) == kinds | fields | actions | {"status", "code", "message"}


def test_page_plants_what_the_exchange_accepts() -> None:
    commands = _CURL.findall(PAGE.read_text(encoding="utf-8"))

    assert all(PLANTED[name].model_validate_json(body) is not None for name, body in commands)
    assert {name for name, _ in commands} == PLANTED.keys()


def test_page_lists_every_kind_of_fault_in_bars() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("| kind | what is served |")[2].partition("```")[0]

    listed = {name for row in section.splitlines() for name in _CODE.findall(row.split("|")[1] if "|" in row else "")}
    assert listed == set(get_args(BarFault.model_fields["kind"].annotation))
