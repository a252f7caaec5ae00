"""Select the stacks, the artifacts and the architecture that a command works on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from automation.project import function_names, loops, model, skipped, templates
from automation.project.architectures import ARCHITECTURES
from automation.project.model import Project, Stack
from automation.system.errors import ConfigurationError, UsageError

_CODE_PROPERTIES = frozenset(
    {
        "Architectures",
        "CodeUri",
        "CompatibleArchitectures",
        "CompatibleRuntimes",
        "ContentUri",
        "Handler",
        "Layers",
        "Runtime",
    }
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The names, stack and architecture to which the user limits a command.

    Attributes:
        names: logical ids; empty means all.
        stack: a stack's name; empty means all.
        architecture: empty means the template's.
    """

    names: tuple[str, ...] = ()
    stack: str = ""
    architecture: str = ""


EVERYTHING = Chosen()


def resolved(project: Project, chosen: Chosen) -> Chosen:
    """Return the choice with the logical ids of what its names mean.

    Raises:
        UsageError: as `stacks`, or a name means several.
    """
    owners = tuple(chain.from_iterable(stack.owners for stack in _candidates(project, chosen)))
    return replace(chosen, names=function_names.logical_ids(chosen.names, owners))


def stacks(project: Project, chosen: Chosen) -> tuple[Stack, ...]:
    """Return the stacks that a command works on.

    Raises:
        UsageError: there is no such stack, function, layer or architecture.
    """
    candidates, names = _candidates(project, chosen), set(resolved(project, chosen).names)
    return tuple(stack for stack in candidates if not names or names & _names(stack))


def _candidates(project: Project, chosen: Chosen) -> tuple[Stack, ...]:
    if chosen.architecture and chosen.architecture not in ARCHITECTURES:
        raise UsageError(f"there is no architecture {chosen.architecture!r}; there are: {', '.join(ARCHITECTURES)}")
    if chosen.stack and chosen.stack not in {stack.name for stack in project.stacks}:
        names = ", ".join(stack.name for stack in project.stacks)
        raise UsageError(f"there is no stack {chosen.stack!r}; the stacks are: {names}")

    return tuple(stack for stack in project.stacks if chosen.stack in {"", stack.name})


def of_stack(stack: Stack, chosen: Chosen) -> set[str]:
    """Return the logical ids that a command works on: those named, and the layers that named functions mount."""
    if not chosen.names:
        return _names(stack)

    named = set(chosen.names) & _names(stack)
    layers: set[str] = set()
    for function in stack.functions:
        if function.logical_id in named:
            layers |= {str(layer) for layer in function.layers}
    return named | (layers & _names(stack))


def parameters_of_code(stack: Stack) -> frozenset[str]:
    """Return the template parameters that the artifacts depend on."""
    template = stack.template
    owners = [template.resources[name] for name in _names(stack)]
    owners += [{"Properties": shared} for shared in template.globals.values()]
    values: list[Any] = [[_code_properties(owner), owner.get("Metadata")] for owner in owners]
    values += [template.resources[name].get("Properties") for name in stack.nested]
    # The values of a loop decide which functions and layers there are.
    entries = (template.source or {}).get("Resources") or {}
    values += [entry for key, entry in entries.items() if key.startswith(loops.PREFIX) and skipped.contains_code(entry)]
    return templates.references(values, template.conditions) & set(template.parameters)


def for_architecture(stack: Stack, parameters: Mapping[str, str], architecture: str) -> tuple[Stack, Mapping[str, str]]:
    """Resolve a stack with these parameters, after setting those that choose its architectures to `architecture`.

    Returns:
        The resolved stack and all parameters that it was resolved with.

    Raises:
        ConfigurationError: the template names a different architecture literally.
    """
    if not architecture:
        return model.with_parameters(stack, parameters), parameters
    names = templates.references(_architectures(stack), stack.template.conditions)
    values = {**stack.template.defaults(), **parameters}
    used = {**parameters, **{name: architecture for name in names if values.get(name) in ARCHITECTURES}}

    resolved = model.with_parameters(stack, used)
    for owner in resolved.owners:
        if any(isinstance(name, str) and name != architecture for name in owner.architectures):
            message = f"the template sets {owner.architectures[0]}, so --arch has no effect; make it a parameter"
            raise ConfigurationError(message, where=f"{stack.template.path}: {owner.logical_id}: Architectures")
    return resolved, used


def _names(stack: Stack) -> set[str]:
    return {owner.logical_id for owner in stack.owners}


def _architectures(stack: Stack) -> list[Any]:
    values = []
    for owner in stack.owners:
        values += [owner.properties.get("Architectures"), owner.properties.get("CompatibleArchitectures")]
    return values


def _code_properties(resource: Mapping[str, Any]) -> dict[str, Any]:
    properties = resource.get("Properties") or {}
    return {key: properties[key] for key in _CODE_PROPERTIES & set(properties)}
