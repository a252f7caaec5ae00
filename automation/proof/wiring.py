"""What the templates connect: rules and their targets, functions and the queues they read."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automation.project import templates
from automation.project.model import Function, Project, Stack
from automation.project.templates import Unresolved

_RULE_EVENTS = frozenset({"EventBridgeRule", "CloudWatchEvent"})


@dataclass(frozen=True, slots=True, order=True)
class End:
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
    """A rule of an event bus that is not disabled.

    Attributes:
        where: its template and logical id.
        sources: the patterns for `source`; None matches any.
        kinds: the patterns for `detail-type`; None matches any.
    """

    where: str
    name: str
    sources: tuple[Any, ...] | None
    kinds: tuple[Any, ...] | None
    targets: frozenset[End]

    def matches(self, source: str, kind: str) -> bool:
        return _matches(self.sources, source) and _matches(self.kinds, kind)

    def named(self) -> Iterator[tuple[str, str]]:
        """The pairs of source and detail-type that it names in so many words."""
        for source in self.sources or ():
            for kind in self.kinds or ():
                if isinstance(source, str) and isinstance(kind, str):
                    yield source, kind


def queues_of(function: Function, stack: Stack) -> frozenset[End]:
    """The queues that are event sources of a function."""
    own = [
        (event.get("Properties") or {}).get("Queue")
        for event in _events(function).values()
        if event.get("Type") == "SQS"
    ]
    mapped = [
        properties.get("EventSourceArn")
        for properties in _of_type(stack, "AWS::Lambda::EventSourceMapping")
        if end_of(properties.get("FunctionName"), stack).name == function.logical_id
    ]
    return frozenset(end_of(value, stack) for value in [*own, *mapped] if value is not None)


def rules_of(project: Project) -> tuple[EventRule, ...]:
    """Every rule of every template, those among functions' Events too."""
    return tuple(rule for stack in project.stacks for rule in [*_own_rules(stack), *_event_rules(stack)])


def end_of(value: Any, stack: Stack) -> End:
    """What a Ref, a GetAtt or a Sub of nothing but one of them leads to."""
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
        return End(stack.name, name)
    return End("", json.dumps(value, sort_keys=True, default=str))


def _own_rules(stack: Stack) -> Iterator[EventRule]:
    for logical_id, resource in stack.template.resources.items():
        properties = resource.get("Properties") or {}
        if resource["Type"] == "AWS::Events::Rule" and not _is_disabled(properties, stack):
            arns = [target.get("Arn") for target in properties.get("Targets") or [] if isinstance(target, Mapping)]
            targets = frozenset(end_of(arn, stack) for arn in arns)
            if pattern := _pattern(properties.get("EventPattern"), stack):
                yield EventRule(f"{stack.template.path}: {logical_id}", logical_id, *pattern, targets)


def _event_rules(stack: Stack) -> Iterator[EventRule]:
    for function in stack.functions:
        for name, event in _events(function).items():
            properties = event.get("Properties") or {}
            if event.get("Type") in _RULE_EVENTS and not _is_disabled(properties, stack):
                where = f"{stack.template.path}: {function.logical_id}: Events: {name}"
                if pattern := _pattern(properties.get("Pattern"), stack):
                    yield EventRule(where, name, *pattern, frozenset({End(stack.name, function.logical_id)}))


def _pattern(value: Any, stack: Stack) -> tuple[tuple[Any, ...] | None, tuple[Any, ...] | None] | None:
    """The patterns for source and detail-type; None for a rule that only a schedule starts."""
    known = templates.resolve(value, stack.template, stack.parameters)
    return (_listed(known.get("source")), _listed(known.get("detail-type"))) if isinstance(known, Mapping) else None


def _listed(value: Any) -> tuple[Any, ...] | None:
    return None if value is None else tuple(value) if isinstance(value, list) else (value,)


def _is_disabled(properties: Mapping[str, Any], stack: Stack) -> bool:
    return str(templates.resolve(properties.get("State"), stack.template, stack.parameters)) == "DISABLED"


def _events(function: Function) -> Mapping[str, Mapping[str, Any]]:
    events = function.properties.get("Events")
    return (
        {name: one for name, one in events.items() if isinstance(one, Mapping)} if isinstance(events, Mapping) else {}
    )


def _of_type(stack: Stack, kind: str) -> Iterator[Mapping[str, Any]]:
    return (one.get("Properties") or {} for one in stack.template.resources.values() if one["Type"] == kind)


def _matches(patterns: tuple[Any, ...] | None, value: str) -> bool:
    return patterns is None or any(_may_match(one, value) for one in patterns)


def _may_match(pattern: Any, value: str) -> bool:
    """Content filters other than prefix and suffix are taken to match: no fault is made of a guess."""
    match pattern:
        case str():
            return pattern == value
        case {"prefix": str(text)}:
            return value.startswith(text)
        case {"suffix": str(text)}:
            return value.endswith(text)
    return isinstance(pattern, Mapping | Unresolved)
