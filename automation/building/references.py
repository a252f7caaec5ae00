"""Find what code refers to among the parts of packages that a build removes: modules in test folders, and programs."""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import resolve_name
from itertools import chain
from pathlib import Path

from automation.system import files

TEST_FOLDERS = frozenset({"tests", "test"})
_TEST_MODULE = re.compile(r"\.*[A-Za-z_][\w.]*\.tests?(\.\w+)*|\.+tests?(\.\w+)*")
_MAY_IMPORT_TESTS = re.compile(
    rb"import [^\n]*\btests?\b|[.\s]tests?[\w.]* import|^\s*tests?,|\.tests?[.\"']", re.MULTILINE
)
_RUNNING = (b"subprocess", b"popen(", b"os.system", b"os.exec", b"os.spawn", b"which(")
_RUNNERS = re.compile(
    r"run|call|check_call|check_output|get(status)?output|system|which|[pP]open|(exec|spawn).*|create_subprocess_.*"
)
_PROGRAM = re.compile(r"[\w.+-]+")
_SCRIPT_SUFFIXES = frozenset({"", ".sh", ".bash"})


@dataclass(frozen=True, slots=True)
class References:
    """What code refers to.

    Attributes:
        modules: dotted names of modules in folders called `test` or `tests`.
        programs: the file names of programs that it may run.
    """

    modules: frozenset[str] = frozenset()
    programs: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return ", ".join(sorted(self.modules | self.programs))


def of_own_files(paths: Iterable[Path]) -> References:
    """Return what a project's own files refer to: Python code, and shell scripts, which may start programs."""
    all_references = [_of_own_file(path, *_stamp(path)) for path in paths if path.suffix in {".py", *_SCRIPT_SUFFIXES}]
    modules = frozenset(chain.from_iterable(references.modules for references in all_references))
    programs = frozenset(chain.from_iterable(references.programs for references in all_references))
    return References(modules, programs)


def modules_in_tests(code: bytes, package: str = "") -> frozenset[str]:
    """Return the modules in test folders that a source imports, or that one of its strings names.

    Args:
        package: the package that contains the source, for relative imports.
    """
    if not _may_name_tests(code):
        return frozenset()
    tree = _parse(code)
    if tree is None:  # a source for another Python
        return frozenset(match[0] for match in _TEST_MODULE.finditer(code.decode(errors="replace")))
    return frozenset(chain.from_iterable(_modules_of(node, package) for node in ast.walk(tree)))


def programs_run(code: bytes) -> frozenset[str]:
    """Return the file names of the programs that a source's calls start or look up."""
    tree = _parse(code) if _may_run(code) else None
    if tree is None:
        return frozenset()
    commands = (_command(node) for node in ast.walk(tree) if isinstance(node, ast.Call))
    return frozenset(chain.from_iterable(_program_names(command) for command in commands if command is not None))


@lru_cache(maxsize=4096)
def _of_own_file(path: Path, _changed_ns: int, _size_bytes: int) -> References:
    """Return what one file refers to; the other arguments make a changed file be read again."""
    code = files.read(path)
    if path.suffix != ".py":
        words = _PROGRAM.findall(code.decode(errors="replace")) if code.startswith(b"#!") else ()
        return References(programs=frozenset(words))

    # A path to a program may stand anywhere in the project's own code, not only in the call that runs it.
    tree = _parse(code) if _may_run(code) else None
    return References(modules_in_tests(code), frozenset(_program_names(tree)) if tree else frozenset())


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_mtime_ns, stat.st_size


def _may_name_tests(code: bytes) -> bool:
    """Return whether a line may name a module in a test folder; the others, nearly all, are skipped for their time."""
    lines = [line for line in code.split(b"\n") if b"test" in line] if b"test" in code else []
    return bool(lines) and _MAY_IMPORT_TESTS.search(b"\n" + b"\n".join(lines)) is not None


def _may_run(code: bytes) -> bool:
    return any(name in code for name in _RUNNING)


def _parse(code: bytes) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _modules_of(node: ast.AST, package: str) -> Iterator[str]:
    """Yield the modules in test folders that one node imports or names."""
    match node:
        case ast.Import(names=aliases):
            names = [alias.name for alias in aliases]
        case ast.ImportFrom(module=module, names=aliases, level=level):
            origin = "." * level + (module or "")
            joint = "" if origin.endswith(".") else "."
            names = [origin, *(f"{origin}{joint}{alias.name}" for alias in aliases)]
        case ast.Constant(value=str(text)):
            names = [text]
        case _:
            return
    for name in names:
        absolute = _absolute(name, package) if _TEST_MODULE.fullmatch(name) else ""
        if TEST_FOLDERS & set(absolute.split(".")[1:]):
            yield absolute


def _absolute(name: str, package: str) -> str:
    """Return the absolute name of a module; empty when a relative name leads out of every package."""
    try:
        return resolve_name(name, package) if name.startswith(".") else name
    except ImportError:
        return ""


def _command(call: ast.Call) -> ast.expr | None:
    """Return the part of a call that names the program to run; None when the call runs none."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if not _RUNNERS.fullmatch(name):
        return None
    keywords = [keyword.value for keyword in call.keywords if keyword.arg in {"args", "cmd"}]
    first = next(iter([*call.args, *keywords]), None)
    return first.elts[0] if isinstance(first, ast.List | ast.Tuple) and first.elts else first


def _program_names(tree: ast.AST) -> Iterator[str]:
    """Yield what may be the file name of a program in each string: the end of the path in its first word."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.split(maxsplit=1)
            name = words[0].rpartition("/")[2] if words else ""
            if _PROGRAM.fullmatch(name):
                yield name
