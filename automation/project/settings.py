"""Read pyproject.toml once: the typed settings of `[tool.alchemiser]`, and the parts of other tables that we need."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automation.system.errors import ConfigurationError

PYPROJECT = "pyproject.toml"
TABLE = f"{PYPROJECT}: [tool.alchemiser]"
STACKS_TABLE = f"{PYPROJECT}: [[tool.alchemiser.stacks]]"
BUDGETS_TABLE = f"{PYPROJECT}: [tool.alchemiser.budgets]"
_BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Budgets:
    """The default budgets; None means no limit.

    Attributes:
        function_bytes: unzipped size of a function's own tree, without its layers.
        layer_bytes: unzipped size of a layer.
        cold_start_ms: import time of a handler.
    """

    function_bytes: int | None = None
    layer_bytes: int | None = None
    cold_start_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of pyproject.toml; every field has a default, so a project without one works too.

    Attributes:
        package: the source package that sync copies from; empty when the project has none.
        messages: the message registry, as `package.module:NAME`; empty when the project has none.
        smoke: the message that every function must answer after a deployment; None for no such test.
        stacks: the tables `[[tool.alchemiser.stacks]]`, in the order of deployment.
        environments: the tables `[tool.alchemiser.environments.<name>]`; environments.py checks them.
        dependency_groups: the names in `[dependency-groups]`.
        pytest_options: the table `[tool.pytest.ini_options]`.
    """

    package: str = ""
    messages: str = ""
    smoke: Mapping[str, Any] | None = None
    stacks: tuple[Mapping[str, Any], ...] = ()
    budgets: Budgets = field(default_factory=Budgets)
    environments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dependency_groups: frozenset[str] = frozenset()
    pytest_options: Mapping[str, Any] = field(default_factory=dict)


def read(root: Path) -> Settings:
    """Read the pyproject.toml of the project at `root`; a missing file means the defaults.

    Raises:
        ConfigurationError: the file is not valid TOML, or a setting has the wrong type.
    """
    try:
        document = tomllib.loads((root / PYPROJECT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except tomllib.TOMLDecodeError as cause:
        raise ConfigurationError(f"is not valid TOML: {cause}", where=PYPROJECT) from cause

    tools = _table(document, "tool", PYPROJECT)
    table = _table(tools, "alchemiser", PYPROJECT)
    pytest = _table(_table(tools, "pytest", PYPROJECT), "ini_options", PYPROJECT)
    return Settings(
        package=_text(table, "package"),
        messages=_text(table, "messages"),
        smoke=_table(table, "smoke", TABLE, example="smoke = { health = true }") if "smoke" in table else None,
        stacks=_stacks(table),
        budgets=_budgets(_table(table, "budgets", TABLE)),
        environments=_environments(table),
        dependency_groups=frozenset(_table(document, "dependency-groups", PYPROJECT)),
        pytest_options=pytest,
    )


def megabytes(value: Any, *, where: str) -> int:
    """Return a number of MB in bytes; a MB is 1,000,000 bytes.

    Raises:
        ConfigurationError: the value is not a positive number.
    """
    return round(_positive(value, "MB", where) * _BYTES_PER_MB)


def milliseconds(value: Any, *, where: str) -> float:
    """Return a number of milliseconds.

    Raises:
        ConfigurationError: the value is not a positive number.
    """
    return _positive(value, "milliseconds", where)


def _table(parent: Mapping[str, Any], key: str, where: str, *, example: str = "") -> Mapping[str, Any]:
    value = parent.get(key, {})
    if not isinstance(value, Mapping):
        hint = f", as in {example}" if example else ""
        raise ConfigurationError(f"{key} is not a table{hint}", where=where)
    return value


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise ConfigurationError(f"{key} is not a string", where=TABLE)
    return value


def _stacks(table: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    stacks = table.get("stacks", [])
    if not isinstance(stacks, list) or not all(isinstance(stack, Mapping) for stack in stacks):
        raise ConfigurationError("stacks is not a list of tables", where=STACKS_TABLE)
    return tuple(stacks)


def _environments(table: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    environments = _table(table, "environments", TABLE)
    for name in environments:
        _table(environments, name, f"{PYPROJECT}: [tool.alchemiser.environments]")
    return environments


def _budgets(table: Mapping[str, Any]) -> Budgets:
    function_mb, layer_mb, cold_start_ms = (table.get(key) for key in ("function_mb", "layer_mb", "cold_start_ms"))
    return Budgets(
        None if function_mb is None else megabytes(function_mb, where=f"{BUDGETS_TABLE} function_mb"),
        None if layer_mb is None else megabytes(layer_mb, where=f"{BUDGETS_TABLE} layer_mb"),
        None if cold_start_ms is None else milliseconds(cold_start_ms, where=f"{BUDGETS_TABLE} cold_start_ms"),
    )


def _positive(value: Any, unit: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigurationError(f"{value!r} is not a positive number of {unit}", where=where)
    return value
