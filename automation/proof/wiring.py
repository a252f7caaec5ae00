"""Read from the templates which targets an event rule has, and which queues a function reads."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automation.project import templates
from automation.project.model import Function, Project, Stack
from automation.project.templates import Unresolved

_RULE_EVENTS = frozenset({"EventBridgeRule", "CloudWatchEvent"})


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """One end of a connection.

    Attributes:
        stack: empty when the reference leads out of its template; then `name` is the expression itself.
        name: a logical id.
    """

    stack: str
    name: str

    @property
    def is_known(self) -> bool:
        return bool(self.stack)


@dataclass(frozen=True, slots=True)
class EventRule:
    """An enabled rule of an event bus.

    Attributes:
        where: its template and logical id.
        sources: the patterns for `source`; None matches any.
        detail_types: the patterns for `detail-type`; None matches any.
    """

    where: str
    name: str
    sources: tuple[Any, ...] | None
    detail_types: tuple[Any, ...] | None
    targets: frozenset[Endpoint]

    def matches(self, source: str, detail_type: str) -> bool:
        return _matches(self.sources, source) and _matches(self.detail_types, detail_type)

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield the pairs of source and detail-type that the rule names literally."""
        for source in self.sources or ():
            for detail_type in self.detail_types or ():
                if isinstance(source, str) and isinstance(detail_type, str):
                    yield source, detail_type


def queues_of(function: Function, stack: Stack) -> frozenset[Endpoint]:
    """Return the queues that are event sources of a function."""
    own = [
        (event.get("Properties") or {}).get("Queue")
        for event in _events(function).values()
        if event.get("Type") == "SQS"
    ]
    mapped = [
        properties.get("EventSourceArn")
        for properties in _of_type(stack, "AWS::Lambda::EventSourceMapping")
        if endpoint_of(properties.get("FunctionName"), stack).name == function.logical_id
    ]
    return frozenset(endpoint_of(value, stack) for value in [*own, *mapped] if value is not None)


def rules_of(project: Project) -> tuple[EventRule, ...]:
    """Return every event rule of every template, including those among functions' Events."""
    rules: list[EventRule] = []
    for stack in project.stacks:
        rules += [*_own_rules(stack), *_event_rules(stack)]
    return tuple(rules)


def endpoint_of(value: Any, stack: Stack) -> Endpoint:
    """Return the target of a Ref, a GetAtt, or a Sub that consists of only one of them."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            pass
        case {"Fn::GetAtt": str(text)}:
            name = text.split(".")[0]
        case {"Fn::Sub": str(text)} if text.startswith("${") and text.find("}") == len(text) - 1:
            name = text[2:-1].split(".")[0]
        case _:
            name = ""

    if name in stack.template.resources:
        return Endpoint(stack.name, name)
    return Endpoint("", json.dumps(value, sort_keys=True, default=str))


def _own_rules(stack: Stack) -> Iterator[EventRule]:
    for logical_id, resource in stack.template.resources.items():
        properties = resource.get("Properties") or {}
        if resource["Type"] == "AWS::Events::Rule" and not _is_disabled(properties, stack):
            arns = [target.get("Arn") for target in properties.get("Targets") or [] if isinstance(target, Mapping)]
            targets = frozenset(endpoint_of(arn, stack) for arn in arns)
            if pattern := _pattern(properties.get("EventPattern"), stack):
                yield EventRule(f"{stack.template.path}: {logical_id}", logical_id, *pattern, targets)


def _event_rules(stack: Stack) -> Iterator[EventRule]:
    for function in stack.functions:
        for name, event in _events(function).items():
            properties = event.get("Properties") or {}
            if event.get("Type") in _RULE_EVENTS and not _is_disabled(properties, stack):
                where = f"{stack.template.path}: {function.logical_id}: Events: {name}"
                if pattern := _pattern(properties.get("Pattern"), stack):
                    yield EventRule(where, name, *pattern, frozenset({Endpoint(stack.name, function.logical_id)}))


def _pattern(value: Any, stack: Stack) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None] | None:
    """Return the patterns for source and detail-type; None for a rule that only a schedule starts."""
    known = templates.resolve(value, stack.template, stack.parameters)
    if not isinstance(known, Mapping):
        return None
    return _as_tuple(known.get("source")), _as_tuple(known.get("detail-type"))


def _as_tuple(value: Any) -> tuple[Any, ...] | None:
    if value is None:
        return None
    return tuple(value) if isinstance(value, list) else (value,)


def _is_disabled(properties: Mapping[str, Any], stack: Stack) -> bool:
    return str(templates.resolve(properties.get("State"), stack.template, stack.parameters)) == "DISABLED"


def _events(function: Function) -> Mapping[str, Mapping[str, Any]]:
    events = function.properties.get("Events")
    if not isinstance(events, Mapping):
        return {}
    return {name: event for name, event in events.items() if isinstance(event, Mapping)}


def _of_type(stack: Stack, resource_type: str) -> Iterator[Mapping[str, Any]]:
    resources = stack.template.resources.values()
    return (resource.get("Properties") or {} for resource in resources if resource["Type"] == resource_type)


def _matches(patterns: tuple[Any, ...] | None, value: str) -> bool:
    return patterns is None or any(_may_match(pattern, value) for pattern in patterns)


def _may_match(pattern: Any, value: str) -> bool:
    """Return whether a pattern may match; any content filter but prefix and suffix may, to report no guesses."""
    match pattern:
        case str():
            return pattern == value
        case {"prefix": str(text)}:
            return value.startswith(text)
        case {"suffix": str(text)}:
            return value.endswith(text)
    return isinstance(pattern, Mapping | Unresolved)
