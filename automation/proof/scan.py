"""What the code that a handler can reach imports, reads and opens, held against what is mounted. Nothing runs."""

import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from automation.lambda_runtime import runtime
from automation.lambda_runtime.mounts import Mount
from automation.proof import finder, reading
from automation.proof.finder import Finder, Found
from automation.proof.literals import Place
from automation.proof.origins import Origins
from automation.proof.source import Import, Module, Opened, Source, When

# Packages of the managed runtime itself that no index installs as they are there.
_OF_THE_RUNTIME = frozenset({"awslambdaric", "bootstrap", "simplejson", "snapshot_restore_py"})


@dataclass(frozen=True, slots=True)
class Spot:
    """A line of a built file, and how sure it is that it runs."""

    file: Path
    line: int
    when: When


@dataclass(frozen=True, slots=True)
class Missing:
    """An import that finds nothing.

    Attributes:
        module: what the line asks for.
        absent: the part of it that is not there; empty when a relative import leads out of every package.
        within: the module that lacks the name, where it is no module that is absent.
        is_of_own: it is absent from a package of the project's own.
        beside: the modules of that package, or the names of the module that lacks it.
    """

    spot: Spot
    module: str
    absent: str
    within: str = ""
    is_of_own: bool = False
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Hidden:
    """A part of a package that another part hides, and modules that are nowhere else."""

    package: str
    by: Path
    folder: Path
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shadow:
    """A module that bears the name of one of the stdlib's."""

    name: str
    file: Path
    is_distributed: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """What was found for one function.

    Attributes:
        module: the handler's module.
        names: what that defines; None when that cannot be known, or there is no such module.
        values: of these, what cannot be called.
        near: the modules beside the handler's.
        is_found: the handler's module is there.
        reads: variables read without a default.
        absent: paths that are opened and are not there.
        broken: no Python, and why.
        moves_path: it changes sys.path, so that a module that is not found may be there all the same.
    """

    module: str = ""
    is_found: bool = False
    near: frozenset[str] = frozenset()
    names: frozenset[str] | None = None
    values: frozenset[str] = frozenset()
    missing: tuple[Missing, ...] = ()
    reads: tuple[tuple[Spot, str], ...] = ()
    absent: tuple[tuple[Spot, Place], ...] = ()
    broken: tuple[tuple[Spot, str], ...] = ()
    hidden: tuple[Hidden, ...] = ()
    shadows: tuple[Shadow, ...] = ()
    moves_path: bool = False


@dataclass(slots=True)
class Sources:
    """What was read of each file, so that a module which ten functions mount is read once."""

    read: dict[tuple[Path, Module], Source] = field(default_factory=dict)

    def of(self, file: Path, module: Module) -> Source:
        key = (file.resolve(), module)
        if key not in self.read:
            self.read[key] = reading.read(file.read_bytes(), module)
        return self.read[key]


def scan(mount: Mount, opt: Path, *, site: Path, origins: Origins, sources: Sources) -> Scan:
    """Walk from a function's handler over the project's own modules that it can reach.

    Args:
        opt: what `runtime.mounted` made of its layers.
        site: the packages of the managed runtime.
    """
    walk = _Walk(mount, opt, runtime.search_path(mount, opt, site), origins, sources)
    return walk.result()


class _Walk:
    def __init__(self, mount: Mount, opt: Path, folders: Sequence[Path], origins: Origins, sources: Sources) -> None:
        self.mount, self.opt, self.origins, self.sources = mount, opt, origins, sources
        self.folders = [folder for folder in folders[:-1] if folder.is_dir()]
        self.finder = Finder(folders)
        self.distributed = {folder: finder.distributed(folder) for folder in self.folders}
        name, _, self.attribute = str(mount.function.handler).rpartition(".")
        self.handler = name.replace("/", ".")
        self.minor = int(str(mount.function.runtime).rpartition(".")[2] or sys.version_info.minor)
        self.known: dict[str, Source | None] = {}
        self.reached: dict[str, When] = {}
        self.pending: list[tuple[When, str]] = []
        self.missing: list[Missing] = []
        self.reads: list[tuple[Spot, str]] = []
        self.absent: list[tuple[Spot, Place]] = []
        self.broken: list[tuple[Spot, str]] = []
        self.set_here: set[str] = set()
        self.moves_path = False

    def result(self) -> Scan:
        handler = self.finder.find(self.handler) if self.handler else None
        self._reach(self.handler, When.IMPORTED)
        while self.pending:
            when, name = max(self.pending)
            self.pending.remove((when, name))
            if when == self.reached[name]:
                self._read(name, when)
        source = self._source(handler) if handler else Source()
        parent = self.finder.find(self.handler.rpartition(".")[0]) if "." in self.handler else None
        return Scan(
            module=self.handler,
            is_found=handler is not None and handler.file is not None,
            near=frozenset(self.finder.submodules(parent.folders if parent else [self.mount.task])),
            names=source.names if source else None,
            values=source.values if source else frozenset(),
            missing=tuple(dict.fromkeys(self.missing)),
            reads=tuple(one for one in dict.fromkeys(self.reads) if one[1] not in self.set_here),
            absent=tuple(dict.fromkeys(self.absent)),
            broken=tuple(self.broken),
            hidden=tuple(self._hidden("", self.folders)),
            shadows=tuple(self._shadows()),
            moves_path=self.moves_path,
        )

    def _reach(self, name: str, when: When) -> None:
        """Note that a module is imported, and the packages that it lies in."""
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            prefix = ".".join(parts[:count])
            if self.reached.get(prefix, -1) < when and self.finder.find(prefix) is not None:
                self.reached[prefix] = when
                self.pending.append((when, prefix))

    def _source(self, found: Found) -> Source | None:
        """What a module of the project's own says; None for any other, and where there is no source."""
        if found.name not in self.known:
            self.known[found.name] = self._read_source(found)
        return self.known[found.name]

    def _read_source(self, found: Found) -> Source | None:
        if found.file is None or found.file.suffix != ".py" or not self._is_own(found):
            return None
        name, is_package = found.name, found.file.stem == "__init__"
        handler = self.attribute if name == self.handler else ""
        return self.sources.of(found.file, Module(name, self._on_lambda(found.file), is_package, handler, self.minor))

    def _is_own(self, found: Found) -> bool:
        top = found.name.partition(".")[0]
        return any(
            _is_under(file, folder) and top not in self.distributed[folder] and self.origins.is_own(file)
            for file in ([found.file] if found.file else found.folders)
            for folder in self.folders
        )

    def _on_lambda(self, file: Path) -> PurePosixPath:
        for place, root in ((self.mount.task, runtime.TASK_ROOT), (self.opt, runtime.OPT_ROOT)):
            if _is_under(file, place):
                return PurePosixPath(root) / file.relative_to(place).as_posix()
        return PurePosixPath(file.as_posix())

    def _read(self, name: str, when: When) -> None:
        found = self.finder.find(name)
        source = self._source(found) if found else None
        if found is None or found.file is None or source is None:
            return
        file = found.file.resolve()
        if source.error is not None:
            line, reason = source.error
            self.broken.append((Spot(file, line, when), reason))
        for one in source.imports:
            self._follow(one, Spot(file, one.line, min(one.when, when)))
        reads = [one for one in source.reads if one.variable not in source.set_here]
        self.reads += [(Spot(file, one.line, min(one.when, when)), one.variable) for one in reads]
        self.set_here |= source.set_here
        self.moves_path |= source.moves_path
        for opened in _needed(source):
            if opened.place not in source.tested and not self._is_there(opened.place):
                sure = When.MAYBE if opened.place.is_relative else min(opened.when, when)
                self.absent.append((Spot(file, opened.line, sure), opened.place))

    def _follow(self, one: Import, spot: Spot) -> None:
        if one.instead_of and all(not self._gap(module) for module in one.instead_of):
            return
        absent = self._gap(one.module) if one.module else None
        if absent != "":
            self.missing += [] if one.is_optional else [self._missing(spot, one.module, absent or "")]
            return
        self._reach(one.module, spot.when)
        for name in one.names:
            self._follow_name(one, name, spot)

    def _follow_name(self, one: Import, name: str, spot: Spot) -> None:
        """`from module import name`: a submodule, or something that the module defines."""
        module, whole = self.finder.find(one.module), f"{one.module}.{name}"
        if module is None or name == "*":
            return
        if self.finder.find(whole) is not None:
            self._reach(whole, spot.when)
        elif not one.is_optional:
            source = self._source(module)
            if module.file is None:
                self.missing.append(self._missing(spot, whole, whole))
            elif source and source.names is not None and name not in source.names and source.error is None:
                self.missing.append(Missing(spot, whole, name, within=one.module, beside=source.names))

    def _missing(self, spot: Spot, module: str, absent: str) -> Missing:
        package = self.finder.find(absent.rpartition(".")[0])
        if package is None:
            return Missing(spot, module, absent)
        beside = frozenset(self.finder.submodules(package.folders))
        return Missing(spot, module, absent, is_of_own=self._is_own(package), beside=beside)

    def _gap(self, module: str) -> str:
        """The part of a dotted name that is certainly not there; empty when there is none."""
        top = module.partition(".")[0]
        if top in sys.builtin_module_names:
            return ""
        absent = self.finder.first_missing(module)
        if absent == top:
            known = finder.is_stdlib(top, self.minor) or top in _OF_THE_RUNTIME
            return "" if known else top
        parent = self.finder.find(absent.rpartition(".")[0]) if absent else None
        if parent is None or parent.file is None:
            return absent
        source = self._source(parent)
        return absent if source and source.names is not None else ""

    def _is_there(self, place: Place) -> bool:
        """Is a path in what Lambda mounts? What lies elsewhere is taken to be there."""
        if place.package:
            package = self.finder.find(place.package)
            return package is None or any((folder / place.path).exists() for folder in package.folders)
        for root, real in ((runtime.TASK_ROOT, self.mount.task), (runtime.OPT_ROOT, self.opt)):
            if place.path.is_relative_to(root):
                return (real / place.path.relative_to(root)).exists()
        return True

    def _hidden(self, within: str, folders: Sequence[Path]) -> Iterator[Hidden]:
        """The parts of packages that an `__init__.py`, or a module, of another part hides."""
        for name in sorted(self.finder.submodules(folders)):
            holding = [folder / name for folder in folders if (folder / name).is_dir()]
            found = self.finder.find(f"{within}{name}")
            if found is None or not holding or (len(holding) == 1 and found.folders == tuple(holding)):
                continue
            if found.file is None:
                yield from self._hidden(f"{found.name}.", holding)
                continue
            for part in holding:
                lost = tuple(sorted(_modules(part) - _modules(found.file.parent if found.folders else None)))
                if part not in found.folders and lost and not self._are_distributed(found.file, part, name):
                    yield Hidden(found.name, found.file.resolve(), part.resolve(), lost)

    def _are_distributed(self, file: Path, part: Path, name: str) -> bool:
        """Do both come from distributions? Then it is one package in two places, and no package in parts."""
        holders = [folder for folder in self.folders if file.is_relative_to(folder) or part.is_relative_to(folder)]
        return all(name in self.distributed[folder] for folder in holders)

    def _shadows(self) -> Iterator[Shadow]:
        for folder in self.folders:
            for name in sorted(self.finder.submodules([folder]) & sys.stdlib_module_names):
                found = Finder([folder]).find(name)
                if found is not None and found.file is not None and not _is_the_same(found.file, name):
                    yield Shadow(name, found.file.resolve(), name in self.distributed[folder])


def _needed(source: Source) -> Iterator[Opened]:
    """The paths that a module opens: files, and templates where its loaders look for them."""
    yield from source.opened
    if not source.loaders:
        return
    yield from source.loaders if len(source.loaders) == 1 else ()
    for name, line, when in source.templates if len(source.loaders) == 1 else ():
        folder = source.loaders[0].place
        yield Opened(Place(folder.path / name, folder.package, folder.is_relative), line, when)


def _is_under(file: Path, folder: Path) -> bool:
    return str(file).startswith(f"{folder}/")


def _modules(folder: Path | None) -> set[str]:
    """The modules under a folder, as paths without their suffix."""
    if folder is None:
        return set()
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix in {".py", ".so"})
    return {one.with_name(one.name.partition(".")[0]).as_posix() for one in found}


def _is_the_same(file: Path, name: str) -> bool:
    stdlib = Path(sysconfig.get_path("stdlib"))
    ours = stdlib / name / "__init__.py" if file.stem == "__init__" else stdlib / f"{name}.py"
    return ours.is_file() and ours.read_bytes() == file.read_bytes()
