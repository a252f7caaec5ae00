"""A stack's build -> its artifacts: bytes, zip, budget and parts of each."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from automation.building import built, outputs, zips
from automation.project import model
from automation.project.model import Function, Layer, Project, Stack
from automation.sizing import distributions
from automation.sizing.model import Artifact, FunctionSize, Kind, Sizes

RUNTIME = frozenset({"boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3"})


def weigh(project: Project) -> Sizes:
    """Weigh every stack; a build without zips, as SAM makes it, is packed in a folder of its own and not changed."""
    functions: list[FunctionSize] = []
    layers: list[Artifact] = []
    not_built: list[str] = []
    for stack in project.stacks:
        found = _artifacts(stack, project)
        layers += [found[one.logical_id] for one in stack.layers if one.logical_id in found]
        functions += [_function(one, stack, found) for one in stack.functions if one.logical_id in found]
        not_built += [
            f"{stack.template.path}: {one.logical_id}" for one in _owners(stack) if one.logical_id not in found
        ]
    return Sizes(tuple(functions), tuple(layers), tuple(not_built), runtime_distributions(project.root), project.root)


def runtime_distributions(root: Path) -> frozenset[str]:
    """What the managed runtime brings: of `.tools/runtime` where that was made, else what AWS lists."""
    sites = sorted((root / ".tools" / "runtime").glob("lib/python3.*/site-packages"))
    return frozenset().union(*(distributions.installed(site) for site in sites)) or RUNTIME


def _owners(stack: Stack) -> tuple[Function | Layer, ...]:
    return (*stack.functions, *stack.layers)


def _function(function: Function, stack: Stack, found: Mapping[str, Artifact]) -> FunctionSize:
    ours = {one.logical_id for one in stack.layers} & set(found)
    return FunctionSize(
        own=found[function.logical_id],
        layers=tuple(found[one] for one in function.layers if isinstance(one, str) and one in ours),
        unmeasured=tuple(str(one) for one in function.layers if one not in ours),
    )


def _artifacts(stack: Stack, project: Project) -> dict[str, Artifact]:
    trees = built.trees(stack, project.root)
    packed = _zips(trees, project.root / stack.build_dir / outputs.ZIPS)
    return {
        one.logical_id: _artifact(one, stack, project, trees[one.logical_id], packed[one.logical_id])
        for one in _owners(stack)
        if one.logical_id in trees
    }


def _artifact(owner: Function | Layer, stack: Stack, project: Project, tree: Path, zipped: tuple[int, str]) -> Artifact:
    uri = owner.code_uri if isinstance(owner, Function) else owner.content_uri
    source = uri if isinstance(uri, str) else ""
    parts = distributions.parts(tree, source=project.root / source if source else None)
    return Artifact(
        kind=Kind.FUNCTION if isinstance(owner, Function) else Kind.LAYER,
        stack=stack.name,
        logical_id=owner.logical_id,
        bytes=sum(part.bytes for part in parts),
        zipped_bytes=zipped[0],
        sha256=zipped[1],
        budget_bytes=model.budget_bytes(owner, project.budgets),
        parts=parts,
        template=stack.template.path,
        source=source,
    )


def _zips(trees: Mapping[str, Path], folder: Path) -> dict[str, tuple[int, str]]:
    """Bytes and digest of each zip: that of the build, else one made for the purpose."""
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(os.cpu_count()) as pool:
        packer = zips.Packer(pool)
        places = {name: folder / f"{name}.zip" for name in trees}
        for name, place in places.items():
            if not place.is_file():
                places[name] = Path(scratch) / place.name
                packer.pack(trees[name], places[name])
        return dict(zip(places, pool.map(_measured, places.values()), strict=True))


def _measured(archive: Path) -> tuple[int, str]:
    with archive.open("rb") as content:
        return archive.stat().st_size, hashlib.file_digest(content, "sha256").hexdigest()
