"""Variants of a sample that another release may write: with unknown fields, or without an optional one."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

type Schema = Mapping[str, Any]
type Path = tuple[str | int, ...]
UNKNOWN = "field_of_a_later_release"


class Sample:
    """The content of a sample with the schema of its kind; a string that contains JSON counts as its content."""

    def __init__(self, kind: str, content: Mapping[str, Any], contracts: Mapping[str, Schema]) -> None:
        self._contracts = contracts
        self._schema = contracts[kind]
        self._json_names = {name for name, value in content.items() if _is_json(value)}
        self._content = with_json_decoded(content)

    def with_unknown_fields(self) -> dict[str, Any]:
        """Return the content with an unknown field in every object, also in nested ones."""
        changed = copy.deepcopy(self._content)
        for path, _ in self.objects():
            _at(changed, path)[UNKNOWN] = {"of": ["any", "form"]}
        return self._encoded(changed)

    def without_optional_fields(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the content without one optional field, by the path of the field."""
        for path, schema in self.objects():
            present = _at(self._content, path)
            for name in sorted(present.keys() & schema["properties"].keys() - set(schema.get("required", ()))):
                changed = copy.deepcopy(self._content)
                del _at(changed, path)[name]
                yield ".".join(map(str, (*path, name))), self._encoded(changed)

    def objects(self) -> list[tuple[Path, Schema]]:
        """Return the path and the schema of every object whose fields a schema lists."""
        return list(self._objects(self._schema, self._schema, self._content, ()))

    def _objects(self, schema: Schema, root: Schema, value: Any, path: Path) -> Iterator[tuple[Path, Schema]]:
        for part in _alternatives(schema, root):
            if isinstance(value, list):
                for number, item in enumerate(value):
                    yield from self._objects(part.get("items", {}), root, item, (*path, number))
            elif isinstance(value, Mapping) and "properties" in part:
                yield path, part
                for name in value.keys() & part["properties"].keys():
                    yield from self._objects(part["properties"][name], root, value[name], (*path, name))
                yield from self._recorded_message(part, value, path)
            elif isinstance(value, Mapping) and isinstance(part.get("additionalProperties"), Mapping):
                for name, item in value.items():
                    yield from self._objects(part["additionalProperties"], root, item, (*path, name))

    def _recorded_message(self, part: Schema, value: Any, path: Path) -> Iterator[tuple[Path, Schema]]:
        """Yield the objects of a message in an outbox or a body, whose schema is that of its type."""
        if part["properties"].keys() == {"type", "message"}:
            schema = self._contracts[value["type"]]
            yield from self._objects(schema, schema, value["message"], (*path, "message"))

    def _encoded(self, content: Mapping[str, Any]) -> dict[str, Any]:
        return {name: json.dumps(value) if name in self._json_names else value for name, value in content.items()}


def with_json_decoded(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with the content of each attribute that is JSON in a string."""
    return {name: json.loads(value) if _is_json(value) else value for name, value in content.items()}


def _is_json(value: object) -> bool:
    return isinstance(value, str) and value[0] in "[{"


def _alternatives(schema: Schema, root: Schema) -> list[Schema]:
    if "$ref" in schema:
        return _alternatives(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" not in schema:
        return [schema]
    resolved: list[Schema] = []
    for choice in schema["anyOf"]:
        resolved += _alternatives(choice, root)
    return resolved


def _at(content: Any, path: Path) -> Any:
    for part in path:
        content = content[part]
    return content
