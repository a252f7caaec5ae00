"""Read the project's two templates as one, follow references in them, and plant faults."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

ROOT = Path(__file__).parents[2]
DATA = "data:"
type Template = dict[str, Any]
type Check = Callable[[Template], list[str]]
type Fault = Callable[[Template], None]


def read_both() -> Template:
    """Return both templates as one; the data template's resources get a prefix, since some ids are in both."""
    trading, data = load("template.yaml"), load("data-template.yaml")
    merged = {f"{DATA}{name}": resource for name, resource in data["Resources"].items()}
    return {
        "Resources": {**trading["Resources"], **merged},
        "Parameters": {**data["Parameters"], **trading["Parameters"]},
        "Conditions": trading["Conditions"],
    }


def load(name: str) -> Template:
    # Plain values: copying cfn-lint's own, which know their lines, takes ten times as long.
    template: Template = json.loads(json.dumps(cfn_yaml.load(str(ROOT / name))))
    return template


def of_type(template: Template, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, resource) for name, resource in template["Resources"].items() if resource["Type"] == kind)


def names_of(template: Template, kind: str) -> set[str]:
    return {name for name, _ in of_type(template, kind)}


def target(reference: Any) -> str:
    """Return the logical id behind a Ref or GetAtt, as its own template spells it."""
    name = reference.get("Ref") or reference["Fn::GetAtt"]
    return str(name[0] if isinstance(name, list) else name).split(".")[0]


def target_from(name: str, reference: Any) -> str:
    """Return the logical id behind a Ref or GetAtt of a resource, with the prefix of that resource's template."""
    return (DATA if name.startswith(DATA) else "") + target(reference)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(role: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for policy in role["Properties"].get("Policies", []):
        yield from policy["PolicyDocument"]["Statement"]


def grants(role: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the pairs of action and resource that a role allows; a resource is its logical id, or its text."""
    pairs: set[tuple[str, str]] = set()
    for statement in statements(role):
        resources = map(_resource_name, as_list(statement["Resource"]))
        pairs.update(product(as_list(statement["Action"]), resources))
    return pairs


def role_of(template: Template, function: str) -> Mapping[str, Any]:
    """Return the role that is written for a function; a role without policies when it is missing."""
    role: Mapping[str, Any] = template["Resources"].get(f"{function}Role", {"Properties": {}})
    return role


def _resource_name(resource: Any) -> str:
    if isinstance(resource, Mapping) and ("Ref" in resource or "Fn::GetAtt" in resource):
        return target(resource)
    return str(resource["Fn::Sub"] if isinstance(resource, Mapping) and "Fn::Sub" in resource else resource)


def set_value(path: str, value: Any) -> Fault:
    def plant(template: Template) -> None:
        *parents, last = path.split("/")
        node: Any = template["Resources"]
        for part in parents:
            node = node[int(part) if isinstance(node, list) else part]
        node[int(last) if isinstance(node, list) else last] = value

    return plant


def drop(path: str) -> Fault:
    def plant(template: Template) -> None:
        *parents, last = path.split("/")
        node: Any = template["Resources"]
        for part in parents:
            node = node[int(part) if isinstance(node, list) else part]
        del node[int(last) if isinstance(node, list) else last]

    return plant
