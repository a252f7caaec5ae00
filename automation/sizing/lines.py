"""Which line to edit: of a template, of pyproject.toml, of a layer's requirements."""

import re
from pathlib import Path

import yaml

from automation.building.sources import REQUIREMENTS
from automation.sizing.distributions import normalised

ASKED = "requirements.in"
PYPROJECT = "pyproject.toml"
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_VIA = re.compile(r"\s+#\s+(?:via\s+)?([A-Za-z0-9][A-Za-z0-9._-]*)\s*$")
_BUDGET = ("Metadata", "Alchemiser", "BudgetMB")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def of_resource(root: Path, template: str, logical_id: str) -> str:
    """`template.yaml:199`; the template alone when the line cannot be found."""
    line, _ = _find(root / template, ("Resources", logical_id))
    return f"{template}:{line}" if line else template


def of_budget(root: Path, template: str, logical_id: str) -> str:
    """Where the BudgetMB of a resource is written; empty when it has none of its own."""
    line, is_whole = _find(root / template, ("Resources", logical_id, *_BUDGET))
    return f"{template}:{line}" if is_whole else ""


def of_default(root: Path, key: str) -> str:
    """Where pyproject.toml sets a default, such as `layer_mb`; empty when it does not."""
    pattern = re.compile(rf"(^|[{{,\s]){re.escape(key)}\s*=")
    for number, text in enumerate(_text(root / PYPROJECT).splitlines(), start=1):
        if pattern.search(text.partition("#")[0]):
            return f"{PYPROJECT}:{number}"
    return ""


def of_requirement(root: Path, source: str, name: str) -> tuple[str, str]:
    """Where a code folder asks for a distribution, or for the one that brings it.

    Args:
        source: the code folder, relative to the project root.
        name: of the distribution, normalised.

    Returns:
        `layers/a/requirements.in:4` and the name asked for there. The file alone and no name when no line of it is
        known to bring the distribution; both empty when nothing is asked for.
    """
    asked = ASKED if (root / source / ASKED).is_file() else REQUIREMENTS
    place = (Path(source) / asked).as_posix()
    lines = _requirements(root / place)
    brought_by = _brought_by(root / source / REQUIREMENTS)
    seen, pending = {name}, [name]
    while pending:
        one = pending.pop(0)
        if one in lines:
            return f"{place}:{lines[one]}", one
        further = sorted(brought_by.get(one, set()) - seen)
        seen |= set(further)
        pending += further
    return (place, "") if lines else ("", "")


def _find(path: Path, keys: tuple[str, ...]) -> tuple[int, bool]:
    """The line of the deepest of these keys that a YAML file has, from 1, and whether that was the last of them."""
    try:
        node = yaml.compose(_text(path), Loader=_LOADER)
    except yaml.YAMLError:
        return 0, False
    line = 0
    for key in keys:
        found = next((pair for pair in _pairs(node) if pair[0].value == key), None)
        if found is None:
            return line, False
        line, node = found[0].start_mark.line + 1, found[1]
    return line, True


def _pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def _requirements(path: Path) -> dict[str, int]:
    """The line of each requirement; options, comments and a lock's hashes are none."""
    found: dict[str, int] = {}
    for number, text in enumerate(_text(path).splitlines(), start=1):
        match = _REQUIREMENT.match(text)
        if match:
            found.setdefault(normalised(match[1]), number)
    return found


def _brought_by(lock: Path) -> dict[str, set[str]]:
    """Who needs each distribution, from the `# via` comments that uv and pip-tools write into a lock."""
    found: dict[str, set[str]] = {}
    current = ""
    for text in _text(lock).splitlines():
        via = _VIA.match(text)
        if via and current:
            found.setdefault(current, set()).add(normalised(via[1]))
        elif match := _REQUIREMENT.match(text):
            current = normalised(match[1])
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
