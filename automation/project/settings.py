"""Read pyproject.toml once: the typed settings of `[tool.alchemiser]`, and the parts of other tables that we need."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from automation.project import setting_keys
from automation.system.errors import ConfigurationError

PYPROJECT = "pyproject.toml"
TABLE = f"{PYPROJECT}: [tool.alchemiser]"
STACKS_TABLE = f"{PYPROJECT}: [[tool.alchemiser.stacks]]"
WATCHED_TABLE = f"{PYPROJECT}: [[tool.alchemiser.watched]]"
SECRETS_TABLE = f"{PYPROJECT}: [[tool.alchemiser.secrets]]"
BUDGETS_TABLE = f"{PYPROJECT}: [tool.alchemiser.budgets]"
MIN_KEPT_RELEASES = 20
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
class Watched:
    """A setting whose change a deployment plan shows apart: `[[tool.alchemiser.watched]]`.

    Attributes:
        name: its name in plans, such as `kill switch`.
        parameter: a template parameter; empty when it is a property of resources.
        resource: a logical id or a resource type.
        property: the path of the property below Properties, such as `Value` or `Target.Input`.
        forbid: the values that a deployment may only set when they are allowed by name.
    """

    name: str
    parameter: str = ""
    resource: str = ""
    property: str = ""
    forbid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that every environment needs in Secrets Manager: `[[tool.alchemiser.secrets]]`.

    Attributes:
        name: `{env}` stands for the environment's name.
        fields: the fields of its JSON text; empty for a plain text.
    """

    name: str
    fields: tuple[str, ...] = ()

    def name_in(self, environment: str) -> str:
        """Return its name in an environment."""
        return self.name.replace("{env}", environment)


@dataclass(frozen=True, slots=True)
class Hooks:
    """What only the product can say, each as `package.module:function`; see deploying/checks/hooks.py.

    Attributes:
        guards: whether this is a good moment to deploy.
        status: the product's lines in `inv status`.
        pause: bring the product to a safe halt after a failed deployment.
        contracts: the JSON schemas of messages and stored items, by name.
        samples: one message of each kind as its consumers receive it, by name.
        bootstrap: what the product needs in an account before its first deployment.
    """

    guards: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    pause: tuple[str, ...] = ()
    contracts: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    bootstrap: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of pyproject.toml; every field has a default, so a project without one works too.

    Attributes:
        package: the source package that sync copies from; empty when the project has none.
        messages: the message registry, as `package.module:NAME`; empty when the project has none.
        scaffold: the folder that describes the files of a new function; empty when the project has none.
        tests: the command that runs the project's tests; empty when `inv lock --upgrade` is to run none.
        smoke: the message that every function must answer after a deployment; None for no such test.
        stacks: the tables `[[tool.alchemiser.stacks]]`, in the order of deployment.
        environments: the tables `[tool.alchemiser.environments.<name>]`; environments.py checks them.
        watched: the settings whose changes a deployment plan shows apart.
        secrets: what must be in Secrets Manager before the functions can work.
        senders: the template parameters with an address that mail is sent from.
        recipients: the template parameters with addresses that mail is sent to, with commas between them.
        ask: the template parameters that `inv deploy` asks for once; no file has their values.
        grants: the actions of IAM that the hooks use on resources of the stacks, for the deploy role.
        keep_releases: how many of the newest releases `inv prune` keeps restorable.
        dependency_groups: the names in `[dependency-groups]`.
        pytest_options: the table `[tool.pytest.ini_options]`.
    """

    package: str = ""
    messages: str = ""
    scaffold: str = ""
    tests: str = ""
    smoke: Mapping[str, Any] | None = None
    stacks: tuple[Mapping[str, Any], ...] = ()
    budgets: Budgets = field(default_factory=Budgets)
    environments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    watched: tuple[Watched, ...] = ()
    secrets: tuple[Secret, ...] = ()
    senders: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    keep_releases: int = MIN_KEPT_RELEASES
    hooks: Hooks = field(default_factory=Hooks)
    dependency_groups: frozenset[str] = frozenset()
    pytest_options: Mapping[str, Any] = field(default_factory=dict)


def read(root: Path) -> Settings:
    """Read the pyproject.toml of the project at `root`; a missing file means the defaults.

    Raises:
        ConfigurationError: the file is not valid TOML, a key is unknown, or a setting has the wrong type.
    """
    try:
        document = tomllib.loads((root / PYPROJECT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except tomllib.TOMLDecodeError as cause:
        raise ConfigurationError(f"is not valid TOML: {cause}", where=PYPROJECT) from cause

    tools = _table(document, "tool", PYPROJECT)
    table = _table(tools, "alchemiser", PYPROJECT)
    setting_keys.require_known(table, setting_keys.PROJECT, where=TABLE)
    pytest = _table(_table(tools, "pytest", PYPROJECT), "ini_options", PYPROJECT)
    return Settings(
        package=_text(table, "package"),
        messages=_text(table, "messages"),
        scaffold=_text(table, "scaffold"),
        tests=_text(table, "tests"),
        smoke=_table(table, "smoke", TABLE, example="smoke = { health = true }") if "smoke" in table else None,
        stacks=_tables(table, "stacks"),
        budgets=_budgets(_table(table, "budgets", TABLE)),
        environments=_environments(table),
        watched=tuple(_watched(entry) for entry in _tables(table, "watched")),
        secrets=tuple(_secret(entry) for entry in _tables(table, "secrets")),
        senders=_texts(table, "senders", TABLE),
        recipients=_texts(table, "recipients", TABLE),
        ask=_texts(table, "ask", TABLE),
        grants=_texts(table, "grants", TABLE),
        keep_releases=_kept_releases(table.get("keep_releases", MIN_KEPT_RELEASES)),
        hooks=Hooks(*(_functions(table, entry.name) for entry in fields(Hooks))),
        dependency_groups=frozenset(_table(document, "dependency-groups", PYPROJECT)),
        pytest_options=pytest,
    )


def with_defaults(stacks: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Return the tables of stacks, each with a `build_dir` and a `config_env` of its own.

    Raises:
        ConfigurationError: a table has an unknown key.
    """
    complete = [dict(table) for table in stacks]
    for table in complete:
        setting_keys.require_known(table, setting_keys.STACK, where=STACKS_TABLE)
    for key, first, further in (("build_dir", ".aws-sam/build", ".aws-sam/"), ("config_env", "{env}", "{env}-")):
        taken = {table.get(key) for table in complete}
        for table in complete:
            taken.add(table.setdefault(key, first if first not in taken else f"{further}{table.get('name')}"))
    return tuple(complete)


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


def _tables(table: Mapping[str, Any], key: str) -> tuple[Mapping[str, Any], ...]:
    tables = table.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(entry, Mapping) for entry in tables):
        raise ConfigurationError(f"{key} is not a list of tables", where=f"{PYPROJECT}: [[tool.alchemiser.{key}]]")
    return tuple(tables)


def _watched(entry: Mapping[str, Any]) -> Watched:
    keys = setting_keys.names(setting_keys.WATCHED)
    texts = {key: value for key, value in entry.items() if key != "forbid"}
    forbid = entry.get("forbid", [])
    if set(entry) - keys or not all(isinstance(value, str) for value in texts.values()) or not isinstance(forbid, list):
        raise ConfigurationError(
            f"needs text for name, parameter, resource, property; a list for forbid, got {dict(entry)}",
            where=WATCHED_TABLE,
        )
    watched = Watched(**texts, forbid=tuple(str(value) for value in forbid))
    if not watched.name or bool(watched.parameter) == bool(watched.resource and watched.property):
        raise ConfigurationError("needs a name, and either parameter, or resource and property", where=WATCHED_TABLE)
    return watched


def _secret(entry: Mapping[str, Any]) -> Secret:
    name, fields = entry.get("name"), _texts(entry, "fields", SECRETS_TABLE)
    if set(entry) - setting_keys.names(setting_keys.SECRET) or not isinstance(name, str) or not name:
        raise ConfigurationError(
            f'needs a name, and fields when it is JSON, as in name = "/{{env}}/broker"; got {dict(entry)}',
            where=SECRETS_TABLE,
        )
    return Secret(name, fields)


def _texts(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
        raise ConfigurationError(f'{key} is not a list of names, as in {key} = ["a", "b"]', where=where)
    return tuple(values)


def _functions(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) and ":" in value for value in values):
        raise ConfigurationError(
            f'{key} is not a list of functions, as in {key} = ["package.module:function"]', where=TABLE
        )
    return tuple(values)


def _kept_releases(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < MIN_KEPT_RELEASES:
        raise ConfigurationError(f"keep_releases must be at least {MIN_KEPT_RELEASES}, got {value!r}", where=TABLE)
    return value


def _environments(table: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    environments = _table(table, "environments", TABLE)
    for name in environments:
        _table(environments, name, f"{PYPROJECT}: [tool.alchemiser.environments]")
    return environments


def _budgets(table: Mapping[str, Any]) -> Budgets:
    setting_keys.require_known(table, setting_keys.BUDGETS, where=BUDGETS_TABLE)
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
