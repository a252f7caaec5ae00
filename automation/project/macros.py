"""The macros that may change a template when it is deployed, so that it is not certain what a function will have."""

from collections.abc import Iterator, Mapping
from typing import Any

from automation.project.model import Function
from automation.project.templates import Template

_KEY = "Fn::Transform"
# Those of AWS add no layers, wrap no handlers and set no variables.
_OF_AWS = "AWS::"


def of_function(function: Function, template: Template) -> tuple[str, ...]:
    """Return the macros that may change a function: those of its template, and those in its own definition."""
    beside = {key: value for key, value in template.unexpanded.items() if str(key).startswith(_KEY)}
    own = [template.resources.get(function.logical_id), function.properties]
    names = [*_names(template.transform), *_named_in([own, *beside.values()]), *_names(list(beside.values()))]
    return tuple(dict.fromkeys(name for name in names if not name.startswith(_OF_AWS)))


def _names(transform: Any) -> Iterator[str]:
    for entry in transform if isinstance(transform, list) else [transform]:
        name = entry.get("Name") if isinstance(entry, Mapping) else entry
        if isinstance(name, str):
            yield name


def _named_in(value: Any) -> Iterator[str]:
    """Yield the macros that are called anywhere in a value."""
    if isinstance(value, Mapping):
        yield from _names(value.get(_KEY))
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for entry in inner:
        yield from _named_in(entry)
