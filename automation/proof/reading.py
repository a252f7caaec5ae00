"""Read a module's source once, for everything that the rules ask of it."""

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from automation.proof import conditions, source
from automation.proof.conditions import IMPORTING, LOOKING_UP, OPENING
from automation.proof.literals import Evaluator, Place, scope_of
from automation.proof.source import Import, Module, Opened, Read, Source, When

_ENVIRON = "os.environ"
_GETTERS = frozenset({"os.environ.get", "os.getenv", "os.environ.pop"})
_IMPORTERS = frozenset({"importlib.import_module", "__import__", "importlib.__import__"})
_OPENERS = frozenset({"open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open"})
_READERS = frozenset(
    {"ctypes.CDLL", "joblib.load", "numpy.load", "numpy.loadtxt", "pandas.read_csv", "pandas.read_parquet"}
)
_READING = frozenset({"read_text", "read_bytes", "iterdir"})
_TESTS = frozenset({"exists", "is_file", "is_dir"})
_TEST_FUNCTIONS = frozenset({"os.path.exists", "os.path.isfile", "os.path.isdir"})
_RESOURCE_READERS = frozenset(
    f"importlib.resources.{name}" for name in ("read_text", "read_binary", "open_text", "open_binary", "path")
) | {"pkgutil.get_data", "pkg_resources.resource_string", "pkg_resources.resource_filename"}


def read(code: bytes, module: Module) -> Source:
    """What a source says; only `error` when it is no Python."""
    try:
        tree = source.parse(code, module.minor)
    except SyntaxError as cause:
        return Source(error=(cause.lineno or 0, cause.msg))
    except ValueError as cause:
        return Source(error=(0, str(cause)))
    nodes = list(ast.walk(tree))
    reader = _Reader(module, source.aliases(nodes, module))
    reader.read(tree)
    return reader.result(tree, nodes)


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a line."""

    when: When = When.IMPORTED
    caught: frozenset[str] = frozenset()
    function: str = ""
    instead_of: tuple[str, ...] = ()


class _Reader(ast.NodeVisitor):
    """Walks a module with what stands around each line in `around`."""

    def __init__(self, module: Module, names: dict[str, str]) -> None:
        self.module = module
        self.around = _Around()
        self.names = names
        self.paths = Evaluator(module.file, module.name, module.package, self.qualify)
        self.imports: list[Import] = []
        self.reads: list[Read] = []
        self.set_here: set[str] = set()
        self.called_safely: set[str] = set()
        self.opened: list[Opened] = []
        self.tested: set[Place] = set()
        self.templates: list[tuple[str, int, When]] = []
        self.loaders: list[Opened | None] = []

    def qualify(self, node: ast.expr) -> str:
        return source.qualified(node, self.names)

    def read(self, tree: ast.Module) -> None:
        self.paths.scopes = (scope_of(tree.body),)
        self._visit_all(tree.body)

    def result(self, tree: ast.Module, nodes: list[ast.AST]) -> Source:
        loaders = [one for one in self.loaders if one is not None]
        return Source(
            imports=tuple(self.imports),
            reads=tuple(one for one in self.reads if one.function not in self.called_safely),
            set_here=frozenset(self.set_here),
            opened=tuple(self.opened),
            tested=frozenset(self.tested),
            templates=tuple(self.templates),
            loaders=tuple(loaders) if len(loaders) == len(self.loaders) else None,
            names=source.defined(tree, nodes),
            values=source.uncallable(tree, nodes),
            moves_path=any(_moves_path(node) for node in nodes),
        )

    @contextmanager
    def _inside(self, around: _Around) -> Iterator[None]:
        before, self.around = self.around, around
        try:
            yield
        finally:
            self.around = before

    def _visit_all(self, nodes: Sequence[ast.AST], **changes: object) -> None:
        with self._inside(replace(self.around, **changes)):  # type: ignore[arg-type]  # fields of _Around, by name
            for node in nodes:
                self.visit(node)

    def _visit_maybe(self, nodes: Sequence[ast.AST]) -> None:
        self._visit_all(nodes, when=When.MAYBE)

    # What runs only sometimes, or later.

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = node.args
        defaults = [one for one in [*arguments.defaults, *arguments.kw_defaults] if one is not None]
        self._visit_all([*node.decorator_list, *defaults])
        parameters = [one.arg for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
        parameters += [one.arg for one in (arguments.vararg, arguments.kwarg) if one is not None]
        is_handler = node.name == self.module.handler and not self.around.function
        scopes = self.paths.scopes
        self.paths.scopes = (*scopes, scope_of(node.body, parameters))
        with self._inside(_Around(When.HANDLED if is_handler else When.MAYBE, function=node.name)):
            for statement in node.body:
                self.visit(statement)
                if is_handler and any(isinstance(one, ast.Return | ast.Raise) for one in ast.walk(statement)):
                    self.around = replace(self.around, when=When.MAYBE)
        self.paths.scopes = scopes

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast's name

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_maybe([node.body])

    def visit_If(self, node: ast.If) -> None:
        self._note_tested(node.test)
        self.visit(node.test)
        known = conditions.truth(node.test, self.qualify, self.module.minor)
        when = self.around.when if known is not None else When.MAYBE
        if known is not False:
            self._visit_all(node.body, when=when)
        if known is not True:
            self._visit_all(node.orelse, when=when)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._note_tested(node.test)
        self.visit(node.test)
        self._visit_maybe([node.body, node.orelse])

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._note_tested(node)
        self.visit(node.values[0])
        self._visit_maybe(node.values[1:])

    def visit_For(self, node: ast.For | ast.AsyncFor | ast.While) -> None:
        self.visit(node.test if isinstance(node, ast.While) else node.iter)
        self._visit_maybe([*node.body, *node.orelse])

    visit_AsyncFor = visit_For  # noqa: N815 - ast's name
    visit_While = visit_For  # noqa: N815 - ast's name

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        self._visit_maybe(node.cases)

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        absorbed = conditions.caught(node.handlers, self.qualify)
        first = len(self.imports)
        self._visit_all(node.body, caught=self.around.caught | absorbed)
        tried = tuple(one.module for one in self.imports[first:])
        for handler in node.handlers:
            if tried and conditions.caught([handler], self.qualify) & {IMPORTING}:
                self._visit_all(handler.body, instead_of=tried)
            else:
                self._visit_maybe(handler.body)
        self._visit_all(node.orelse, **({"when": When.MAYBE} if IMPORTING in absorbed and tried else {}))
        self._visit_all(node.finalbody)

    visit_TryStar = visit_Try  # noqa: N815 - ast's name

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        self._visit_all(node.items)
        self._visit_all(node.body, caught=self.around.caught | conditions.suppressed(node, self.qualify))

    visit_AsyncWith = visit_With  # noqa: N815 - ast's name

    # What the rules ask for.

    def visit_Import(self, node: ast.Import) -> None:
        for one in node.names:
            self._add_import(one.name, (), node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = source.absolute(self.module, node.module or "", node.level)
        self._add_import(module, tuple(one.name for one in node.names), node.lineno)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if self.qualify(node.value) == _ENVIRON and (name := self.paths.text(node.slice)):
            if isinstance(node.ctx, ast.Load):
                self._add_read(name, node.lineno)
            else:
                self.set_here.add(name)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self.qualify(node.func)
        if LOOKING_UP in self.around.caught:
            self.called_safely.add(name)
        if name == f"{_ENVIRON}.setdefault" and node.args:
            self.set_here.add(self.paths.text(node.args[0]) or "")
        elif name in _IMPORTERS and node.args and (module := self._literal_module(node)):
            self._add_import(module, (), node.lineno)
        elif name in _TEST_FUNCTIONS and node.args:
            self._add_tested(self.paths.opened(node.args[0]))
        elif place := self._place_read(node, name):
            if OPENING not in self.around.caught:
                self.opened.append(Opened(place, node.lineno, self.around.when))
        else:
            self._note_template(node, name)
        self.generic_visit(node)

    def _add_import(self, module: str, names: tuple[str, ...], line: int) -> None:
        around = self.around
        optional = IMPORTING in around.caught
        self.imports.append(Import(module, names, line, around.when, optional, around.instead_of))

    def _literal_module(self, node: ast.Call) -> str:
        name = self.paths.text(node.args[0]) or ""
        if not name.startswith("."):
            return name
        package = node.args[1] if len(node.args) > 1 else next((one.value for one in node.keywords), None)
        if package is None or self.paths.text(package) not in {self.module.package, self.module.name}:
            return ""
        return source.absolute(self.module, name.lstrip("."), len(name) - len(name.lstrip(".")))

    def _add_read(self, name: str, line: int) -> None:
        if LOOKING_UP not in self.around.caught:
            self.reads.append(Read(name, line, self.around.when, self.around.function))

    def _note_tested(self, test: ast.expr) -> None:
        """Keep the variables that a condition asks for: under it, or after it, they are known to be there."""
        for node in ast.walk(test):
            match node:
                case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[right]):
                    if self.qualify(right) == _ENVIRON:
                        self.set_here.add(self.paths.text(left) or "")
                case ast.Call(func=function, args=[first, *_]) if self.qualify(function) in _GETTERS:
                    self.set_here.add(self.paths.text(first) or "")

    def _place_read(self, node: ast.Call, name: str) -> Place | None:
        """What a call reads, when that is wholly literal."""
        if name in _OPENERS and node.args:
            return self.paths.opened(node.args[0]) if _is_reading(node, 1) else None
        if name in _READERS and node.args:
            return self.paths.opened(node.args[0])
        if name in _RESOURCE_READERS and len(node.args) > 1:
            package, file = self.paths.text(node.args[0]), self.paths.text(node.args[1])
            return Place(PurePosixPath(file), package=package) if package and file else None
        if not isinstance(node.func, ast.Attribute):
            return None
        if node.func.attr in _TESTS:
            self._add_tested(self.paths.place(node.func.value))
        if node.func.attr in _READING or (node.func.attr == "open" and _is_reading(node, 0)):
            return self.paths.place(node.func.value)
        return None

    def _add_tested(self, place: Place | None) -> None:
        if place is not None:
            self.tested.add(place)

    def _note_template(self, node: ast.Call, name: str) -> None:
        last = name.rpartition(".")[2]
        if last == "FileSystemLoader" and node.args:
            folders = node.args[0].elts if isinstance(node.args[0], ast.List | ast.Tuple) else [node.args[0]]
            self.loaders += [self._loader(self.paths.opened(folder), node) for folder in folders]
        elif last == "PackageLoader" and node.args:
            package = self.paths.text(node.args[0])
            folder = self.paths.text(node.args[1]) if len(node.args) > 1 else "templates"
            place = Place(PurePosixPath(folder), package=package) if package and folder else None
            self.loaders.append(self._loader(place, node))
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "get_template" and node.args:
            template = self.paths.text(node.args[0])
            self.templates += [(template, node.lineno, self.around.when)] if template else []

    def _loader(self, place: Place | None, node: ast.Call) -> Opened | None:
        return Opened(place, node.lineno, self.around.when) if place else None


def _moves_path(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Attribute(value=ast.Name(id="sys"), attr="path"), attr=verb):
            return verb in {"append", "extend", "insert"}
        case ast.Attribute(value=ast.Name(id="site"), attr="addsitedir"):
            return True
    return False


def _is_reading(node: ast.Call, position: int) -> bool:
    """Is the mode of an `open` one that needs the file to be there?"""
    given = node.args[position] if len(node.args) > position else None
    given = given or next((one.value for one in node.keywords if one.arg == "mode"), None)
    return given is None or (isinstance(given, ast.Constant) and str(given.value).startswith("r"))
