"""Add a new function to the lists in which shared resources name the function that it copies, and take one out. Pure.

A queue policy for all inboxes, or a role of several functions, lists what each function owns. Rules and alarms are not
extended: a new function gets a rule of its own.
"""

from collections.abc import Iterator, Mapping

from automation.authoring import blocks, collections_text, pruning, yaml_trees
from automation.authoring.ownership import QUEUE_POLICY, ROLE, RULE, Resource
from automation.authoring.selections import Parsed, Selection
from automation.authoring.text_edits import Edit
from automation.authoring.yaml_trees import Node

_EXTENDED = frozenset({ROLE, QUEUE_POLICY, "AWS::IAM::Policy", "AWS::IAM::RolePolicy"})


def additions(parsed: Parsed, selection: Selection, words: Mapping[str, str]) -> Iterator[Edit]:
    """Yield the edits that add an item for the copy behind each item for the original.

    Args:
        words: the words to replace in a copied item.
    """
    copies = frozenset(selection.copies)
    for resource in _shared(parsed, selection.example, _EXTENDED):
        for node, number in items_about(resource.body, copies):
            entry = blocks.renamed(parsed.text, node.items[number], words)
            yield collections_text.addition(parsed.text, node, number, entry)


def removals(parsed: Parsed, function: str, removed: frozenset[str]) -> Iterator[Edit]:
    """Yield the edits that take the items about removed resources out of shared resources."""
    for resource in _shared(parsed, function, _EXTENDED | {RULE}):
        dropped: dict[Node, list[int]] = {}
        for node, number in items_about(resource.body, removed):
            dropped.setdefault(node, []).append(number)
        for node, numbers in dropped.items():
            if len(numbers) < len(node.items):
                yield from collections_text.removals(parsed.text, node, numbers)


def items_about(node: Node, resources: frozenset[str]) -> Iterator[tuple[Node, int]]:
    """Yield each list and the number of an item that itself mentions the resources, not in a list of its own."""
    if pruning.is_intrinsic(node):
        return
    for number, item in enumerate(node.items):
        if _mentions_directly(item, resources):
            yield node, number
        else:
            yield from items_about(item, resources)
    for _, value in node.entries:
        yield from items_about(value, resources)


def _mentions_directly(node: Node, resources: frozenset[str]) -> bool:
    if pruning.is_intrinsic(node) or node.scalar is not None:
        return bool(yaml_trees.references(node, resources))
    return any(_mentions_directly(value, resources) for _, value in node.entries)


def _shared(parsed: Parsed, function: str, types: frozenset[str]) -> Iterator[Resource]:
    for name, functions in parsed.owners.items():
        if function in functions and len(functions) > 1 and parsed.resources[name].type in types:
            yield parsed.resources[name]
