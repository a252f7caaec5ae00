"""The JSON schemas of everything that two releases exchange: messages, commands and stored items."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from desk.deployment.stored_items import STORED_ITEMS
from the_alchemiser.shared.messaging.commands import COMMANDS
from the_alchemiser.shared.messaging.messages import REGISTRY

# These say nothing about the form. Without them a new docstring is not a new contract.
_NOTES = frozenset({"title", "description"})
_BY_NAME = frozenset({"properties", "$defs"})


def schemas(_context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of each message, command and stored item, by its class name.

    The schemas are those of a reader. It ignores unknown fields of messages and items, but refuses those of commands,
    which people type.
    """
    tolerant = {model.__name__: reader_schema(model) for model in (*REGISTRY, *STORED_ITEMS)}
    strict = {command.__name__: _plain(command.model_json_schema()) for command in COMMANDS.values()}
    return tolerant | strict


def reader_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a class whose reader ignores unknown fields."""
    schema: dict[str, Any] = _plain(model.model_json_schema(), is_tolerant=True)
    return schema


def _plain(node: Any, *, is_tolerant: bool = False) -> Any:
    """Return a part of a schema without notes; the content replaces a string that contains JSON."""
    if isinstance(node, list):
        return [_plain(part, is_tolerant=is_tolerant) for part in node]
    if not isinstance(node, Mapping):
        return node
    if "contentSchema" in node:
        return _plain(node["contentSchema"], is_tolerant=is_tolerant)

    plain: dict[str, Any] = {}
    for key, value in node.items():
        if key in _BY_NAME:
            # The keys of this mapping are names of fields or classes, which may be called `title` too.
            plain[key] = {name: _plain(part, is_tolerant=is_tolerant) for name, part in value.items()}
        elif key not in _NOTES and not (is_tolerant and key == "additionalProperties" and value is False):
            plain[key] = _plain(value, is_tolerant=is_tolerant)
    return plain
