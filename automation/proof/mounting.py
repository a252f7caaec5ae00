"""Rules about the layers that the templates give to functions."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from automation.project import templates
from automation.project.model import Function, Layer, Stack
from automation.project.templates import Unresolved
from automation.proof import places
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.system import files

MOST_LAYERS = 5
_LAYER_TYPES = frozenset({"AWS::Serverless::LayerVersion", "AWS::Lambda::LayerVersion"})
# What of a layer is on a path without a python/ folder: programs, libraries, extensions, other languages.
_OTHER_CONTENT = frozenset({"bin", "lib", "extensions", "nodejs", "java", "ruby"})


def check_count(subject: Subject) -> Iterator[Fault]:
    for function, stack in _functions(subject):
        if len(function.layers) > MOST_LAYERS:
            what = f"mounts {len(function.layers)} layers, and Lambda takes {MOST_LAYERS}"
            yield Fault(_where(stack, function), what, "put two of them together; Globals' Layers count too")


def check_references(subject: Subject) -> Iterator[Fault]:
    for function, stack in _functions(subject):
        for name in _unknown(function, stack):
            what = f"Layers names {name}, which is no resource or parameter of this template"
            layers = places.some(layer.logical_id for layer in stack.layers) or "none"
            yield Fault(_where(stack, function), what, f"name one of its layers ({layers})")
        for layer in function.layers:
            kind = stack.template.resources.get(str(layer), {}).get("Type")
            if kind is not None and kind not in _LAYER_TYPES:
                yield Fault(
                    _where(stack, function), f"Layers names {layer}, which is {kind} and no layer", "take it out"
                )


def check_use(subject: Subject) -> Iterator[Fault]:
    for stack in subject.project.stacks:
        document = templates.document(subject.project.root / stack.template.path, name=stack.template.path)
        used = templates.references({key: value for key, value in document.items() if key != "Transform"})
        mounted = {str(layer) for function in stack.functions for layer in function.layers}
        for layer in stack.layers:
            if layer.logical_id not in used | mounted:
                what = "no function mounts it and nothing refers to it"
                yield Fault(_where(stack, layer), what, "take it out, or name it in Layers", Severity.WARNING)


def check_compatibility(subject: Subject) -> Iterator[Fault]:
    for function, stack in _functions(subject):
        for layer in stack.layers:
            if layer.logical_id in function.layers:
                for name, own, taken in (
                    ("CompatibleRuntimes", (function.runtime,), layer.runtimes),
                    ("CompatibleArchitectures", function.architectures, layer.architectures),
                ):
                    if _is_excluded(own, taken):
                        what = f"{name} ({places.some(taken)}) leaves out {own[0]} of {function.logical_id}"
                        mend = f"write {own[0]} there: the layer is built for what stands first"
                        yield Fault(_where(stack, layer), what, mend, Severity.WARNING)


def check_content(subject: Subject) -> Iterator[Fault]:
    for stack in subject.project.stacks:
        users = {str(name) for one in stack.functions if _is_python(one) for name in one.layers}
        for layer in stack.layers:
            tree = subject.trees.get((stack.name, layer.logical_id))
            if layer.logical_id in users and tree is not None and (lost := _off_the_path(tree)):
                what = f"has no python/ folder, so nothing of it is on sys.path: {places.some(lost)}"
                mend = "write Metadata: {BuildMethod: python3.x}, or put its modules under python/"
                paths = (PurePosixPath(path.as_posix()) for path in files.walk(tree))
                yield Fault(_where(stack, layer), what, mend, explains=places.module_names(paths))


def check_alias(subject: Subject) -> Iterator[Fault]:
    for function, stack in _functions(subject):
        if not function.properties.get("AutoPublishAlias") or not function.layers:
            continue
        lacking = _lacking(function, stack)
        elsewhere = [str(layer) for layer in function.layers if _is_of_another_template(layer, function, stack)]
        if lacking:
            what = "a change of a layer alone publishes no version, so the alias stays on the old one"
            yield Fault(_where(stack, function), what, f"write {places.some(lacking, 9)}")
        elif elsewhere:
            what = (
                f"a new version of {places.some(elsewhere)} publishes none of the function: it is not of this template"
            )
            yield Fault(_where(stack, function), what, "put the layer into this template", Severity.WARNING)


def _functions(subject: Subject) -> list[tuple[Function, Stack]]:
    return [(function, stack) for stack in subject.project.stacks for function in stack.functions]


def _where(stack: Stack, owner: Function | Layer) -> str:
    return f"{stack.template.path}: {owner.logical_id}"


def _is_python(function: Function) -> bool:
    return isinstance(function.runtime, str) and function.runtime.startswith("python")


def _is_excluded(own: tuple[object, ...], taken: tuple[object, ...]) -> bool:
    are_known = all(isinstance(one, str) and one for one in (*own, *taken))
    return bool(own) and bool(taken) and are_known and not set(own) & set(taken)


def _off_the_path(tree: Path) -> list[str]:
    """Modules at the top of a layer that has no python/ folder."""
    if (tree / "python").is_dir():
        return []
    return sorted(one.name for one in tree.iterdir() if one.suffix in {".py", ".dist-info"} or _is_package(one))


def _is_package(folder: Path) -> bool:
    is_code = folder.is_dir() and folder.name not in _OTHER_CONTENT
    return is_code and next(folder.rglob("*.py"), None) is not None


def _unknown(function: Function, stack: Stack) -> list[str]:
    """What Layers refers to and the template does not have."""
    inherited = stack.template.globals.get("Function") or {}
    named = templates.references([function.properties.get("Layers"), inherited.get("Layers")])
    known = set(stack.template.resources) | set(stack.template.parameters)
    return sorted(name for name in named - known if not name.startswith("AWS::"))


def _is_of_another_template(layer: object, function: Function, stack: Stack) -> bool:
    """Does only CloudFormation know it, and is it not merely misspelt?"""
    misspelt = {str({"Ref": name}) for name in _unknown(function, stack)}
    return isinstance(layer, Unresolved) and layer.expression not in misspelt


def _lacking(function: Function, stack: Stack) -> list[str]:
    found = []
    if function.properties.get("AutoPublishAliasAllProperties") is not True:
        found.append(f"AutoPublishAliasAllProperties: true in {function.logical_id}")
    of_sam: Mapping[str, Layer] = {
        layer.logical_id: layer
        for layer in stack.layers
        if stack.template.resources[layer.logical_id]["Type"] == "AWS::Serverless::LayerVersion"
    }
    mounted = [of_sam[str(name)] for name in function.layers if str(name) in of_sam]
    silent = [layer.logical_id for layer in mounted if layer.properties.get("PublishLambdaVersion") is not True]
    return [*found, *(f"PublishLambdaVersion: true in {name}" for name in silent)]


RULES: tuple[Rule, ...] = (
    Rule(
        "too-many-layers",
        "A function mounts at most five layers",
        "Lambda refuses the function.",
        check_count,
    ),
    Rule(
        "layer-reference",
        "Layers names layers that exist",
        "CloudFormation refuses the template, or Lambda refuses what is no layer's ARN.",
        check_references,
    ),
    Rule(
        "layer-not-mounted",
        "Every layer is mounted by a function",
        "It is built, uploaded and kept, and nothing imports from it.",
        check_use,
    ),
    Rule(
        "runtime-mismatch",
        "A layer says that it is compatible with the functions that mount it",
        "Lambda mounts it all the same, and what was compiled for another Python or architecture does not load.",
        check_compatibility,
    ),
    Rule(
        "layer-unbuilt",
        "A layer of a Python function has its modules under python/",
        "Of /opt only /opt/python is on sys.path: nothing else can be imported.",
        check_content,
    ),
    Rule(
        "stale-alias",
        "An alias follows a change of a layer",
        "SAM publishes a version when the function changes; after a change of a layer the alias serves the old one.",
        check_alias,
    ),
)
