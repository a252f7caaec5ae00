"""Find the layer that a stack gets from another one: templates pass layers down as parameters and up as outputs."""

from collections.abc import Mapping
from typing import Any

from automation.project.model import Stack
from automation.project.templates import Unresolved

_OUTPUTS = "Outputs."


def origin(layer: Unresolved, stack: Stack, stacks: Mapping[str, Stack]) -> tuple[str, str] | None:
    """Return the stack and the logical id of a layer that a function of `stack` names; None when it is not known.

    Args:
        stacks: all stacks of the project, by name.
    """
    if layer.parameter:
        return _of_value(_passed_on(layer.parameter, stack, stacks), stacks.get(stack.parent), stacks)
    if layer.attribute[0] in stack.nested:
        return _of_value({"Fn::GetAtt": list(layer.attribute)}, stack, stacks)
    return None


def _passed_on(parameter: str, stack: Stack, stacks: Mapping[str, Stack]) -> Any:
    """Return what the template above a stack gives one of its parameters, unresolved."""
    parent = stacks.get(stack.parent)
    if parent is None:
        return None
    resource = parent.template.resources.get(stack.name.removeprefix(f"{parent.name}/"), {})
    properties = resource.get("Properties")
    values = properties.get("Parameters") if isinstance(properties, Mapping) else None
    return values.get(parameter) if isinstance(values, Mapping) else None


def _of_value(value: Any, stack: Stack | None, stacks: Mapping[str, Stack]) -> tuple[str, str] | None:
    """Return the layer that a value in the template of `stack` names."""
    if stack is None:
        return None
    match value:
        case {"Ref": str() as name} if name in {layer.logical_id for layer in stack.layers}:
            return stack.name, name
        case {"Ref": str() as name} if name in stack.template.parameters:
            return _of_value(_passed_on(name, stack, stacks), stacks.get(stack.parent), stacks)
        case {"Fn::GetAtt": str() as text}:
            return _of_value({"Fn::GetAtt": text.split(".", 1)}, stack, stacks)
        case {"Fn::GetAtt": [str() as application, str() as attribute]} if attribute.startswith(_OUTPUTS):
            nested = stacks.get(f"{stack.name}/{application}")
            output = nested.template.outputs.get(attribute.removeprefix(_OUTPUTS)) if nested else None
            return _of_value(output.get("Value"), nested, stacks) if isinstance(output, Mapping) else None
    return None
