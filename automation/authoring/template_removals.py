"""Take a function out of a template, with the resources that belong to it alone. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from automation.authoring import blocks, selections, shared_lists, text_edits, yaml_trees
from automation.authoring.ownership import Resource
from automation.authoring.selections import Parsed
from automation.authoring.text_edits import Edit
from automation.system.errors import CheckFailedError, Finding


@dataclass(frozen=True, slots=True)
class TemplateRemoval:
    """A template without a function.

    Attributes:
        removed: the resources that are gone, in the order of the template.
    """

    text: str
    removed: tuple[Resource, ...]


def remove(parsed: Parsed, function: str) -> TemplateRemoval:
    """Return the template without a function and its resources.

    Raises:
        CheckFailedError: what stays refers to them; there is one finding per resource or section.
    """
    owned = parsed.owned_by(function)
    removed = tuple(resource for name, resource in parsed.resources.items() if name in owned)
    edits = [
        *(_without(parsed.text, resource) for resource in removed),
        *shared_lists.removals(parsed, function, owned),
    ]
    text = text_edits.apply(parsed.text, edits)
    findings = tuple(_leftovers(text, parsed.path, owned))
    if findings:
        raise CheckFailedError(f"{function} is still used; nothing was removed", findings=findings)
    return TemplateRemoval(text, removed)


def _without(text: str, resource: Resource) -> Edit:
    """Return the edit that removes a block with the blank lines above it."""
    start, end = blocks.lines_of(text, resource)
    while start and not text[(above := text_edits.line_start(text, start - 1)) : start].strip():
        start = above
    if end == len(text) and not text.endswith("\n"):
        start = len(text[:start].removesuffix("\n").removesuffix("\r"))
    return Edit(start, end)


def _leftovers(text: str, path: str, removed: frozenset[str]) -> Iterator[Finding]:
    parsed = selections.parse(text, path=path)
    places = [(name, resource.body) for name, resource in parsed.resources.items()]
    places += [(key.scalar or "", value) for key, value in parsed.root.entries if key.scalar != "Resources"]
    for name, node in places:
        for reference in sorted(yaml_trees.references(node, removed)):
            yield Finding(f"{path}: {name}", f"refers to {reference}", "remove the reference first")
