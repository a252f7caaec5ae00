"""Compare two versions of a template, resource by resource, as CloudFormation would. Pure.

Values are compared with the parameters of every environment, so that a change in samconfig.toml counts for each
resource that uses the parameter. Metadata and code paths do not count: CloudFormation ignores Metadata, and changed
code is found by its fingerprint.
"""

import json
import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from automation.project import templates
from automation.project.templates import Template
from automation.reach.states import EnvironmentParameters

_GLOBALS = {
    "AWS::Serverless::Function": "Function",
    "AWS::Serverless::LayerVersion": "LayerVersion",
    "AWS::Serverless::Api": "Api",
    "AWS::Serverless::HttpApi": "HttpApi",
    "AWS::Serverless::SimpleTable": "SimpleTable",
    "AWS::Serverless::StateMachine": "StateMachine",
}
_CODE = frozenset({"CodeUri", "ContentUri", "Code", "Content"})
_SHOWN_CHARACTERS = 60

NEW = "is new"
REMOVED = "was removed"
STACK_REMOVED = "its stack was removed"


def changed_resources(
    before: Template | None,
    now: Template | None,
    *,
    parameters: tuple[EnvironmentParameters, EnvironmentParameters],
    stack: str,
    files: Collection[str],
    built: Collection[str],
) -> dict[str, str]:
    """Return why each changed resource of a stack changed, by logical id; unchanged ones are left out.

    Args:
        before: the template before; None for a new stack.
        now: the template now; None for a removed stack.
        parameters: the parameters of each environment, before and now.
        files: the changed files, relative to the project root: a resource that names one counts as changed.
        built: the logical ids of the resources whose code is compared by fingerprint.
    """
    if now is None:
        return dict.fromkeys(before.resources if before else (), STACK_REMOVED)
    if before is None:
        return dict.fromkeys(now.resources, NEW)

    reasons = {name: REMOVED for name in before.resources if name not in now.resources}
    for name in now.resources:
        if name not in before.resources:
            reasons[name] = NEW
            continue
        difference = _difference(name, (before, now), parameters, stack, is_built=name in built)
        if reason := difference or _changed_file(now, name, files):
            reasons[name] = reason
    return reasons


def _difference(
    name: str,
    versions: tuple[Template, Template],
    parameters: tuple[EnvironmentParameters, EnvironmentParameters],
    stack: str,
    *,
    is_built: bool,
) -> str:
    resource_versions = [_compared_part(name, template, is_built=is_built) for template in versions]
    reasons: dict[str, str] = {}

    for environment in sorted(set(parameters[0]) | set(parameters[1])):
        before, now = (
            templates.resolve(resource, template, by_environment.get(environment, by_environment[""]).get(stack, {}))
            for resource, template, by_environment in zip(resource_versions, versions, parameters, strict=True)
        )
        if before != now:
            reasons[environment] = next(_differences(before, now), "changed")

    if not reasons:
        return _changed_reference(resource_versions[1], *versions)
    if "" in reasons:
        return reasons[""]
    return f"{next(iter(reasons.values()))} (in {', '.join(reasons)})"


def _compared_part(name: str, template: Template, *, is_built: bool) -> dict[str, Any]:
    """Merge the Globals of its type into a resource, and drop what is not compared."""
    resource = template.resources[name]
    own = resource.get("Properties")
    shared = template.globals.get(_GLOBALS.get(resource["Type"], ""), {})
    merged = _merged(shared, own if isinstance(own, Mapping) else {})
    kept = {key: value for key, value in merged.items() if not (is_built and key in _CODE)}
    return {**{key: value for key, value in resource.items() if key != "Metadata"}, "Properties": kept}


def _merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Merge as SAM merges Globals: mappings key by key, lists appended; otherwise the resource's own value wins."""
    merged = dict(shared)
    for key, value in own.items():
        inherited = merged.get(key)
        if isinstance(inherited, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(inherited, value)
        elif isinstance(inherited, list) and isinstance(value, list):
            merged[key] = [*inherited, *value]
        else:
            merged[key] = value
    return merged


def _changed_reference(value: Any, before: Template, now: Template) -> str:
    """Find a changed condition or mapping that the resource names, where its value cannot be resolved."""
    changed_names: set[str] = set()
    for old, new in ((before.conditions, now.conditions), (before.mappings, now.mappings)):
        changed_names |= {name for name in {*old, *new} if old.get(name) != new.get(name)}
    mentioned = sorted(changed_names & set(_texts(value)))
    return f"names {mentioned[0]}, which changed" if mentioned else ""


def _changed_file(template: Template, name: str, files: Collection[str]) -> str:
    folder = posixpath.dirname(template.path)
    for text in _texts(template.resources[name].get("Properties")):
        path = posixpath.normpath(posixpath.join(folder, text))
        if path in files:
            return f"{path} changed"
    return ""


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _differences(before: Any, now: Any, path: str = "") -> Iterator[str]:
    """Describe each difference, as `Timeout: 30 -> 60`."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for key in sorted({*before, *now}, key=str):
            inner = str(key) if path in {"", "Properties"} else f"{path}.{key}"
            if before.get(key) != now.get(key):
                yield from _differences(before.get(key), now.get(key), inner)
    elif isinstance(before, list | Mapping) or isinstance(now, list | Mapping):
        yield f"{path} {'added' if before is None else 'removed' if now is None else 'changed'}"
    else:
        yield f"{path}: {_shown(before)} -> {_shown(now)}"


def _shown(value: Any) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
