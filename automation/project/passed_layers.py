"""Find the layers that a stack gets from another one: templates pass layers down as parameters and up as outputs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from automation.project import intrinsics, templates
from automation.project.model import Function, Stack

_OUTPUTS = "Outputs."
_VARIABLE = re.compile(r"\$\{([\w.]+)\}")

type Origin = tuple[str, str] | str


def of_function(function: Function, stack: Stack, stacks: Mapping[str, Stack]) -> tuple[Origin, ...]:
    """Return the layers that a function of `stack` mounts, in their order; a parameter may be a whole list of them.

    Args:
        stacks: all stacks of the project, by name.

    Returns:
        Stack and logical id of each layer of the project; the text of one that is elsewhere or not known.
    """
    own = {layer.logical_id for layer in stack.layers}
    layers: list[Origin] = []
    for layer in function.layers:
        if isinstance(layer, str):
            layers.append((stack.name, layer) if layer in own else layer)
        else:
            value = intrinsics.parse(layer.expression)
            layers += [origin or layer.expression for origin in _of_value(value, stack, stacks)]
    return tuple(dict.fromkeys(layers))


def name(origin: Origin, stack: Stack) -> str:
    """Return how messages about a function of `stack` name a layer: with its stack when that is another one."""
    if isinstance(origin, str):
        return origin
    owner, logical_id = origin
    return logical_id if owner == stack.name else f"{owner}: {logical_id}"


def _of_value(value: Any, stack: Stack | None, stacks: Mapping[str, Stack]) -> Iterator[Origin | None]:
    """Yield the layers that a value in the template of `stack` names; None for each that is not known."""
    match value:
        case list():
            yield from _of_all(value, stack, stacks)
        case {"Fn::If": [condition, then, otherwise]}:
            yield from _of_all(_branches(condition, then, otherwise, stack), stack, stacks)
        case {"Ref": "AWS::NoValue"}:
            return
        case {"Fn::Join": [str() as comma, inner]} | {"Fn::Split": [str() as comma, inner]} if comma.strip() == ",":
            yield from _of_value(inner, stack, stacks)
        case {"Fn::Select": [index, choices]} if str(index).isdigit():
            yield from tuple(_of_value(choices, stack, stacks))[int(index) :][:1] or (None,)
        case {"Fn::Sub": str() as text}:
            yield from _of_all(map(_of_variable, text.split(",")), stack, stacks)
        case str():
            yield from (text.strip() for text in value.split(",") if text.strip())
        case _:
            yield from _of_reference(value, stack, stacks)


def _of_all(values: Iterable[Any], stack: Stack | None, stacks: Mapping[str, Stack]) -> Iterator[Origin | None]:
    return chain.from_iterable(_of_value(value, stack, stacks) for value in values)


def _branches(condition: Any, then: Any, otherwise: Any, stack: Stack | None) -> list[Any]:
    """Return the branch that a condition chooses; both when that is only known at deploy time."""
    holds = templates.holds({"Condition": condition}, stack.template, stack.parameters) if stack else None
    return [then, otherwise] if holds is None else [then if holds else otherwise]


def _of_variable(text: str) -> Any:
    """Return the `Ref` or `Fn::GetAtt` that one `${variable}` stands for; another text stays unknown."""
    variable = _VARIABLE.fullmatch(text.strip())
    if variable is None:
        return None if "$" in text else text
    return {"Fn::GetAtt": variable[1]} if "." in variable[1] else {"Ref": variable[1]}


def _of_reference(value: Any, stack: Stack | None, stacks: Mapping[str, Stack]) -> Iterator[Origin | None]:
    """Yield the layers that a reference names: a layer, a parameter of this stack, or an output of a nested one."""
    if stack is None:
        yield None
        return
    match value:
        case {"Ref": str() as name} if name in {layer.logical_id for layer in stack.layers}:
            yield stack.name, name
        case {"Ref": str() as name} if name in stack.template.parameters:
            yield from _of_value(_passed_on(name, stack, stacks), stacks.get(stack.parent), stacks)
        case {"Fn::GetAtt": str() as text}:
            yield from _of_reference({"Fn::GetAtt": text.split(".", 1)}, stack, stacks)
        case {"Fn::GetAtt": [str() as application, str() as attribute]} if attribute.startswith(_OUTPUTS):
            nested = stacks.get(f"{stack.name}/{application}")
            output = nested.template.outputs.get(attribute.removeprefix(_OUTPUTS)) if nested else None
            yield from _of_value(output.get("Value") if isinstance(output, Mapping) else None, nested, stacks)
        case _:
            yield None


def _passed_on(parameter: str, stack: Stack, stacks: Mapping[str, Stack]) -> Any:
    """Return what the template above a stack gives one of its parameters, unresolved."""
    parent = stacks.get(stack.parent)
    if parent is None:
        return None
    resource = parent.template.resources.get(stack.name.removeprefix(f"{parent.name}/"), {})
    properties = resource.get("Properties")
    values = properties.get("Parameters") if isinstance(properties, Mapping) else None
    return values.get(parameter) if isinstance(values, Mapping) else None
