"""Read the last build: its templates, its parameters, its trees, and what Lambda mounts for each function."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from automation.building import manifests, outputs
from automation.lambda_runtime.mounts import Mount, MountedLayer
from automation.project import model, templates
from automation.project.model import Function, Project, Stack
from automation.system.errors import ConfigurationError

CODE_KEYS = ("CodeUri", "ContentUri", "Code", "Content")


def built_template(stack: Stack, root: Path) -> Path:
    return root / stack.build_dir / outputs.TEMPLATE


def deployed_template(stack: Stack, root: Path) -> Path:
    """Return the template to deploy: the one that names zips if the engine packed them, otherwise the built one."""
    packed = root / stack.build_dir / outputs.PACKED
    return packed if packed.is_file() else built_template(stack, root)


def as_built(project: Project) -> Project:
    """Return the project resolved with the parameters of its last build, so that it describes the built artifacts.

    Raises:
        ConfigurationError: a stack has never been built.
    """
    require_built(project)
    stacks = [
        model.with_parameters(stack, manifests.read(project.root, stack.name).parameters) for stack in project.stacks
    ]
    return replace(project, stacks=tuple(stacks))


def require_built(project: Project) -> None:
    """Check that every stack has been built.

    Raises:
        ConfigurationError: a stack has never been built.
    """
    for stack in project.stacks:
        if not built_template(stack, project.root).is_file():
            raise ConfigurationError("there is no build; run inv build", where=stack.build_dir)


def read_built(stack: Stack, root: Path) -> templates.Template:
    """Return the built template, whose code folders are the artifacts, relative to the folder of the template."""
    return templates.read(built_template(stack, root), name=f"{stack.build_dir}/{outputs.TEMPLATE}")


def mounts_of_project(project: Project) -> tuple[Mount, ...]:
    """Return the mounts of every function whose code was built, in the order of the templates.

    Raises:
        ConfigurationError: a stack was never built.
    """
    require_built(project)
    mounts: list[Mount] = []
    for stack in project.stacks:
        built = trees(stack, project.root)
        mounts += [_mount(stack, function, built) for function in stack.functions if function.logical_id in built]
    return tuple(mounts)


def trees(stack: Stack, root: Path) -> dict[str, Path]:
    """Return the built tree of each function and layer of a stack, by logical id."""
    trees_by_id: dict[str, Path] = {}
    for logical_id, resource in read_built(stack, root).resources.items():
        properties = resource.get("Properties") or {}
        for key in CODE_KEYS:
            uri = properties.get(key)
            if isinstance(uri, str) and "://" not in uri and (tree := root / stack.build_dir / uri).is_dir():
                trees_by_id[logical_id] = tree
    return trees_by_id


def _mount(stack: Stack, function: Function, built: Mapping[str, Path]) -> Mount:
    own_layers = {layer.logical_id for layer in stack.layers}
    return Mount(
        stack=stack,
        function=function,
        task=built[function.logical_id],
        layers=tuple(
            MountedLayer(layer, built[layer]) for layer in function.layers if isinstance(layer, str) and layer in built
        ),
        unknown=tuple(str(layer) for layer in function.layers if layer not in own_layers or layer not in built),
    )
