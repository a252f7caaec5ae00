"""Read what the properties of a resource say: folders, layers, lists and variables."""

import posixpath
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from automation.project import intrinsics
from automation.project.templates import Unresolved

type Text = str | Unresolved


def of(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the properties of a resource; one without them has none."""
    return _table(resource, "Properties")


def metadata(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the metadata of a resource; one without them has none."""
    return _table(resource, "Metadata")


def variables(properties: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the environment variables of a function."""
    return frozenset(_table(_table(properties, "Environment"), "Variables"))


def as_list(value: Any) -> list[Any]:
    """Return a value as a list: the value of a list parameter is one text with commas."""
    if value is None:
        return []
    if isinstance(value, str):
        return [text.strip() for text in value.split(",") if text.strip()]
    return list(value) if isinstance(value, list) else [value]


def path(value: Any, folder: PurePosixPath) -> Text | None:
    """Return a local folder relative to the root; S3 locations and intrinsics stay Unresolved, a missing value None."""
    if value is None or isinstance(value, Unresolved):
        return value
    if isinstance(value, Mapping):
        parts = value.get("S3Bucket", value.get("Bucket")), value.get("S3Key", value.get("Key"))
        bucket, key = (intrinsics.variable_form(str(part)) for part in parts)
        return Unresolved(f"s3://{bucket}/{key}" if parts[0] else str(value))
    if not isinstance(value, str) or "://" in value:
        return Unresolved(str(value))
    location = folder / value
    return posixpath.normpath(location) if ".." in location.parts else location.as_posix()


def layers(inherited: Mapping[str, Any], own: Mapping[str, Any]) -> Any:
    """Return the layers that Globals and a function name, unresolved.

    SAM appends a function's list to that of the Globals; an intrinsic for the whole list replaces the other one.
    """
    shared, appended = inherited.get("Layers"), own.get("Layers")
    if isinstance(shared, list) and isinstance(appended, list):
        return shared + appended
    return appended if "Layers" in own else shared


def layer_references(entries: Any) -> tuple[Text, ...]:
    """Return the logical id of each layer of the same template, and the text of any other."""
    references: list[Text] = []
    for entry in as_list(entries):
        if isinstance(entry, list):  # a condition chose several
            references += layer_references(entry)
        elif isinstance(entry, Unresolved):
            references.append(entry.resource or entry)
        else:
            references.append(entry if isinstance(entry, str) else Unresolved(str(entry)))
    return tuple(references)


def _table(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, Mapping) else {}
