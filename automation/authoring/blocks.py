"""Copy the block of one resource in the text of a template: other names, other values, the same layout. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping

from automation.authoring import names, text_edits
from automation.authoring.names import Names
from automation.authoring.ownership import Resource
from automation.authoring.text_edits import Edit
from automation.authoring.yaml_trees import Node
from automation.system.errors import ConfigurationError

# The properties with which a template may give a resource a name that no other resource of the account may have.
_PHYSICAL_NAMES = frozenset(
    {"FunctionName", "QueueName", "RoleName", "AlarmName", "LogGroupName", "LayerName", "PolicyName", "Name"}
)


def rewritten(text: str, resource: Resource, edits: Iterable[Edit], words: Mapping[str, str]) -> str:
    """Return the lines of a resource with these edits, and with words replaced in every other value."""
    return _renamed(text, lines_of(text, resource), resource.body, [*edits], words)


def lines_of(text: str, resource: Resource) -> tuple[int, int]:
    """Return where the lines of a resource start and end."""
    return text_edits.line_start(text, resource.key.start), text_edits.line_end(text, resource.body.end)


def renamed(text: str, node: Node, words: Mapping[str, str]) -> str:
    """Return the text of a node with words replaced in its values."""
    return _renamed(text, (node.start, node.end), node, [], words)


def _renamed(text: str, span: tuple[int, int], node: Node, edits: list[Edit], words: Mapping[str, str]) -> str:
    # The keys of mappings stay: a queue may be called `Queue`, as the property that refers to it.
    keys = [Edit(key.start, key.end, text[key.start : key.end]) for key in _keys(node)]
    kept = [key for key in keys if not is_inside(key, edits)]
    position, end = span
    parts: list[str] = []
    for edit in sorted([*edits, *kept], key=lambda edit: (edit.start, edit.end)):
        parts += [names.replace_words(text[position : edit.start], words), edit.text]
        position = edit.end
    return "".join([*parts, names.replace_words(text[position:end], words)])


def _keys(node: Node) -> Iterator[Node]:
    for inner in node.walk():
        yield from (key for key, _ in inner.entries)


def is_inside(edit: Edit, others: Iterable[Edit]) -> bool:
    """Return whether an edit falls into the characters that another one replaces."""
    if edit.start == edit.end:
        return any(other.start < edit.start < other.end for other in others)
    return any(other.start <= edit.start < other.end for other in others)


def insertion(text: str, neighbour: Resource, blocks: Iterable[str]) -> Edit:
    """Return the edit that puts blocks behind a resource, separated as the resources around it are."""
    newline = text_edits.newline_of(text)
    gap = newline if _has_gap(text, neighbour) else ""
    _, position = lines_of(text, neighbour)
    added = "".join(gap + block.rstrip() + newline for block in blocks)
    if position == len(text) and not text.endswith("\n"):
        return Edit(position, position, newline + added.removesuffix(newline))
    return Edit(position, position, added)


def _has_gap(text: str, resource: Resource) -> bool:
    """Return whether blank lines separate a resource from the next one, or from the one before when it is the last."""
    start, end = lines_of(text, resource)
    following = text[end : text_edits.line_end(text, end)]
    if end < len(text) and following[:1].isspace() and following.strip():
        return False
    before = text[text_edits.line_start(text, start - 1) : start] if start else ""
    return not before.strip() or (bool(following) and not following.strip())


def anchors(text: str, body: Node) -> Iterator[Edit]:
    """Yield the edits that take the anchors out of a copy: a second anchor of a name would move its aliases."""
    for node in body.walk():
        if node.anchor:
            # With the blank in front: nothing else of the line may be behind it.
            start = text.index(f" &{node.anchor}", node.start - 1)
            yield Edit(start, start + len(node.anchor) + 2)


def quoted(text: str) -> str:
    """Return a text as a YAML scalar in double quotes, which may stand in a block and in braces."""
    return json.dumps(text, ensure_ascii=False)


def physical_names(text: str, resource: Resource, new: Names, words: Mapping[str, str]) -> Iterator[Edit]:
    """Yield the edits that make physical names differ where replacing words does not.

    Raises:
        ConfigurationError: a name is computed in a way that cannot be changed.
    """
    properties = resource.body.get("Properties")
    for key, value in properties.entries if properties else ():
        if key.scalar not in _PHYSICAL_NAMES:
            continue
        name = text[value.start : value.end]
        if names.replace_words(name, words) != name:
            continue
        if value.scalar is None or value.tag not in {"", "!Sub"}:
            message = f"{key.scalar} is computed, so a copy cannot get another name; write it as text or with !Sub"
            raise ConfigurationError(message, where=f"{resource.logical_id}")
        head, dot, fifo = value.scalar.partition(".fifo")
        tag = f"{value.tag} " if value.tag else ""
        yield Edit(value.start, value.end, tag + quoted(f"{head}-{new.kebab}{dot}{fifo}"))
