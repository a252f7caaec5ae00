"""Compare what the code that a handler can reach imports, reads and opens with what is mounted. No code runs."""

import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from automation.lambda_runtime import runtime
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import OPT_ROOT, TASK_ROOT
from automation.proof import finder, reading
from automation.proof.finder import Finder, FoundModule
from automation.proof.literals import LambdaPath
from automation.proof.module_facts import Import, Module, ModuleFacts, Opened, When
from automation.proof.origins import Origins

# Packages that belong to the managed runtime and are not on any package index in that form.
_OF_THE_RUNTIME = frozenset({"awslambdaric", "bootstrap", "simplejson", "snapshot_restore_py"})


@dataclass(frozen=True, slots=True)
class CodeLocation:
    """A line of a built file, and how certain it is that it runs."""

    file: Path
    line: int
    when: When


@dataclass(frozen=True, slots=True)
class MissingImport:
    """An import that does not find its module or name.

    Attributes:
        module: the dotted name that the line imports.
        missing_part: the part of it that is missing; empty when a relative import leads out of every package.
        within: the module that lacks the name; empty when a module is missing.
        is_of_own: it is missing from a package of the project's own.
        candidates: the modules of that package, or the names of the module that lacks it.
    """

    location: CodeLocation
    module: str
    missing_part: str
    within: str = ""
    is_of_own: bool = False
    candidates: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HiddenPart:
    """A part of a package that another part hides, with the modules that exist only there.

    Attributes:
        by: the file that hides it.
    """

    package: str
    by: Path
    folder: Path
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shadow:
    """A module with the name of a stdlib module."""

    name: str
    file: Path
    is_distributed: bool


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of reading one function's code.

    Attributes:
        module: the handler's module.
        is_found: the handler's module is in the mounted trees.
        beside_handler: the modules beside the handler's.
        names: the names that the handler's module defines; None when they cannot be known, or it is missing.
        uncallable: those of the names that cannot be called.
        reads: variables that are read without a default.
        missing_files: paths that are opened and do not exist.
        unparsable: files that cannot be parsed, with the reason.
        changes_path: the code changes sys.path, so that a module that is not found may exist all the same.
    """

    module: str = ""
    is_found: bool = False
    beside_handler: frozenset[str] = frozenset()
    names: frozenset[str] | None = None
    uncallable: frozenset[str] = frozenset()
    missing_imports: tuple[MissingImport, ...] = ()
    reads: tuple[tuple[CodeLocation, str], ...] = ()
    missing_files: tuple[tuple[CodeLocation, LambdaPath], ...] = ()
    unparsable: tuple[tuple[CodeLocation, str], ...] = ()
    hidden: tuple[HiddenPart, ...] = ()
    shadows: tuple[Shadow, ...] = ()
    changes_path: bool = False


@dataclass(slots=True)
class SourceCache:
    """The facts of each file, so that a module which ten functions mount is read once."""

    facts: dict[tuple[Path, Module], ModuleFacts] = field(default_factory=dict)

    def read(self, file: Path, module: Module) -> ModuleFacts:
        key = (file.resolve(), module)
        if key not in self.facts:
            self.facts[key] = reading.read(file.read_bytes(), module)
        return self.facts[key]


def scan(mount: Mount, opt: Path, *, site: Path, origins: Origins, cache: SourceCache) -> Scan:
    """Read the project's own modules that a function's handler can reach.

    Args:
        opt: the folder that `runtime.mounted` made from its layers.
        site: the packages of the managed runtime.
    """
    walk = _Walk(mount, opt, runtime.search_path(mount, opt, site), origins, cache)
    return walk.result()


class _Walk:
    """Reads modules from the handler on; a line counts as certain as the most certain way to reach it."""

    def __init__(self, mount: Mount, opt: Path, folders: Sequence[Path], origins: Origins, cache: SourceCache) -> None:
        self.mount, self.opt, self.origins, self.cache = mount, opt, origins, cache
        self.folders = [folder for folder in folders[:-1] if folder.is_dir()]
        self.finder = Finder(folders)
        self.installed = {folder: finder.installed_names(folder) for folder in self.folders}
        name, _, self.attribute = str(mount.function.handler).rpartition(".")
        self.handler = name.replace("/", ".")
        self.minor = int(str(mount.function.runtime).rpartition(".")[2] or sys.version_info.minor)
        self.facts: dict[str, ModuleFacts | None] = {}
        self.reached: dict[str, When] = {}
        self.pending: list[tuple[When, str]] = []
        self.missing_imports: list[MissingImport] = []
        self.reads: list[tuple[CodeLocation, str]] = []
        self.missing_files: list[tuple[CodeLocation, LambdaPath]] = []
        self.unparsable: list[tuple[CodeLocation, str]] = []
        self.set_here: set[str] = set()
        self.changes_path = False

    def result(self) -> Scan:
        self._read_reachable()

        handler = self.finder.find(self.handler) if self.handler else None
        facts = self._facts_of(handler) if handler else ModuleFacts()
        parent = self.finder.find(self.handler.rpartition(".")[0]) if "." in self.handler else None
        return Scan(
            module=self.handler,
            is_found=handler is not None and handler.file is not None,
            beside_handler=frozenset(self.finder.submodules(parent.folders if parent else [self.mount.task])),
            names=facts.names if facts else None,
            uncallable=facts.uncallable if facts else frozenset(),
            missing_imports=tuple(dict.fromkeys(self.missing_imports)),
            reads=tuple(read for read in dict.fromkeys(self.reads) if read[1] not in self.set_here),
            missing_files=tuple(dict.fromkeys(self.missing_files)),
            unparsable=tuple(self.unparsable),
            hidden=tuple(self._hidden("", self.folders)),
            shadows=tuple(self._shadows()),
            changes_path=self.changes_path,
        )

    def _read_reachable(self) -> None:
        self._reach(self.handler, When.IMPORTED)
        while self.pending:
            # The most certain first: a module that is reached again with more certainty is read again.
            when, name = max(self.pending)
            self.pending.remove((when, name))
            if when == self.reached[name]:
                self._read(name, when)

    def _reach(self, name: str, when: When) -> None:
        """Note that a module and the packages that contain it are imported."""
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            prefix = ".".join(parts[:count])
            if self.reached.get(prefix, -1) < when and self.finder.find(prefix) is not None:
                self.reached[prefix] = when
                self.pending.append((when, prefix))

    def _facts_of(self, module: FoundModule) -> ModuleFacts | None:
        """Return the facts of a module of the project's own; None for any other, or without a source."""
        if module.name not in self.facts:
            self.facts[module.name] = self._read_facts(module)
        return self.facts[module.name]

    def _read_facts(self, module: FoundModule) -> ModuleFacts | None:
        if module.file is None or module.file.suffix != ".py" or not self._is_own(module):
            return None

        name, is_package = module.name, module.file.stem == "__init__"
        handler = self.attribute if name == self.handler else ""
        identity = Module(name, self._on_lambda(module.file), is_package, handler, self.minor)
        return self.cache.read(module.file, identity)

    def _is_own(self, module: FoundModule) -> bool:
        top = module.name.partition(".")[0]
        for file in [module.file] if module.file else module.folders:
            for folder in self.folders:
                if _is_under(file, folder) and top not in self.installed[folder] and self.origins.is_own(file):
                    return True
        return False

    def _on_lambda(self, file: Path) -> PurePosixPath:
        for folder, mount_point in ((self.mount.task, TASK_ROOT), (self.opt, OPT_ROOT)):
            if _is_under(file, folder):
                return PurePosixPath(mount_point) / file.relative_to(folder).as_posix()
        return PurePosixPath(file.as_posix())

    def _read(self, name: str, when: When) -> None:
        module = self.finder.find(name)
        facts = self._facts_of(module) if module else None
        if module is None or module.file is None or facts is None:
            return

        file = module.file.resolve()
        if facts.error is not None:
            line, reason = facts.error
            self.unparsable.append((CodeLocation(file, line, when), reason))
        for statement in facts.imports:
            self._follow(statement, CodeLocation(file, statement.line, min(statement.when, when)))

        reads = [read for read in facts.reads if read.variable not in facts.set_here]
        self.reads += [(CodeLocation(file, read.line, min(read.when, when)), read.variable) for read in reads]
        self.set_here |= facts.set_here
        self.changes_path |= facts.changes_path

        for opened in _opened_files(facts):
            if opened.path not in facts.tested and not self._exists(opened.path):
                certainty = When.MAYBE if opened.path.is_relative else min(opened.when, when)
                self.missing_files.append((CodeLocation(file, opened.line, certainty), opened.path))

    def _follow(self, statement: Import, location: CodeLocation) -> None:
        if statement.instead_of and all(not self._missing_part(module) for module in statement.instead_of):
            return

        missing = self._missing_part(statement.module) if statement.module else None
        if missing != "":
            if not statement.is_optional:
                self.missing_imports.append(self._missing_module(location, statement.module, missing or ""))
            return

        self._reach(statement.module, location.when)
        for name in statement.names:
            self._follow_name(statement, name, location)

    def _follow_name(self, statement: Import, name: str, location: CodeLocation) -> None:
        """Follow one name of `from module import name`: a submodule, or a name that the module defines."""
        module, whole = self.finder.find(statement.module), f"{statement.module}.{name}"
        if module is None or name == "*":
            return

        if self.finder.find(whole) is not None:
            self._reach(whole, location.when)
        elif not statement.is_optional:
            facts = self._facts_of(module)
            if module.file is None:
                self.missing_imports.append(self._missing_module(location, whole, whole))
            elif facts and facts.names is not None and name not in facts.names and facts.error is None:
                within, candidates = statement.module, facts.names
                self.missing_imports.append(MissingImport(location, whole, name, within=within, candidates=candidates))

    def _missing_module(self, location: CodeLocation, module: str, missing: str) -> MissingImport:
        package = self.finder.find(missing.rpartition(".")[0])
        if package is None:
            return MissingImport(location, module, missing)
        candidates = frozenset(self.finder.submodules(package.folders))
        return MissingImport(location, module, missing, is_of_own=self._is_own(package), candidates=candidates)

    def _missing_part(self, module: str) -> str:
        """Return the part of a dotted name that is certainly missing; empty when none is."""
        top = module.partition(".")[0]
        if top in sys.builtin_module_names:
            return ""

        missing = self.finder.first_missing(module)
        if missing == top:
            is_known = finder.is_stdlib(top, self.minor) or top in _OF_THE_RUNTIME
            return "" if is_known else top

        parent = self.finder.find(missing.rpartition(".")[0]) if missing else None
        if parent is None or parent.file is None:
            return missing
        # Only a package whose source shows all its names is known not to create the submodule itself.
        facts = self._facts_of(parent)
        return missing if facts and facts.names is not None else ""

    def _exists(self, path: LambdaPath) -> bool:
        """Return whether a path is in what Lambda mounts; a path outside the mounted trees counts as existing."""
        if path.package:
            package = self.finder.find(path.package)
            return package is None or any((folder / path.path).exists() for folder in package.folders)

        for mount_point, folder in ((TASK_ROOT, self.mount.task), (OPT_ROOT, self.opt)):
            if path.path.is_relative_to(mount_point):
                return (folder / path.path.relative_to(mount_point)).exists()
        return True

    def _hidden(self, within: str, folders: Sequence[Path]) -> Iterator[HiddenPart]:
        """Yield the parts of packages that an `__init__.py`, or a module, of another part hides."""
        for name in sorted(self.finder.submodules(folders)):
            parts = [folder / name for folder in folders if (folder / name).is_dir()]
            module = self.finder.find(f"{within}{name}")
            if module is None or not parts or (len(parts) == 1 and module.folders == tuple(parts)):
                continue
            if module.file is None:
                yield from self._hidden(f"{module.name}.", parts)
                continue

            for part in parts:
                lost = tuple(sorted(_modules(part) - _modules(module.file.parent if module.folders else None)))
                if part not in module.folders and lost and not self._are_installed(module.file, part, name):
                    yield HiddenPart(module.name, module.file.resolve(), part.resolve(), lost)

    def _are_installed(self, file: Path, part: Path, name: str) -> bool:
        """Return whether both belong to distributions: then it is one package installed twice, not one in parts."""
        holders = [folder for folder in self.folders if file.is_relative_to(folder) or part.is_relative_to(folder)]
        return all(name in self.installed[folder] for folder in holders)

    def _shadows(self) -> Iterator[Shadow]:
        for folder in self.folders:
            for name in sorted(self.finder.submodules([folder]) & sys.stdlib_module_names):
                module = Finder([folder]).find(name)
                if module is not None and module.file is not None and not _is_stdlib_copy(module.file, name):
                    yield Shadow(name, module.file.resolve(), name in self.installed[folder])


def _opened_files(facts: ModuleFacts) -> Iterator[Opened]:
    """Yield the paths that a module opens: files, and templates when it has exactly one loader folder."""
    yield from facts.opened
    if not facts.loaders or len(facts.loaders) != 1:
        return

    yield from facts.loaders
    folder = facts.loaders[0].path
    for name, line, when in facts.templates:
        yield Opened(LambdaPath(folder.path / name, folder.package, folder.is_relative), line, when)


def _is_under(file: Path, folder: Path) -> bool:
    return str(file).startswith(f"{folder}/")


def _modules(folder: Path | None) -> set[str]:
    """Return the modules under a folder, as relative paths without their suffix."""
    if folder is None:
        return set()
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix in {".py", ".so"})
    return {file.with_name(file.name.partition(".")[0]).as_posix() for file in files}


def _is_stdlib_copy(file: Path, name: str) -> bool:
    stdlib = Path(sysconfig.get_path("stdlib"))
    original = stdlib / name / "__init__.py" if file.stem == "__init__" else stdlib / f"{name}.py"
    return original.is_file() and original.read_bytes() == file.read_bytes()
