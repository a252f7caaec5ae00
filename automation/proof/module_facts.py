"""Facts about a module from its source: what it imports, reads from the environment and opens, and when."""

import ast
import importlib.util
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from pathlib import PurePosixPath

from automation.proof.literals import Evaluator, LambdaPath


class When(IntEnum):
    """How certain it is that a line runs: maybe, at every event, or at import."""

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
        module: its absolute name; empty when a relative import leads out of every package.
        names: the names that `from … import` takes from it.
        is_optional: the code catches its ImportError.
        instead_of: it is imported only when one of these modules is missing.
    """

    module: str
    names: tuple[str, ...]
    line: int
    when: When
    is_optional: bool = False
    instead_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Read:
    """An environment variable that is read without a default."""

    variable: str
    line: int
    when: When
    function: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A wholly literal path that is read."""

    path: LambdaPath
    line: int
    when: When


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """The facts in one module's source.

    Attributes:
        reads: variables that are read without catching KeyError.
        set_here: variables that it sets itself, or tests before it reads them.
        ran: programs that it runs: absolute paths, and names without a folder.
        tested: paths whose existence it tests before it opens them.
        templates: names that it passes to `get_template`, each with its line.
        loaders: the folders of its template loaders; None when one of them is not literal.
        names: the names it defines; None when they are only known at run time.
        uncallable: names whose value cannot be called.
        added_folders: the folders that it adds to sys.path, as far as they are literal.
        changes_path: it changes sys.path in another way.
        error: the line and the reason why it cannot be parsed.
    """

    imports: tuple[Import, ...] = ()
    reads: tuple[Read, ...] = ()
    set_here: frozenset[str] = frozenset()
    opened: tuple[Opened, ...] = ()
    ran: tuple[Opened, ...] = ()
    tested: frozenset[LambdaPath] = frozenset()
    templates: tuple[tuple[str, int, When], ...] = ()
    loaders: tuple[Opened, ...] | None = ()
    names: frozenset[str] | None = None
    uncallable: frozenset[str] = frozenset()
    added_folders: tuple[LambdaPath, ...] = ()
    changes_path: bool = False
    error: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Module:
    """The identity of the module whose source is read.

    Attributes:
        file: its path on Lambda.
        handler: the name of the function that Lambda calls; empty except in the handler's module.
        minor: the Python that runs it is 3.`minor`.
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
    """Parse a source as Python 3.`minor`, without the warnings of a compilation.

    Raises:
        SyntaxError, ValueError: it cannot be parsed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code, feature_version=(3, minor))


def absolute(module: Module, name: str, level: int) -> str:
    """Return the absolute name of a `from` with `level` leading dots; empty when they lead out of every package."""
    if not level:
        return name
    try:
        return importlib.util.resolve_name("." * level + name, module.package)
    except ImportError:
        return ""


def imported_names(nodes: Iterable[ast.AST], module: Module) -> dict[str, str]:
    """Return the full names that imports anywhere in a module give: `np` is `numpy`, `Path` is `pathlib.Path`."""
    names: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                names[name] = alias.name if alias.asname else name
        elif isinstance(node, ast.ImportFrom):
            origin = absolute(module, node.module or "", node.level)
            names |= {alias.asname or alias.name: f"{origin}.{alias.name}" for alias in node.names}
    return names


def qualified(node: ast.expr, names: dict[str, str]) -> str:
    """Return the dotted name of an expression; empty unless it is a name with attributes."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def defined(tree: ast.Module, nodes: Iterable[ast.AST]) -> frozenset[str] | None:
    """Return the names that importing a module defines, or None when its source does not show them all."""
    names: set[str] = {"__name__", "__file__", "__doc__", "__package__", "__path__", "__spec__", "__loader__"}
    for node in _executed(tree.body):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.TypeAlias(name=ast.Name(id=name)):
                names.add(name)
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                names.add(name)
    return None if "*" in names or "__getattr__" in names or _is_dynamic(nodes) else frozenset(names)


def added_folders(nodes: Iterable[ast.AST], paths: Evaluator) -> list[LambdaPath | None]:
    """Return the folders that a module adds to sys.path; None for each that is only known at run time."""
    folders: list[LambdaPath | None] = []
    for node in nodes:
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="append" | "insert"), args=[*_, folder]):
                folders += [paths.opened(folder)] if _is_search_path(owner) else []
            case ast.Call(func=ast.Attribute(value=ast.Name(id="site"), attr="addsitedir"), args=[folder, *_]):
                folders.append(paths.opened(folder))
            case ast.Call(func=ast.Attribute(value=owner, attr="extend"), args=[added]) if _is_search_path(owner):
                folders += [paths.opened(part) for part in added.elts] if isinstance(added, ast.List) else [None]
            case ast.Subscript(value=changed, ctx=ast.Store()) | (ast.Attribute(ctx=ast.Store()) as changed):
                folders += [None] if _is_search_path(changed) else []
    return folders


def uncallable(tree: ast.Module, nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Return the names of a module that are bound once, to a literal."""
    bound = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign) and _is_literal(node.value)]
    names = {node.id for node in bound if isinstance(node, ast.Name)}
    if not names:
        return frozenset()

    stored = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    callables = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return frozenset(name for name in names - callables if stored.count(name) == 1)


def _is_search_path(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="sys"), attr="path"):
            return True
    return False


def _executed(body: Iterable[ast.stmt]) -> Iterable[ast.AST]:
    """Yield the nodes that run at import, without those inside functions and classes."""
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            pending += ast.iter_child_nodes(node)


def _is_dynamic(nodes: Iterable[ast.AST]) -> bool:
    """Return whether a module binds names in ways that its source does not show."""
    for node in nodes:
        match node:
            case ast.Global() | ast.Attribute(attr="modules"):
                return True
            case ast.Call(func=ast.Name(id="globals" | "vars" | "exec" | "setattr")):
                return True
    return False


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.Dict | ast.List | ast.Tuple | ast.Set | ast.JoinedStr)
