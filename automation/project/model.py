"""The SAM templates and pyproject.toml as one frozen Project. Nothing here knows the names of a project."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from automation.project import settings as project_settings
from automation.project import templates
from automation.project.architectures import X86_64
from automation.project.settings import STACKS_TABLE, Settings
from automation.project.templates import Template, Unresolved
from automation.system.errors import ConfigurationError

LAMBDA_LIMIT_BYTES = 262_144_000
_FUNCTION_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Lambda::Function": "Code"}
_LAYER_CODE = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Lambda::LayerVersion": "Content"}
_FUNCTION_KEYS = ("Handler", "Runtime", "Architectures", "MemorySize", "Timeout")

type Text = str | Unresolved


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function.

    Attributes:
        code_uri: its code folder, relative to the project root; None for inline code and images.
        layers: in the order in which they are mounted; a layer of the same template by its logical id.
        memory_mb, timeout_s: None when the template leaves them to Lambda's defaults.
        variables: the names of its environment variables, including those of the template's Globals.
        properties: its Properties merged over the Globals, intrinsics in long form.
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
    """A Lambda layer.

    Attributes:
        content_uri: its content folder, relative to the project root; None when it has none.
        properties: its Properties merged over the Globals, intrinsics in long form.
        metadata: the resource's Metadata, intrinsics in long form.
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
        config_env: the section of samconfig.toml; `{env}` stands for the environment's name.
        parameters: the values that replace the template's defaults.
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
        """The resources that have code: functions, then layers."""
        return (*self.functions, *self.layers)


@dataclass(frozen=True, slots=True)
class Project:
    """What the templates and pyproject.toml say.

    Attributes:
        stacks: in the order of deployment.
    """

    root: Path
    settings: Settings
    stacks: tuple[Stack, ...]

    @property
    def functions(self) -> tuple[Function, ...]:
        return tuple(chain.from_iterable(stack.functions for stack in self.stacks))

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(chain.from_iterable(stack.layers for stack in self.stacks))


def load(root: Path, *, parameters: Mapping[str, str] | None = None, remember: bool = False) -> Project:
    """Read the project at `root`. Without `[tool.alchemiser]` it is one stack: template.yaml or template.yml.

    Args:
        parameters: values that replace the templates' defaults.
        remember: keep the parsed templates under `.alchemiser/`, so that the next command need not parse them.

    Raises:
        ConfigurationError: pyproject.toml or a template cannot be read or parsed, or a setting is wrong.
    """
    settings = project_settings.read(root)
    tables = settings.stacks or ({"name": "main", "template": _only_template(root)},)
    stacks = tuple(_stack(root, table, parameters or {}, remember=remember) for table in tables)
    for key in ("name", "build_dir", "config_env"):
        _require_distinct([getattr(stack, key) for stack in stacks], key)
    return Project(root, settings, stacks)


def budget_bytes(owner: Function | Layer, settings: Settings) -> int | None:
    """Return the size budget of a function's own tree or of a layer, in bytes; None means no budget.

    It is `Metadata: {Alchemiser: {BudgetMB: n}}`, otherwise the default of pyproject.toml.

    Raises:
        ConfigurationError: BudgetMB is not a positive number.
    """
    own = owner.metadata.get("Alchemiser")
    if isinstance(own, Mapping) and "BudgetMB" in own:
        where = f"{owner.logical_id}: Metadata: Alchemiser: BudgetMB"
        return project_settings.megabytes(own["BudgetMB"], where=where)
    return settings.budgets.function_bytes if isinstance(owner, Function) else settings.budgets.layer_bytes


def with_parameters(stack: Stack, parameters: Mapping[str, str]) -> Stack:
    """Return the stack with its functions and layers resolved with these values of the template's parameters."""
    folder = PurePosixPath(stack.template.path).parent
    return replace(
        stack,
        functions=_functions(stack, folder, parameters),
        layers=_layers(stack, folder, parameters),
        parameters=parameters,
    )


def _only_template(root: Path) -> str:
    has_yml_only = (root / "template.yml").is_file() and not (root / "template.yaml").is_file()
    return "template.yml" if has_yml_only else "template.yaml"


def _require_distinct(values: list[str], key: str) -> None:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ConfigurationError(f"two stacks have the {key} {repeated[0]}", where=STACKS_TABLE)


def _stack(root: Path, table: Mapping[str, Any], parameters: Mapping[str, str], *, remember: bool) -> Stack:
    name, path = table.get("name"), table.get("template")
    if not isinstance(name, str) or not isinstance(path, str):
        raise ConfigurationError("a stack needs a name and a template", where=STACKS_TABLE)

    template = templates.read(root / path, name=path, cache=root / ".alchemiser" / "parsed", remember=remember)
    unresolved = Stack(
        name=name,
        template=template,
        build_dir=str(table.get("build_dir", ".aws-sam/build")),
        config_env=str(table.get("config_env", "{env}")),
        functions=(),
        layers=(),
    )
    return with_parameters(unresolved, parameters)


def _functions(stack: Stack, folder: PurePosixPath, parameters: Mapping[str, str]) -> tuple[Function, ...]:
    return tuple(
        _function(logical_id, resource, _FUNCTION_CODE[resource["Type"]], stack, folder, parameters)
        for logical_id, resource in stack.template.resources.items()
        if resource["Type"] in _FUNCTION_CODE
    )


def _function(
    logical_id: str,
    resource: Mapping[str, Any],
    code_key: str,
    stack: Stack,
    folder: PurePosixPath,
    parameters: Mapping[str, str],
) -> Function:
    template = stack.template
    own = _properties(resource)
    # SAM applies Globals to its own resource types only.
    inherited = (template.globals.get("Function") or {}) if code_key == "CodeUri" else {}
    merged = {**inherited, **own}

    # SAM appends a function's layers to those of the Globals; every other property replaces the inherited one.
    layers = [
        *_as_list(templates.resolve(inherited.get("Layers"), template, parameters)),
        *_as_list(templates.resolve(own.get("Layers"), template, parameters)),
    ]
    resolved = templates.resolve({key: merged.get(key) for key in _FUNCTION_KEYS}, template, parameters)

    return Function(
        logical_id=logical_id,
        stack=stack.name,
        handler=resolved["Handler"] or "",
        code_uri=_path(templates.resolve(merged.get(code_key), template, parameters), folder),
        layers=tuple(_layer_reference(layer) for layer in layers),
        runtime=resolved["Runtime"] or "",
        architectures=tuple(_as_list(resolved["Architectures"])) or (X86_64,),
        memory_mb=resolved["MemorySize"],
        timeout_s=resolved["Timeout"],
        variables=_variables(inherited) | _variables(own),
        properties=merged,
        metadata=_metadata(resource),
    )


def _layers(stack: Stack, folder: PurePosixPath, parameters: Mapping[str, str]) -> tuple[Layer, ...]:
    layers = []
    for logical_id, resource in stack.template.resources.items():
        code_key = _LAYER_CODE.get(resource["Type"])
        if code_key is None:
            continue
        merged = {**(stack.template.globals.get("LayerVersion") or {}), **_properties(resource)}
        resolved = templates.resolve(merged, stack.template, parameters)
        layers.append(
            Layer(
                logical_id=logical_id,
                stack=stack.name,
                content_uri=_path(resolved.get(code_key), folder),
                runtimes=tuple(_as_list(resolved.get("CompatibleRuntimes"))),
                architectures=tuple(_as_list(resolved.get("CompatibleArchitectures"))),
                properties=merged,
                metadata=_metadata(resource),
            )
        )
    return tuple(layers)


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
    """Return a local folder relative to the root; S3 locations and intrinsics stay Unresolved, a missing value None."""
    if value is None or isinstance(value, Unresolved):
        return value
    if not isinstance(value, str) or "://" in value:
        return Unresolved(str(value))
    return (folder / value).as_posix()


def _layer_reference(layer: Any) -> Text:
    if isinstance(layer, Unresolved):
        return layer.resource or layer
    return layer if isinstance(layer, str) else Unresolved(str(layer))
