"""What of a template has changed, resource by resource, as CloudFormation would see it: pure.

Values are compared with the parameters of every environment, so that another value in samconfig.toml counts for what
reads it. Metadata and the places of code do not count: CloudFormation never compares them; code is compared elsewhere.
"""

import json
import posixpath
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from automation.project import templates
from automation.project.templates import Template
from automation.reach.states import Parameters

_GLOBALS = {
    "AWS::Serverless::Function": "Function",
    "AWS::Serverless::LayerVersion": "LayerVersion",
    "AWS::Serverless::Api": "Api",
    "AWS::Serverless::HttpApi": "HttpApi",
    "AWS::Serverless::SimpleTable": "SimpleTable",
    "AWS::Serverless::StateMachine": "StateMachine",
}
_CODE = frozenset({"CodeUri", "ContentUri", "Code", "Content"})
_SHOWN = 60

NEW = "is new"
REMOVED = "was removed"
STACK_REMOVED = "its stack was removed"


def changed(
    before: Template | None,
    now: Template | None,
    *,
    parameters: tuple[Parameters, Parameters],
    stack: str,
    files: Collection[str],
    built: Collection[str],
) -> dict[str, str]:
    """Why each resource of a stack is another than before, by logical id; those that are the same are left out.

    Args:
        parameters: those of each environment, before and now.
        files: the changed files, relative to the project root: a resource that names one has changed.
        built: the logical ids of those whose code is compared elsewhere.
    """
    if now is None:
        return dict.fromkeys(before.resources if before else (), STACK_REMOVED)
    if before is None:
        return dict.fromkeys(now.resources, NEW)
    found = {name: REMOVED for name in before.resources if name not in now.resources}
    for name in now.resources:
        if name not in before.resources:
            found[name] = NEW
        elif reason := _difference(name, (before, now), parameters, stack, is_built=name in built) or _named_file(
            now, name, files
        ):
            found[name] = reason
    return found


def _difference(
    name: str,
    states: tuple[Template, Template],
    parameters: tuple[Parameters, Parameters],
    stack: str,
    *,
    is_built: bool,
) -> str:
    own = [_compared(name, template, is_built=is_built) for template in states]
    reasons: dict[str, str] = {}
    for environment in sorted(set(parameters[0]) | set(parameters[1])):
        given = [known.get(environment, known[""]).get(stack, {}) for known in parameters]
        was, is_now = (
            templates.resolve(one, template, told) for one, template, told in zip(own, states, given, strict=True)
        )
        if was != is_now:
            reasons[environment] = next(_told(was, is_now), "changed")
    if not reasons:
        return _through_a_name(own[1], *states)
    if "" in reasons:
        return reasons[""]
    return f"{next(iter(reasons.values()))} (in {', '.join(reasons)})"


def _compared(name: str, template: Template, *, is_built: bool) -> dict[str, Any]:
    """A resource with what its type's Globals say, without what is not compared."""
    resource = template.resources[name]
    own = resource.get("Properties")
    shared = template.globals.get(_GLOBALS.get(resource["Type"], ""), {})
    merged = _merged(shared, own if isinstance(own, Mapping) else {})
    kept = {key: value for key, value in merged.items() if not (is_built and key in _CODE)}
    return {**{key: value for key, value in resource.items() if key != "Metadata"}, "Properties": kept}


def _merged(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """As SAM merges Globals: mappings key by key, lists one behind the other, else the resource's own value."""
    made = dict(shared)
    for key, value in own.items():
        held = made.get(key)
        if isinstance(held, Mapping) and isinstance(value, Mapping):
            made[key] = _merged(held, value)
        elif isinstance(held, list) and isinstance(value, list):
            made[key] = [*held, *value]
        else:
            made[key] = value
    return made


def _through_a_name(value: Any, before: Template, now: Template) -> str:
    """A condition or mapping that has changed, and that the resource names where nothing can be resolved."""
    sections = ((before.conditions, now.conditions), (before.mappings, now.mappings))
    others = {name for was, is_now in sections for name in set(was) | set(is_now) if was.get(name) != is_now.get(name)}
    mentioned = sorted(others & set(_texts(value)))
    return f"names {mentioned[0]}, which changed" if mentioned else ""


def _named_file(template: Template, name: str, files: Collection[str]) -> str:
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


def _told(was: Any, is_now: Any, path: str = "") -> Iterator[str]:
    """The differences, as `Timeout: 30 -> 60`."""
    if isinstance(was, Mapping) and isinstance(is_now, Mapping):
        for key in sorted({*was, *is_now}, key=str):
            inner = str(key) if path in {"", "Properties"} else f"{path}.{key}"
            if was.get(key) != is_now.get(key):
                yield from _told(was.get(key), is_now.get(key), inner)
    elif isinstance(was, list | Mapping) or isinstance(is_now, list | Mapping):
        yield f"{path} {'added' if was is None else 'removed' if is_now is None else 'changed'}"
    else:
        yield f"{path}: {_shown(was)} -> {_shown(is_now)}"


def _shown(value: Any) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
