"""The SAM templates and pyproject.toml -> one frozen Project. Nothing here knows the names of a project."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from automation.project import templates
from automation.project.templates import Template, Unresolved
from automation.system.errors import ConfigurationError

LAMBDA_LIMIT_BYTES = 262_144_000
_STACKS = "pyproject.toml: [[tool.alchemiser.stacks]]"
_FUNCTION_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Lambda::Function": "Code"}
_LAYER_CODE = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Lambda::LayerVersion": "Content"}

type Text = str | Unresolved


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function with a code folder.

    Attributes:
        code_uri: its folder, relative to the project root; None for inline code and images.
        layers: in the order they are mounted; a layer of the same template by its logical id.
        variables: the names of its environment variables, the template's Globals among them.
        properties: its Properties over the Globals, intrinsics in long form.
        metadata: the resource's Metadata, intrinsics in long form.
    """

    logical_id: str
    stack: str
    handler: Text
    code_uri: Text | None
    layers: tuple[Text, ...]
    runtime: Text
    architectures: tuple[Text, ...]
    memory_mb: Any
    timeout_s: Any
    variables: frozenset[str] = frozenset()
    properties: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with a content folder, relative to the project root.

    Attributes:
        properties: its Properties over the Globals, intrinsics in long form.
    """

    logical_id: str
    stack: str
    content_uri: Text | None
    runtimes: tuple[Text, ...]
    architectures: tuple[Text, ...]
    properties: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stack:
    """One template and where it is built.

    Attributes:
        build_dir: relative to the project root.
        config_env: the section of samconfig.toml, `{env}` standing for the environment's name.
        parameters: the values that took the place of the template's defaults.
    """

    name: str
    template: Template
    build_dir: str
    config_env: str
    functions: tuple[Function, ...]
    layers: tuple[Layer, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def owners(self) -> "tuple[Function | Layer, ...]":
        """Functions, then layers: what has code."""
        return (*self.functions, *self.layers)


@dataclass(frozen=True, slots=True)
class Budgets:
    """The defaults in bytes for what has no BudgetMB of its own; None means no budget."""

    function_bytes: int | None = None
    layer_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """What the templates and pyproject.toml say.

    Attributes:
        package: the source package that sync copies from; empty when the project has none.
        stacks: in the order of deployment.
        environments: the tables `[tool.alchemiser.environments.<name>]` as they stand; environments.py reads them.
    """

    root: Path
    package: str
    stacks: tuple[Stack, ...]
    budgets: Budgets
    environments: Mapping[str, Mapping[str, Any]]

    @property
    def functions(self) -> tuple[Function, ...]:
        return tuple(function for stack in self.stacks for function in stack.functions)

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(layer for stack in self.stacks for layer in stack.layers)


def load(root: Path, *, parameters: Mapping[str, str] | None = None, remember: bool = False) -> Project:
    """Read the project at `root`. Without `[tool.alchemiser]` it is one stack: template.yaml or template.yml.

    Args:
        parameters: values that take the place of the templates' defaults.
        remember: keep the parsed templates under `.alchemiser/`, so that the next command need not parse them.

    Raises:
        ConfigurationError: pyproject.toml or a template cannot be read or is not what it should be.
    """
    settings = read_settings(root)
    tables = settings.get("stacks") or [{"name": "main", "template": _only_template(root)}]
    stacks = tuple(_stack(root, table, parameters or {}, remember=remember) for table in tables)
    for key in ("name", "build_dir", "config_env"):
        _require_distinct([getattr(stack, key) for stack in stacks], key)
    return Project(
        root=root,
        package=str(settings.get("package", "")),
        stacks=stacks,
        budgets=_budgets(settings.get("budgets", {})),
        environments=settings.get("environments", {}),
    )


def read_settings(root: Path) -> Mapping[str, Any]:
    """The table `[tool.alchemiser]` of pyproject.toml, empty when there is none.

    Raises:
        ConfigurationError: pyproject.toml is not valid TOML.
    """
    try:
        document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as cause:
        raise ConfigurationError(f"is not valid TOML: {cause}", where="pyproject.toml") from cause
    settings = document.get("tool", {}).get("alchemiser", {})
    return settings if isinstance(settings, Mapping) else {}


def budget_bytes(owner: Function | Layer, budgets: Budgets) -> int | None:
    """The house budget for a function's own tree or a layer: `Metadata: {Alchemiser: {BudgetMB: n}}`, else the default.

    Raises:
        ConfigurationError: BudgetMB is not a positive number.
    """
    default = budgets.function_bytes if isinstance(owner, Function) else budgets.layer_bytes
    ours = owner.metadata.get("Alchemiser")
    if not isinstance(ours, Mapping) or "BudgetMB" not in ours:
        return default
    return _megabytes(ours["BudgetMB"], where=f"{owner.logical_id}: Metadata: Alchemiser: BudgetMB")


def _only_template(root: Path) -> str:
    return (
        "template.yml"
        if (root / "template.yml").is_file() and not (root / "template.yaml").is_file()
        else "template.yaml"
    )


def _require_distinct(values: list[str], key: str) -> None:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ConfigurationError(
            f"two stacks have the {key} {twice[0]}", where="pyproject.toml: [[tool.alchemiser.stacks]]"
        )


def _stack(root: Path, table: Mapping[str, Any], parameters: Mapping[str, str], *, remember: bool) -> Stack:
    name, path = table.get("name"), table.get("template")
    if not isinstance(name, str) or not isinstance(path, str):
        raise ConfigurationError(
            "a stack needs a name and a template", where="pyproject.toml: [[tool.alchemiser.stacks]]"
        )
    read = Stack(
        name=name,
        template=templates.read(root / path, name=path, cache=root / ".alchemiser" / "parsed", remember=remember),
        build_dir=str(table.get("build_dir", ".aws-sam/build")),
        config_env=str(table.get("config_env", "{env}")),
        functions=(),
        layers=(),
    )
    return with_parameters(read, parameters)


def with_parameters(stack: Stack, parameters: Mapping[str, str]) -> Stack:
    """The same stack with its functions and layers as these values of the template's parameters make them."""
    folder = PurePosixPath(stack.template.path).parent
    return replace(
        stack,
        functions=tuple(_functions(stack.name, stack.template, folder, parameters)),
        layers=tuple(_layers(stack.name, stack.template, folder, parameters)),
        parameters=parameters,
    )


def _functions(stack: str, template: Template, folder: PurePosixPath, parameters: Mapping[str, str]) -> list[Function]:
    shared = template.globals.get("Function") or {}
    found = []
    for logical_id, resource in template.resources.items():
        code_key = _FUNCTION_CODE.get(resource["Type"])
        if code_key is None:
            continue
        own = _properties(resource)
        inherited = shared if code_key == "CodeUri" else {}
        merged = {**inherited, **own}
        layers = [
            layer
            for one in (inherited, own)
            for layer in _as_list(templates.resolve(one.get("Layers"), template, parameters))
        ]
        known = templates.resolve({key: merged.get(key) for key in _FUNCTION_KEYS}, template, parameters)
        found.append(
            Function(
                logical_id=logical_id,
                stack=stack,
                handler=known["Handler"] or "",
                code_uri=_path(templates.resolve(merged.get(code_key), template, parameters), folder),
                layers=tuple(_layer_reference(layer) for layer in layers),
                runtime=known["Runtime"] or "",
                architectures=tuple(_as_list(known["Architectures"])) or ("x86_64",),
                memory_mb=known["MemorySize"],
                timeout_s=known["Timeout"],
                variables=_variables(inherited) | _variables(own),
                properties=merged,
                metadata=_metadata(resource),
            )
        )
    return found


_FUNCTION_KEYS = ("Handler", "Runtime", "Architectures", "MemorySize", "Timeout")


def _layers(stack: str, template: Template, folder: PurePosixPath, parameters: Mapping[str, str]) -> list[Layer]:
    found = []
    for logical_id, resource in template.resources.items():
        code_key = _LAYER_CODE.get(resource["Type"])
        if code_key is None:
            continue
        merged = {**(template.globals.get("LayerVersion") or {}), **_properties(resource)}
        own = templates.resolve(merged, template, parameters)
        found.append(
            Layer(
                logical_id=logical_id,
                stack=stack,
                content_uri=_path(own.get(code_key), folder),
                runtimes=tuple(_as_list(own.get("CompatibleRuntimes"))),
                architectures=tuple(_as_list(own.get("CompatibleArchitectures"))),
                properties=merged,
                metadata=_metadata(resource),
            )
        )
    return found


def _properties(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = resource.get("Properties")
    return properties if isinstance(properties, Mapping) else {}


def _metadata(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = resource.get("Metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _variables(properties: Mapping[str, Any]) -> frozenset[str]:
    environment = properties.get("Environment")
    variables = environment.get("Variables") if isinstance(environment, Mapping) else None
    return frozenset(variables) if isinstance(variables, Mapping) else frozenset()


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _path(value: Any, folder: PurePosixPath) -> Text | None:
    """A local folder relative to the root; an S3 location or an intrinsic stays unresolved, absence stays None."""
    if value is None or isinstance(value, Unresolved):
        return value
    if not isinstance(value, str) or "://" in value:
        return Unresolved(str(value))
    return (folder / value).as_posix()


def _layer_reference(known: Any) -> Text:
    if isinstance(known, Unresolved):
        return known.resource or known
    return known if isinstance(known, str) else Unresolved(str(known))


def _budgets(table: Mapping[str, Any]) -> Budgets:
    where = "pyproject.toml: [tool.alchemiser.budgets]"
    function_mb, layer_mb = table.get("function_mb"), table.get("layer_mb")
    return Budgets(
        function_bytes=None if function_mb is None else _megabytes(function_mb, where=f"{where} function_mb"),
        layer_bytes=None if layer_mb is None else _megabytes(layer_mb, where=f"{where} layer_mb"),
    )


def _megabytes(value: Any, *, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigurationError(f"{value!r} is not a positive number of MB", where=where)
    return round(value * 1_000_000)
