"""What Lambda mounts for a function: its own tree at /var/task, its layers one over the other at /opt."""

from dataclasses import dataclass
from pathlib import Path

from automation.project.model import Function, Stack
from automation.system import files


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
