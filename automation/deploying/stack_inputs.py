"""What goes into the deployment of a stack: the digest of it all, and the parameters that may be shown or stored."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automation.building import outputs
from automation.deploying.verdict.property_texts import HIDDEN
from automation.project import templates
from automation.system import files


def deployment_digest(template: Path, parameters: Mapping[str, str]) -> str:
    """Return one digest of a packed template, its zips and the parameters; empty for a template that names folders."""
    zips = template.parent / outputs.ZIPS
    if template.name != outputs.PACKED or not zips.is_dir():
        return ""

    parts: list[str | bytes] = [template.read_bytes(), json.dumps(dict(parameters), sort_keys=True)]
    for name, digest in files.digest_tree(zips).items():
        parts += [name, digest]
    return files.digest_of(parts)


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
