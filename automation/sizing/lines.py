"""Find the line to edit, as `file:line`, in a template, in pyproject.toml, or in a layer's requirements."""

import re
from pathlib import Path

import yaml

from automation.building import requirements
from automation.building.requirements import REQUIREMENTS, REQUIREMENTS_IN
from automation.sizing.distributions import normalise_name

PYPROJECT = "pyproject.toml"
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_VIA = re.compile(r"\s+#\s+(?:via\s+)?([A-Za-z0-9][A-Za-z0-9._-]*)\s*$")
_BUDGET = ("Metadata", "Alchemiser", "BudgetMB")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def find_resource(root: Path, template: str, logical_id: str) -> str:
    """Return the line where a resource begins, as `template.yaml:199`; only the template when it is not found."""
    line, _ = _find(root / template, ("Resources", logical_id))
    return f"{template}:{line}" if line else template


def find_budget(root: Path, template: str, logical_id: str) -> str:
    """Return the line of a resource's own BudgetMB; empty when it has none."""
    line, is_complete = _find(root / template, ("Resources", logical_id, *_BUDGET))
    return f"{template}:{line}" if is_complete else ""


def find_default(root: Path, key: str) -> str:
    """Return the line of pyproject.toml that sets a default budget, such as `layer_mb`; empty when none does."""
    pattern = re.compile(rf"(^|[{{,\s]){re.escape(key)}\s*=")
    for number, text in enumerate(_text(root / PYPROJECT).splitlines(), start=1):
        if pattern.search(text.partition("#")[0]):
            return f"{PYPROJECT}:{number}"
    return ""


def find_requirement(root: Path, source: str, name: str) -> tuple[str, str]:
    """Find the requirement that installs a distribution, directly or as a dependency.

    Args:
        source: the code folder, relative to the project root.
        name: the normalised name of the distribution.

    Returns:
        The line, as `layers/a/requirements.in:4`, and the name on it. Only the file, and no name, when no requirement
        is known to need the distribution; both empty when the folder has no requirements.
    """
    name_of_file = REQUIREMENTS_IN if (root / source / REQUIREMENTS_IN).is_file() else REQUIREMENTS
    file = (Path(source) / name_of_file).as_posix()
    lines = _requirement_lines(root / file)
    dependents = _dependents(root / source / REQUIREMENTS)

    # Walk from the distribution to what depends on it, nearest first, until a requirement of the file is met.
    seen, pending = {name}, [name]
    while pending:
        distribution = pending.pop(0)
        if distribution in lines:
            return f"{file}:{lines[distribution]}", distribution
        unseen = sorted(dependents.get(distribution, set()) - seen)
        seen |= set(unseen)
        pending += unseen
    return (file, "") if lines else ("", "")


def _find(path: Path, keys: tuple[str, ...]) -> tuple[int, bool]:
    """Follow nested keys of a YAML file; return the line of the deepest one present, and whether all are present.

    Lines count from 1; 0 means that not even the first key is present.
    """
    try:
        node = yaml.compose(_text(path), Loader=_LOADER)
    except yaml.YAMLError:
        return 0, False

    line = 0
    for key in keys:
        pair = next((pair for pair in _pairs(node) if pair[0].value == key), None)
        if pair is None:
            return line, False
        line, node = pair[0].start_mark.line + 1, pair[1]
    return line, True


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def _requirement_lines(path: Path) -> dict[str, int]:
    """Return the line number of each requirement; options, comments and hashes do not count."""
    line_by_name: dict[str, int] = {}
    for number, text in enumerate(_text(path).splitlines(), start=1):
        match = _REQUIREMENT.match(text)
        if match:
            line_by_name.setdefault(normalise_name(match[1]), number)
    return line_by_name


def _dependents(lock: Path) -> dict[str, set[str]]:
    """Return what needs each distribution, from the `# via` comments that uv and pip-tools write into a lock."""
    dependents: dict[str, set[str]] = {}
    current = ""
    for text in _text(lock).splitlines():
        via = _VIA.match(text)
        if via and current:
            dependents.setdefault(current, set()).add(normalise_name(via[1]))
        elif match := _REQUIREMENT.match(text):
            current = normalise_name(match[1])
    return dependents


def _text(path: Path) -> str:
    try:
        return requirements.decode(path.read_bytes())
    except OSError:
        return ""
