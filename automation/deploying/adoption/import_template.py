"""The template of a resource import: exactly the adopted resources, as their stack last defined them. Pure.

CloudFormation imports a resource without changing it, and believes what the template says about it. So the template has
the old definition, and the update that follows changes what is new. Outputs, parameters, tags and transforms are not
allowed in an import, so a property that needs any of them is left for the update too.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from automation.deploying.adoption.model import IDENTIFIERS, RetainedResource, name_property
from automation.deploying.changes import resolution

DESCRIPTION = "Adopts what an earlier stack of this name has left; the update that follows adds the rest"
_KEPT = ("Type", "DeletionPolicy", "UpdateReplacePolicy")
_NEEDS_MORE = frozenset({"Fn::If", "Fn::ImportValue", "Fn::FindInMap", "Fn::Transform"})


def template(resources: Sequence[RetainedResource]) -> dict[str, Any]:
    """Return the template that imports the resources together, so that they may refer to each other."""
    names = frozenset(resource.logical_id for resource in resources)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": DESCRIPTION,
        "Resources": {resource.logical_id: _definition(resource, names) for resource in resources},
    }


def is_ours(template: Mapping[str, Any]) -> bool:
    """Return whether a deployed template is that of an import, so that the update which adds the rest is still due."""
    return template.get("Description") == DESCRIPTION


def identifiers(resources: Iterable[RetainedResource]) -> list[dict[str, Any]]:
    """Return ResourcesToImport of the request."""
    return [
        {
            "ResourceType": resource.type,
            "LogicalResourceId": resource.logical_id,
            "ResourceIdentifier": {IDENTIFIERS[resource.type]: resource.physical_id},
        }
        for resource in resources
    ]


def _definition(resource: RetainedResource, names: frozenset[str]) -> dict[str, Any]:
    # An import demands a DeletionPolicy; what has survived its stack was retained.
    definition = {"DeletionPolicy": "Retain"} | {
        key: resource.definition[key] for key in _KEPT if key in resource.definition
    }
    properties = dict(resource.definition.get("Properties") or {})
    name = name_property(resource.type)
    if name in properties:
        properties[name] = resource.name
    kept = {key: value for key, value in properties.items() if _is_self_contained(value, names)}
    return {**definition, "Properties": kept} if kept else definition


def _is_self_contained(value: Any, names: frozenset[str]) -> bool:
    """Return whether a value refers to nothing but resources of these names and pseudo parameters."""
    referred = {name for name in resolution.references(value) if not name.startswith("AWS::")}
    return referred <= names and not _uses(value, _NEEDS_MORE)


def _uses(value: Any, intrinsics: frozenset[str]) -> bool:
    if isinstance(value, Mapping):
        return not intrinsics.isdisjoint(value) or any(_uses(inner, intrinsics) for inner in value.values())
    return isinstance(value, list) and any(_uses(inner, intrinsics) for inner in value)
