"""What Lambda mounts for a function: its own tree at /var/task, its layers one over the other at /opt."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from automation import build, files
from automation.project import Function, Project, Stack

_CODE_KEYS = ("CodeUri", "ContentUri", "Code", "Content")


@dataclass(frozen=True, slots=True)
class MountedLayer:
    """A layer's built tree; its `python/` is what lands on sys.path."""

    logical_id: str
    tree: Path


@dataclass(frozen=True, slots=True)
class Mount:
    """What one function runs on.

    Attributes:
        task: its built tree, which is /var/task.
        layers: in the order of the template: a later one's file takes the place of an earlier one's.
        unknown: layers that are not of this template; what they hold cannot be known here.
    """

    stack: Stack
    function: Function
    task: Path
    layers: tuple[MountedLayer, ...]
    unknown: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        return f"{self.stack.template.path}: {self.function.logical_id}"


def of_project(project: Project) -> tuple[Mount, ...]:
    """The mounts of every function whose code was built, in the order of the templates.

    Raises:
        ConfigurationError: a stack was never built.
    """
    build.require_built(project)
    return tuple(mount for stack in project.stacks for mount in _of_stack(stack, trees(stack, project.root)))


def trees(stack: Stack, root: Path) -> dict[str, Path]:
    """The built tree of each function and layer of a stack, by logical id, as the built template names it."""
    built = build.read_built(stack, root)
    found = {
        logical_id: root / stack.build_dir / uri
        for logical_id, resource in built.resources.items()
        for key in _CODE_KEYS
        if isinstance(uri := (resource.get("Properties") or {}).get(key), str) and "://" not in uri
    }
    return {logical_id: tree for logical_id, tree in found.items() if tree.is_dir()}


def merge_layers(mount: Mount, target: Path) -> None:
    """Make `target` what /opt is for a function, of symbolic links; a later layer's file wins.

    A folder that one layer alone has is one link, so a mount of thousands of files is made of a few.
    """
    files.remove(target)
    target.mkdir(parents=True)
    _merge([layer.tree for layer in mount.layers], target)


def _merge(sources: list[Path], target: Path) -> None:
    entries: dict[str, list[Path]] = {}
    for source in sources:
        for entry in sorted(source.iterdir()):
            entries.setdefault(entry.name, []).append(entry)
    for name, found in entries.items():
        folders = [one for one in found if one.is_dir()]
        if len(folders) > 1 and folders == found:
            (target / name).mkdir()
            _merge(folders, target / name)
        else:
            (target / name).symlink_to(found[-1].resolve())


def _of_stack(stack: Stack, built: Mapping[str, Path]) -> list[Mount]:
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
