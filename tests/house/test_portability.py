"""The automation imports on Windows and macOS, and asks for nothing there that only Linux has; CONTRIBUTING.md."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
POSIX_ONLY = frozenset({"fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty", "_posixsubprocess"})
# What Windows lacks, or gives only to administrators.
MISSING = frozenset(
    {"chown", "fork", "getegid", "geteuid", "getuid", "killpg", "mkfifo", "setsid", "symlink", "symlink_to", "sysconf"}
)
# By file: each of these is behind a flag of the platform, or in a process that only Linux starts.
GUARDED = {
    "automation/lambda_runtime/bootstrap.py": {"getuid"},  # runs for a real import, on Linux
    "automation/lambda_runtime/limits.py": {"sysconf"},  # likewise
    "automation/system/deployers.py": {"getuid"},  # asks for the attribute first
    "automation/system/files.py": {"symlink_to"},  # show_at, which has another way on Windows
}
PROGRAM = """
import fcntl
from pwd import getpwnam
if TYPE_CHECKING:
    import resource
try:
    import termios
except ImportError:
    pass
def later():
    import grp
    import os
    os.getuid()
    path.symlink_to("x")
class Early:
    import tty
"""


def early_imports(tree: ast.AST) -> Iterator[str]:
    """Yield the modules that an import of this module imports; those for type checkers alone are left out."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module)):
                yield module.partition(".")[0]
            case _:
                yield from early_imports(node)


def calls(tree: ast.AST) -> set[str]:
    """Return the attributes that are called anywhere, such as `getuid` of `os.getuid()`."""
    nodes = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {node.attr for node in nodes if isinstance(node, ast.Attribute)}


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    paths = sorted((ROOT / "automation").rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def test_modules_import_nothing_that_only_posix_has(trees: dict[str, ast.Module]) -> None:
    found_modules = {name: POSIX_ONLY & set(early_imports(tree)) for name, tree in trees.items()}

    assert {name: modules for name, modules in found_modules.items() if modules} == {}


def test_modules_call_nothing_that_windows_lacks(trees: dict[str, ast.Module]) -> None:
    unguarded = {name: MISSING & calls(tree) - GUARDED.get(name, set()) for name, tree in trees.items()}

    assert {name: names for name, names in unguarded.items() if names} == {}


def test_checks_find_planted_faults() -> None:
    tree = ast.parse(PROGRAM)

    assert set(early_imports(tree)) & POSIX_ONLY == {"fcntl", "pwd", "termios", "tty"}
    assert calls(tree) & MISSING == {"getuid", "symlink_to"}


def test_git_keeps_the_line_ends_of_the_small_projects() -> None:
    """Git for Windows changes them in every text that .gitattributes does not except."""
    rules = (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    marked = ROOT / "tests" / "projects" / "requirement_encodings_sound" / "mark" / "requirements.txt"

    assert "tests/projects/** -text" in rules
    assert marked.read_bytes() == b"\xef\xbb\xbf./lib\r\n"
