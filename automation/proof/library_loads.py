"""The rule about libraries that code loads by name, through ctypes or cffi: they are mounted or in the runtime's image.

An import runs without the libraries of this machine, so what it loads is known. What the modules that it loaded may
load later is read from their sources.
"""

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path, PurePosixPath

from automation.lambda_runtime import libraries
from automation.lambda_runtime.libraries import Presence, System
from automation.lambda_runtime.paths import TASK_ROOT
from automation.proof import built_trees, library_needs, library_rules, module_facts
from automation.proof.cases import Case, FunctionFault, for_each_function
from automation.proof.evidence import mounted_trees
from automation.proof.imports import ImportResult
from automation.proof.model import Rule, Severity

_LOADERS = re.compile(r"CDLL|PyDLL|LoadLibrary|\w*dlopen|find_library")
_FIND = "find_library"
# It asks a compiler, a linker and ldconfig; none of them looks into /opt/lib or /var/task/lib on Lambda. Source, read
# 2026-11-29: the comment of 2021-11-07 on github.com/NaturalHistoryMuseum/pyzbar/pull/41.
_FIX_OF_SEARCH = (
    "find_library finds only the libraries of the runtime: load {name} by its file name from lib/, or deploy "
    "{{functions}} as a container image that has it"
)
_MANGLED = re.compile(r"-[0-9a-f]{8}(?=\.so)")  # as auditwheel names the libraries that it puts into a wheel
_ERROR_WIDTH = 160  # some code lists every name that it tried
_SONAME = re.compile(r"lib[\w.+-]+\.so(\.\d+)*")


def check_loads(case: Case) -> Iterator[FunctionFault]:
    imported = case.evidence.imported
    if imported is None:
        return

    refused = _system(case).meant(imported.refused_libraries)
    for name in refused:
        yield _import_fault(case, imported, name)
    trees = tuple(tree.resolve() for _, tree in mounted_trees(case.evidence.mount))
    files = {frame.file for frame in imported.stack if any(frame.file.is_relative_to(tree) for tree in trees)}
    # The module that failed may load more after the line that failed.
    yield from _later_faults(case, imported, sorted(files) if refused else list(map(Path, imported.foreign)))


def _import_fault(case: Case, imported: ImportResult, name: str) -> FunctionFault:
    """Return the fault of an import that failed because it loads a library that is not there."""
    presence, frame = _system(case).presence(name), case.own_frame(imported.stack)
    where = case.where(frame) if frame else case.evidence.mount.where
    error = textwrap.shorten(imported.error, _ERROR_WIDTH, placeholder=" …")
    what = f"the import of {{functions}} loads {name}, {_why(case, presence)}: {error}"
    is_sure = presence is Presence.ABSENT and not case.evidence.mount.unknown
    is_searched = name not in imported.refused_libraries
    fix = _FIX_OF_SEARCH.format(name=name) if is_searched else _fix(case, name)
    fix = _alternative(case, imported) or fix
    severity = Severity.ERROR if is_sure else Severity.WARNING
    return FunctionFault(where, what, fix, severity, imported.name, _libraries(case, [name]))


def _alternative(case: Case, imported: ImportResult) -> str:
    """Return the fix that replaces the distribution whose code raised the exception; empty when none is known."""
    mounted = {tree.resolve() for _, tree in mounted_trees(case.evidence.mount)}
    trees = [tree for tree in case.subject.built_trees if tree.folder.resolve() in mounted]
    for frame in reversed(imported.stack):
        for tree in trees:
            folder = tree.folder.resolve()
            if frame.file.is_relative_to(folder):
                owner = tree.owner_of(PurePosixPath(frame.file.relative_to(folder).as_posix()))
                if fix := library_rules.alternative(owner, tree):
                    return fix
    return ""


def _later_faults(case: Case, imported: ImportResult, files: Iterable[Path]) -> Iterator[FunctionFault]:
    """Yield the libraries that an imported module loads later; what was refused and survived is optional."""
    system = _system(case)
    tried = {system.soname(attempt.removeprefix("library:")) for attempt in imported.attempts}
    for file in files:
        missing: dict[Presence, dict[str, int]] = {}
        for line, names in sorted(_loads(file)):
            sonames = [soname for name in names if (soname := _soname(name, system))]
            if sonames and not any(name in tried or _is_there(case, file, name, system) for name in sonames):
                missing.setdefault(system.presence(sonames[0]), {})[sonames[0]] = line
        for presence, lines in missing.items():
            listed, first = built_trees.abbreviate(lines), min(lines.values())
            what = f"line {first} loads {listed}, {_why(case, presence)}"
            fix, libraries_missing = _fix(case, listed), _libraries(case, lines)
            yield FunctionFault(_label(case, file), what, fix, Severity.WARNING, libraries=libraries_missing)


def _loads(file: Path) -> list[tuple[int, list[str]]]:
    """Return the line and the literal names of each call that loads a library, unless its failure is caught.

    One library of a call is enough, and so is one that a call among its arguments finds.
    """
    code = file.read_bytes()
    if not _LOADERS.search(code.decode(errors="replace")):
        return []
    try:
        tree = module_facts.parse(code, library_needs.NEWEST_MINOR)
    except (SyntaxError, ValueError):
        return []
    caught = library_needs.caught_nodes(tree)
    loads: list[tuple[int, list[str]]] = []
    inner: set[ast.Call] = set()
    for call in _loading_calls(tree):  # outer calls first
        if call not in caught and call not in inner:
            calls = list(_loading_calls(call))
            inner |= set(calls)
            if names := list(chain.from_iterable(map(_literals, calls))):
                loads.append((call.lineno, names))
    return loads


def _loading_calls(tree: ast.AST) -> Iterator[ast.Call]:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return (call for call in calls if _LOADERS.fullmatch(_name(call.func)))


def _literals(call: ast.Call) -> list[str]:
    """Return the names that a call has; what is searched for, without prefix and suffix, as the linker's `-lname`.

    Through `dlopen` cffi searches for each name that has neither a dot nor a folder.
    """
    values = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "name")]
    names = [part.value for part in values if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    function = _name(call.func)
    is_search = function == _FIND
    is_of_cffi = function.endswith("dlopen")
    return [f"-l{name}" if is_search or (is_of_cffi and not set("./") & set(name)) else name for name in names]


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _soname(name: str, system: System) -> str:
    """Return the file name that the loader looks for; empty when it is not one of Linux, or not known."""
    if name.startswith("-l"):
        return system.named(name.removeprefix("-l"))
    return name if _SONAME.fullmatch(name) else ""


def _is_there(case: Case, file: Path, name: str, system: System) -> bool:
    trees = [tree for _, tree in mounted_trees(case.evidence.mount)]
    folders = [*(tree / "lib" for tree in trees), case.evidence.mount.task]
    if system.presence(name) is Presence.PRESENT or any((folder / name).exists() for folder in folders):
        return True
    # A wheel of the same project, such as psycopg_binary beside psycopg, loads the library that it brings.
    stem, own = name.partition(".so")[0], (file.with_suffix(""), *file.parents)
    brought = chain.from_iterable(folder.parent.glob(f"{folder.name}*.libs/{stem}-*.so*") for folder in own)
    return any(_MANGLED.sub("", path.name).startswith(f"{stem}.so") for path in brought)


def _system(case: Case) -> System:
    return libraries.of_runtime(int(str(case.evidence.mount.function.runtime).rpartition(".")[2]))


def _why(case: Case, presence: Presence) -> str:
    return library_rules.why_missing(str(case.evidence.mount.function.runtime), presence)


def _fix(case: Case, name: str) -> str:
    mount = case.evidence.mount
    folder = f"{mount.function.code_uri}/lib/"
    return f"put {name} for {mount.function.architectures[0]} into {folder}, which becomes {TASK_ROOT}/lib"


def _libraries(case: Case, names: Iterable[str]) -> frozenset[tuple[str, str]]:
    return frozenset((str(case.evidence.mount.function.code_uri), name) for name in names)


def _label(case: Case, file: Path) -> str:
    for mount_point, tree in mounted_trees(case.evidence.mount):
        if file.is_relative_to(tree.resolve()):
            return f"{mount_point}/{file.relative_to(tree.resolve()).as_posix()}"
    return file.as_posix()


RULES: tuple[Rule, ...] = (
    Rule(
        "library-not-loadable",
        "Every library that the code loads by name is mounted or in the runtime's image",
        "ctypes finds the library on the machine that builds, but not on Lambda, and raises OSError.",
        for_each_function(check_loads),
    ),
)
