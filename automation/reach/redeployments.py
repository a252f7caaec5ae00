"""Decide from two project states what is deployed again, and why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation.project.model import Function
from automation.reach import differences, resources
from automation.reach.differences import ArtifactDifference
from automation.reach.import_graphs import ImportGraph
from automation.reach.model import Effect, Redeployment, ResourceKind
from automation.reach.states import ArtifactKey, ProjectState, stack_named

type Graphs = Mapping[str, ImportGraph | None]

OUTPUTS = "Outputs"


@dataclass(frozen=True, slots=True)
class StateComparison:
    """Two project states and everything compared between them.

    Attributes:
        changed_artifacts: why each changed artifact of `now` changed.
        graphs_before: the imports of each function before, by `stack/logical id`; empty when no module was deleted.
        graphs_now: the imports of each function now, by `stack/logical id`.
        files: the changed files, relative to the project root.
        outputs: each stack's Outputs section before and now; None for a stack that does not exist.
    """

    before: ProjectState
    now: ProjectState
    changed_artifacts: Mapping[ArtifactKey, ArtifactDifference]
    graphs_before: Graphs
    graphs_now: Graphs
    files: frozenset[str]
    outputs: Mapping[str, tuple[Any, Any]]


def plan(comparison: StateComparison) -> tuple[Redeployment, ...]:
    """Return everything that is deployed again: stack by stack, layers, then functions, then other resources."""
    names = [stack.name for stack in comparison.now.project.stacks]
    names += [stack.name for stack in comparison.before.project.stacks if stack.name not in names]
    redeployments: list[Redeployment] = []
    for name in names:
        redeployments += _of_stack(name, comparison)
    return tuple(redeployments)


def _of_stack(name: str, comparison: StateComparison) -> list[Redeployment]:
    before, now = stack_named(comparison.before, name), stack_named(comparison.now, name)
    reasons = resources.changed_resources(
        before.template if before else None,
        now.template if now else None,
        parameters=(comparison.before.parameters, comparison.now.parameters),
        stack=name,
        files=comparison.files,
        built={logical_id for stack, logical_id in comparison.now.artifacts if stack == name},
    )

    code: dict[str, Redeployment | None] = {}
    for layer in now.layers if now else ():
        code[layer.logical_id] = _layer(layer.logical_id, name, reasons, comparison)
    for function in now.functions if now else ():
        code[function.logical_id] = _function(function, reasons, comparison)

    redeployments = [redeployment for redeployment in code.values() if redeployment]
    kinds = _kinds_before(name, comparison)
    redeployments += [
        Redeployment(name, resource, kinds.get(resource, ResourceKind.OTHER), _effect(why), why=why)
        for resource, why in reasons.items()
        if resource not in code
    ]
    outputs_before, outputs_now = comparison.outputs.get(name, (None, None))
    if outputs_before != outputs_now and before and now:
        redeployments.append(Redeployment(name, OUTPUTS, ResourceKind.OTHER, Effect.CONFIGURED, why="changed"))
    return redeployments


def _kinds_before(name: str, comparison: StateComparison) -> dict[str, ResourceKind]:
    """Return the kinds of the stack's former functions and layers: the template of now does not list a removed one."""
    stack = stack_named(comparison.before, name)
    if stack is None:
        return {}
    functions = {function.logical_id: ResourceKind.FUNCTION for function in stack.functions}
    return functions | {layer.logical_id: ResourceKind.LAYER for layer in stack.layers}


def _effect(why: str) -> Effect:
    if why == resources.NEW:
        return Effect.ADDED
    return Effect.REMOVED if why in {resources.REMOVED, resources.STACK_REMOVED} else Effect.CONFIGURED


def _layer(name: str, stack: str, reasons: Mapping[str, str], comparison: StateComparison) -> Redeployment | None:
    difference = comparison.changed_artifacts.get((stack, name))
    why = reasons.get(name, "")
    if difference is not None:
        return _rebuilt(ResourceKind.LAYER, (stack, name), difference, why, difference.files[:1])
    return Redeployment(stack, name, ResourceKind.LAYER, _effect(why), why=why) if why else None


def _function(function: Function, reasons: Mapping[str, str], comparison: StateComparison) -> Redeployment | None:
    """Check the function's own artifact first, then its layers, then its properties."""
    stack, name = function.stack, function.logical_id
    difference, why = comparison.changed_artifacts.get((stack, name)), reasons.get(name, "")

    if difference is not None:
        chain = _import_chain(function, difference.files, comparison) or difference.files[:1]
        return _rebuilt(ResourceKind.FUNCTION, (stack, name), difference, why, chain)
    layers = [key for key in differences.mounted_artifacts(function)[1:] if key in comparison.changed_artifacts]
    if layers:
        chain, is_importer = _chain_through_layers(function, layers, comparison)
        return Redeployment(
            stack, name, ResourceKind.FUNCTION, Effect.LAYER, why=why, chain=chain, is_importer=is_importer
        )
    return Redeployment(stack, name, ResourceKind.FUNCTION, _effect(why), why=why) if why else None


def _chain_through_layers(
    function: Function, layers: list[ArtifactKey], comparison: StateComparison
) -> tuple[tuple[str, ...], bool]:
    """Return the shortest chain to a change in a function's layers, and whether the function imports that change.

    A changed lock counts as imported: which installed modules it changes is unknown until it is installed.
    """
    changed_files: list[tuple[ArtifactKey, str]] = []
    for key in layers:
        changed_files += [(key, path) for path in comparison.changed_artifacts[key].files]

    if chain := _import_chain(function, tuple(path for _, path in changed_files), comparison):
        return chain, True

    for key, path in changed_files:
        if path in comparison.now.artifacts[key].locks:
            return (key[1], path), True

    difference = comparison.changed_artifacts[layers[0]]
    is_unknown = _graph(function, comparison.graphs_now) is None
    return (layers[0][1], *difference.files[:1]), bool(difference.settings or difference.is_new or is_unknown)


def _import_chain(function: Function, files: tuple[str, ...], comparison: StateComparison) -> tuple[str, ...]:
    """Follow the imports of now; a removed file is only reached by those of before."""
    chain = differences.import_chain(function, comparison.now, files, _graph(function, comparison.graphs_now))
    return chain or differences.import_chain(
        function, comparison.before, files, _graph(function, comparison.graphs_before)
    )


def _graph(function: Function, graphs: Graphs) -> ImportGraph | None:
    return graphs.get(f"{function.stack}/{function.logical_id}")


def _rebuilt(
    kind: ResourceKind, key: ArtifactKey, difference: ArtifactDifference, why: str, chain: tuple[str, ...]
) -> Redeployment:
    return Redeployment(
        *key,
        kind,
        Effect.ADDED if difference.is_new else Effect.REBUILT,
        is_rebuilt=True,
        why=_joined_reasons(difference, why),
        more_files=max(len(difference.files) - 1, 0),
        chain=chain,
    )


def _joined_reasons(difference: ArtifactDifference, why: str) -> str:
    new = resources.NEW if difference.is_new else ""
    return "; ".join(part for part in (new, *difference.settings, "" if why == new else why) if part)
