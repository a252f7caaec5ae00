"""The lines about code: one per function with the reason, and one for all layers of a stack."""

from collections.abc import Iterator, Mapping, Sequence

from automation.deploying.changes import resolution
from automation.deploying.changes.model import Action, Expanded, Rank, RankedChange, ResourceChange
from automation.deploying.verdict.aspects import WHOLE, Aspect
from automation.deploying.verdict.property_texts import as_list, value_of

FUNCTION = "AWS::Lambda::Function"
LAYER = "AWS::Lambda::LayerVersion"
VERSION = "AWS::Lambda::Version"
_CODE = "Properties.Code"

type LayerUsers = Mapping[tuple[str, str], frozenset[str]]


def layer_users(stack: str, after: Expanded) -> dict[tuple[str, str], frozenset[str]]:
    """Return the functions that use each layer of a stack, by stack and the layer's name without its hash."""
    resources = resolution.resolve(after).resources
    used = {
        name: resolution.references(as_list(value_of(resource, "Layers")))
        for name, resource in resources.items()
        if resource.get("Type") == FUNCTION
    }
    layers = [name for name, resource in resources.items() if resource.get("Type") == LAYER]
    return {(stack, layer): frozenset(name for name in used if layer in used[name]) for layer in layers}


def is_new_version(change: ResourceChange) -> bool:
    """Return whether a change is a layer with new content, which is summed up in one line per stack."""
    return change.type == LAYER and change.action is Action.MODIFY


def aspects(change: ResourceChange, reasons: Mapping[str, str]) -> Iterator[Aspect]:
    """Yield that the code of a function changes, and why.

    Args:
        reasons: by logical id.
    """
    if change.type == VERSION and change.action is Action.MODIFY:
        yield Aspect(Rank.CODE, "a new version is published", paths=(WHOLE,))
    code = Aspect(Rank.CODE, f"code: {reasons.get(change.logical_id, 'changed')}", paths=(_CODE,))
    if change.type == FUNCTION and any(code.covers(entry.path) for entry in change.properties):
        yield code


def layer_lines(changes: Sequence[ResourceChange], users: LayerUsers) -> Iterator[RankedChange]:
    """Yield one line per stack that has layers with new versions."""
    for stack in dict.fromkeys(change.stack for change in changes):
        layers = sorted(change.logical_id for change in changes if change.stack == stack and is_new_version(change))
        if layers:
            functions = frozenset[str]().union(*(users.get((stack, layer), frozenset()) for layer in layers))
            what = _summary(layers, len(functions))
            yield RankedChange(Rank.LAYERS, stack, "layers", LAYER, Action.MODIFY, what)


def _summary(layers: Sequence[str], users: int) -> str:
    is_single = len(layers) == 1
    summary = f"{', '.join(layers)}: {'a new version' if is_single else 'new versions'}"
    if not users:
        return summary
    functions = "1 function uses" if users == 1 else f"{users} functions use"
    return f"{summary}; {functions} {'it' if is_single else 'them'}"
