"""The built trees of a project as places: who owns them, what they must run on, which distributions they hold."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

from automation.project.model import Function, Layer, Project, Stack
from automation.system import files


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """What a tree runs on, as a template names it: `python3.12`, `arm64`."""

    runtime: str
    architecture: str

    @property
    def minor(self) -> int:
        """12 of `python3.12`."""
        return int(self.runtime.rpartition(".")[2])


@dataclass(frozen=True)
class Distribution:
    """What one installed wheel left in a tree.

    Attributes:
        name: normalised, `pydantic-core`.
        site: the folder it was installed into.
        info: the name of its dist-info folder.
        listed: the files of its RECORD, relative to `site`; empty when it has none.
        tags: those of WHEEL, as they stand there.
        requires: as metadata has it, markers and all.
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
class Place:
    """A built tree, its owner, and everything it is mounted to run on.

    Attributes:
        targets: of a layer those of the functions that mount it, else its own compatible ones; what only
            CloudFormation knows is left out.
        source: the folder it is built from, relative to the project root; empty when it is not known.
        lock: the file that says what is installed into it, else `source`.
    """

    stack: Stack
    owner: Function | Layer
    tree: Path
    targets: tuple[Target, ...]
    source: str
    lock: str

    @property
    def where(self) -> str:
        return f"{self.stack.template.path}: {self.owner.logical_id}"

    @property
    def sites(self) -> tuple[Path, ...]:
        """The folders in it that Lambda puts on sys.path and that are there."""
        if not isinstance(self.owner, Layer):
            return (self.tree,)
        inner = sorted(self.tree.glob("python/lib/python3.*/site-packages"))
        return tuple(site for site in (*inner, self.tree / "python") if site.is_dir())

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        return tuple(one for site in self.sites for one in distributions(site))

    @cached_property
    def paths(self) -> tuple[PurePosixPath, ...]:
        """Every file and link in it, relative to the tree."""
        return tuple(PurePosixPath(path.as_posix()) for path in files.walk(self.tree))

    @cached_property
    def owners(self) -> dict[str, Distribution]:
        """The distribution that lists each file, by the file's path relative to the tree."""
        return {
            (one.site.relative_to(self.tree) / path).as_posix(): one
            for one in self.distributions
            for path in one.listed
        }

    def owner_of(self, path: PurePosixPath) -> Distribution | None:
        """The distribution that lists a file of the tree, else the one whose package it lies in."""
        return self.owners.get(path.as_posix()) or self._packages.get(self._top(path))

    @cached_property
    def _packages(self) -> dict[str, Distribution]:
        """The distribution that first lists something in each package right below a site."""
        found: dict[str, Distribution] = {}
        for path, one in self.owners.items():
            found.setdefault(self._top(PurePosixPath(path)), one)
        return found

    def below_site(self, path: PurePosixPath) -> PurePosixPath:
        """A path of the tree as `import` sees it: relative to the site that it lies in."""
        for site in self.sites:
            base = PurePosixPath(site.relative_to(self.tree).as_posix())
            if path != base and path.is_relative_to(base):
                return path.relative_to(base)
        return path

    def modules(self, paths: Iterable[PurePosixPath]) -> tuple[str, ...]:
        """The modules that files of the tree are, and the packages these are in."""
        return module_names(self.below_site(path) for path in paths)

    def _top(self, path: PurePosixPath) -> str:
        return self.below_site(path).parts[0]


def of_project(project: Project, trees: Mapping[tuple[str, str], Path]) -> tuple[Place, ...]:
    """Every tree whose code is Python's, the functions' first, in the order of the templates.

    Args:
        trees: by (stack name, logical id).
    """
    found: list[Place] = []
    for targets_of in (_function_targets, _layer_targets):
        for stack in project.stacks:
            for owner, targets in targets_of(stack):
                tree = trees.get((stack.name, owner.logical_id))
                if tree and targets:
                    found.append(Place(stack, owner, tree, targets, *_source(owner, project.root)))
    return tuple(found)


def distributions(site: Path) -> tuple[Distribution, ...]:
    """What is installed in a folder, by name."""
    known = [made for one in metadata.distributions(path=[str(site)]) if (made := _distribution(one, site)) is not None]
    return tuple(sorted(known, key=lambda one: one.name))


def module_names(paths: Iterable[PurePosixPath]) -> tuple[str, ...]:
    """The modules and packages that files are or are part of, by their paths below a site."""
    found: set[str] = set()
    for path in paths:
        if path.suffix in {".py", ".so", ".pyd"}:
            name = path.name.split(".")[0]
            parts = path.parent.parts if name == "__init__" else (*path.parent.parts, name)
            found |= {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return tuple(sorted(found))


def some(names: Iterable[object], count: int = 3) -> str:
    """The first few of many, and how many more there are."""
    listed = [str(name) for name in names]
    more = f" and {len(listed) - count} more" if len(listed) > count else ""
    return ", ".join(listed[:count]) + more


def _function_targets(stack: Stack) -> Iterator[tuple[Function | Layer, tuple[Target, ...]]]:
    for function in stack.functions:
        yield function, _targets(function)


def _layer_targets(stack: Stack) -> Iterator[tuple[Function | Layer, tuple[Target, ...]]]:
    for layer in stack.layers:
        users = [function for function in stack.functions if layer.logical_id in function.layers]
        targets = {target for function in users for target in _targets(function)}
        if not users:
            targets = set(_product(layer.runtimes, layer.architectures[:1] or ("x86_64",)))
        yield layer, tuple(sorted(targets))


def _source(owner: Function | Layer, root: Path) -> tuple[str, str]:
    uri = owner.content_uri if isinstance(owner, Layer) else owner.code_uri
    if not isinstance(uri, str):
        return "", "what it is built from"
    lock = f"{uri}/requirements.txt"
    return uri, lock if (root / lock).is_file() else uri


def _targets(function: Function) -> tuple[Target, ...]:
    return tuple(_product((function.runtime,), function.architectures))


def _product(runtimes: Iterable[object], architectures: Iterable[object]) -> Iterator[Target]:
    for runtime in runtimes:
        for architecture in architectures:
            if isinstance(runtime, str) and runtime.startswith("python3.") and isinstance(architecture, str):
                yield Target(runtime, architecture)


def _distribution(found: metadata.Distribution, site: Path) -> Distribution | None:
    info = Path(str(getattr(found, "_path", ""))).name
    if not info.endswith(".dist-info") or not {"Name", "Version"} <= set(found.metadata):
        return None
    wheel = (found.read_text("WHEEL") or "").splitlines()
    record = (found.read_text("RECORD") or "").splitlines()
    return Distribution(
        name=canonicalize_name(found.metadata["Name"]),
        version=found.metadata["Version"],
        site=site,
        info=info,
        listed=frozenset(line.rsplit(",", 2)[0].strip('"') for line in record if line.strip()),
        tags=tuple(line.removeprefix("Tag:").strip() for line in wheel if line.startswith("Tag:")),
        requires=tuple(found.requires or ()),
    )
