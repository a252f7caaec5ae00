"""The files that Lambda mounts for a function: its own tree at /var/task, and its layers merged at /opt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from automation.project.model import Function, Stack
from automation.system import files


@dataclass(frozen=True, slots=True)
class MountedLayer:
    """The built tree of a layer; Lambda imports modules from its `python/`."""

    logical_id: str
    tree: Path


@dataclass(frozen=True, slots=True)
class Mount:
    """The built trees that one function runs on.

    Attributes:
        task: its own tree, which Lambda mounts at /var/task.
        layers: in the order of the template; a later layer's file replaces an earlier one's.
        unknown: layers whose content cannot be known here: those from outside the project, those without a tree, and
            the macros, which may add layers.
        unbuilt: those of the project that have no tree.
        macros: what may change the function when it is deployed, as `the macro Name`.
    """

    stack: Stack
    function: Function
    task: Path
    layers: tuple[MountedLayer, ...]
    unknown: tuple[str, ...] = ()
    unbuilt: tuple[str, ...] = ()
    macros: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Return the place of the function for messages."""
        return f"{self.stack.template.path}: {self.function.logical_id}"

    @property
    def variants(self) -> tuple[tuple[MountedLayer, ...], ...]:
        """Return the layers that are mounted together: one list, unless an unknown condition chooses among several."""
        chosen = {str(layer) for layer in self.function.layers}
        variants = (
            tuple(layer for layer in self.layers if layer.logical_id in choice or layer.logical_id not in chosen)
            for choice in self.function.layer_choices
        )
        return tuple(dict.fromkeys(variants)) or (self.layers,)

    @property
    def optional(self) -> tuple[MountedLayer, ...]:
        """Return the layers of only some of the variants."""
        always = set(self.variants[0]).intersection(*self.variants)
        return tuple(layer for layer in self.layers if layer not in always)


def merge_layers(mount: Mount, target: Path) -> None:
    """Fill `target` with symbolic links, so that it shows what the function sees at /opt; a later layer's file wins.

    A folder that only one layer has becomes a single link, so a few links are enough for thousands of files.
    """
    merge([layer.tree for layer in mount.layers], target, put=_point)


def merge(trees: Sequence[Path], target: Path, *, put: Callable[[Path, Path], None]) -> None:
    """Put the content of several trees into a new folder; where two have a file of the same name, the later one wins.

    Args:
        put: puts a file, or a whole folder that only one tree has, at a path that does not exist yet.
    """
    files.remove(target)
    target.mkdir(parents=True)
    _merge(trees, target, put)


def _merge(folders: Sequence[Path], target: Path, put: Callable[[Path, Path], None]) -> None:
    entries: dict[str, list[Path]] = {}
    for folder in folders:
        for entry in sorted(folder.iterdir()):
            entries.setdefault(entry.name, []).append(entry)

    for name, candidates in entries.items():
        if len(candidates) > 1 and all(candidate.is_dir() for candidate in candidates):
            (target / name).mkdir()
            _merge(candidates, target / name, put)
        else:
            put(candidates[-1], target / name)


def _point(source: Path, target: Path) -> None:
    files.show_at(source.resolve(), target)
