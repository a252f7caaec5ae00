"""From two states to what is deployed again: pure, but for the two templates' outputs, which it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation.project.model import Function
from automation.reach import differences, resources
from automation.reach.differences import Difference
from automation.reach.imports import Graph
from automation.reach.model import Effect, Kind, Reached
from automation.reach.states import Key, State, stack_named

type Graphs = Mapping[str, Graph | None]

OUTPUTS = "Outputs"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two states, what differs between them, and the imports of each by `stack/logical id`."""

    before: State
    now: State
    parts: Mapping[Key, Difference]
    graphs_before: Graphs
    graphs_now: Graphs
    files: frozenset[str]
    outputs: Mapping[str, tuple[Any, Any]]


def of(compared: Compared) -> tuple[Reached, ...]:
    """Everything that is deployed again, stack by stack: layers, functions, other resources."""
    names = [stack.name for stack in compared.now.project.stacks]
    names += [stack.name for stack in compared.before.project.stacks if stack.name not in names]
    return tuple(one for name in names for one in _of_stack(name, compared))


def _of_stack(name: str, compared: Compared) -> list[Reached]:
    before, now = (stack_named(state, name) for state in (compared.before, compared.now))
    changed = resources.changed(
        before.template if before else None,
        now.template if now else None,
        parameters=(compared.before.parameters, compared.now.parameters),
        stack=name,
        files=compared.files,
        built={part for stack, part in compared.now.parts if stack == name},
    )
    layers = {one.logical_id: _layer(one.logical_id, name, changed, compared) for one in (now.layers if now else ())}
    functions = {one.logical_id: _function(one, changed, compared) for one in (now.functions if now else ())}
    code = {**layers, **functions}
    found = [one for one in code.values() if one]
    kinds = _kinds(name, compared)
    found += [
        Reached(name, one, kinds.get(one, Kind.OTHER), _effect(why), why=why)
        for one, why in changed.items()
        if one not in code
    ]
    was, is_now = compared.outputs.get(name, (None, None))
    if was != is_now and before and now:
        found.append(Reached(name, OUTPUTS, Kind.OTHER, Effect.CONFIGURED, why="changed"))
    return found


def _kinds(name: str, compared: Compared) -> dict[str, Kind]:
    """The kinds of functions and layers that are there no more."""
    stack = stack_named(compared.before, name)
    if stack is None:
        return {}
    functions = {one.logical_id: Kind.FUNCTION for one in stack.functions}
    return functions | {one.logical_id: Kind.LAYER for one in stack.layers}


def _effect(why: str) -> Effect:
    if why == resources.NEW:
        return Effect.ADDED
    return Effect.REMOVED if why in {resources.REMOVED, resources.STACK_REMOVED} else Effect.CONFIGURED


def _layer(name: str, stack: str, changed: Mapping[str, str], compared: Compared) -> Reached | None:
    found = compared.parts.get((stack, name))
    why = changed.get(name, "")
    if found is None:
        return Reached(stack, name, Kind.LAYER, _effect(why), why=why) if why else None
    return _rebuilt(Kind.LAYER, (stack, name), found, why, found.files[:1])


def _function(function: Function, changed: Mapping[str, str], compared: Compared) -> Reached | None:
    """A function that has changed itself, else one whose layer has."""
    stack, name = function.stack, function.logical_id
    found, why = compared.parts.get((stack, name)), changed.get(name, "")
    if found is not None:
        return _rebuilt(
            Kind.FUNCTION, (stack, name), found, why, _way(function, found.files, compared) or found.files[:1]
        )
    layers = [key for key in differences.mount(function)[1:] if key in compared.parts]
    if layers:
        way, is_importer = _through_layers(function, layers, compared)
        return Reached(stack, name, Kind.FUNCTION, Effect.LAYER, why=why, chain=way, is_importer=is_importer)
    return Reached(stack, name, Kind.FUNCTION, _effect(why), why=why) if why else None


def _through_layers(function: Function, layers: list[Key], compared: Compared) -> tuple[tuple[str, ...], bool]:
    """The shortest way to what has changed in a function's layers, and whether the function runs it.

    What is installed counts as run: which of its modules have changed is not known before it is installed.
    """
    found = [(key, compared.parts[key]) for key in layers]
    files = tuple(path for _, one in found for path in one.files)
    if way := _way(function, files, compared):
        return way, True
    installed = [(key, path) for key, one in found for path in one.files if path in compared.now.parts[key].locks]
    if installed:
        key, path = installed[0]
        return (key[1], path), True
    key, one = found[0]
    is_known = _graph(function, compared.graphs_now) is not None
    return (key[1], *one.files[:1]), bool(one.settings or one.is_new or not is_known)


def _way(function: Function, files: tuple[str, ...], compared: Compared) -> tuple[str, ...]:
    """The shortest way as the imports are now; what was removed is reached as they were before."""
    way = differences.way(function, compared.now, files, _graph(function, compared.graphs_now))
    return way or differences.way(function, compared.before, files, _graph(function, compared.graphs_before))


def _graph(function: Function, graphs: Graphs) -> Graph | None:
    return graphs.get(f"{function.stack}/{function.logical_id}")


def _why(found: Difference, why: str) -> str:
    new = "is new" if found.is_new else ""
    return "; ".join(part for part in (new, *found.settings, "" if why == new else why) if part)


def _rebuilt(kind: Kind, key: Key, found: Difference, why: str, chain: tuple[str, ...]) -> Reached:
    return Reached(
        *key,
        kind,
        Effect.ADDED if found.is_new else Effect.REBUILT,
        is_rebuilt=True,
        why=_why(found, why),
        more_files=max(len(found.files) - 1, 0),
        chain=chain,
    )
