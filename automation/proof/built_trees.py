"""The built trees of a project: their owners, the platforms they must run on, and the distributions they hold."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from itertools import chain
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from automation.lambda_runtime.paths import LAYER_MODULES, site_packages
from automation.project.architectures import X86_64
from automation.project.model import Function, Layer, Project, Stack
from automation.system import files


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """A runtime and an architecture, as a template names them: `python3.12`, `arm64`."""

    runtime: str
    architecture: str

    @property
    def minor(self) -> int:
        """Return the 12 of `python3.12`."""
        return int(self.runtime.rpartition(".")[2])


@dataclass(frozen=True)
class Distribution:
    """One installed wheel in a tree.

    Attributes:
        name: normalised, `pydantic-core`.
        site: the folder it was installed into.
        info: the name of its dist-info folder.
        listed: the files of its RECORD, relative to `site`; empty when it has none.
        tags: the tags in its WHEEL file, unparsed.
        requires: its requirements, with their markers.
    """

    name: str
    version: str
    site: Path
    info: str
    listed: frozenset[str]
    tags: tuple[str, ...]
    requires: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class BuiltTree:
    """The built tree of one function or layer.

    Attributes:
        platforms: a function's own; those of the functions that mount a layer, or the layer's compatible ones when
            no function mounts it. What is only known at deploy time is left out.
        source: the folder it is built from, relative to the project root; empty when unknown.
        lock: the file that lists what is installed into it, or `source` when there is none.
    """

    stack: Stack
    owner: Function | Layer
    folder: Path
    platforms: tuple[Platform, ...]
    source: str
    lock: str

    @property
    def where(self) -> str:
        return where(self.stack, self.owner)

    @property
    def sites(self) -> tuple[Path, ...]:
        """Return the existing folders of the tree that Lambda puts on sys.path."""
        if not isinstance(self.owner, Layer):
            return (self.folder,)

        inner = sorted(self.folder.glob(f"{LAYER_MODULES}/{site_packages('python3.*')}"))
        return tuple(site for site in (*inner, self.folder / LAYER_MODULES) if site.is_dir())

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        return tuple(chain.from_iterable(distributions(site) for site in self.sites))

    @cached_property
    def paths(self) -> tuple[PurePosixPath, ...]:
        """Every file and link of the tree, relative to its folder."""
        return tuple(map(PurePosixPath, self.names))

    @cached_property
    def names(self) -> Mapping[str, bool]:
        """Whether each file of the tree is a link, by the same paths as text."""
        return {name: entry.is_symlink() for name, entry in files.entries(self.folder)}

    @cached_property
    def owners(self) -> dict[str, Distribution]:
        """The distribution that lists each file, by the file's path relative to the folder."""
        owners: dict[str, Distribution] = {}
        for distribution in self.distributions:
            site = distribution.site.relative_to(self.folder)
            owners |= {(site / path).as_posix(): distribution for path in distribution.listed}
        return owners

    def owner_of(self, path: PurePosixPath) -> Distribution | None:
        """Return the distribution that lists a file, or otherwise the one whose package contains it."""
        return self.owners.get(path.as_posix()) or self._packages.get(self._top(path))

    @cached_property
    def _packages(self) -> dict[str, Distribution]:
        """The first distribution that lists a file of each top-level package."""
        packages: dict[str, Distribution] = {}
        for path, distribution in self.owners.items():
            packages.setdefault(self._top(PurePosixPath(path)), distribution)
        return packages

    def info(self, distribution: Distribution) -> PurePosixPath:
        """Return the dist-info folder of a distribution, relative to the folder of the tree."""
        return PurePosixPath((distribution.site / distribution.info).relative_to(self.folder).as_posix())

    def below_site(self, path: PurePosixPath) -> PurePosixPath:
        """Return a path of the tree relative to the sys.path folder that contains it."""
        for site in self.sites:
            base = PurePosixPath(site.relative_to(self.folder).as_posix())
            if path != base and path.is_relative_to(base):
                return path.relative_to(base)
        return path

    def modules(self, paths: Iterable[PurePosixPath]) -> tuple[str, ...]:
        """Return the modules that files of the tree define, and the packages that contain them."""
        return module_names(self.below_site(path) for path in paths)

    def _top(self, path: PurePosixPath) -> str:
        return self.below_site(path).parts[0]


def of_project(project: Project, trees: Mapping[tuple[str, str], Path]) -> tuple[BuiltTree, ...]:
    """Return the built tree of every Python function, then of every Python layer, in the order of the templates.

    Args:
        trees: the folder of each built tree, by (stack name, logical id).
    """
    built_trees: list[BuiltTree] = []
    for platforms_of in (_function_platforms, _layer_platforms):
        for stack in project.stacks:
            for owner, platforms in platforms_of(stack):
                folder = trees.get((stack.name, owner.logical_id))
                if folder and platforms:
                    built_trees.append(BuiltTree(stack, owner, folder, platforms, *_source(owner, project.root)))
    return tuple(built_trees)


def distributions(site: Path) -> tuple[Distribution, ...]:
    """Return the distributions installed in a folder, sorted by name and version."""
    read = (_distribution(entry, site) for entry in metadata.distributions(path=[str(site)]))
    return tuple(sorted((entry for entry in read if entry is not None), key=lambda entry: (entry.name, entry.version)))


def requirements(requires: Iterable[str], minor: int) -> Iterator[Requirement]:
    """Yield the requirements that apply to Python 3.`minor` on Linux, without extras."""
    environment = {"extra": "", "python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0"}
    environment |= {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    for text in requires:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is None or requirement.marker.evaluate(environment):
            yield requirement


def allows(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def where(stack: Stack, owner: Function | Layer) -> str:
    """Return the place of a function or layer in findings: its template and logical id."""
    return f"{stack.template.path}: {owner.logical_id}"


def is_excluded(own: Iterable[object], compatible: Iterable[object]) -> bool:
    """Return whether a layer declares runtimes or architectures, and none of a function's is among them."""
    of_function, of_layer = set(own), set(compatible)
    are_known = all(isinstance(value, str) and value for value in of_function | of_layer)
    return bool(of_function) and bool(of_layer) and are_known and not of_function & of_layer


def module_names(paths: Iterable[PurePosixPath]) -> tuple[str, ...]:
    """Return the modules that files define and the packages that contain them.

    Args:
        paths: relative to a folder on sys.path.
    """
    names: set[str] = set()
    for path in paths:
        if path.suffix in {".py", ".so", ".pyd"}:
            name = path.name.split(".")[0]
            parts = path.parent.parts if name == "__init__" else (*path.parent.parts, name)
            names |= {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return tuple(sorted(names))


def abbreviate(names: Iterable[object], count: int = 3) -> str:
    """Return the first few names, and how many more there are."""
    listed = [str(name) for name in names]
    more = f" and {len(listed) - count} more" if len(listed) > count else ""
    return ", ".join(listed[:count]) + more


def _function_platforms(stack: Stack) -> Iterator[tuple[Function | Layer, tuple[Platform, ...]]]:
    for function in stack.functions:
        yield function, _platforms(function)


def _layer_platforms(stack: Stack) -> Iterator[tuple[Function | Layer, tuple[Platform, ...]]]:
    for layer in stack.layers:
        users = [function for function in stack.functions if layer.logical_id in function.layers]
        platforms = set(chain.from_iterable(_platforms(function) for function in users))
        if not users:
            platforms = set(_combinations(layer.runtimes, layer.architectures[:1] or (X86_64,)))
        yield layer, tuple(sorted(platforms))


def _source(owner: Function | Layer, root: Path) -> tuple[str, str]:
    """Return the source folder of a tree and the file that lists its requirements."""
    uri = owner.content_uri if isinstance(owner, Layer) else owner.code_uri
    if not isinstance(uri, str):
        return "", "what it is built from"

    lock = f"{uri}/requirements.txt"
    return uri, lock if (root / lock).is_file() else uri


def _platforms(function: Function) -> tuple[Platform, ...]:
    return tuple(_combinations((function.runtime,), function.architectures))


def _combinations(runtimes: Iterable[object], architectures: Iterable[object]) -> Iterator[Platform]:
    for runtime in runtimes:
        for architecture in architectures:
            if isinstance(runtime, str) and runtime.startswith("python3.") and isinstance(architecture, str):
                yield Platform(runtime, architecture)


def _distribution(entry: metadata.Distribution, site: Path) -> Distribution | None:
    info = Path(str(getattr(entry, "_path", ""))).name
    if not info.endswith(".dist-info") or not {"Name", "Version"} <= set(entry.metadata):
        return None

    wheel = (entry.read_text("WHEEL") or "").splitlines()
    record = (entry.read_text("RECORD") or "").splitlines()
    return Distribution(
        name=canonicalize_name(entry.metadata["Name"]),
        version=entry.metadata["Version"],
        site=site,
        info=info,
        listed=frozenset(line.rsplit(",", 2)[0].strip('"') for line in record if line.strip()),
        tags=tuple(line.removeprefix("Tag:").strip() for line in wheel if line.startswith("Tag:")),
        requires=tuple(entry.requires or ()),
    )
