"""Find every value that a property may get when conditions that are only known at deploy time choose it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from math import prod
from typing import Any

from automation.project import loops, templates
from automation.project.templates import Template

_MOST_WAYS = 256
_ANOTHER_VALUE = "another value"


def possible(value: Any, template: Template, parameters: Mapping[str, str]) -> tuple[Any, ...]:
    """Return each value that a property may get, resolved: a single one when no unknown condition chooses it."""
    values: list[Any] = []
    for truths in _truths(sorted(_open_conditions(value, template, parameters)), template, parameters):
        decided = replace(template, conditions={**template.conditions, **truths})
        resolved = templates.resolve(value, decided, parameters)
        if resolved not in values:
            values.append(resolved)
    return tuple(values)


def deciding_parameters(value: Any, template: Template, parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the parameters without a value that decide what a property gets, sorted."""
    return tuple(
        sorted(
            _unknown(_open_conditions(value, template, parameters), template, parameters) & template.parameters.keys()
        )
    )


def union[T](choices: Sequence[Sequence[T]]) -> list[T]:
    """Return the entries of several lists, each once; each list keeps its order where the others allow that."""
    merged: list[T] = []
    for choice in choices:
        position = 0
        for entry in choice:
            if entry not in merged:
                merged.insert(position, entry)
            position = merged.index(entry) + 1
    return merged


def _open_conditions(value: Any, template: Template, parameters: Mapping[str, str]) -> frozenset[str]:
    """Return the names of the conditions that choose in a value and of which nobody knows whether they hold."""
    if not isinstance(value, Mapping | list):
        return frozenset()
    inner_values = value.values() if isinstance(value, Mapping) else value
    names = frozenset[str]().union(*(_open_conditions(inner, template, parameters) for inner in inner_values))
    match value:
        case {"Fn::If": [str() as name, _, _]} if name in template.conditions:
            is_open = templates.holds(template.conditions[name], template, parameters) is None
            return names | {name} if is_open else names
    return names


def _truths(names: Sequence[str], template: Template, parameters: Mapping[str, str]) -> Iterator[Mapping[str, bool]]:
    """Yield each way in which conditions may hold together, by their names."""
    candidates = _candidates(names, template, parameters)
    if prod(map(len, candidates.values())) << len(names) > _MOST_WAYS:
        yield from (dict.fromkeys(names, True), dict.fromkeys(names, False))
        return

    ways: dict[tuple[bool, ...], None] = {}
    known = replace(template, parameters={**template.parameters, **{name: {} for name in candidates}})
    for texts in product(*candidates.values()):
        assigned = {**parameters, **dict(zip(candidates, texts, strict=True))}
        truths = [templates.holds(template.conditions[name], known, assigned) for name in names]
        ways |= dict.fromkeys(product(*((True, False) if truth is None else (truth,) for truth in truths)))
    yield from (dict(zip(names, way, strict=True)) for way in ways)


def _candidates(names: Sequence[str], template: Template, parameters: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the values to try of each unknown parameter that conditions only compare with texts."""
    texts: dict[str, list[str | None]] = {name: [] for name in sorted(_unknown(names, template, parameters))}
    for name, text in _comparisons([{"Condition": name} for name in names], template.conditions):
        if name in texts:
            texts[name].append(text)

    candidates = {}
    for name, compared in texts.items():
        if None not in compared:
            allowed = template.parameters.get(name, {}).get("AllowedValues")
            values = (
                map(loops.as_text, allowed) if isinstance(allowed, list) else (*filter(None, compared), _ANOTHER_VALUE)
            )
            candidates[name] = tuple(dict.fromkeys(values))
    return candidates


def _unknown(names: Iterable[str], template: Template, parameters: Mapping[str, str]) -> frozenset[str]:
    """Return what conditions refer to and has no value."""
    used = templates.references([template.conditions[name] for name in names], template.conditions)
    return used - template.defaults().keys() - parameters.keys()


def _comparisons(value: Any, conditions: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Yield each parameter that a condition mentions, with the text that it is compared with; None for any other use.

    Args:
        conditions: those of the template, which a condition may refer to.
    """
    match value:
        case {"Fn::Equals": [{"Ref": str() as name}, str() | int() as text]}:
            yield name, loops.as_text(text)
        case {"Fn::Equals": [str() | int() as text, {"Ref": str() as name}]}:
            yield name, loops.as_text(text)
        case {"Condition": str() as name}:
            yield from _comparisons(conditions.get(name), conditions)
        case {"Ref": _} | {"Fn::Sub": _}:
            yield from ((name, None) for name in templates.references(value))
        case Mapping():
            yield from _comparisons(list(value.values()), conditions)
        case list():
            for inner in value:
                yield from _comparisons(inner, conditions)
