"""Reduce a copied resource to what a new function needs: its own plumbing, and what the project says that it uses.

Pure. A copy must not inherit what its original may do. From the grants of a role stay those that name a copied resource
or one to keep; from an environment the literal values and the same references; from every other list the items that
name no other function's resources. A list item that loses a part of itself goes as a whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from automation.authoring import collections_text, yaml_trees
from automation.authoring.text_edits import Edit
from automation.authoring.yaml_trees import Node

_GRANT_LISTS = frozenset({"Statement", "Policies", "ManagedPolicyArns"})
_TRUST = "AssumeRolePolicyDocument"
# The policies of AWS with which every function writes its log and reads its event sources.
_EXECUTION_POLICY = "service-role/AWSLambda"
_ITEM = "[]"

type Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a copy keeps.

    Attributes:
        wanted: the resources that it may refer to for itself: those that are copied too, and those to keep.
        strangers: the resources that it must not mention.
        resources: every resource of the template.
        events: the types of a function's Events that fit its trigger.
        has_grants: it is a role or a function, whose policies are reduced.
    """

    wanted: frozenset[str]
    strangers: frozenset[str]
    resources: frozenset[str]
    events: frozenset[str] = frozenset()
    has_grants: bool = False

    @property
    def unwanted(self) -> frozenset[str]:
        return self.resources - self.wanted


def edits(text: str, body: Node, needs: Needs) -> list[Edit]:
    """Return the edits that reduce the definition of a resource."""
    return _reduced(text, body, needs, ()) or []


def _reduced(text: str, node: Node, needs: Needs, path: Path) -> list[Edit] | None:
    """Return the edits of a node; None when the node must go."""
    key = path[-1] if path else ""
    if node.scalar is not None or not node.children or is_intrinsic(node):
        return None if yaml_trees.references(node, needs.strangers, key=key) else []

    dropped: list[int] = []
    changes: list[Edit] = []
    children = list(_children(node, needs, path))
    for number, (child, child_path, is_kept) in enumerate(children):
        below = _needs_below(needs, path)
        reduced = _reduced(text, child, below, child_path) if is_kept else None
        if reduced is None:
            dropped.append(number)
        else:
            changes += reduced

    is_part_of_item = bool(node.entries) and _ITEM in path
    if len(dropped) == len(children) or (dropped and is_part_of_item):
        return None
    return [*changes, *collections_text.removals(text, node, dropped)]


def is_intrinsic(node: Node) -> bool:
    """Return whether a node is a call of an intrinsic function, so that its list is not a list of things."""
    if node.tag.startswith("!"):
        return True
    name = node.entries[0][0].scalar if len(node.entries) == 1 else None
    return name is not None and (name.startswith("Fn::") or name in {"Ref", "Condition"})


def _children(node: Node, needs: Needs, path: Path) -> Iterator[tuple[Node, Path, bool]]:
    """Yield each item or value with its path, and whether it may stay."""
    for item in node.items:
        yield item, (*path, _ITEM), not _are_grants(needs, path) or _is_granted(item, needs)
    for key, value in node.entries:
        name = key.scalar or ""
        yield value, (*path, name), _may_stay(value, needs, path)


def _may_stay(value: Node, needs: Needs, path: Path) -> bool:
    """Return whether an entry of a mapping may stay, as far as its place decides that."""
    if path == ("Properties", "Environment", "Variables"):
        is_literal = value.scalar is not None and not value.tag
        needed = yaml_trees.references(value, needs.wanted)
        return is_literal or bool(needed and not yaml_trees.references(value, needs.unwanted))
    if path == ("Properties", "Events") and needs.has_grants:
        kind = value.get("Type")
        return kind is not None and kind.scalar in needs.events
    return True


def _are_grants(needs: Needs, path: Path) -> bool:
    return needs.has_grants and bool(path) and path[-1] in _GRANT_LISTS and _TRUST not in path


def _is_granted(item: Node, needs: Needs) -> bool:
    """Return whether a policy or a statement lets the function do what it needs."""
    if item.scalar is not None:
        return _EXECUTION_POLICY in item.scalar
    return bool(yaml_trees.references(item, needs.wanted))


def _needs_below(needs: Needs, path: Path) -> Needs:
    """Return the needs below a place: a grant may mention nothing that is not wanted."""
    return replace(needs, strangers=needs.unwanted) if _are_grants(needs, path) else needs
