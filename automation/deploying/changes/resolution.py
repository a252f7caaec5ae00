"""Resolve an expanded template as far as its parameters, mappings, conditions and imported values are known. Pure.

An intrinsic that stays unresolved keeps its long form, but the known parts in it are replaced. Otherwise a parameter
that changes inside an `Fn::Sub` with the name of a resource would go unseen.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from automation.deploying.changes.model import Expanded
from automation.project import loops, templates
from automation.project.templates import Template, Unresolved

# SAM names a new resource for each content: the name of the SAM resource and ten digits of a hash.
_HASHED = frozenset(
    {
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGatewayV2::Deployment",
        "AWS::Lambda::LayerVersion",
        "AWS::Lambda::Version",
    }
)
_HASH = re.compile(r"(?<=.)[0-9a-f]{10}$")
_SUB = re.compile(r"\$\{(!?)([^}]+)\}")
_NO_VALUE = "AWS::NoValue"
_NOT_COMPARED = frozenset({"Metadata", "Condition"})


@dataclass(frozen=True, slots=True)
class ResolvedTemplate:
    """What a template says once its intrinsics are resolved as far as they are known.

    Attributes:
        resources: those that exist, by stable name; without Metadata and Condition.
        logical_ids: the logical id of each resource in the template, by stable name.
        outputs: the values of the outputs that exist, by name.
        exports: the values of the exports whose names are known, by export name.
    """

    resources: Mapping[str, Mapping[str, Any]]
    logical_ids: Mapping[str, str]
    outputs: Mapping[str, Any]
    exports: Mapping[str, Any]


def is_hashed(resource_type: str) -> bool:
    """Return whether SAM gives resources of this type a new logical id for each content."""
    return resource_type in _HASHED


def stable_name(logical_id: str, resource_type: str) -> str:
    """Return the logical id without the hash of its content, which SAM adds to layers and versions."""
    return _HASH.sub("", logical_id) if is_hashed(resource_type) else logical_id


def known_parameters(expanded: Expanded) -> dict[str, str]:
    """Return the values of the parameters. That of a NoEcho parameter is a secret, and CloudFormation hides it."""
    definitions = _section(expanded, "Parameters")
    secrets = {name for name, definition in definitions.items() if templates.is_no_echo(definition)}
    defaults = {name: loops.as_text(spec["Default"]) for name, spec in definitions.items() if "Default" in spec}
    return {name: value for name, value in {**defaults, **expanded.parameters}.items() if name not in secrets}


def is_intrinsic(value: Any) -> bool:
    """Return whether a value is an unresolved intrinsic in long form."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    name = str(next(iter(value)))
    return name == "Ref" or name.startswith("Fn::")


def references(value: Any) -> frozenset[str]:
    """Return the names that `Ref`, `Fn::GetAtt` and `Fn::Sub` mention anywhere in a resolved value."""
    targets = [pair[0] for pair in _arguments("Fn::GetAtt", value)]
    return templates.references(value) | {target for target in targets if isinstance(target, str)}


def imported_names(expanded: Expanded) -> frozenset[str]:
    """Return the exports that a template's resources and outputs import, as far as their names are known."""
    resolved = resolve(replace(expanded, exports={}))
    contents = [*resolved.resources.values(), *resolved.outputs.values()]
    names = _arguments("Fn::ImportValue", contents)
    return frozenset(name for name in names if isinstance(name, str))


def resolve(expanded: Expanded | None) -> ResolvedTemplate:
    """Resolve a template; None stands for a stack that does not exist."""
    if expanded is None:
        return ResolvedTemplate({}, {}, {}, {})

    # A loop or a transform that only AWS can expand is not a resource.
    resources = {key: value for key, value in _section(expanded, "Resources").items() if "Type" in value}
    names = _stable_names(resources)
    known = known_parameters(expanded)
    resolver = _Resolver(_as_template(expanded, known), known, expanded.exports, names)
    existing = {key: value for key, value in resources.items() if resolver.exists(value)}
    outputs = {key: value for key, value in _section(expanded, "Outputs").items() if resolver.exists(value)}
    return ResolvedTemplate(
        resources={names[key]: resolver.resource(value) for key, value in existing.items()},
        logical_ids={names[key]: key for key in existing},
        outputs={key: resolver.value(output.get("Value")) for key, output in outputs.items()},
        exports=dict(_exports(outputs, resolver)),
    )


def _exports(outputs: Mapping[str, Any], resolver: "_Resolver") -> Iterator[tuple[str, Any]]:
    for output in outputs.values():
        name = resolver.value((output.get("Export") or {}).get("Name"))
        if isinstance(name, str):
            yield name, resolver.value(output.get("Value"))


def _stable_names(resources: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the stable name of each logical id; the id itself where two would share a name."""
    names = {key: stable_name(key, str(resource.get("Type"))) for key, resource in resources.items()}
    uses = Counter(names.values())
    return {key: name if uses[name] == 1 else key for key, name in names.items()}


def _as_template(expanded: Expanded, known: Iterable[str]) -> Template:
    """Return the template for `templates.resolve`, with a parameter for each value that is known."""
    return Template(
        path="",
        parameters={name: {} for name in known},
        mappings=_section(expanded, "Mappings"),
        conditions=_section(expanded, "Conditions"),
        globals={},
        resources={},
    )


def _section(expanded: Expanded, name: str) -> Mapping[str, Any]:
    return expanded.template.get(name) or {}


def _arguments(intrinsic: str, value: Any) -> Iterator[Any]:
    """Yield the argument of each use of an intrinsic in a value."""
    if isinstance(value, Mapping):
        if intrinsic in value:
            yield value[intrinsic]
        for inner in value.values():
            yield from _arguments(intrinsic, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _arguments(intrinsic, inner)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Resolves the values of one template.

    Attributes:
        known: the values of its parameters.
        exports: the values of `Fn::ImportValue`, by export name.
        names: the stable name of each logical id.
    """

    template: Template
    known: Mapping[str, str]
    exports: Mapping[str, str]
    names: Mapping[str, str]

    def exists(self, resource: Mapping[str, Any]) -> bool:
        """Return whether a resource or an output exists; a condition that is only known to AWS counts as true."""
        return "Condition" not in resource or self._holds(resource["Condition"]) is not False

    def resource(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self.value(value) for key, value in resource.items() if key not in _NOT_COMPARED}

    def value(self, value: Any) -> Any:
        """Return a value with what is known replaced; None for `AWS::NoValue`, which stands for a missing value."""
        if isinstance(value, list):
            items = [self.value(item) for item in value]
            return [item for item in items if item is not None]
        if not isinstance(value, Mapping):
            return value
        if is_intrinsic(value):
            name, argument = next(iter(value.items()))
            return self._intrinsic(name, argument)
        resolved = {str(key): self.value(inner) for key, inner in value.items()}
        return {key: inner for key, inner in resolved.items() if inner is not None}

    def _intrinsic(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                return {name: self._attribute(argument)}
            case "Fn::Sub":
                return self._sub(argument)
            case "Fn::If":
                return self._if(argument)
            case "Fn::ImportValue":
                export = self.value(argument)
                return self.exports.get(export, {name: export}) if isinstance(export, str) else {name: export}
        return self._rest(name, self.value(argument))

    def _ref(self, name: Any) -> Any:
        if name == _NO_VALUE:
            return None
        if not isinstance(name, str):  # AWS::LanguageExtensions allows an intrinsic here
            return {"Ref": self.value(name)}
        return self.known.get(name, {"Ref": self.names.get(name, name)})

    def _attribute(self, argument: Any) -> list[Any]:
        """Return the two parts of `Fn::GetAtt`, which may be written as `Resource.Attribute` or as a list."""
        parts = argument.split(".") if isinstance(argument, str) else list(argument)
        resource, *attribute = (self.value(part) for part in parts)
        if all(isinstance(part, str) for part in (resource, *attribute)):
            return [self.names.get(resource, resource), ".".join(attribute)]
        return [resource, *attribute]

    def _if(self, argument: Any) -> Any:
        if not isinstance(argument, list) or len(argument) != 3:
            return {"Fn::If": argument}
        condition, then, otherwise = argument
        holds = self._holds(condition)
        if holds is None:
            return {"Fn::If": [condition, self.value(then), self.value(otherwise)]}
        return self.value(then if holds else otherwise)

    def _sub(self, argument: Any) -> Any:
        text, local = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
        values = {name: self.value(value) for name, value in local.items()}
        unknown: set[str] = set()

        def substitute(match: re.Match[str]) -> str:
            name = match[2].strip()
            if match[1]:
                return match[0]
            value = values.get(name, self.known.get(name))
            if isinstance(value, str | int | float):
                return str(value)
            unknown.add(name)
            first, dot, rest = name.partition(".")
            return f"${{{self.names.get(first, first)}{dot}{rest}}}"

        substituted = _SUB.sub(substitute, str(text))
        if not unknown:
            return substituted.replace("${!", "${")
        remaining = {name: value for name, value in values.items() if name in unknown}
        return {"Fn::Sub": [substituted, remaining] if remaining else substituted}

    def _rest(self, name: str, argument: Any) -> Any:
        outcome = templates.resolve({name: argument}, self.template, self.known)
        return {name: argument} if isinstance(outcome, Unresolved) else outcome

    def _holds(self, condition: Any) -> bool | None:
        """Return whether a condition holds; None when only AWS knows."""
        outcome = templates.resolve({"Fn::If": [condition, True, False]}, self.template, self.known)
        return outcome if isinstance(outcome, bool) else None
