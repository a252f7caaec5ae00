"""Plan a new layer after the example of one that exists, as contents of files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from automation.authoring import additions, blocks, function_plans, names, selections, template_copies, text_edits
from automation.authoring.file_changes import FileChanges
from automation.authoring.names import Names
from automation.authoring.ownership import Resource
from automation.authoring.text_edits import Edit
from automation.project import selection
from automation.project.model import Layer, Project, Stack
from automation.project.selection import Chosen
from automation.system.errors import ConfigurationError, UsageError

REQUIREMENTS, LOCK = "requirements.in", "requirements.txt"
_BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """A new layer before anything is written.

    Attributes:
        layer: its logical id.
        example: the layer that is copied.
        folder: its content folder, relative to the project root.
        changes: the template, and its requirements.in; its lock is still to be made.
    """

    layer: str
    stack: Stack
    example: Layer
    folder: str
    changes: FileChanges


def plan(project: Project, new: Names, *, requirements: tuple[str, ...], stack_name: str, example: str) -> LayerPlan:
    """Plan a new layer.

    Its requirements are those that all such layers of the stack have in common, since they are what the code of every
    function needs, and those that are asked for.

    Args:
        requirements: such as `httpx==0.28.1`.
        stack_name: the stack that gets it; empty for the last one with a layer to copy.
        example: the layer to copy, by logical id or folder; empty for the first one.

    Raises:
        UsageError: the stack or the layer to copy does not exist, the new layer exists, or it would be empty.
        ConfigurationError: the template cannot be edited.
    """
    stack, copied = _select(project, stack_name=stack_name, example=example)
    lines = (*_common_requirements(project.root, stack), *requirements)
    if not lines:
        raise UsageError("the layer would be empty; name a package, as in --requirement httpx==0.28.1")

    template = stack.template.path
    text = function_plans.read_text(project.root / template)
    folder = PurePosixPath(str(copied.content_uri)).with_name(new.like(_folder_name(copied))).as_posix()
    budget_bytes = project.settings.budgets.layer_bytes
    layer, changed = _copy(text, template, copied, new, budget_mb=budget_bytes / _BYTES_PER_MB if budget_bytes else 0)
    if (project.root / folder).exists():
        raise UsageError(f"{folder} exists already; choose another name, or remove it first")

    content = "".join(f"{line}\n" for line in dict.fromkeys(lines))
    return LayerPlan(
        layer, stack, copied, folder, FileChanges({template: changed, f"{folder}/{REQUIREMENTS}": content})
    )


def _select(project: Project, *, stack_name: str, example: str) -> tuple[Stack, Layer]:
    stacks = reversed(selection.stacks(project, Chosen(stack=stack_name)))
    candidates: list[tuple[Stack, Layer]] = []
    for stack in stacks:
        candidates += [(stack, layer) for layer in _locked_layers(project.root, stack)]
    for stack, layer in candidates:
        if example in {"", layer.logical_id, _folder_name(layer)}:
            return stack, layer
    known = ", ".join(layer.logical_id for _, layer in candidates)
    if not known:
        raise UsageError(f"no layer has a {REQUIREMENTS} to copy; write the first layer by hand")
    raise UsageError(f"layer {example!r} cannot be copied; choose one of {known}")


def _locked_layers(root: Path, stack: Stack) -> tuple[Layer, ...]:
    """Return the layers that are made from requirements, in the order of the template."""
    return tuple(layer for layer in stack.layers if (root / str(layer.content_uri) / REQUIREMENTS).is_file())


def _folder_name(layer: Layer) -> str:
    return PurePosixPath(str(layer.content_uri)).name


def _common_requirements(root: Path, stack: Stack) -> tuple[str, ...]:
    """Return the requirements that all layers of a stack share; none for a single layer, which proves nothing."""
    layers = _locked_layers(root, stack)
    if len(layers) < 2:
        return ()
    texts = [(root / str(layer.content_uri) / REQUIREMENTS).read_text(encoding="utf-8") for layer in layers]
    common = set(texts[0].splitlines()).intersection(*(text.splitlines() for text in texts))
    return tuple(line for line in texts[0].splitlines() if line in common and line.strip())


def _copy(text: str, template: str, example: Layer, new: Names, *, budget_mb: float) -> tuple[str, str]:
    """Return the logical id of a copy of a layer, and the text of the template with it."""
    parsed = selections.parse(text, path=template)
    resource = parsed.resources[example.logical_id]
    layer = new.camel + ("Layer" if resource.logical_id.endswith("Layer") else "")
    template_copies.require_free(parsed, [layer])

    words = names.replacements({resource.logical_id: layer}, _folder_name(example), new)
    block = blocks.rewritten(text, resource, _edits(text, resource, new, words, budget_mb=budget_mb), words)
    changed = text_edits.apply(text, [blocks.insertion(text, resource, [block])])
    if additions.first_change(text, changed, name=template):
        raise ConfigurationError(
            f"{example.logical_id} cannot be copied; name another layer with --example", where=template
        )
    return layer, changed


def _edits(text: str, resource: Resource, new: Names, words: Mapping[str, str], *, budget_mb: float) -> list[Edit]:
    edits = list(blocks.anchors(text, resource.body))
    budget = resource.body.get("Metadata", "Alchemiser", "BudgetMB")
    if budget and budget_mb:
        edits.append(Edit(budget.start, budget.end, f"{budget_mb:g}"))
    return [*edits, *blocks.physical_names(text, resource, new, words)]
