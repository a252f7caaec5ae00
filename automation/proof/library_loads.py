"""The rule about libraries that code loads by name, through ctypes or cffi: they are mounted or in the runtime's image.

An import runs without the libraries of this machine, so what it loads is known. What the modules that it loaded may
load later is read from their sources.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

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
_SONAME = re.compile(r"lib[\w.+-]+\.so(\.\d+)*")


def check_loads(case: Case) -> Iterator[FunctionFault]:
    imported = case.evidence.imported
    if imported is None:
        return

    refused = imported.refused_libraries
    for name in refused:
        yield _import_fault(case, imported, name)
    if not refused:
        yield from _later_faults(case, imported)


def _import_fault(case: Case, imported: ImportResult, name: str) -> FunctionFault:
    """Return the fault of an import that failed because it loads a library that is not there."""
    presence, frame = _system(case).presence(name), case.own_frame(imported.stack)
    where = case.where(frame) if frame else case.evidence.mount.where
    what = f"the import of {{functions}} loads {name}, {_why(case, presence)}: {' '.join(imported.error.split())}"
    is_sure = presence is Presence.ABSENT and not case.evidence.mount.unknown
    return FunctionFault(where, what, _fix(case, name), Severity.ERROR if is_sure else Severity.WARNING, imported.name)


def _later_faults(case: Case, imported: ImportResult) -> Iterator[FunctionFault]:
    """Yield the libraries that an imported module loads later; what was refused and survived is optional."""
    system = _system(case)
    tried = {attempt.removeprefix("library:") for attempt in imported.attempts}
    for file in map(Path, imported.foreign):
        missing: dict[Presence, dict[str, int]] = {}
        for line, names in sorted(_loads(file).items()):
            sonames = [soname for name in names if (soname := _soname(name, system))]
            if sonames and not any(name in tried or _is_there(case, name, system) for name in sonames):
                missing.setdefault(system.presence(sonames[0]), {})[sonames[0]] = line
        for presence, lines in missing.items():
            listed, first = built_trees.abbreviate(lines), min(lines.values())
            what = f"line {first} loads {listed}, {_why(case, presence)}"
            yield FunctionFault(_label(case, file), what, _fix(case, listed), Severity.WARNING)


def _loads(file: Path) -> dict[int, list[str]]:
    """Return the literal names in each call that loads a library, by line; a call whose failure is caught is left out.

    A name that the code looks for with `find_library` has no prefix and no suffix.
    """
    code = file.read_bytes()
    try:
        tree = module_facts.parse(code, 14) if _LOADERS.search(code.decode(errors="replace")) else ast.Module([], [])
    except (SyntaxError, ValueError):
        return {}
    caught = library_needs.caught_nodes(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node not in caught]
    loads = {call.lineno: _literals(call) for call in calls if _LOADERS.fullmatch(_name(call.func))}
    return {line: names for line, names in loads.items() if names}


def _literals(call: ast.Call) -> list[str]:
    strings = [part.value for part in call.args if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return [f"-l{text}" for text in strings] if _name(call.func) == _FIND else strings


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _soname(name: str, system: System) -> str:
    """Return the file name that the loader looks for; empty when it is not one of Linux, or not known."""
    if name.startswith("-l"):
        return system.named(name.removeprefix("-l"))
    return name if _SONAME.fullmatch(name) else ""


def _is_there(case: Case, name: str, system: System) -> bool:
    folders = [tree / "lib" for _, tree in mounted_trees(case.evidence.mount)] + [case.evidence.mount.task]
    return system.presence(name) is Presence.PRESENT or any((folder / name).exists() for folder in folders)


def _system(case: Case) -> System:
    return libraries.of_runtime(int(str(case.evidence.mount.function.runtime).rpartition(".")[2]))


def _why(case: Case, presence: Presence) -> str:
    return library_rules.why_missing(str(case.evidence.mount.function.runtime), presence)


def _fix(case: Case, name: str) -> str:
    mount = case.evidence.mount
    folder = f"{str(mount.function.code_uri).rstrip('/')}/lib/"
    return f"put {name} for {mount.function.architectures[0]} into {folder}, which becomes {TASK_ROOT}/lib"


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
