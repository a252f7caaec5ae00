"""What CloudFormation reads in a template, for the fake account: values, exports, imports and differences."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

LAYER = "AWS::Lambda::LayerVersion"
TABLE = "AWS::DynamoDB::Table"
_SUB = re.compile(r"\$\{([^}]+)\}")

type Resource = Mapping[str, Any]


class NoExportError(Exception):
    """A template imports an export that does not exist."""


@dataclass(frozen=True, slots=True)
class Content:
    """A template with its values.

    Attributes:
        values: of the parameters, and of AWS::StackName and the like.
    """

    template: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def resources(self) -> Mapping[str, Resource]:
        resources: Mapping[str, Resource] = self.template.get("Resources") or {}
        return resources

    def resolved(self, exports: Mapping[str, str], physical_ids: Mapping[str, str]) -> dict[str, Any]:
        """Return the resources with their values; without a physical id, a reference stays as it is."""
        known = {**physical_ids, **self.values}
        return {name: resolve(resource, known, exports) for name, resource in self.resources.items()}

    def outputs(self, physical_ids: Mapping[str, str]) -> dict[str, str]:
        known = {**physical_ids, **self.values}
        outputs = self.template.get("Outputs") or {}
        return {name: str(resolve(output["Value"], known, {})) for name, output in outputs.items()}

    def exports(self, physical_ids: Mapping[str, str]) -> dict[str, str]:
        outputs = self.template.get("Outputs") or {}
        values = self.outputs(physical_ids)
        return {
            str(resolve(output["Export"]["Name"], self.values, {})): values[name]
            for name, output in outputs.items()
            if "Export" in output
        }

    def imports(self) -> frozenset[str]:
        return frozenset(str(resolve(name, self.values, {})) for name in _imports(self.template))


def changes(old: Content, new: Content, exports: Mapping[str, str]) -> dict[str, str]:
    """Return what happens to each resource that differs: Add, Remove, Modify or Replace.

    A resource that refers to a replaced one is modified.

    Raises:
        NoExportError: the new template imports an export that does not exist.
    """
    before, after = old.resolved(exports, {}), new.resolved(exports, {})
    differing = {name: _action(before.get(name), after.get(name)) for name in {**before, **after}}
    actions = {name: action for name, action in differing.items() if action}
    replaced = {name for name, action in actions.items() if action == "Replace"}
    for name, resource in after.items():
        if name not in actions and replaced & set(_references(resource)):
            actions[name] = "Modify"
    return actions


def resolve(value: Any, known: Mapping[str, str], exports: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": str(name)}:
            return known.get(name, value)
        case {"Fn::GetAtt": [str(name), str(attribute)]} if name in known:
            return f"{known[name]}/{attribute}"
        case {"Fn::Sub": str(text)}:
            return _SUB.sub(lambda match: str(known.get(match[1], match[0])), text)
        case {"Fn::ImportValue": name}:
            return _imported(str(resolve(name, known, exports)), exports)
        case dict():
            return {key: resolve(inner, known, exports) for key, inner in value.items()}
        case list():
            return [resolve(inner, known, exports) for inner in value]
    return value


def _imported(name: str, exports: Mapping[str, str]) -> str:
    if name not in exports:
        message = f"No export named {name} found."
        raise NoExportError(message)
    return exports[name]


def _action(before: Resource | None, after: Resource | None) -> str:
    if before == after:
        return ""
    if before is None or after is None:
        return "Add" if before is None else "Remove"
    is_replaced = after["Type"] == LAYER or _key_schema(before) != _key_schema(after)
    return "Replace" if is_replaced else "Modify"


def _key_schema(resource: Resource) -> Any:
    return resource["Properties"].get("KeySchema") if resource["Type"] == TABLE else None


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            yield name
        case dict():
            for inner in value.values():
                yield from _references(inner)
        case list():
            for inner in value:
                yield from _references(inner)


def _imports(value: Any) -> Iterator[Any]:
    match value:
        case {"Fn::ImportValue": name}:
            yield name
        case dict():
            for inner in value.values():
                yield from _imports(inner)
        case list():
            for inner in value:
                yield from _imports(inner)
