"""The SAM templates and pyproject.toml as one frozen Project. Nothing here knows the names of a project."""

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from automation.project import alternatives, nesting, properties, sam_configuration, skipped, template_search, templates
from automation.project import settings as project_settings
from automation.project.architectures import X86_64
from automation.project.properties import Text
from automation.project.settings import STACKS_TABLE, Settings
from automation.project.skipped import Skipped
from automation.project.templates import Template
from automation.system.errors import ConfigurationError

LAMBDA_LIMIT_BYTES = 262_144_000
_FUNCTION_CODE = {"AWS::Serverless::Function": "CodeUri", "AWS::Lambda::Function": "Code"}
_LAYER_CODE = {"AWS::Serverless::LayerVersion": "ContentUri", "AWS::Lambda::LayerVersion": "Content"}
_FUNCTION_KEYS = ("Handler", "Runtime", "Architectures", "MemorySize", "Timeout", "PackageType")
TEMPLATES = ("template.yaml", "template.yml", "template.json")  # SAM takes the first that exists


@dataclass(frozen=True, slots=True)
class Function:
    """A Lambda function.

    Attributes:
        code_uri: its code folder, relative to the project root; None for inline code and images.
        layers: in the order in which they are mounted; a layer of the same template by its logical id.
        layer_choices: each list of layers that it may have; `layers` has those of all. More than one when a condition
            that is only known at deploy time chooses.
        memory_mb, timeout_s: None when the template leaves them to Lambda's defaults.
        variables: the names of its environment variables, including those of the template's Globals.
        properties: its Properties merged over the Globals, intrinsics in long form.
        metadata: the resource's Metadata, resolved.
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
    is_image: bool = False
    layer_choices: tuple[tuple[Text, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """A Lambda layer.

    Attributes:
        content_uri: its content folder, relative to the project root; None when it has none.
        properties: its Properties merged over the Globals, intrinsics in long form.
        metadata: the resource's Metadata, resolved.
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
        skipped: what of the template our builder does not build, and why.
        parent: the name of the stack that nests this one; empty for a stack that is deployed by itself.
        nested: the logical ids of the nested applications whose templates are local: each is a stack of its own.
        faults: those whose local template is missing or cannot be read: none of these is a stack.
        code_folder: the folder that code is relative to, as in `sam build --base-dir`; empty for that of the template.
    """

    name: str
    template: Template
    build_dir: str
    config_env: str
    functions: tuple[Function, ...]
    layers: tuple[Layer, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    parent: str = ""
    nested: tuple[str, ...] = ()
    faults: tuple[Skipped, ...] = ()
    code_folder: str = ""

    @property
    def owners(self) -> "tuple[Function | Layer, ...]":
        """The resources that have code: functions, then layers."""
        return (*self.functions, *self.layers)


@dataclass(frozen=True, slots=True)
class Project:
    """What the templates and pyproject.toml say.

    Attributes:
        stacks: in the order of deployment; after each stack those that it nests.
        unread: why the template of a configured stack cannot be read, by the stack's name.
    """

    root: Path
    settings: Settings
    stacks: tuple[Stack, ...]
    unread: Mapping[str, ConfigurationError] = field(default_factory=dict)

    @property
    def deployed(self) -> tuple[Stack, ...]:
        """Return the stacks that are deployed by themselves, without those that they nest."""
        return tuple(stack for stack in self.stacks if not stack.parent)

    @property
    def functions(self) -> tuple[Function, ...]:
        return tuple(chain.from_iterable(stack.functions for stack in self.stacks))

    @property
    def layers(self) -> tuple[Layer, ...]:
        return tuple(chain.from_iterable(stack.layers for stack in self.stacks))


def load(
    root: Path, *, parameters: Mapping[str, str] | None = None, remember: bool = False, keeps_going: bool = False
) -> Project:
    """Read the project at `root`. Without `[tool.alchemiser]` it is one stack, and the templates that this one nests.

    Its template is the one that samconfig.toml names, otherwise template.yaml, template.yml or template.json.

    Args:
        parameters: values that replace the templates' defaults and those of samconfig.toml.
        remember: keep the parsed templates under `.alchemiser/`, so that the next command need not parse them.
        keeps_going: leave out a stack whose template cannot be read, with the reason, as long as another can.

    Raises:
        ConfigurationError: pyproject.toml, samconfig.toml or a template cannot be parsed, or a setting is wrong.
    """
    settings, samconfig = project_settings.read(root), sam_configuration.read(root)
    configured = settings.stacks or ({"name": "main", "template": _only_template(root, samconfig)},)
    tables = project_settings.with_defaults(configured)
    roots: list[Stack] = []
    unread: dict[str, ConfigurationError] = {}
    for name, path, table in map(_named, tables):
        try:
            template = _read(root, path, remember=remember)
        except ConfigurationError as cause:
            unread[name] = cause
        else:
            roots.append(_stack(name, template, table, samconfig, root, parameters or {}))
    if unread and not (keeps_going and roots):
        raise next(iter(unread.values()))

    for key in ("name", "build_dir", "config_env"):
        _require_distinct([getattr(stack, key) for stack in roots], key)
    families = (_family(stack, root, (stack.template.path,), remember=remember) for stack in roots)
    return Project(root, settings, tuple(chain.from_iterable(families)), unread)


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
    """Return the stack with everything resolved with these values of the template's parameters."""
    template = templates.expanded(stack.template, parameters)
    expanded = replace(stack, template=template, parameters=parameters)
    folder = PurePosixPath(stack.code_folder) if stack.code_folder else PurePosixPath(template.path).parent
    functions, layers = _functions(expanded, folder, parameters), _layers(expanded, folder, parameters)
    reasons = [*map(skipped.of_function, functions), *map(skipped.of_layer, layers)]
    paths = nesting.paths(template, parameters)
    faults = {fault.logical_id: fault for fault in stack.faults if fault.logical_id in paths}
    return replace(
        expanded,
        functions=functions,
        layers=layers,
        skipped=(
            *filter(None, reasons),
            *nesting.skipped_applications(template, parameters),
            *faults.values(),
            *skipped.of_template(template),
        ),
        nested=tuple(name for name in paths if name not in faults),
    )


def parameters_by_stack(project: Project, own: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Return the parameters of every stack: a nested one gets those that the stack above it passes on.

    Args:
        own: of stacks that are deployed by themselves, by name; one that is missing keeps its own.
    """
    parameters: dict[str, Mapping[str, str]] = {}
    above: dict[str, Stack] = {}
    for stack in project.stacks:
        if stack.parent:
            parent = above[stack.parent]
            parameters[stack.name] = nesting.parameters_of(_own_id(stack), parent.template, parent.parameters)
        else:
            parameters[stack.name] = own.get(stack.name, stack.parameters)
        if stack.nested:
            above[stack.name] = with_parameters(stack, parameters[stack.name])
    return parameters


def _own_id(stack: Stack) -> str:
    """Return the logical id of a nested stack in the template above it."""
    return stack.name.removeprefix(f"{stack.parent}/")


def _only_template(root: Path, samconfig: Mapping[str, Any]) -> str:
    """Return the path of the template that SAM takes without an option, relative to the root."""
    if named := sam_configuration.template_file(samconfig):
        return posixpath.normpath(named)
    present = next((name for name in TEMPLATES if (root / name).is_file()), None)
    if present is None:
        names = f"{', '.join(TEMPLATES[:-1])} or {TEMPLATES[-1]}"
        raise ConfigurationError(f"there is no {names} here; {template_search.how_to_name(root)}")
    return present


def _require_distinct(values: list[str], key: str) -> None:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ConfigurationError(f"two stacks have the {key} {repeated[0]}", where=STACKS_TABLE)


def _named(table: Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]]:
    """Return the name and the template of a configured stack, with its table."""
    name, path = table.get("name"), table.get("template")
    if not isinstance(name, str) or not isinstance(path, str):
        raise ConfigurationError("a stack needs a name and a template", where=STACKS_TABLE)
    return name, path, table


def _stack(
    name: str,
    template: Template,
    table: Mapping[str, Any],
    samconfig: Mapping[str, Any],
    root: Path,
    parameters: Mapping[str, str],
) -> Stack:
    config_env = str(table["config_env"])
    section = config_env.format(env=sam_configuration.DEFAULT)
    unresolved = Stack(
        name=name,
        template=template,
        build_dir=str(table["build_dir"]),
        config_env=config_env,
        functions=(),
        layers=(),
        code_folder=sam_configuration.base_folder(samconfig, section),
    )
    configured = sam_configuration.build_parameters(samconfig, section, template.parameters, root=root)
    return with_parameters(unresolved, {**configured, **parameters})


def _read(root: Path, path: str, *, remember: bool) -> Template:
    return templates.read(root / path, name=path, cache=root / templates.PARSED, remember=remember)


def _family(stack: Stack, root: Path, above: tuple[str, ...], *, remember: bool) -> Iterator[Stack]:
    """Yield a stack, then each stack that it nests with its own.

    Args:
        above: the paths of its template and of those that lead to it.
    """
    nested: list[Stack] = []
    faults: list[Skipped] = []
    for logical_id, path in nesting.paths(stack.template, stack.parameters).items():
        if path in above:
            raise ConfigurationError(f"nests {path}, which contains it", where=f"{stack.template.path}: {logical_id}")
        if not (root / path).is_file():
            faults.append(nesting.absent(logical_id, path))
            continue
        try:
            nested.append(_nested(stack, logical_id, _read(root, path, remember=remember)))
        except ConfigurationError as cause:
            faults.append(nesting.unreadable(logical_id, cause))

    yield with_parameters(replace(stack, faults=tuple(faults)), stack.parameters) if faults else stack
    for inner in nested:
        yield from _family(inner, root, (*above, inner.template.path), remember=remember)


def _nested(stack: Stack, logical_id: str, template: Template) -> Stack:
    """Return the stack of a nested application."""
    nested = replace(
        stack,
        name=f"{stack.name}/{logical_id}",
        template=nesting.without_defaults(template, logical_id, stack.template, stack.parameters),
        build_dir=f"{stack.build_dir}/{logical_id}",
        parent=stack.name,
    )
    return with_parameters(nested, nesting.parameters_of(logical_id, stack.template, stack.parameters))


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
    own = properties.of(resource)
    # SAM applies Globals to its own resource types only.
    inherited = (template.globals.get("Function") or {}) if code_key == "CodeUri" else {}
    merged = {**inherited, **own}

    choices = alternatives.possible(properties.layers(inherited, own), template, parameters)
    layers = [properties.layer_references(choice) for choice in choices]
    resolved = templates.resolve({key: merged.get(key) for key in (*_FUNCTION_KEYS, code_key)}, template, parameters)
    is_image = skipped.is_image({**merged, **resolved})

    return Function(
        logical_id=logical_id,
        stack=stack.name,
        handler=resolved["Handler"] or "",
        code_uri=None if is_image or skipped.is_inline(merged) else properties.path(resolved[code_key] or ".", folder),
        layers=tuple(alternatives.union(layers)) if len(layers) > 1 else layers[0],
        runtime=resolved["Runtime"] or "",
        architectures=tuple(properties.as_list(resolved["Architectures"])) or (X86_64,),
        memory_mb=resolved["MemorySize"],
        timeout_s=resolved["Timeout"],
        variables=properties.variables(inherited) | properties.variables(own),
        properties=merged,
        metadata=templates.resolve(properties.metadata(resource), template, parameters),
        is_image=is_image,
        layer_choices=tuple(layers),
    )


def _layers(stack: Stack, folder: PurePosixPath, parameters: Mapping[str, str]) -> tuple[Layer, ...]:
    layers = []
    for logical_id, resource in stack.template.resources.items():
        code_key = _LAYER_CODE.get(resource["Type"])
        if code_key is None:
            continue
        merged = {**(stack.template.globals.get("LayerVersion") or {}), **properties.of(resource)}
        resolved = templates.resolve(merged, stack.template, parameters)
        metadata = templates.resolve(properties.metadata(resource), stack.template, parameters)
        # SAM builds a layer without ContentUri from the folder of the template, but cannot deploy it unbuilt.
        content = resolved.get(code_key) or ("." if metadata.get("BuildMethod") else None)
        layers.append(
            Layer(
                logical_id=logical_id,
                stack=stack.name,
                content_uri=properties.path(content, folder),
                runtimes=tuple(properties.as_list(resolved.get("CompatibleRuntimes"))),
                architectures=tuple(properties.as_list(resolved.get("CompatibleArchitectures"))),
                properties=merged,
                metadata=metadata,
            )
        )
    return tuple(layers)
