"""What goes into the deployment of a stack: the digest of it all, and the parameters that may be shown or stored."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automation.building import outputs
from automation.deploying.verdict.property_texts import HIDDEN
from automation.project import nesting, templates
from automation.system import files


def deployment_digest(template: Path, parameters: Mapping[str, str]) -> str:
    """Return one digest of a packed template, its zips, the stacks that it nests, and the parameters.

    It is empty for a template that names folders.
    """
    if template.name != outputs.PACKED or not (template.parent / outputs.ZIPS).is_dir():
        return ""
    return files.digest_of([json.dumps(dict(parameters), sort_keys=True), *_contents(template)])


def _contents(template: Path) -> list[str | bytes]:
    """Return a packed template, its zips, and the same of each stack that it nests."""
    text = template.read_bytes()
    parts: list[str | bytes] = [text]
    for name, digest in files.digest_tree(template.parent / outputs.ZIPS).items():
        parts += [name, digest]
    for resource in json.loads(text)["Resources"].values():
        match resource:
            case {"Type": str() as kind, "Properties": {**properties}} if kind in nesting.LOCATIONS:
                location = properties.get(nesting.LOCATIONS[kind])
                if isinstance(location, str) and location.endswith(f"/{outputs.PACKED}"):
                    parts += _contents(template.parent / location)
    return parts


def visible_parameters(parameters: Mapping[str, str], definitions: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters that may be stored: those that are not NoEcho.

    Args:
        definitions: the template's section Parameters.
    """
    return {name: value for name, value in parameters.items() if not templates.is_no_echo(definitions.get(name))}


def masked(parameters: Mapping[str, str], definitions: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of a stack with the values of NoEcho ones replaced by `HIDDEN`.

    Args:
        definitions: the template's section Parameters.
    """
    visible = visible_parameters(parameters, definitions)
    return {name: visible.get(name, HIDDEN) for name in parameters}
