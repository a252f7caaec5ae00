"""The JSON schemas of everything that two releases exchange: messages, commands and stored items.

Earlier releases derived them with pydantic. Both derive the same schema from the same fields, so that a deployment
compares what the fields say, not the library.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec

from desk.deployment.stored_items import STORED_ITEMS
from the_alchemiser.shared.messaging.commands import COMMANDS
from the_alchemiser.shared.messaging.messages import REGISTRY

# These say nothing about the form. Without them a new docstring is not a new contract.
_NOTES = frozenset({"title", "description"})
_BY_NAME = frozenset({"properties", "$defs"})
_DECIMAL_FORMS: Sequence[Mapping[str, Any]] = ({"type": "number"}, {"type": "string"})
_UNSAID: Sequence[tuple[str, object]] = (("required", []), ("default", {}))
_TYPES = {str: "string", int: "integer"}


def schemas(_context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of each message, command and stored item, by its class name.

    The schemas are those of a reader. It ignores unknown fields of messages and items, but refuses those of commands,
    which people type.
    """
    tolerant = {model.__name__: reader_schema(model) for model in (*REGISTRY, *STORED_ITEMS)}
    strict = {command.__name__: _schema(command, is_tolerant=False) for command in COMMANDS.values()}
    return tolerant | strict


def reader_schema(model: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of a class whose reader ignores unknown fields."""
    return _schema(model, is_tolerant=True)


def _schema(model: type[msgspec.Struct], *, is_tolerant: bool) -> dict[str, Any]:
    """Return the schema of a class, with those of the classes in it as `$defs`."""
    (root,), classes = msgspec.json.schema_components([model], ref_template="#/$defs/{name}")
    name = root["$ref"].rpartition("/")[2]
    schema: dict[str, Any] = _plain(classes.pop(name), is_tolerant=is_tolerant)
    parts = _plain_parts(classes, is_tolerant=is_tolerant)
    return schema | {"$defs": parts} if parts else schema


def _plain(node: Any, *, is_tolerant: bool) -> Any:
    """Return a part of a schema without notes."""
    if isinstance(node, list):
        return [_plain(part, is_tolerant=is_tolerant) for part in node]
    if not isinstance(node, Mapping):
        return node

    plain: dict[str, Any] = {}
    for key, value in _usual(node).items():
        if key in _BY_NAME:
            # The keys of this mapping are names of fields or classes, which may be called `title` too.
            plain[key] = _plain_parts(value, is_tolerant=is_tolerant)
        elif key not in _NOTES and not (is_tolerant and key == "additionalProperties" and value is False):
            plain[key] = _plain(value, is_tolerant=is_tolerant)
    return plain


def _plain_parts(parts: Mapping[str, Any], *, is_tolerant: bool) -> dict[str, Any]:
    return {name: _plain(part, is_tolerant=is_tolerant) for name, part in parts.items()}


def _usual(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of msgspec's schema as pydantic describes the same."""
    usual = {key: value for key, value in node.items() if (key, value) not in _UNSAID}
    if node.get("format") == "decimal":
        del usual["type"], usual["format"]
        usual["anyOf"] = list(_forms(node))
    if "anyOf" in node:
        usual["anyOf"] = list(chain.from_iterable(map(_forms, node["anyOf"])))
    if "enum" in node:
        usual |= _constants(usual.pop("enum"))
    if "pattern" in node:
        usual["pattern"] = _usual_pattern(node["pattern"])
    return _usual_object(usual) if node.get("type") == "object" else usual


def _forms(choice: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return _DECIMAL_FORMS if choice.get("format") == "decimal" else (choice,)


def _constants(values: Sequence[str | int]) -> dict[str, Any]:
    allowed = {"const": values[0]} if len(values) == 1 else {"enum": values}
    return {"type": _TYPES[type(values[0])], **allowed}


def _usual_object(node: dict[str, Any]) -> dict[str, Any]:
    if "propertyNames" in node:
        pattern = _usual_pattern(node.pop("propertyNames")["pattern"])
        return node | {"patternProperties": {pattern: node.pop("additionalProperties")}}
    return node if "properties" in node else {"additionalProperties": True, **node}


def _usual_pattern(pattern: str) -> str:
    return pattern.replace(r"\Z", "$")  # only Python needs \Z
