"""Read the properties of a resource, and write their values as short texts that show no secret."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

HIDDEN = "(hidden)"
LONGEST = 100
_SHOWN_BEFORE_DIFFERENCE = 12
_SECRET_KEY = re.compile(r"secret|password|passwd|token|credential|private_?key|api_?key", re.IGNORECASE)
_ON = frozenset({"true", "enabled", "active"})


def value_of(resource: Mapping[str, Any] | None, path: str) -> Any:
    """Return the value at a path below Properties, such as `SSESpecification.SSEEnabled`; None when it is missing."""
    value: Any = (resource or {}).get("Properties")
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def as_list(value: Any) -> list[Any]:
    """Return a list as it is, a missing value as an empty list, and any other value as the list of only this value."""
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


def is_on(value: Any) -> bool:
    """Return whether a switch is on: true, Enabled or ACTIVE, in the ways that templates write them."""
    return str(value).lower() in _ON


def number(value: Any) -> float | None:
    """Return a value as a number; None for a text, or for a value that is only known at deploy time."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def text_of(value: Any) -> str:
    """Return a value as text; an intrinsic as in Fn::Sub, so that `Ref: A` and `Fn::Sub: ${A}` are the same text."""
    if isinstance(value, Mapping):
        return _intrinsic(value) or f"{{{', '.join(f'{key}: {_item(key, value[key])}' for key in value)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(text_of(item) for item in value)}]"
    if value is None:
        return "(none)"
    return json.dumps(value) if isinstance(value, bool) else str(value)


def is_secret(path: str) -> bool:
    """Return whether a property's name says that its value is a secret."""
    return _SECRET_KEY.search(path) is not None


def change_text(path: str, before: Any, after: Any) -> str:
    """Return `path: before -> after`, without the leading `Properties.`; of long values only where they differ."""
    name = path.removeprefix("Properties.")
    if is_secret(name):
        return f"{name}: {HIDDEN} -> {HIDDEN}"
    return f"{name}: {pair_text(text_of(before), text_of(after))}"


def pair_text(before: str, after: str) -> str:
    """Return `before -> after`; when one is long, both start shortly before the first difference."""
    start = 0
    if max(len(before), len(after)) > LONGEST:
        start = max(0, _common_length(before, after) - _SHOWN_BEFORE_DIFFERENCE)
    return f"{_excerpt(before, start)} -> {_excerpt(after, start)}"


def _item(key: Any, value: Any) -> str:
    return HIDDEN if is_secret(str(key)) else text_of(value)


def _intrinsic(value: Mapping[str, Any]) -> str:
    """Return a reference as `${Name}` or `${Name.Attribute}`; empty for other mappings."""
    if len(value) != 1:
        return ""
    [(function, argument)] = value.items()
    match function:
        case "Ref":
            return f"${{{argument}}}"
        case "Fn::GetAtt":
            return f"${{{argument if isinstance(argument, str) else '.'.join(map(text_of, argument))}}}"
        case "Fn::Sub" if isinstance(argument, str):
            return argument
        case "Fn::ImportValue":
            return f"${{import {text_of(argument)}}}"
        case "Fn::Join" if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], list):
            return str(argument[0]).join(map(text_of, argument[1]))
        case _:
            return ""


def _common_length(before: str, after: str) -> int:
    length = 0
    for left, right in zip(before, after, strict=False):
        if left != right:
            break
        length += 1
    return length


def _excerpt(text: str, start: int) -> str:
    shown = text[start:] if start == 0 else f"…{text[start:]}"
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
