"""What a template has and our builder does not build, with the reason: nothing vanishes without a word."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Protocol

from automation.project.templates import Template, Unresolved

_ARCHIVES = frozenset({".zip", ".jar", ".war"})
_REMOTE = ("s3://", "http://", "https://")
_WITH_SAM = "inv build --engine sam builds it"
_NOUNS = frozenset({"archive", "image", "web function"})
_BUILT, _FAILED, _NOT_BUILT = "built", "failed", "not built"
_MISSPELT = "misspelt"
_WEB_FUNCTION = "AWS::Serverless::WebFunction"
_CODE_TYPES = frozenset(
    {
        "AWS::CloudFormation::Stack",
        "AWS::Lambda::Function",
        "AWS::Lambda::LayerVersion",
        "AWS::Serverless::Application",
        "AWS::Serverless::Function",
        "AWS::Serverless::LayerVersion",
        _WEB_FUNCTION,
    }
)


class CodeOwner(Protocol):
    """A function or a layer, as far as it decides whether it is built."""

    @property
    def logical_id(self) -> str: ...
    @property
    def architectures(self) -> Sequence[Any]: ...
    @property
    def properties(self) -> Mapping[str, Any]: ...
    @property
    def metadata(self) -> Mapping[str, Any]: ...


class FunctionOwner(CodeOwner, Protocol):
    """A function, as far as it decides whether it is built."""

    @property
    def is_image(self) -> bool: ...
    @property
    def code_uri(self) -> Any: ...
    @property
    def runtime(self) -> Any: ...


class LayerOwner(CodeOwner, Protocol):
    """A layer, as far as it decides whether it is built."""

    @property
    def content_uri(self) -> Any: ...


class Kind(StrEnum):
    """What a skipped entry of a template is."""

    FUNCTION = "function"
    LAYER = "layer"
    APPLICATION = "application"
    LOOP = "loop"
    INCLUDE = "include"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part of a template that our builder does not build.

    Attributes:
        logical_id: its logical id; of a loop or an include its key in the template.
        why: the end of a sentence that begins with its name, such as `is a container image`.
        label: the reason in one or two words, such as `image`.
        is_built_by_sam: whether `inv build --engine sam` builds it.
        is_fault: whether the project is wrong there, so that a build fails.
    """

    logical_id: str
    kind: Kind
    why: str
    label: str
    is_built_by_sam: bool = False
    is_fault: bool = False


class CountedStack(Protocol):
    """A stack, as far as it can be counted."""

    @property
    def name(self) -> str: ...
    @property
    def functions(self) -> Sequence[FunctionOwner]: ...
    @property
    def layers(self) -> Sequence[LayerOwner]: ...
    @property
    def skipped(self) -> Sequence[Skipped]: ...


def of_function(function: FunctionOwner) -> Skipped | None:
    """Return why a function is not built; None when it is built."""
    metadata = function.metadata
    if function.is_image:
        is_buildable = bool(metadata.get("Dockerfile") and metadata.get("DockerContext"))
        with_docker = f"; {_WITH_SAM} with Docker" if is_buildable else ""
        return Skipped(function.logical_id, Kind.FUNCTION, f"is a container image{with_docker}", "image", is_buildable)
    if is_inline(function.properties):
        return Skipped(function.logical_id, Kind.FUNCTION, "has inline code", "inline")

    why = _why_code(function.code_uri, "CodeUri") or _why_unknown(function.runtime, "Runtime")
    why = why or _why_method(metadata.get("BuildMethod") or function.runtime, "Runtime")
    why = why or _why_unknown(next(iter(function.architectures), ""), "Architectures")
    return _skipped(function.logical_id, Kind.FUNCTION, why)


def of_layer(layer: LayerOwner) -> Skipped | None:
    """Return why a layer is not built; None when it is built."""
    if layer.content_uri is None:
        return Skipped(layer.logical_id, Kind.LAYER, "has no ContentUri", "empty")
    architecture = layer.metadata.get("BuildArchitecture") or next(iter(layer.architectures), "")
    why = _why_code(layer.content_uri, "ContentUri") or _why_method(layer.metadata.get("BuildMethod"), "BuildMethod")
    return _skipped(layer.logical_id, Kind.LAYER, why or _why_unknown(architecture, "BuildArchitecture"))


def of_application(logical_id: str, location: Any) -> Skipped | None:
    """Return why a nested application is not built; None when its template is a local file."""
    if isinstance(location, Mapping):
        why = ("comes from the AWS Serverless Application Repository", "published")
    elif isinstance(location, Unresolved):
        why = _unknown("Location", location)
    elif not isinstance(location, str):
        why = ("names no template", "unknown")
    elif location.startswith(_REMOTE):
        why = (f"has its template at {location}", "remote")
    else:
        return None
    return Skipped(logical_id, Kind.APPLICATION, *why)


def of_template(template: Template) -> tuple[Skipped, ...]:
    """Return the parts of a template that may contain code but are neither functions, layers nor applications."""
    entries = []
    for key, value in template.unexpanded.items():
        if key.startswith("Fn::Transform"):
            entries.append(Skipped(key, Kind.INCLUDE, "adds resources only at deploy time", "unknown"))
        elif contains_code(value):
            why = "is not expanded: its collection is only known at deploy time"
            if not template.has_language_extensions:
                why = "is not expanded: add AWS::LanguageExtensions to Transform, before SAM's own"
            entries.append(Skipped(key, Kind.LOOP, why, "unknown"))
    for logical_id, resource in template.resources.items():
        if resource["Type"] == _WEB_FUNCTION:
            why = f"is a web function; {_WITH_SAM}"
            entries.append(Skipped(logical_id, Kind.FUNCTION, why, "web function", is_built_by_sam=True))
    return tuple(entries)


def is_image(properties: Mapping[str, Any]) -> bool:
    """Return whether a function is a container image; `PackageType` is resolved."""
    code = properties.get("Code")
    is_named = properties.get("PackageType") == "Image"
    return is_named or "ImageUri" in properties or (isinstance(code, Mapping) and "ImageUri" in code)


def is_inline(properties: Mapping[str, Any]) -> bool:
    """Return whether the template itself contains the code of a function."""
    code = properties.get("Code")
    return bool(properties.get("InlineCode")) or (isinstance(code, Mapping) and "ZipFile" in code)


def without_tree[S: CountedStack](stacks: Iterable[S], built: Set[tuple[str, str]]) -> tuple[tuple[S, Skipped], ...]:
    """Return what has no built tree although the template asks for it, with its stack.

    Args:
        built: stack name and logical id of every function and layer that has a built tree.
    """
    pairs = []
    for stack in stacks:
        pairs += [(stack, entry) for entry in stack.skipped if (stack.name, entry.logical_id) not in built]
    return tuple(pairs)


def counts(
    stacks: Iterable[CountedStack], built: Set[tuple[str, str]], *, failed: Set[tuple[str, str]] = frozenset()
) -> str:
    """Return how many functions and layers there are and what became of them: `2 functions: 1 built, 1 image skipped`.

    Args:
        built: as in `without_tree`.
        failed: stack name and logical id of what could not be built now, even if it has a tree of an earlier build.
    """
    totals: dict[str, dict[str, int]] = {Kind.FUNCTION: {}}
    for stack in stacks:
        for kind, outcome in _outcomes(stack, built, failed):
            counted = totals.setdefault(kind, {})
            counted[outcome] = counted.get(outcome, 0) + 1
    order = {kind: number for number, kind in enumerate(Kind)}
    lines = []
    for kind in sorted(totals, key=lambda kind: order[Kind(kind)]):
        count = sum(totals[kind].values())
        parts = ", ".join(_counted(totals[kind][outcome], outcome) for outcome in _sorted(totals[kind]))
        lines.append(f"{count} {kind}{'' if count == 1 else 's'}" + (f": {parts}" if parts else ""))
    return "; ".join(lines)


def _counted(count: int, outcome: str) -> str:
    label, space, rest = outcome.rpartition(" ")
    return f"{count} {label}{'s' if label in _NOUNS and count > 1 else ''}{space}{rest}"


def _sorted(outcomes: Mapping[str, int]) -> list[str]:
    return sorted(outcomes, key=lambda outcome: (outcome != _BUILT, outcome == _NOT_BUILT, outcome))


def _outcomes(stack: CountedStack, built: Set[tuple[str, str]], failed: Set[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the kind and the outcome of each function, layer and skipped entry of a stack."""
    reasons = {entry.logical_id: entry for entry in stack.skipped}
    owners: dict[str, str] = {function.logical_id: Kind.FUNCTION for function in stack.functions}
    owners |= {layer.logical_id: Kind.LAYER for layer in stack.layers}
    owners |= {entry.logical_id: entry.kind for entry in stack.skipped}

    outcomes = []
    for logical_id, kind in owners.items():
        entry = reasons.get(logical_id)
        outcome = f"{entry.label} skipped" if entry else _NOT_BUILT
        if (stack.name, logical_id) in failed:
            outcome = _FAILED
        elif (stack.name, logical_id) in built:
            outcome = _BUILT
        outcomes.append((kind, outcome))
    return outcomes


def _skipped(logical_id: str, kind: Kind, why: tuple[str, str] | None) -> Skipped | None:
    if why is None:
        return None
    return Skipped(logical_id, kind, *why, is_built_by_sam=_WITH_SAM in why[0], is_fault=why[1] == _MISSPELT)


def _why_code(uri: Any, key: str) -> tuple[str, str] | None:
    """Return why the location of the code is not a folder to build, and the label."""
    if isinstance(uri, Unresolved):
        return (f"has its code at {uri}", "remote") if uri.expression.startswith(_REMOTE) else _unknown(key, uri)
    if isinstance(uri, str) and PurePosixPath(uri).suffix in _ARCHIVES:
        return (f"has the finished archive {uri} as its code", "archive")
    return None


def _why_method(method: Any, key: str) -> tuple[str, str] | None:
    if isinstance(method, str) and method.lower().startswith("python") and method != method.lower():
        return (f"has the {key} {method}, which does not exist; write {method.lower()}", _MISSPELT)
    if isinstance(method, str) and method and not method.startswith("python"):
        return (f"is built by {method}, not by Python; {_WITH_SAM}", method)
    return _why_unknown(method, "BuildMethod") if isinstance(method, Unresolved) else None


def _why_unknown(value: Any, key: str) -> tuple[str, str] | None:
    return _unknown(key, value) if isinstance(value, Unresolved) else None


def _unknown(key: str, value: Unresolved) -> tuple[str, str]:
    why = f"needs its {key}, which is only known at deploy time ({value.text})"
    return (f"{why}; give the parameter a Default, or a value in samconfig.toml" if value.parameter else why, "unknown")


def contains_code(value: Any) -> bool:
    """Return whether a loop contains a resource that may have code."""
    if isinstance(value, list):
        return any(contains_code(inner) for inner in value)
    if not isinstance(value, Mapping):
        return False
    return value.get("Type") in _CODE_TYPES or any(contains_code(inner) for inner in value.values())
