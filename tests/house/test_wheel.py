"""pyproject.toml's wheel brings what the automation needs beside any project: packages, extras, locks, the command."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from automation import program
from automation.system import packages

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
# By import, the distribution that has it. Those of `.tools/` are imported by programs of their own environment.
DISTRIBUTIONS = {"yaml": "pyyaml", "botocore": "boto3", "cfnlint": "cfn-lint"}
OF_TOOLS = frozenset({"samtranslator", "samcli", "parliament"})
_NAME = re.compile(r"[\w-]+")
_LOCK = re.compile(r'(?:ensure|find_program|lock_file)\((?:root, )?"([\w.-]+)"')


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the top packages that a module imports at run time."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module.partition(".")[0]
            case _:
                yield from imported(node)


def names(requirements: list[str]) -> set[str]:
    return {match[0].lower() for requirement in requirements if (match := _NAME.match(requirement))}


def sources() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((ROOT / "automation").rglob("*.py"))]


@pytest.fixture(scope="module")
def third_party() -> set[str]:
    used: set[str] = set()
    for text in sources():
        used |= set(imported(ast.parse(text)))
    return {DISTRIBUTIONS.get(name, name) for name in used - sys.stdlib_module_names - {"automation", "__future__"}}


def test_wheel_declares_each_package_that_the_automation_imports(third_party: set[str]) -> None:
    project = PROJECT["project"]
    declared = names(project["dependencies"])
    for requirements in project["optional-dependencies"].values():
        declared |= names(requirements)

    assert third_party - OF_TOOLS <= declared


@pytest.mark.parametrize(("package", "extra"), packages.EXTRAS.items())
def test_extra_brings_the_package_that_it_is_named_for(package: str, extra: str) -> None:
    distribution = packages.how_to_install(package, wheel="").removeprefix("pip install ")

    assert distribution in names(PROJECT["project"]["optional-dependencies"][extra])


def test_wheel_declares_ranges() -> None:
    requirements = [*PROJECT["project"]["dependencies"]]
    for more in PROJECT["project"]["optional-dependencies"].values():
        requirements += more

    assert [text for text in requirements if not re.fullmatch(r"[\w-]+>=[\d.]+", text)] == []


def test_wheel_brings_each_lock_that_the_automation_names() -> None:
    named = set(_LOCK.findall("\n".join(sources())))

    assert {"runtime", "sam"} <= named
    assert {f"locks/{name}.txt" for name in named} <= LOCKS.keys()
    assert all((ROOT / path).is_file() for path in LOCKS)
    assert all(target == f"automation/system/{path}" for path, target in LOCKS.items())


def test_command_and_hook_start_the_program() -> None:
    hooks: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    namespace = program.program().namespace
    assert namespace

    assert PROJECT["project"]["scripts"] == {program.NAME: packages.ENTRY_POINT}
    assert f"{program.__name__}:{program.main.__name__}" == packages.ENTRY_POINT
    assert [hook["entry"].split()[0] for hook in hooks] == [program.NAME]
    assert all(hook["entry"].split()[1] in namespace.task_names for hook in hooks)
