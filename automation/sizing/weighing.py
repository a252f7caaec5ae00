"""Measure the artifacts of a build: bytes, zipped bytes, budget and parts of each."""

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from automation.building import built, manifests, outputs, store, zips
from automation.lambda_runtime import public_layers
from automation.project import model, passed_layers
from automation.project.model import Function, Layer, Project, Stack
from automation.sizing import distributions
from automation.sizing.model import ArtifactKind, ArtifactSize, FunctionSize, Sizes
from automation.system import tools

# What AWS documents for its managed Python runtimes; used when `.tools/runtime` was not installed.
DOCUMENTED_RUNTIME = frozenset({"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"})


def weigh(project: Project) -> Sizes:
    """Measure every stack. A build without zips, as SAM makes it, is zipped in a temporary folder and not changed."""
    functions: list[FunctionSize] = []
    layers: list[ArtifactSize] = []
    not_built: list[str] = []

    stacks = {stack.name: stack for stack in project.stacks}
    by_stack = {stack.name: _artifacts(stack, project) for stack in project.stacks}
    for stack in project.stacks:
        artifacts = by_stack[stack.name]
        layers += [artifacts[layer.logical_id] for layer in stack.layers if layer.logical_id in artifacts]
        functions += [
            _function(artifacts[function.logical_id], _heaviest_layers(function, stack, stacks, by_stack))
            for function in stack.functions
            if function.logical_id in artifacts
        ]
        not_built += [
            f"{stack.template.path}: {owner.logical_id}" for owner in stack.owners if owner.logical_id not in artifacts
        ]

    return Sizes(tuple(functions), tuple(layers), tuple(not_built), runtime_distributions(project.root), project.root)


def runtime_distributions(root: Path) -> frozenset[str]:
    """Return the distributions in the managed runtime: those in `.tools/runtime`, or those that AWS documents."""
    site = tools.environment_at(root / ".tools" / "runtime").site
    return distributions.installed_names(site) or DOCUMENTED_RUNTIME


def _function(own: ArtifactSize, layers: Iterable[ArtifactSize | str]) -> FunctionSize:
    return FunctionSize(
        own=own,
        layers=tuple(layer for layer in layers if isinstance(layer, ArtifactSize)),
        unmeasured_layers=tuple(public_layers.label(layer) for layer in layers if isinstance(layer, str)),
    )


def _heaviest_layers(
    function: Function,
    stack: Stack,
    stacks: Mapping[str, Stack],
    by_stack: Mapping[str, Mapping[str, ArtifactSize]],
) -> tuple[ArtifactSize | str, ...]:
    """Return the layers of a function; the largest ones when a condition that is only known at deploy time chooses."""
    choices = function.layer_choices or (function.layers,)
    candidates = [_layers(replace(function, layers=choice), stack, stacks, by_stack) for choice in choices]
    return max(candidates, key=lambda layers: sum(layer.bytes for layer in layers if isinstance(layer, ArtifactSize)))


def _layers(
    function: Function,
    stack: Stack,
    stacks: Mapping[str, Stack],
    by_stack: Mapping[str, Mapping[str, ArtifactSize]],
) -> tuple[ArtifactSize | str, ...]:
    """Return the measured layers that a function mounts, in their order; of one that was not measured, the name."""
    layers: list[ArtifactSize | str] = []
    for origin in passed_layers.of_function(function, stack, stacks):
        size = None if isinstance(origin, str) else by_stack[origin[0]].get(origin[1])
        layers.append(size or passed_layers.name(origin, stack))
    return tuple(layers)


def _artifacts(stack: Stack, project: Project) -> dict[str, ArtifactSize]:
    trees = built.trees(stack, project.root)
    pruned = _pruned(stack, project.root)
    zipped = _zipped(trees, project.root / stack.build_dir / outputs.ZIPS)
    return {
        owner.logical_id: replace(
            _artifact(owner, stack, project, trees[owner.logical_id], zipped[owner.logical_id]),
            pruned_bytes=pruned.get(owner.logical_id, 0),
        )
        for owner in stack.owners
        if owner.logical_id in trees
    }


def _pruned(stack: Stack, root: Path) -> dict[str, int]:
    """Return the bytes that pruning saved in each artifact of the last build."""
    artifacts, folder = manifests.read(root, stack.name).artifacts, root / store.FOLDER
    return {name: store.pruned_bytes(folder, entry.ingredients.fingerprint) for name, entry in artifacts.items()}


def _artifact(
    owner: Function | Layer, stack: Stack, project: Project, tree: Path, zipped: tuple[int, str]
) -> ArtifactSize:
    uri = owner.code_uri if isinstance(owner, Function) else owner.content_uri
    source = uri if isinstance(uri, str) else ""
    parts = distributions.split_tree(tree, source=project.root / source if source else None)
    return ArtifactSize(
        kind=ArtifactKind.FUNCTION if isinstance(owner, Function) else ArtifactKind.LAYER,
        stack=stack.name,
        logical_id=owner.logical_id,
        bytes=sum(part.bytes for part in parts),
        zipped_bytes=zipped[0],
        sha256=zipped[1],
        budget_bytes=model.budget_bytes(owner, project.settings),
        parts=parts,
        template=stack.template.path,
        source=source,
    )


def _zipped(trees: Mapping[str, Path], folder: Path) -> dict[str, tuple[int, str]]:
    """Return the bytes and digest of each zip: the zip of the build, or a temporary one."""
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        packer = zips.Packer(pool)
        archives = {name: folder / f"{name}.zip" for name in trees}
        for name, archive in archives.items():
            if not archive.is_file():
                archives[name] = Path(scratch) / archive.name
                packer.pack(trees[name], archives[name])
        return dict(zip(archives, pool.map(_size_and_digest, archives.values()), strict=True))


def _size_and_digest(archive: Path) -> tuple[int, str]:
    with archive.open("rb") as content:
        return archive.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest()
