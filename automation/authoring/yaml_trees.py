"""Read YAML into nodes that know their place in the text, which a plain value does not.

PyYAML's events carry positions, also those of aliases; its nodes lose them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import yaml

from automation.system.errors import ConfigurationError

_WORD = re.compile(r"[A-Za-z0-9]+")
_REFERRING_TAGS = frozenset({"!Ref", "!GetAtt", "!Sub"})
_REFERRING_KEYS = frozenset({"Ref", "Fn::GetAtt", "Fn::Sub", "DependsOn"})


@dataclass(frozen=True, slots=True)
class Node:
    """A scalar, a list or a mapping of a YAML text.

    Attributes:
        start, end: its characters, with its tag and anchor, without comments and blank lines behind it.
        tag: such as `!Ref`; empty when it has none of its own.
        anchor: its name for aliases; empty when it has none.
        scalar: the text of a scalar; None for a list, a mapping or an alias.
        entries: the keys and values of a mapping.
        items: the items of a list.
        is_flow: it is a list or a mapping in brackets.
    """

    start: int
    end: int
    tag: str = ""
    anchor: str = ""
    scalar: str | None = None
    entries: tuple[tuple["Node", "Node"], ...] = ()
    items: tuple["Node", ...] = ()
    is_flow: bool = False

    @property
    def children(self) -> tuple["Node", ...]:
        """Return the nodes directly below: the items of a list, or the keys and values of a mapping."""
        return self.items or tuple(chain.from_iterable(self.entries))

    def get(self, *keys: str) -> "Node | None":
        """Return the value below these keys of mappings; None when one of them is missing."""
        node: Node | None = self
        for key in keys:
            node = next((value for name, value in node.entries if name.scalar == key), None) if node else None
        return node

    def walk(self) -> Iterator["Node"]:
        """Yield this node and every node below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def read(text: str, *, name: str) -> Node:
    """Return the root mapping of a YAML text.

    Args:
        name: the file's name in messages.

    Raises:
        ConfigurationError: the text cannot be parsed, is JSON, or its root is not a mapping.
    """
    if text.lstrip().startswith("{"):
        raise ConfigurationError("is JSON, and only YAML can be edited; convert it to YAML first", where=name)
    try:
        events = [
            event
            for event in yaml.parse(text, Loader=yaml.CSafeLoader)
            if hasattr(event, "anchor") or isinstance(event, yaml.CollectionEndEvent)
        ]
    except yaml.MarkedYAMLError as cause:
        line = f":{cause.problem_mark.line + 1}" if cause.problem_mark else ""
        raise ConfigurationError(f"is not valid YAML: {cause.problem}", where=f"{name}{line}") from cause
    root = _node(iter(events), text) if events else None
    if root is None or not root.entries:
        raise ConfigurationError("is not a mapping, so it is not a template", where=name)
    return root


def references(node: Node, names: frozenset[str], *, key: str = "") -> frozenset[str]:
    """Return those of the names that intrinsics and DependsOn mention anywhere in a node.

    A name counts in the whole text of a `Sub`, as in `${AWS::StackName}-OrdersFunction-*`.

    Args:
        key: the key whose value the node is.
    """
    return names.intersection(_mentioned(node, is_reference=key in _REFERRING_KEYS))


def _mentioned(node: Node, *, is_reference: bool) -> Iterator[str]:
    refers = is_reference or node.tag in _REFERRING_TAGS
    if refers and node.scalar is not None:
        yield from _WORD.findall(node.scalar)
    for item in node.items:
        yield from _mentioned(item, is_reference=refers)
    for key, value in node.entries:
        yield from _mentioned(value, is_reference=key.scalar in _REFERRING_KEYS)


def _node(events: Iterator[Any], text: str, event: Any = None) -> Node:
    """Read one node from the events, beginning with `event`, otherwise with the next one."""
    first = next(events) if event is None else event
    start, end = first.start_mark.index, first.end_mark.index
    tag, anchor = getattr(first, "tag", None) or "", first.anchor or ""
    if isinstance(first, yaml.ScalarEvent):
        # The mark of a block scalar lies behind the blank lines that follow it.
        end = start + len(text[start:end].rstrip()) if first.style in {"|", ">"} else end
        return Node(start, end, tag, anchor, scalar=first.value)
    if isinstance(first, yaml.AliasEvent):
        return Node(start, end)

    children: list[Node] = []
    while not isinstance(event := next(events), yaml.CollectionEndEvent):
        children.append(_node(events, text, event))
    # The mark of a block collection lies at the next key, behind comments and blank lines.
    is_flow = bool(first.flow_style)
    end = children[-1].end if children and not is_flow else getattr(event.end_mark, "index", end)
    if isinstance(first, yaml.MappingStartEvent):
        entries = tuple(zip(children[::2], children[1::2], strict=True))
        return Node(start, end, tag, anchor, entries=entries, is_flow=is_flow)
    return Node(start, end, tag, anchor, items=tuple(children), is_flow=is_flow)
