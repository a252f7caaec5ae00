"""Which artifacts of which stacks a command is about, and for which architecture."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation.project import model, templates
from automation.project.model import Project, Stack
from automation.system.errors import ConfigurationError, UsageError

ARCHITECTURES = ("x86_64", "arm64")
_CODE_PROPERTIES = frozenset(
    {"Architectures", "Runtime", "CodeUri", "ContentUri", "Handler", "CompatibleArchitectures", "CompatibleRuntimes"}
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was asked for.

    Attributes:
        names: logical ids; none means all.
        stack: a stack's name; empty means all.
        architecture: empty means the template's.
    """

    names: tuple[str, ...] = ()
    stack: str = ""
    architecture: str = ""


EVERYTHING = Chosen()


def stacks(project: Project, chosen: Chosen) -> tuple[Stack, ...]:
    """The stacks that are looked at.

    Raises:
        UsageError: there is no such stack, function or layer, or no such architecture.
    """
    if chosen.architecture and chosen.architecture not in ARCHITECTURES:
        raise UsageError(f"there is no architecture {chosen.architecture!r}; there are: {', '.join(ARCHITECTURES)}")
    if chosen.stack and chosen.stack not in {stack.name for stack in project.stacks}:
        names = ", ".join(stack.name for stack in project.stacks)
        raise UsageError(f"there is no stack {chosen.stack!r}; the stacks are: {names}")
    looked_at = tuple(stack for stack in project.stacks if chosen.stack in {"", stack.name})
    known = sorted({name for stack in looked_at for name in _names(stack)})
    for name in chosen.names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"there is no function or layer {name!r}; {hint}There are: {', '.join(known)}")
    return tuple(stack for stack in looked_at if not chosen.names or set(chosen.names) & _names(stack))


def of_stack(stack: Stack, chosen: Chosen) -> set[str]:
    """The logical ids that are looked at: those named, and the layers that named functions are mounted with."""
    if not chosen.names:
        return _names(stack)
    named = set(chosen.names) & _names(stack)
    layers = {str(layer) for one in stack.functions if one.logical_id in named for layer in one.layers}
    return named | (layers & _names(stack))


def parameters_of_code(stack: Stack) -> frozenset[str]:
    """The template parameters that the artifacts depend on."""
    owners = [stack.template.resources[name] for name in _names(stack)]
    owners += [{"Properties": shared} for shared in stack.template.globals.values()]
    values = [[_code_properties(owner), owner.get("Metadata")] for owner in owners]
    return templates.references(values, stack.template.conditions)


def for_architecture(stack: Stack, parameters: Mapping[str, str], architecture: str) -> tuple[Stack, Mapping[str, str]]:
    """The stack with these parameters, and with those that its architectures are read from set to `architecture`.

    Raises:
        ConfigurationError: the template names another architecture by itself.
    """
    if not architecture:
        return model.with_parameters(stack, parameters), parameters
    names = templates.references(_architectures(stack), stack.template.conditions)
    defaults = stack.template.defaults()
    told = {**parameters, **{name: architecture for name in names if defaults.get(name) in ARCHITECTURES}}
    resolved = model.with_parameters(stack, told)
    for one in resolved.owners:
        if any(isinstance(found, str) and found != architecture for found in one.architectures):
            message = f"is for {one.architectures[0]} in the template, whatever is asked for; make it a parameter"
            raise ConfigurationError(message, where=f"{stack.template.path}: {one.logical_id}: Architectures")
    return resolved, told


def _names(stack: Stack) -> set[str]:
    return {one.logical_id for one in stack.owners}


def _architectures(stack: Stack) -> list[Any]:
    owners = [one.properties for one in stack.owners]
    keys = ("Architectures", "CompatibleArchitectures")
    return [owner[key] for owner in owners for key in keys if key in owner]


def _code_properties(resource: Mapping[str, Any]) -> dict[str, Any]:
    properties = resource.get("Properties") or {}
    return {key: properties[key] for key in _CODE_PROPERTIES & set(properties)}
