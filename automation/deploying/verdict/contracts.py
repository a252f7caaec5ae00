"""Compare the JSON schemas of messages and stored items of two releases: what one writes, the other must read.

During a deployment, and after a rollback, messages and items of both releases are in queues and tables. So both
directions count: the new release reads what the deployed one wrote, and the deployed one what the new one writes.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from automation.deploying.verdict.property_texts import as_list, text_of

_LOWER_LIMITS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER_LIMITS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_FORMS = ("pattern", "format")

type Schema = Mapping[str, Any]
type Within = frozenset[tuple[str, str]]


def breaking(before: Mapping[str, Schema], after: Mapping[str, Schema]) -> dict[str, str]:
    """Return why one of two neighbouring releases could not read a message or item of the other, by its name.

    Args:
        before: the schemas of the deployed release, by name, in JSON Schema, with the parts of each as its `$defs`.
        after: those of the new release. A new name breaks nothing: only the new release sends it.
    """
    reasons = {name: _reasons(before[name], after.get(name)) for name in sorted(before)}
    return {name: "; ".join(faults) for name, faults in reasons.items() if faults}


def _reasons(before: Schema, after: Schema | None) -> list[str]:
    if after is None:
        return ["is removed, so what is queued or stored cannot be read"]
    forwards = [f"the new release cannot read the deployed one's: {fault}" for fault in unreadable(before, after)]
    return forwards + [
        f"the deployed release cannot read the new one's: {fault}" for fault in unreadable(after, before)
    ]


def unreadable(writer: Schema, reader: Schema) -> tuple[str, ...]:
    """Return why values that the writer's schema allows are not always valid under the reader's schema."""
    return tuple(dict.fromkeys(_Comparison(writer, reader).faults(writer, reader)))


class _Comparison:
    """The comparison of two whole schemas, to whose `$defs` their parts refer."""

    def __init__(self, writer: Schema, reader: Schema) -> None:
        self._writer, self._reader = writer, reader

    def faults(self, writer: Any, reader: Any, path: str = "", within: Within = frozenset()) -> Iterator[str]:
        """Yield what the reader refuses.

        Args:
            within: the references that are being compared already; a schema that contains itself is compared once.
        """
        references = (_reference(writer), _reference(reader))
        if references in within:
            return
        within = within | {references} if any(references) else within
        writer, reader = _resolved(writer, self._writer), _resolved(reader, self._reader)

        written, read = _alternatives(writer), _alternatives(reader)
        if len(written) > 1 or len(read) > 1:
            yield from self._alternative_faults(written, read, path, within)
            return
        yield from _value_faults(writer, reader, path)
        yield from self._object_faults(writer, reader, path, within)
        for key in ("items", "additionalProperties"):
            if isinstance(writer.get(key), Mapping) and isinstance(reader.get(key), Mapping):
                yield from self.faults(writer[key], reader[key], f"{path}[]", within)

    def _alternative_faults(self, written: list[Any], read: list[Any], path: str, within: Within) -> Iterator[str]:
        """Every alternative of the writer needs one of the reader's."""
        for alternative in written:
            if all(any(self.faults(alternative, candidate, path, within)) for candidate in read):
                yield f"{path or 'it'} may be {_kind(_resolved(alternative, self._writer))}"

    def _object_faults(self, writer: Schema, reader: Schema, path: str, within: Within) -> Iterator[str]:
        written, read = writer.get("properties") or {}, reader.get("properties") or {}
        always_written = frozenset(writer.get("required") or ())
        for name in sorted(frozenset(reader.get("required") or ()) - always_written):
            yield f"{_join(path, name)} is required, but {'may be' if name in written else 'is'} missing"
        if reader.get("additionalProperties") is False:
            for name in sorted(written.keys() - read.keys()):
                yield f"{_join(path, name)} is unknown, and unknown fields are refused"
        for name in sorted(written.keys() & read.keys()):
            yield from self.faults(written[name], read[name], _join(path, name), within)


def _reference(schema: Any) -> str:
    return str(schema.get("$ref", "")) if isinstance(schema, Mapping) else ""


def _resolved(schema: Any, root: Schema) -> Schema:
    """Return a schema behind its `$ref`; a schema that says nothing for `true`."""
    if not isinstance(schema, Mapping):
        return {}
    reference = _reference(schema)
    if not reference:
        return schema
    return _resolved((root.get("$defs") or {}).get(reference.rsplit("/", 1)[-1]), root)


def _alternatives(schema: Schema) -> list[Any]:
    """Return the schemas of which a value must meet one; a list of types counts as one schema per type."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return list(choices)
    types = schema.get("type")
    return [{**schema, "type": kind} for kind in types] if isinstance(types, list) else [schema]


def _value_faults(writer: Schema, reader: Schema, path: str) -> Iterator[str]:
    name = path or "it"
    if not _accepts_type(writer, reader):
        yield f"{name} is {_kind(writer)}, not {_kind(reader)}"
        return
    accepted, values = _values(reader), _values(writer)
    if accepted is not None:
        refused = ["any value"] if values is None else [text for text in values if text not in accepted]
        if refused:
            yield f"{name} may be {', '.join(refused)}, but only {', '.join(accepted)} is accepted"
        return

    for key in _FORMS:
        if key in reader and values is None and reader[key] != writer.get(key):
            yield f"{name} must have the {key} {text_of(reader[key])}"
    for key in (*_LOWER_LIMITS, *_UPPER_LIMITS):
        if key in reader and values is None and _is_tighter(key, reader[key], writer.get(key)):
            yield f"{name} must have the {key} {text_of(reader[key])}"


def _is_tighter(key: str, read: Any, written: Any) -> bool:
    if written is None:
        return True
    return bool(read > written if key in _LOWER_LIMITS else read < written)


def _accepts_type(writer: Schema, reader: Schema) -> bool:
    written, read = writer.get("type"), reader.get("type")
    has_values = written is None and _values(writer) is not None
    return read is None or written == read or has_values or (written, read) == ("integer", "number")


def _values(schema: Schema) -> list[str] | None:
    """Return the only values that a schema allows, as text; None when it does not list them."""
    if "const" in schema:
        return [text_of(schema["const"])]
    return [text_of(value) for value in as_list(schema["enum"])] if "enum" in schema else None


def _kind(schema: Schema) -> str:
    return text_of(schema.get("type") or schema.get("const") or schema.get("enum") or "any value")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
