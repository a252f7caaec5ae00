"""What a module's source says that it imports, reads from the environment and opens, and when."""

import ast
import importlib.util
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import PurePosixPath

from automation.proof.literals import Place


class When(IntEnum):
    """How sure it is that a line runs."""

    MAYBE = 0
    HANDLED = 1
    IMPORTED = 2

    @property
    def is_import(self) -> bool:
        return self is When.IMPORTED


@dataclass(frozen=True, slots=True)
class Import:
    """One module that a line imports.

    Attributes:
        module: its absolute name; empty when a relative one leads out of every package.
        names: what `from` takes out of it.
        is_optional: its absence is caught.
        instead_of: it is imported only when one of these is absent.
    """

    module: str
    names: tuple[str, ...]
    line: int
    when: When
    is_optional: bool = False
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """A variable read without a default."""

    variable: str
    line: int
    when: When
    function: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A path that is read, wholly literal."""

    place: Place
    line: int
    when: When


@dataclass(frozen=True, slots=True)
class Source:
    """What one module's source says.

    Attributes:
        reads: those that no KeyError is caught around.
        set_here: variables that it sets itself, or tests before it reads them.
        tested: paths that it asks for before it opens them.
        templates: names that it asks a template loader for, each with its line.
        loaders: the folders of its template loaders; None when one of them is not literal.
        names: what it defines; None when only running it would tell.
        values: names whose value cannot be called.
        moves_path: it changes sys.path.
        error: the line and the reason why it is no Python.
    """

    imports: tuple[Import, ...] = ()
    reads: tuple[Read, ...] = ()
    set_here: frozenset[str] = frozenset()
    opened: tuple[Opened, ...] = ()
    tested: frozenset[Place] = frozenset()
    templates: tuple[tuple[str, int, When], ...] = ()
    loaders: tuple[Opened, ...] | None = ()
    names: frozenset[str] | None = None
    values: frozenset[str] = frozenset()
    moves_path: bool = False
    error: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """Which module a source is of.

    Attributes:
        file: where it is on Lambda.
        handler: the name of the function that Lambda calls; empty in all modules but one.
        minor: of the Python that runs it, 3.`minor`.
    """

    name: str
    file: PurePosixPath
    is_package: bool
    handler: str
    minor: int

    @property
    def package(self) -> str:
        return self.name if self.is_package else self.name.rpartition(".")[0]


def parse(code: bytes, minor: int) -> ast.Module:
    """Parse for a version of Python, without the warnings that compiling would give.

    Raises:
        SyntaxError, ValueError: it is no Python of that version.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code, feature_version=(3, minor))


def absolute(module: Module, name: str, level: int) -> str:
    """The absolute name of a `from` with so many leading dots; empty when they lead out of every package."""
    if not level:
        return name
    try:
        return importlib.util.resolve_name("." * level + name, module.package)
    except ImportError:
        return ""


def aliases(nodes: Iterable[ast.AST], module: Module) -> dict[str, str]:
    """What the names stand for that imports bind anywhere in a module: `np` for `numpy`, `Path` for `pathlib.Path`."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for one in node.names:
                name = one.asname or one.name.partition(".")[0]
                found[name] = one.name if one.asname else name
        elif isinstance(node, ast.ImportFrom):
            origin = absolute(module, node.module or "", node.level)
            found |= {one.asname or one.name: f"{origin}.{one.name}" for one in node.names}
    return found


def qualified(node: ast.expr, names: dict[str, str]) -> str:
    """The dotted name that an expression means; empty when it is not a name with attributes."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def defined(tree: ast.Module, nodes: Iterable[ast.AST]) -> frozenset[str] | None:
    """The names that importing a module defines; None when that cannot be told from its text."""
    names: set[str] = {"__name__", "__file__", "__doc__", "__package__", "__path__", "__spec__", "__loader__"}
    for node in _executed(tree.body):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=found) | ast.ImportFrom(names=found):
                names |= {one.asname or one.name.partition(".")[0] for one in found}
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.TypeAlias(name=ast.Name(id=name)):
                names.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                names.add(name)
    return None if "*" in names or "__getattr__" in names or _is_dynamic(nodes) else frozenset(names)


def uncallable(tree: ast.Module, nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The names of a module that are bound once, and to a literal."""
    bound = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign) and _is_literal(node.value)]
    names = {node.id for node in bound if isinstance(node, ast.Name)}
    if not names:
        return frozenset()
    stored = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    others = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return frozenset(name for name in names - others if stored.count(name) == 1)


def _executed(body: Iterable[ast.stmt]) -> Iterable[ast.AST]:
    """The nodes that run at import: not those inside functions and classes."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)


def _is_dynamic(nodes: Iterable[ast.AST]) -> bool:
    """Does a module bind names in ways that its text does not show?"""
    for node in nodes:
        match node:
            case ast.Global() | ast.Attribute(attr="modules"):
                return True
            case ast.Call(func=ast.Name(id="globals" | "vars" | "exec" | "setattr")):
                return True
    return False


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.Dict | ast.List | ast.Tuple | ast.Set | ast.JoinedStr)
