"""The last build, as later commands read it: its templates, its parameters, its trees, and what Lambda mounts of it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from automation.building import manifests, outputs
from automation.lambda_runtime.mounts import Mount, MountedLayer
from automation.project import model, templates
from automation.project.model import Project, Stack
from automation.system.errors import ConfigurationError

_CODE_KEYS = ("CodeUri", "ContentUri", "Code", "Content")


def built_template(stack: Stack, root: Path) -> Path:
    return root / stack.build_dir / outputs.TEMPLATE


def deployed_template(stack: Stack, root: Path) -> Path:
    """The template to deploy: the one that names zips where the engine packed them, else the one that names folders."""
    packed = root / stack.build_dir / outputs.PACKED
    return packed if packed.is_file() else built_template(stack, root)


def as_built(project: Project) -> Project:
    """The project as the parameters of its last build make it: its architectures are those of the artifacts.

    Raises:
        ConfigurationError: a stack has never been built.
    """
    require_built(project)
    told = [(stack, manifests.read(project.root, stack.name).parameters) for stack in project.stacks]
    return replace(project, stacks=tuple(model.with_parameters(stack, parameters) for stack, parameters in told))


def require_built(project: Project) -> None:
    """Raises ConfigurationError when a stack has never been built."""
    for stack in project.stacks:
        if not built_template(stack, project.root).is_file():
            raise ConfigurationError("there is no build; run inv build", where=stack.build_dir)


def read_built(stack: Stack, root: Path) -> templates.Template:
    """The built template, whose code folders are the artifacts, relative to its own folder."""
    return templates.read(built_template(stack, root), name=f"{stack.build_dir}/template.yaml")


def mounts_of_project(project: Project) -> tuple[Mount, ...]:
    """The mounts of every function whose code was built, in the order of the templates.

    Raises:
        ConfigurationError: a stack was never built.
    """
    require_built(project)
    return tuple(mount for stack in project.stacks for mount in _mounts_of_stack(stack, trees(stack, project.root)))


def trees(stack: Stack, root: Path) -> dict[str, Path]:
    """The built tree of each function and layer of a stack, by logical id, as the built template names it."""
    built = read_built(stack, root)
    found = {
        logical_id: root / stack.build_dir / uri
        for logical_id, resource in built.resources.items()
        for key in _CODE_KEYS
        if isinstance(uri := (resource.get("Properties") or {}).get(key), str) and "://" not in uri
    }
    return {logical_id: tree for logical_id, tree in found.items() if tree.is_dir()}


def _mounts_of_stack(stack: Stack, built: Mapping[str, Path]) -> list[Mount]:
    ours = {layer.logical_id for layer in stack.layers}
    return [
        Mount(
            stack=stack,
            function=function,
            task=built[function.logical_id],
            layers=tuple(
                MountedLayer(layer, built[layer])
                for layer in function.layers
                if isinstance(layer, str) and layer in built
            ),
            unknown=tuple(str(layer) for layer in function.layers if layer not in ours or layer not in built),
        )
        for function in stack.functions
        if function.logical_id in built
    ]
