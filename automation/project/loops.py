"""Expand `Fn::ForEach`, the loops of the transform AWS::LanguageExtensions, as CloudFormation does."""

import re
from collections.abc import Callable, Mapping
from typing import Any

TRANSFORM = "AWS::LanguageExtensions"
PREFIX = "Fn::ForEach"
_NOT_ALPHANUMERIC = re.compile(r"[^a-zA-Z0-9]")

type Resolve = Callable[[Any], Any]


def is_enabled(document: Mapping[str, Any]) -> bool:
    """Return whether a template asks for the transform that expands loops."""
    transforms = document.get("Transform")
    return TRANSFORM in transforms if isinstance(transforms, list) else transforms == TRANSFORM


def expand(value: Any, resolve: Resolve, *, chosen: Callable[[Any], bool] = lambda _: True) -> Any:
    """Return a template, or a part of it, with its loops expanded; a loop with unknown values stays as it is.

    Args:
        resolve: replaces the intrinsics in the values of a loop; what it cannot resolve is neither text nor number.
        chosen: says of the body of a loop whether that loop is expanded.
    """
    if isinstance(value, list):
        return [expand(inner, resolve, chosen=chosen) for inner in value]
    if not isinstance(value, Mapping):
        return value

    expanded: dict[str, Any] = {}
    for key, inner in value.items():
        rounds = _rounds(inner, resolve) if str(key).startswith(PREFIX) else None
        if rounds is None or not chosen(inner[2]):
            expanded[key] = expand(inner, resolve, chosen=chosen)
        else:
            for body in rounds:
                expanded |= expand(body, resolve, chosen=chosen)
    return expanded


def _rounds(loop: Any, resolve: Resolve) -> list[Mapping[str, Any]] | None:
    """Return the body of a loop for each of its values; None when they are only known at deploy time."""
    match loop:
        case [str() as identifier, collection, {**body}]:
            values = _values(resolve(collection))
            return None if values is None else [_substituted(body, identifier, value) for value in values]
    return None


def _values(collection: Any) -> list[str] | None:
    """Return the values of a loop as texts; the value of a list parameter is one text with commas."""
    values = [text.strip() for text in collection.split(",")] if isinstance(collection, str) else collection
    if not isinstance(values, list) or not all(isinstance(value, str | int | float) for value in values):
        return None
    return [as_text(value) for value in values]


def as_text(value: Any) -> str:
    """Return a value as CloudFormation writes it into a text: `true` and `false` in lower case."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _substituted(value: Any, identifier: str, text: str) -> Any:
    """Return a value with the identifier of a loop replaced: `${Name}`, `&{Name}` without signs, and `Ref: Name`."""
    if isinstance(value, str):
        named = value.replace(f"${{{identifier}}}", text)
        return named.replace(f"&{{{identifier}}}", _NOT_ALPHANUMERIC.sub("", text))
    if isinstance(value, list):
        return [_substituted(inner, identifier, text) for inner in value]
    if not isinstance(value, Mapping):
        return value
    if value == {"Ref": identifier}:
        return text
    return {_substituted(key, identifier, text): _substituted(inner, identifier, text) for key, inner in value.items()}
