"""The workflows in .github/workflows, as values: jobs, steps, and the command lines that they run."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
_MATRIX = re.compile(r"\$\{\{ matrix\.(\w+) \}\}")
# What GitHub gives a variable, where no matrix says it.
EXAMPLES = {"NUMBER": "12", "BASE": "main"}


class Loader(yaml.SafeLoader):
    """YAML 1.2 in one point: `on` is a word."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))


@dataclass(frozen=True)
class Job:
    """A job of a workflow."""

    workflow: str
    name: str
    content: Mapping[str, Any]
    text: str

    @property
    def place(self) -> str:
        return f"{self.workflow}: {self.name}"

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        steps: list[Mapping[str, Any]] = self.content["steps"]
        return steps

    @property
    def environment(self) -> str:
        return str(self.content.get("environment", ""))

    def lines(self) -> list[str]:
        """Return the lines that it runs, once for each value of its matrix."""
        return [line for step in self.steps if "run" in step for line in _expanded(step, self._variants())]

    def _variants(self) -> list[dict[str, str]]:
        matrix = (self.content.get("strategy") or {}).get("matrix") or {}
        return [dict(zip(matrix, values, strict=True)) for values in product(*matrix.values())]


def jobs(folder: Path = FOLDER) -> Iterator[Job]:
    """Yield every job of every workflow."""
    for path in sorted(folder.glob("*.y*ml")):
        text = path.read_text()
        for name, content in load(text)["jobs"].items():
            yield Job(path.name, name, content, text)


def load(text: str) -> Any:
    return yaml.load(text, Loader)  # noqa: S506 - a safe loader with fewer words


@cache
def readme() -> str:
    return (ROOT / "README.md").read_text()


def _expanded(step: Mapping[str, Any], variants: list[dict[str, str]]) -> list[str]:
    """Return a line with the values of its variables, as the shell would see it."""
    lines: dict[str, None] = {}
    for variant in variants:
        line = step["run"].strip()
        values = {**EXAMPLES, **{name: _value(text, variant) for name, text in (step.get("env") or {}).items()}}
        for name, value in values.items():
            line = line.replace(f"${name}", EXAMPLES.get(name, value))
        lines[line] = None
    return list(lines)


def _value(text: str, variant: Mapping[str, str]) -> str:
    return _MATRIX.sub(lambda match: variant[match[1]], str(text))
