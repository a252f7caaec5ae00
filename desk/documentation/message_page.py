"""The messages of the system: who sends each, who consumes it, and its fields."""

import inspect
import re
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from automation.system import markdown
from the_alchemiser.shared.messaging.messages import REGISTRY, Message, Route

_ATTRIBUTE = re.compile(r"^    (\w[\w, ]*): (.*(?:\n     +\S.*)*)", re.MULTILINE)
_INTRO = (
    "`the_alchemiser/shared/messaging/messages.py` defines them. In JSON, decimals are strings and times are RFC 3339 "
    "in UTC."
)


def page(registry: Mapping[type[Message], Route] = REGISTRY) -> str:
    """Return the page."""
    sections = [_section(message, route) for message, route in registry.items()]
    common = ("## Fields of every message", _fields(Message, frozenset()))
    return "\n\n".join(["# Messages", _INTRO, *common, *sections]) + "\n"


def type_name(annotation: Any) -> str:
    """Return the name of a type for people: `Mapping[str, Decimal]`, `str or None`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(arguments[0])
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if origin is UnionType:
        return " or ".join(map(type_name, arguments))
    if annotation is NoneType:
        return "None"
    if annotation is Ellipsis:
        return "…"
    name = str(getattr(origin or annotation, "__name__", annotation))
    return f"{name}[{', '.join(map(type_name, arguments))}]" if arguments else name


def _section(message: type[Message], route: Route) -> str:
    senders, consumers = (", ".join(f"`{name}`" for name in names) for names in (route.producers, route.consumers))
    way = "straight to the queue of" if route.queued else f"on the bus, source `{route.source}`, to"
    common = frozenset(field.name for field in msgspec.structs.fields(Message))
    summary = markdown.with_code(" ".join((message.__doc__ or "").partition("\n\n")[0].split()))
    return "\n\n".join(
        [f"## {message.__name__}", summary, f"From {senders} {way} {consumers}.", _fields(message, common)]
    )


def _fields(message: type[Message], left_out: frozenset[str]) -> str:
    meanings = _meanings(message)
    rows = [
        (f"`{field.name}`", f"`{type_name(field.type)}`", _default(field), meanings.get(field.name, ""))
        for field in msgspec.structs.fields(message)
        if field.name not in left_out
    ]
    return markdown.table(("field", "type", "default", "meaning"), rows, cell=markdown.with_code)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return ""
    return "`{}`" if field.default is msgspec.NODEFAULT else f"`{field.default}`"


def _meanings(message: type[Message]) -> dict[str, str]:
    """Return what the docstring says about fields, by name."""
    meanings: dict[str, str] = {}
    for names, text in _ATTRIBUTE.findall((inspect.getdoc(message) or "").partition("Attributes:")[2]):
        meanings |= dict.fromkeys(names.split(", "), " ".join(text.split()))
    return meanings
