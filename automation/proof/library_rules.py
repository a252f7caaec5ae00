"""The rule about shared libraries: what compiled files need is in the trees, the layers or the runtime's image."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path, PurePosixPath

from automation.lambda_runtime import libraries, runtime
from automation.lambda_runtime.libraries import Presence, System
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import OPT_ROOT, TASK_ROOT
from automation.proof import binaries, built_trees, elf, library_needs
from automation.proof.built_trees import BuiltTree, Distribution, Platform
from automation.proof.elf import Dynamic
from automation.proof.model import Fault, Rule, Severity, Subject, merged
from automation.system import files

# Where the loader looks for every library. Source: the Dockerfiles of github.com/aws/aws-lambda-base-images, 2025.
_ON_LIBRARY_PATH = (TASK_ROOT, f"{TASK_ROOT}/lib", f"{OPT_ROOT}/lib")
_MUSL = "libc.musl-"
# The same module without the library that Lambda lacks. Sources, read 2026-11-29: the descriptions of these projects
# on pypi.org.
_ALTERNATIVES = {
    "opencv-python": "opencv-python-headless",
    "opencv-contrib-python": "opencv-contrib-python-headless",
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
}


@dataclass(frozen=True, slots=True)
class _Need:
    """A library that a file of a tree needs, and that the loader does not find in what is mounted.

    Attributes:
        elsewhere: where it lies all the same, outside of the folders that the loader searches.
        is_certain: a module that the code imports is loaded with the file.
    """

    view: "_View"
    tree: BuiltTree
    path: PurePosixPath
    library: str
    elsewhere: str
    is_certain: bool

    @property
    def presence(self) -> Presence:
        return self.view.system.presence(self.library)

    @property
    def owner(self) -> Distribution | None:
        return self.tree.owner_of(self.path)


@dataclass(frozen=True)
class _View:
    """What the loader sees on Lambda when a function runs.

    Attributes:
        trees: the function's own tree and its layers, with the folder where each is mounted.
        files: what the loader reads of each ELF file, by tree.
    """

    mount: Mount
    platform: Platform
    trees: tuple[tuple[str, BuiltTree], ...]
    files: Mapping[Path, Mapping[PurePosixPath, Dynamic]]

    @cached_property
    def system(self) -> System:
        return libraries.of_runtime(self.platform.minor)

    @cached_property
    def paths(self) -> frozenset[str]:
        """Every library that is mounted, by its path on Lambda."""
        return frozenset(chain.from_iterable(self._paths(folder, tree) for folder, tree in self.trees))

    @cached_property
    def brought(self) -> frozenset[str]:
        """The libraries of distributions by every name; a distribution loads its own before it needs them."""
        names: set[str] = set()
        for _, tree in self.trees:
            for path, dynamic in self.of(tree).items():
                names |= {path.name, dynamic.soname} if tree.owner_of(path) else set()
        return frozenset(names)

    @cached_property
    def search_path(self) -> tuple[str, ...]:
        own = str(runtime.variables(self.mount).get("LD_LIBRARY_PATH", ""))
        return (*_ON_LIBRARY_PATH, *(folder.rstrip("/") for folder in own.split(":") if folder))

    def of(self, tree: BuiltTree) -> Mapping[PurePosixPath, Dynamic]:
        return self.files[tree.folder]

    def needs(self) -> Iterator[_Need]:
        """Yield what the files for this machine need and the loader does not find."""
        for folder, tree in self.trees:
            for path, dynamic in self.of(tree).items():
                missing = list(self._missing(dynamic, posixpath.dirname(f"{folder}/{path}")))
                if missing and not library_needs.is_optional(tree, path):
                    is_certain = path in self._loaded(tree)
                    yield from (_Need(self, tree, path, name, self._elsewhere(name), is_certain) for name in missing)

    def imports(self, owner: Distribution | None) -> bool:
        """Return whether the project's own code imports a distribution, or one that requires it."""
        return owner is None or owner.name in self._imported

    @cached_property
    def _imported(self) -> frozenset[str]:
        return library_needs.imported_distributions(tree for _, tree in self.trees)

    def _missing(self, dynamic: Dynamic, origin: str) -> Iterator[str]:
        if binaries.MACHINES.get(dynamic.machine) != self.platform.architecture:
            return
        own = [folder.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for folder in dynamic.search_path]
        for library in dynamic.needed:
            places = (posixpath.normpath(f"{folder}/{library}") for folder in (*own, *self.search_path))
            is_here = library in self.brought or self.system.presence(library) is Presence.PRESENT
            if not is_here and not library.startswith(_MUSL) and not any(place in self.paths for place in places):
                yield library

    def _loaded(self, tree: BuiltTree) -> set[PurePosixPath]:
        return library_needs.loaded_files(tree, self.of(tree), self.platform.minor)

    def _elsewhere(self, library: str) -> str:
        return min((path for path in self.paths if posixpath.basename(path) == library), default="")

    def _paths(self, folder: str, tree: BuiltTree) -> Iterator[str]:
        return (f"{folder}/{path}" for path in tree.paths if binaries.is_shared(path))


def check_needed(subject: Subject) -> Iterator[Fault]:
    """Yield one fault per distribution and reason, however many functions mount it and libraries are missing."""
    groups: dict[tuple[str, str, str, Severity], list[_Need]] = {}
    for view in _views(subject):
        for need in view.needs():
            key = (need.tree.where, str(need.owner or ""), _why_missing(need), _severity(need))
            groups.setdefault(key, []).append(need)

    for (where, owner, why, severity), needs in groups.items():
        paths = dict.fromkeys(need.path for need in needs)
        names = sorted({need.library for need in needs})
        label = f"{owner}: " if owner else ""
        what = f"{label}needs {built_trees.abbreviate(names)}, {why}: {built_trees.abbreviate(paths)}"
        libraries = frozenset((str(need.view.mount.function.code_uri), need.library) for need in needs)
        yield Fault(where, what, _fix(needs[0], names), severity, needs[0].tree.modules(paths), libraries)


def _views(subject: Subject) -> Iterator[_View]:
    known = {tree.folder: tree for tree in subject.built_trees}
    elf_files = {folder: _elf_files(tree) for folder, tree in known.items()}
    for mount in subject.mounts:
        mounted = [(TASK_ROOT, mount.task), *((OPT_ROOT, layer.tree) for layer in mount.layers)]
        trees = tuple((folder, known[tree]) for folder, tree in mounted if tree in known)
        for platform in known[mount.task].platforms if mount.task in known else ():
            yield _View(mount, platform, trees, elf_files)


def _elf_files(tree: BuiltTree) -> dict[PurePosixPath, Dynamic]:
    """Return what the loader reads of each library, module and program of a tree."""
    candidates = (path for path in tree.paths if binaries.is_shared(path) or _is_program(tree, path))
    read = ((path, elf.read(tree.folder / path)) for path in candidates)
    return {path: dynamic for path, dynamic in read if dynamic is not None}


def _is_program(tree: BuiltTree, path: PurePosixPath) -> bool:
    return not path.suffix and files.is_program(tree.folder / path)


def _severity(need: _Need) -> Severity:
    is_error = need.presence is Presence.ABSENT and need.is_certain and need.view.imports(need.owner)
    return Severity.ERROR if is_error and not need.elsewhere and not need.view.mount.unknown else Severity.WARNING


def why_missing(runtime_name: str, presence: Presence) -> str:
    """Return why a library may be missing, as the end of a sentence that names it."""
    if presence is Presence.ABSENT:
        return f"which {runtime_name} does not have"
    if presence is Presence.ONLY_IN_CONTAINER:
        return f"which is known in the container image of {runtime_name}, but not in a function from a zip"
    return f"which is in no list of the libraries of {runtime_name}"


def _why_missing(need: _Need) -> str:
    if need.elsewhere:
        return f"which is at {need.elsewhere}, where the loader does not look"
    return why_missing(need.view.platform.runtime, need.presence)


def alternative(owner: Distribution | None, tree: BuiltTree) -> str:
    """Return the fix that replaces a distribution by one that brings its libraries; empty when none is known."""
    better = _ALTERNATIVES.get(owner.name) if owner else None
    return f"replace {owner.name} by {better} in {tree.lock}" if owner and better else ""


def _fix(need: _Need, names: Sequence[str]) -> str:
    if fix := alternative(need.owner, need.tree):
        return fix
    folder = f"{need.view.mount.function.code_uri}/lib/"
    libraries_named = f"{built_trees.abbreviate(names, 9)} for {need.view.platform.architecture}"
    return f"put {libraries_named} into {folder}, which becomes {TASK_ROOT}/lib, where the loader looks"


RULES: tuple[Rule, ...] = (
    Rule(
        "missing-library",
        "Every shared library that a compiled file needs is mounted or in the runtime's image",
        "The loader finds the library on the machine that builds, but not on Lambda, and the import fails.",
        merged(check_needed),
    ),
)
