"""Find the templates that a template nests: SAM builds each local one into a folder of its own."""

import posixpath
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from automation.project import loops, skipped, templates
from automation.project.skipped import Kind, Skipped
from automation.project.templates import Template
from automation.system.errors import ConfigurationError

LOCATIONS: Mapping[str, str] = {
    "AWS::Serverless::Application": "Location",
    "AWS::CloudFormation::Stack": "TemplateURL",
}
_FILE = "file://"


def paths(template: Template, parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the path of each local nested template, relative to the project root, by logical id."""
    folder = PurePosixPath(template.path).parent
    return {
        logical_id: posixpath.normpath(folder / location.removeprefix(_FILE))
        for logical_id, location in _locations(template, parameters).items()
        if skipped.of_application(logical_id, location) is None
    }


def skipped_applications(template: Template, parameters: Mapping[str, str]) -> tuple[Skipped, ...]:
    """Return the nested applications whose template is not a local file."""
    entries = (
        skipped.of_application(logical_id, location)
        for logical_id, location in _locations(template, parameters).items()
    )
    return tuple(filter(None, entries))


def absent(logical_id: str, path: str) -> Skipped:
    """Return the fault of a nested application whose local template does not exist."""
    why = f"has the template {path}, which does not exist; correct the path, or make the file before the build"
    return Skipped(logical_id, Kind.APPLICATION, why, "missing", is_fault=True)


def unreadable(logical_id: str, cause: ConfigurationError) -> Skipped:
    """Return the fault of a nested application whose local template cannot be read."""
    why = f"has a template that cannot be read: {cause}"
    return Skipped(logical_id, Kind.APPLICATION, why, "unreadable", is_fault=True)


def parameters_of(logical_id: str, template: Template, parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the values that a template gives the parameters of a nested one, without those known at deploy time only.

    Args:
        logical_id: of the nested application.
    """
    texts = _passed_on(logical_id, template, parameters)
    return {name: text for name, text in texts.items() if text is not None}


def without_defaults(nested: Template, logical_id: str, template: Template, parameters: Mapping[str, str]) -> Template:
    """Return a nested template without the defaults of parameters that get a value known at deploy time only.

    Args:
        logical_id: of the nested application in `template`.
    """
    unknown = {name for name, text in _passed_on(logical_id, template, parameters).items() if text is None}
    definitions = {
        name: {key: value for key, value in definition.items() if key != "Default" or name not in unknown}
        for name, definition in nested.parameters.items()
    }
    return replace(nested, parameters=definitions)


def _passed_on(logical_id: str, template: Template, parameters: Mapping[str, str]) -> dict[str, str | None]:
    """Return the values that a nested template's parameters get; None for one that is known at deploy time only."""
    properties = template.resources.get(logical_id, {}).get("Properties")
    passed_on = properties.get("Parameters") if isinstance(properties, Mapping) else None
    values = templates.resolve(passed_on, template, parameters)
    return {name: _text(value) for name, value in values.items()} if isinstance(values, Mapping) else {}


def _locations(template: Template, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the location of each nested application, by logical id, resolved as far as it is known."""
    locations: dict[str, Any] = {}
    for logical_id, resource in template.resources.items():
        if key := LOCATIONS.get(resource["Type"]):
            properties = resource.get("Properties")
            location = properties.get(key) if isinstance(properties, Mapping) else None
            locations[logical_id] = templates.resolve(location, template, parameters)
    return locations


def _text(value: Any) -> str | None:
    """Return the value of a parameter as text; a list is one text with commas."""
    if isinstance(value, list):
        texts = [_text(entry) for entry in value]
        return None if None in texts else ",".join(str(text) for text in texts)
    return loops.as_text(value) if isinstance(value, str | int | float) else None
