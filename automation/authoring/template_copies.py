"""Copy a function of a template, with the resources that belong to it, for a new function. Pure.

The copy is text, so that comments, order and spelling of the template stay; each block goes behind its original.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from automation.authoring import (
    blocks,
    collections_text,
    names,
    pruning,
    selections,
    shared_lists,
    text_edits,
    triggers,
)
from automation.authoring.names import Names
from automation.authoring.ownership import FUNCTIONS, ROLE, RULE, Resource
from automation.authoring.pruning import Needs
from automation.authoring.selections import Parsed, Selection
from automation.authoring.text_edits import Edit
from automation.authoring.yaml_trees import Node
from automation.system.errors import ConfigurationError, UsageError

_GROUPED = frozenset({"AWS::IAM::Policy", "AWS::IAM::RolePolicy"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the new function is to be.

    Attributes:
        names: its name.
        description: one line about what it does.
        message: the detail-type that it consumes; empty to keep the pattern of the original.
        source: the source of that message on the bus; empty for that of the original.
        schedule: when it runs, as in `cron(0 20 ? * MON-FRI *)`; empty for when the original runs.
        schedule_input: the text that its schedule sends; empty for that of the original.
        layer: the logical id of its layer, beside those that all functions mount; empty for those of the original.
        keep: shared resources to which it keeps the grants and variables of the original.
    """

    names: Names
    description: str
    message: str = ""
    source: str = ""
    schedule: str = ""
    schedule_input: str = ""
    layer: str = ""
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TemplateCopy:
    """A template with a new function.

    Attributes:
        ids: the logical id of each new resource, by the id of its original.
        function: the logical id of the new function.
    """

    text: str
    ids: Mapping[str, str]
    function: str


def copy(parsed: Parsed, selection: Selection, wishes: Wishes) -> TemplateCopy:
    """Return the template with a copy of the selected resources.

    Raises:
        UsageError: the template already has a resource of one of the new names.
        ConfigurationError: the template is written in a way that cannot be copied.
    """
    kinds = {selection.picked: _kind(parsed.resources[selection.picked])} if selection.picked else {}
    ids = names.new_ids(selection.copies, selection.example, wishes.names, kinds=kinds)
    require_free(parsed, ids.values())

    words = names.replacements(ids, module_of(parsed, selection.example), wishes.names)
    copies = {name: _block(parsed, selection, parsed.resources[name], wishes, words) for name in selection.copies}
    edits = [*_insertions(parsed, copies), *shared_lists.additions(parsed, selection, words)]
    text = text_edits.apply(parsed.text, edits)
    return TemplateCopy(text, ids, ids[selection.example])


def module_of(parsed: Parsed, function: str) -> str:
    """Return the name of a function's code: its own folder, otherwise the module of its handler; empty for neither."""
    folders = {name: _text_of(parsed.resources[name], "CodeUri", "Code").strip("/") for name in parsed.functions}
    folder = folders[function]
    if folder and list(folders.values()).count(folder) == 1 and folder != ".":
        return PurePosixPath(folder).name
    parts = _text_of(parsed.resources[function], "Handler").split(".")
    return parts[-2].rpartition("/")[2] if len(parts) > 1 else ""


def _text_of(resource: Resource, *keys: str) -> str:
    """Return the text of the first of these properties that the resource has as a text."""
    nodes = (resource.body.get("Properties", key) for key in keys)
    return next((node.scalar for node in nodes if node and node.scalar), "")


def _kind(resource: Resource) -> str:
    is_event_rule = resource.type == RULE and resource.body.get("Properties", "EventPattern") is not None
    return "Rule" if is_event_rule else "Schedule"


def require_free(parsed: Parsed, ids: Iterable[str]) -> None:
    """Require that resources with these logical ids can be added.

    Raises:
        UsageError: the template has one of them.
        ConfigurationError: its resources are written in braces.
    """
    section = parsed.root.get("Resources")
    if section is None or section.is_flow:
        raise ConfigurationError("Resources is written in braces; write one resource per line", where=parsed.path)
    taken = sorted(set(ids) & set(parsed.resources))
    if taken:
        raise UsageError(f"{parsed.path} already has a resource {taken[0]}; choose another name")


def _insertions(parsed: Parsed, copies: Mapping[str, str]) -> Iterator[Edit]:
    """Yield the edits that put the copies of neighbours together, behind the last of these neighbours."""
    order = list(parsed.resources)
    waiting: list[str] = []
    for name, following in zip(order, [*order[1:], ""], strict=True):
        if name in copies:
            waiting.append(copies[name])
        if waiting and following not in copies:
            yield blocks.insertion(parsed.text, parsed.resources[name], waiting)
            waiting = []


def _block(parsed: Parsed, selection: Selection, resource: Resource, wishes: Wishes, words: Mapping[str, str]) -> str:
    """Return the text of one copy."""
    reduced = pruning.edits(parsed.text, resource.body, _needs(parsed, selection, resource, wishes.keep))
    changed = [
        *_values(parsed, selection, resource, wishes),
        *blocks.anchors(parsed.text, resource.body),
    ]
    edits = [*reduced, *(edit for edit in changed if not blocks.is_inside(edit, reduced))]
    edits += [
        edit
        for edit in blocks.physical_names(parsed.text, resource, wishes.names, words)
        if not blocks.is_inside(edit, edits)
    ]
    return blocks.rewritten(parsed.text, resource, edits, words)


def _needs(parsed: Parsed, selection: Selection, resource: Resource, keep: frozenset[str]) -> Needs:
    """Return what the copy of a resource keeps."""
    copies = frozenset(selection.copies)
    shared = {
        name for name, functions in parsed.owners.items() if selection.example in functions and len(functions) > 1
    }
    usable = {name for name in shared if not parsed.resources[name].type.endswith(("::Rule", "::Schedule"))}
    strangers = {name for name, functions in parsed.owners.items() if functions} - copies - usable
    return Needs(
        wanted=copies | keep,
        strangers=frozenset(strangers),
        resources=frozenset(parsed.resources),
        events=triggers.EVENT_TYPES[selection.trigger],
        has_grants=resource.type in FUNCTIONS | _GROUPED | {ROLE},
    )


def _values(parsed: Parsed, selection: Selection, resource: Resource, wishes: Wishes) -> Iterator[Edit]:
    """Yield the edits of values that a copy does not take over."""
    properties = resource.body.get("Properties")
    if properties is None:
        return
    if resource.logical_id in {selection.picked, selection.example}:
        yield from _description(parsed.text, resource, wishes.description)
    if resource.logical_id == selection.picked:
        yield from _trigger_values(properties, wishes)
    if resource.logical_id == selection.example:
        events = properties.get("Events")
        for _, event in events.entries if events else ():
            if (event_properties := event.get("Properties")) is not None:
                yield from _trigger_values(event_properties, wishes)
        if wishes.layer:
            yield from _layers(parsed, properties, wishes.layer)
        yield from _folder_of_code(parsed.text, resource, wishes.names)


def _folder_of_code(text: str, resource: Resource, new: Names) -> Iterator[Edit]:
    """Yield the edit that gives a copy of inline code a folder, since new code goes into a file."""
    entry = selections.inline_code(resource)
    if entry is not None:
        key, value = entry
        inline = text[key.start : value.end].rstrip()
        name = "CodeUri" if key.scalar == "InlineCode" else "Code"
        yield Edit(key.start, key.start + len(inline), f"{name}: {new.module}/")


def _description(text: str, resource: Resource, description: str) -> Iterator[Edit]:
    """Yield the edit of a description; a function gets one, since the lists of functions show it."""
    properties = resource.body.get("Properties")
    keys = [key.scalar for key, _ in properties.entries] if properties else []
    if properties and "Description" not in keys and resource.type in FUNCTIONS and "Handler" in keys:
        line = f"Description: {blocks.quoted(description)}"
        yield collections_text.addition(text, properties, keys.index("Handler"), line)
    elif properties:
        yield from _replaced(properties.get("Description"), blocks.quoted(description))


def _trigger_values(properties: Node, wishes: Wishes) -> Iterator[Edit]:
    """Yield the edits of the pattern, the time and the input of a rule or a schedule."""
    if wishes.message:
        for key in ("EventPattern", "Pattern"):
            pattern = properties.get(key)
            yield from _replaced(pattern, _pattern(pattern, wishes) if pattern else "")
    if wishes.schedule:
        for key in ("ScheduleExpression", "Schedule"):
            yield from _replaced(properties.get(key), blocks.quoted(wishes.schedule))
    if wishes.schedule_input:
        text = "'" + wishes.schedule_input.replace("'", "''") + "'"
        for keys in (("Target", "Input"), ("Input",)):
            yield from _replaced(properties.get(*keys), text)


def _pattern(copied: Node, wishes: Wishes) -> str:
    """Return the pattern of the new message, from its source, otherwise from that of the original."""
    sources = copied.get("source")
    source = wishes.source or (sources.items[0].scalar if sources and sources.items else "")
    prefix = f"source: [{source}], " if source else ""
    return f"{{{prefix}detail-type: [{wishes.message}]}}"


def _replaced(node: Node | None, text: str) -> Iterator[Edit]:
    if node is not None:
        yield Edit(node.start, node.end, text)


def _layers(parsed: Parsed, properties: Node, layer: str) -> Iterator[Edit]:
    """Yield the edit that mounts one layer beside those that every function of the template mounts."""
    mounted = [parsed.resources[name].body.get("Properties", "Layers") for name in parsed.functions]
    sets = [
        frozenset(parsed.text[item.start : item.end] for item in node.items) if node else frozenset()
        for node in mounted
    ]
    common = frozenset[str]().union(*sets).intersection(*sets)
    own = properties.get("Layers")
    texts = [parsed.text[item.start : item.end] for item in own.items] if own else []
    kept = [text for text in texts if text in common and len(parsed.functions) > 1]
    listed = f"[{', '.join([*kept, f'!Ref {layer}'])}]"
    if own is not None:
        yield Edit(own.start, own.end, listed)
    else:
        yield collections_text.addition(parsed.text, properties, len(properties.entries) - 1, f"Layers: {listed}")
