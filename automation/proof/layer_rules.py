"""Rules about the layers that functions mount, according to the templates."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from automation.lambda_runtime import public_layers
from automation.lambda_runtime.paths import LAYER_MODULES
from automation.project import macros, templates
from automation.project.model import Function, Layer, Stack
from automation.project.templates import Unresolved
from automation.proof import binaries, built_trees, compiled
from automation.proof.built_trees import BuiltTree
from automation.proof.model import Fault, Rule, Severity, Subject, merged
from automation.system import files

MOST_LAYERS = 5
_RUNTIMES, _ARCHITECTURES = "CompatibleRuntimes", "CompatibleArchitectures"
_LAYER_TYPES = frozenset({"AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"})
# Folders of a layer that Lambda uses without a python/ folder: programs, libraries, extensions, other languages.
_OTHER_CONTENT = frozenset({"bin", "lib", "extensions", "nodejs", "java", "ruby"})


@dataclass(frozen=True, slots=True)
class _Declared:
    """What a layer declares to be compatible with, and what the functions that mount it are.

    Attributes:
        own_of: the values of each function, by its logical id.
    """

    key: str
    own_of: Mapping[str, tuple[object, ...]]
    compatible: tuple[object, ...]

    @property
    def excluded(self) -> list[str]:
        return [name for name, own in self.own_of.items() if built_trees.is_excluded(own, self.compatible)]


def check_count(subject: Subject) -> Iterator[Fault]:
    for function, stack in subject.functions:
        count = max(map(len, function.layer_choices or (function.layers,)))
        if count > MOST_LAYERS:
            what = f"mounts {count} layers; Lambda allows {MOST_LAYERS}"
            yield Fault(built_trees.where(stack, function), what, "merge layers; those of Globals count too")


def check_references(subject: Subject) -> Iterator[Fault]:
    for function, stack in subject.functions:
        for name in _unknown_names(function, stack):
            what = f"Layers names {name}, which this template does not define"
            layers = built_trees.abbreviate(layer.logical_id for layer in stack.layers) or "none"
            severity = Severity.WARNING if macros.of_function(function, stack.template) else Severity.ERROR
            fix = f"name one of the template's layers ({layers})"
            yield Fault(built_trees.where(stack, function), what, fix, severity)
        for layer in function.layers:
            kind = stack.template.resources.get(str(layer), {}).get("Type")
            if kind is not None and kind not in _LAYER_TYPES:
                what = f"Layers names {layer}, which is of type {kind} and not a layer"
                yield Fault(built_trees.where(stack, function), what, f"remove {layer} from Layers")


def check_use(subject: Subject) -> Iterator[Fault]:
    if not subject.project.functions:  # a project of layers alone publishes them for others
        return
    for stack in subject.project.stacks:
        mounted = _mounted_names(stack.functions)
        layers = [layer for layer in stack.layers if layer.logical_id not in mounted]
        if not layers:
            continue
        document = templates.document(subject.project.root / stack.template.path, name=stack.template.path)
        used = templates.references({key: value for key, value in document.items() if key != "Transform"})
        for layer in layers:
            if layer.logical_id not in used:
                what = "no function mounts this layer and nothing refers to it"
                yield Fault(built_trees.where(stack, layer), what, "remove it, or name it in Layers", Severity.WARNING)


def check_compatibility(subject: Subject) -> Iterator[Fault]:
    trees = {(tree.stack.name, tree.owner.logical_id): tree for tree in subject.built_trees}
    for stack in subject.project.stacks:
        for layer in stack.layers:
            users = [function for function in stack.functions if layer.logical_id in function.layers]
            tree = trees.get((stack.name, layer.logical_id))
            for key, own_of, compatible in (
                (_RUNTIMES, {user.logical_id: (user.runtime,) for user in users}, layer.runtimes),
                (_ARCHITECTURES, {user.logical_id: user.architectures for user in users}, layer.architectures),
            ):
                yield from _incompatibilities(_Declared(key, own_of, compatible), layer, stack, tree)


def check_content(subject: Subject) -> Iterator[Fault]:
    for stack in subject.project.stacks:
        mounted = _mounted_names(function for function in stack.functions if _is_python(function))
        for layer in stack.layers:
            tree = subject.trees.get((stack.name, layer.logical_id))
            if layer.logical_id in mounted and tree is not None and (lost := _off_the_path(tree)):
                what = f"has no python/ folder, so sys.path does not include {built_trees.abbreviate(lost)}"
                method = _build_method(stack, layer)
                fix = f"add Metadata: {{BuildMethod: {method}}} and run inv build, or move its modules under python/"
                paths = (PurePosixPath(path.as_posix()) for path in files.walk(tree))
                yield Fault(built_trees.where(stack, layer), what, fix, explains=built_trees.module_names(paths))


def check_alias(subject: Subject) -> Iterator[Fault]:
    for function, stack in subject.functions:
        if not function.properties.get("AutoPublishAlias") or not function.layers:
            continue

        missing = _missing_settings(function, stack)
        outside = [
            public_layers.label(str(layer))
            for layer in function.layers
            if _is_of_another_template(layer, function, stack)
        ]
        if missing:
            what = "a change in a layer publishes no new version, so the alias keeps the old layer"
            fix = f"set {', '.join(missing)}"
            # The first deployment works: only a project that asks for the strict rules gets an error.
            severity = Severity.ERROR if subject.project.settings.package else Severity.WARNING
            yield Fault(built_trees.where(stack, function), what, fix, severity)
        elif outside:
            layers = built_trees.abbreviate(outside)
            what = f"a new version of {layers}, which is outside this template, does not update the alias"
            yield Fault(built_trees.where(stack, function), what, "move the layer into this template", Severity.WARNING)


def _incompatibilities(declared: _Declared, layer: Layer, stack: Stack, tree: BuiltTree | None) -> Iterator[Fault]:
    """Yield one fault for all functions whose value a layer lacks."""
    names_by_value: dict[str, list[str]] = {}
    for name in declared.excluded:
        names_by_value.setdefault(str(declared.own_of[name][0]), []).append(name)

    for value, names in names_by_value.items():
        foreign = _foreign(tree, value) if tree else []
        explains = tree.modules(foreign) if tree else ()
        compatible = built_trees.abbreviate(declared.compatible)
        what = f"{declared.key} ({compatible}) lacks {value} of {built_trees.abbreviate(names)}"
        what += f", for which {built_trees.abbreviate(foreign)} cannot be loaded" if foreign else ""
        severity = Severity.ERROR if foreign else Severity.WARNING
        fix = _fix_of_incompatibility(declared, value, names, tree)
        yield Fault(built_trees.where(stack, layer), what, fix, severity, explains)


def _fix_of_incompatibility(declared: _Declared, value: str, names: list[str], tree: BuiltTree | None) -> str:
    key, others = declared.key, [name for name in declared.own_of if name not in declared.excluded]
    if not others:
        return f"put {value} first in {key}: the layer is built for the first value"
    if tree and not any(binaries.is_shared(path) for path in tree.paths):
        return f"add {value} to {key}: the layer has no compiled files"
    first = str(declared.compatible[0])
    setting = f"Runtime: {first}" if key == _RUNTIMES else f"Architectures: [{first}]"
    listed = ", ".join(names)
    return f"set {setting} for {listed}: {others[0]} mounts the layer too, and it is built for only one of them"


def _foreign(tree: BuiltTree, architecture: str) -> list[PurePosixPath]:
    platforms = [platform for platform in tree.platforms if platform.architecture == architecture]
    return sorted(set(chain.from_iterable(compiled.foreign_files(tree, platform) for platform in platforms)))


def _build_method(stack: Stack, layer: Layer) -> str:
    """Return the Python that a layer should be built for: that of the first function that mounts it."""
    runtimes = (function.runtime for function in stack.functions if layer.logical_id in function.layers)
    return next(str(runtime) for runtime in runtimes if str(runtime).startswith("python"))


def _mounted_names(functions: Iterable[Function]) -> set[str]:
    return set(map(str, chain.from_iterable(function.layers for function in functions)))


def _is_python(function: Function) -> bool:
    return isinstance(function.runtime, str) and function.runtime.startswith("python")


def _off_the_path(tree: Path) -> list[str]:
    """Return the modules at the top of a layer that has no python/ folder."""
    if (tree / LAYER_MODULES).is_dir():
        return []
    return sorted(entry.name for entry in tree.iterdir() if entry.suffix in {".py", ".dist-info"} or _is_package(entry))


def _is_package(folder: Path) -> bool:
    is_code = folder.is_dir() and folder.name not in _OTHER_CONTENT
    return is_code and next(folder.rglob("*.py"), None) is not None


def _unknown_names(function: Function, stack: Stack) -> list[str]:
    """Return the names that Layers refers to and the template does not define."""
    inherited = stack.template.globals.get("Function") or {}
    named = templates.references([function.properties.get("Layers"), inherited.get("Layers")])
    known = set(stack.template.resources) | set(stack.template.parameters)
    return sorted(name for name in named - known if not name.startswith("AWS::"))


def _is_of_another_template(layer: object, function: Function, stack: Stack) -> bool:
    """Return whether a layer is only known at deploy time, and not just misspelt."""
    misspelt = {str({"Ref": name}) for name in _unknown_names(function, stack)}
    return isinstance(layer, Unresolved) and layer.expression not in misspelt


def _missing_settings(function: Function, stack: Stack) -> list[str]:
    """Return the settings that a function and its layers need for the alias to follow the layers."""
    missing = []
    if function.properties.get("AutoPublishAliasAllProperties") is not True:
        missing.append("AutoPublishAliasAllProperties: true in {owners}")

    sam_layers: Mapping[str, Layer] = {
        layer.logical_id: layer
        for layer in stack.layers
        if stack.template.resources[layer.logical_id]["Type"] == "AWS::Serverless::LayerVersion"
    }
    mounted = [sam_layers[str(name)] for name in function.layers if str(name) in sam_layers]
    unset = [layer.logical_id for layer in mounted if layer.properties.get("PublishLambdaVersion") is not True]
    return [*missing, *(f"PublishLambdaVersion: true in {name}" for name in unset)]


RULES: tuple[Rule, ...] = (
    Rule(
        "too-many-layers",
        "A function mounts at most five layers",
        "Lambda refuses to create or update the function.",
        check_count,
    ),
    Rule(
        "layer-reference",
        "Every layer that a function names exists",
        "CloudFormation refuses the template, or Lambda refuses a name that does not belong to a layer.",
        check_references,
    ),
    Rule(
        "layer-not-mounted",
        "Every layer is mounted by a function",
        "The layer is built, uploaded and stored, and nothing imports from it.",
        check_use,
    ),
    Rule(
        "runtime-mismatch",
        "A layer declares the runtime and architecture of every function that mounts it",
        "Lambda mounts the layer anyway, and files compiled for another Python or architecture do not load.",
        check_compatibility,
    ),
    Rule(
        "layer-unbuilt",
        "A layer of a Python function has its modules under python/",
        "Only /opt/python is on sys.path, so modules elsewhere in the layer cannot be imported.",
        check_content,
    ),
    Rule(
        "stale-alias",
        "An alias serves the newest version of every layer",
        "SAM publishes a version only when the function changes, so after a change in a layer the alias serves the old "
        "one.",
        merged(check_alias),
    ),
)
