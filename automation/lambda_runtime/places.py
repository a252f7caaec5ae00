"""Give a function a place of its own: nothing but its tree and its layers can be reached from there.

In the build the trees of all functions lie side by side, so code that leaves its own folder finds what it will not find
on Lambda. A place holds hard links of the project's code, not symbolic ones, because `Path(__file__).resolve()` would
follow those back. Packages from an index rarely look above their own folder: a symbolic link to each is much faster.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from threading import Lock

from automation.lambda_runtime import mounts
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import LAYER_MODULES, OPT_ROOT, TASK_ROOT, site_packages, temporary_folder
from automation.system import files

_INFO = "*.dist-info"


@dataclass(frozen=True, slots=True)
class Place:
    """The folders that stand for /var/task and /opt while a function is imported.

    Attributes:
        mount: the function, with the place's own folder as its task.
        built: the function, with its built tree as its task.
        opt: the folder of its merged layers.
    """

    mount: Mount
    built: Mount
    opt: Path

    def built_file(self, file: Path) -> Path:
        """Return the built file that a file of the place is a link of; any other file as it is. Links are resolved."""
        real = file.resolve()
        trees = [(self.mount.task, self.built.task), *((self.opt, layer.tree) for layer in reversed(self.built.layers))]
        for folder, tree in trees:
            if real.is_relative_to(folder) and (built := tree / real.relative_to(folder)).exists():
                return built.resolve()
        return real

    @property
    def roots(self) -> tuple[Path, Path]:
        """Return the folders that stand for `/`, of the task and of the layers."""
        return self.mount.task.parents[1], self.opt.parent

    def as_on_lambda(self, text: str) -> str:
        """Return a text with the paths that it would have on Lambda."""
        for root in self.roots:
            text = text.replace(f"{root}/", "/").replace(str(root), "/")
        return text


class Places:
    """Makes places; functions with the same layers share one /opt, which is removed with the last place."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._opts: dict[tuple[Path, ...], Path] = {}
        self._lock = Lock()

    @contextmanager
    def of(self, mount: Mount) -> Iterator[Place]:
        """Yield a place for a function; its task is removed after the block."""
        opt = self._opt(tuple(layer.tree for layer in mount.layers))
        folder = _new_folder(self._parent)
        task = folder / TASK_ROOT.lstrip("/")
        try:
            mounts.merge([mount.task], task, put=_Putter([mount.task]))
            yield Place(replace(mount, task=task), mount, opt)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        for opt in self._opts.values():
            shutil.rmtree(opt.parent, ignore_errors=True)

    def _opt(self, trees: tuple[Path, ...]) -> Path:
        with self._lock:
            if trees not in self._opts:
                opt = _new_folder(self._parent) / OPT_ROOT.lstrip("/")
                self._opts[trees] = opt
                mounts.merge(trees, opt, put=_Putter(trees))
            return self._opts[trees]


@contextmanager
def opened(root: Path) -> Iterator[Places]:
    """Yield a maker of places for the functions of a project; everything it made is removed after the block."""
    places = Places(_parent(root))
    try:
        yield places
    finally:
        places.close()


def _new_folder(parent: Path) -> Path:
    # Each folder lies directly in the temporary one, so that no function finds another one's beside its own.
    return Path(tempfile.mkdtemp(prefix="lambda-", dir=parent)).resolve()


class _Putter:
    """Puts files of trees at other paths: the packages of an index as symbolic links, the rest as hard ones."""

    def __init__(self, trees: Sequence[Path]) -> None:
        self._installed = set(chain.from_iterable(_installed(tree) for tree in trees))

    def __call__(self, source: Path, target: Path) -> None:
        if source in self._installed:
            files.show_at(source.resolve(), target)
        elif source.is_dir() and not source.is_symlink():
            target.mkdir()
            for entry in source.iterdir():
                self(entry, target / entry.name)
        else:
            files.link(source, target)


def _installed(tree: Path) -> Iterator[Path]:
    """Yield the folders of a tree that distributions of an index have put there, according to their RECORD."""
    modules = tree / LAYER_MODULES
    for info in chain(tree.glob(_INFO), modules.glob(_INFO), modules.glob(f"{site_packages('python3.*')}/{_INFO}")):
        # The code of a local folder or a repository is the project's own, although it was installed.
        if (info / "RECORD").is_file() and not (info / "direct_url.json").exists():
            lines = (info / "RECORD").read_text(encoding="utf-8", errors="replace").splitlines()
            names = {name for name, separator, _ in (line.partition("/") for line in lines) if separator}
            folders = (info.parent / name for name in names)
            yield from (folder for folder in folders if not _resolves_itself(folder))


def _resolves_itself(package: Path) -> bool:
    """Return whether a package follows the links of its own path; cv2 compares the result with sys.path."""
    for file in package.glob("*.py"):
        code = file.read_bytes()
        if b"realpath" in code or (b"__file__" in code and b".resolve(" in code):
            return True
    return False


def _parent(root: Path) -> Path:
    """Return the folder for places: outside the project, on its file system for hard links, with programs allowed."""
    candidates = [temporary_folder(root), Path("/var/tmp"), Path.home() / ".cache"]  # noqa: S108 - mkdtemp follows
    usable = [folder for folder in candidates if folder.is_dir() and _may_execute(folder)]
    device = root.stat().st_dev
    same = [folder for folder in usable if folder.stat().st_dev == device]
    return next(iter([*same, *usable, *candidates]))


def _may_execute(folder: Path) -> bool:
    """Return whether compiled modules can be loaded from a folder: some systems mount /tmp with noexec."""
    return os.access(folder, os.W_OK) and not os.statvfs(folder).f_flag & os.ST_NOEXEC
