"""Compare what the code that a handler can reach imports, reads and opens with what is mounted. No code runs."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from automation.lambda_runtime import handlers, runtime
from automation.lambda_runtime.mounts import Mount
from automation.lambda_runtime.paths import OPT_ROOT, TASK_ROOT
from automation.proof import elsewhere, finder, hidden_modules, known_facts, reading
from automation.proof.finder import Finder, FoundModule
from automation.proof.hidden_modules import HiddenPart, Shadow
from automation.proof.literals import LambdaPath
from automation.proof.module_facts import Import, Module, ModuleFacts, Opened, When
from automation.proof.origins import Origins

# With this file of setuptools, Python imports setuptools' copy of distutils.
_DISTUTILS, _DISTUTILS_HOOK = "distutils", "distutils-precedence.pth"


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
        names: the names that it takes from that module.
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
    names: tuple[str, ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the dotted names that the line may mean, the longest first."""
        return (*(f"{self.module}.{name}" for name in self.names if name != "*"), self.module)


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of reading one function's code.

    Attributes:
        module: the handler's module; empty when Handler names a program.
        is_found: the handler's module is in the mounted trees.
        beside_handler: the modules beside the handler's.
        names: the names that the handler's module defines; None when they cannot be known, or it is missing.
        uncallable: those of the names that cannot be called.
        reads: variables that are read without a default.
        missing_files: paths that are opened and do not exist.
        ran: the programs that are run, by absolute path or by name.
        sets_path: the code sets PATH, so that a program may be found by its name anywhere.
        unparsable: files that cannot be parsed, with the reason.
        changes_path: the code changes sys.path, so that a module that is not found may exist all the same.
        imported: the top-level modules that the code certainly imports, at import or at an event.
    """

    module: str = ""
    is_found: bool = False
    beside_handler: frozenset[str] = frozenset()
    names: frozenset[str] | None = None
    uncallable: frozenset[str] = frozenset()
    missing_imports: tuple[MissingImport, ...] = ()
    reads: tuple[tuple[CodeLocation, str], ...] = ()
    missing_files: tuple[tuple[CodeLocation, LambdaPath], ...] = ()
    ran: tuple[tuple[CodeLocation, LambdaPath], ...] = ()
    sets_path: bool = False
    unparsable: tuple[tuple[CodeLocation, str], ...] = ()
    hidden: tuple[HiddenPart, ...] = ()
    shadows: tuple[Shadow, ...] = ()
    changes_path: bool = False
    imported: frozenset[str] = frozenset()


@dataclass(slots=True)
class SourceCache:
    """The facts of each file, so that a module which ten functions mount is read once.

    Attributes:
        known: the facts of earlier proofs, by `known_facts.key`.
        used: the facts of this proof, by the same.
    """

    known: Mapping[str, ModuleFacts] = field(default_factory=dict)
    used: dict[str, ModuleFacts] = field(default_factory=dict)
    facts: dict[tuple[Path, Module], ModuleFacts] = field(default_factory=dict)

    def read(self, file: Path, module: Module) -> ModuleFacts:
        place = (file.resolve(), module)
        if place not in self.facts:
            code = file.read_bytes()
            key = known_facts.key(code, module)
            self.facts[place] = self.used[key] = self.known.get(key) or reading.read(code, module)
        return self.facts[place]


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
        self.added: list[Path] = []
        self.installed = {folder: finder.installed_names(folder) for folder in self.folders}
        self.program = handlers.program(mount.function, mount.stack)
        name, _, self.attribute = str("" if self.program else mount.function.handler).rpartition(".")
        self.handler = name.replace("/", ".")
        self.minor = int(str(mount.function.runtime).rpartition(".")[2] or sys.version_info.minor)
        self.facts: dict[str, ModuleFacts | None] = {}
        self.reached: dict[str, When] = {}
        self.pending: list[tuple[When, str]] = []
        self.missing_imports: list[MissingImport] = []
        self.reads: list[tuple[CodeLocation, str]] = []
        self.missing_files: list[tuple[CodeLocation, LambdaPath]] = []
        self.ran: list[tuple[CodeLocation, LambdaPath]] = []
        self.unparsable: list[tuple[CodeLocation, str]] = []
        self.set_here: set[str] = set()
        self.changes_path = False
        self.imported: set[str] = set()

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
            ran=tuple(dict.fromkeys(self.ran)),
            sets_path="PATH" in self.set_here,
            unparsable=tuple(self.unparsable),
            hidden=tuple(hidden_modules.hidden_parts(self.finder, self.installed)),
            shadows=tuple(hidden_modules.shadows(self.finder, self.installed)),
            changes_path=self.changes_path,
            imported=frozenset(self.imported),
        )

    def _read_reachable(self) -> None:
        self._reach(self.handler, When.IMPORTED)
        self._reach_from_program()
        while self.pending:
            # The most certain first: a module that is reached again with more certainty is read again.
            when, name = max(self.pending)
            self.pending.remove((when, name))
            if when == self.reached[name]:
                self._read(name, when)

    def _reach_from_program(self) -> None:
        """Follow the modules that a start script runs, as lines of that script."""
        script = self.mount.task / self.program
        if not self.program or not script.is_file():
            return

        text = script.read_text(encoding="utf-8", errors="replace")
        for module in handlers.started_modules(text):
            location = CodeLocation(script.resolve(), 0, When.IMPORTED)
            self._follow(Import(module, (), 0, When.IMPORTED), location)
        for module in handlers.served_modules(text):
            self._reach(module, When.IMPORTED)

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
        """Return whether a module is the project's own, and not a copy of a distribution."""
        top = module.name.partition(".")[0]
        for file in [module.file] if module.file else module.folders:
            for folder in self.folders:
                is_added = any(_is_under(file, added) for added in self.added)
                is_installed = is_added or top in self.installed[folder]
                if _is_under(file, folder) and not is_installed and self.origins.is_own(file):
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
        self._search(facts, module.file)
        for statement in facts.imports:
            self._follow(statement, CodeLocation(file, statement.line, min(statement.when, when)))

        reads = [read for read in facts.reads if read.variable not in facts.set_here]
        self.reads += [(CodeLocation(file, read.line, min(read.when, when)), read.variable) for read in reads]
        self.set_here |= facts.set_here

        for run in facts.ran:
            if run.path not in facts.tested:
                certainty = When.MAYBE if run.path.is_relative else min(run.when, when)
                self.ran.append((CodeLocation(file, run.line, certainty), run.path))
        for opened in _opened_files(facts):
            if opened.path not in facts.tested and not self._exists(opened.path):
                certainty = When.MAYBE if opened.path.is_relative else min(opened.when, when)
                self.missing_files.append((CodeLocation(file, opened.line, certainty), opened.path))

    def _search(self, facts: ModuleFacts, file: Path) -> None:
        """Search the folders that a module adds to sys.path, too; those outside the trees are not known here.

        A folder other than the module's own usually has copies of distributions.
        """
        self.changes_path |= facts.changes_path
        for added in facts.added_folders:
            folder = self._built(added)
            if folder is None:
                self.changes_path = True
            elif folder.is_dir() and folder not in self.finder.folders:
                self.added += [] if _is_under(file, folder) else [folder]
                self.finder = Finder([*self.finder.folders, folder])

    def _follow(self, statement: Import, location: CodeLocation) -> None:
        if statement.instead_of and all(not self._missing_part(module) for module in statement.instead_of):
            return

        missing = self._missing_part(statement.module) if statement.module else None
        if missing != "":
            if not statement.is_optional:
                missing_import = self._missing_module(location, statement.module, missing or "")
                self.missing_imports.append(replace(missing_import, names=statement.names))
            return

        if location.when > When.MAYBE and not statement.is_optional:
            self.imported.add(statement.module.partition(".")[0])
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
            is_known = finder.is_stdlib(top, self.minor) or elsewhere.is_provided(self.mount, top)
            return "" if is_known or self._has_distutils(top) else top

        parent = self.finder.find(missing.rpartition(".")[0]) if missing else None
        if parent is None or parent.file is None:
            return missing
        # Only a package whose source shows all its names is known not to create the submodule itself.
        facts = self._facts_of(parent)
        return missing if facts and facts.names is not None else ""

    def _has_distutils(self, top: str) -> bool:
        return top == _DISTUTILS and any((folder / _DISTUTILS_HOOK).is_file() for folder in self.folders)

    def _exists(self, path: LambdaPath) -> bool:
        """Return whether a path is in what Lambda mounts; a path outside the mounted trees counts as existing."""
        if path.package:
            package = self.finder.find(path.package)
            return package is None or any((folder / path.path).exists() for folder in package.folders)

        built = self._built(path)
        return built is None or built.exists()

    def _built(self, path: LambdaPath) -> Path | None:
        """Return where a path of Lambda lies in the mounted trees; None for a path outside them."""
        for mount_point, folder in ((TASK_ROOT, self.mount.task), (OPT_ROOT, self.opt)):
            if not path.package and path.path.is_relative_to(mount_point):
                return folder / path.path.relative_to(mount_point)
        return None


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
