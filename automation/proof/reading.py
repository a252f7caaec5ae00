"""Read a module's source once and collect the facts that the rules need."""

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from automation.proof import conditions, module_facts
from automation.proof.conditions import IMPORTING, LOOKING_UP, OPENING
from automation.proof.literals import Evaluator, LambdaPath, scope_of
from automation.proof.module_facts import Import, Module, ModuleFacts, Opened, Read, When

_ENVIRON = "os.environ"
_GETTERS = frozenset({"os.environ.get", "os.getenv", "os.environ.pop"})
_IMPORTERS = frozenset({"importlib.import_module", "__import__", "importlib.__import__"})
_OPENERS = frozenset({"open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open"})
_LIBRARY_LOADER = "ctypes.CDLL"
_READERS = frozenset(
    {_LIBRARY_LOADER, "joblib.load", "numpy.load", "numpy.loadtxt", "pandas.read_csv", "pandas.read_parquet"}
)
# The position of the program among the arguments of each function that runs one.
_RUNNERS = {
    **dict.fromkeys((f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")), 0),
    **dict.fromkeys(("subprocess.getoutput", "subprocess.getstatusoutput", "os.system", "os.popen"), 0),
    **dict.fromkeys((f"os.exec{end}" for end in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")), 0),
    **dict.fromkeys(("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"), 0),
    **dict.fromkeys((f"os.spawn{end}" for end in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")), 1),
}
_READING = frozenset({"read_text", "read_bytes", "iterdir"})
_TESTS = frozenset({"exists", "is_file", "is_dir"})
_TEST_FUNCTIONS = frozenset({"os.path.exists", "os.path.isfile", "os.path.isdir"})
_RESOURCE_READERS = frozenset(
    f"importlib.resources.{name}" for name in ("read_text", "read_binary", "open_text", "open_binary", "path")
) | {"pkgutil.get_data", "pkg_resources.resource_string", "pkg_resources.resource_filename"}


def read(code: bytes, module: Module) -> ModuleFacts:
    """Return the facts of a source; only `error` when it cannot be parsed."""
    try:
        tree = module_facts.parse(code, module.minor)
    except SyntaxError as cause:
        return ModuleFacts(error=(cause.lineno or 0, cause.msg))
    except ValueError as cause:
        return ModuleFacts(error=(0, str(cause)))
    nodes = list(ast.walk(tree))
    reader = _Reader(module, module_facts.imported_names(nodes, module))
    reader.read(tree)
    return reader.result(tree, nodes)


@dataclass(frozen=True, slots=True)
class _Context:
    """The conditions under which a line runs.

    Attributes:
        caught: the kinds of failure that the code around the line absorbs.
        function: the function that contains the line; empty at the top of a module.
        instead_of: the modules whose import failed before the line.
    """

    when: When = When.IMPORTED
    caught: frozenset[str] = frozenset()
    function: str = ""
    instead_of: tuple[str, ...] = ()


class _Reader(ast.NodeVisitor):
    """Walks a module; `context` holds the conditions of the current line."""

    def __init__(self, module: Module, names: dict[str, str]) -> None:
        self.module = module
        self.context = _Context()
        self.names = names
        self.paths = Evaluator(module.file, module.name, module.package, self.qualify)
        self.imports: list[Import] = []
        self.reads: list[Read] = []
        self.set_here: set[str] = set()
        self.called_safely: set[str] = set()
        self.opened: list[Opened] = []
        self.ran: list[Opened] = []
        self.tested: set[LambdaPath] = set()
        self.templates: list[tuple[str, int, When]] = []
        self.loaders: list[Opened | None] = []

    def qualify(self, node: ast.expr) -> str:
        return module_facts.qualified(node, self.names)

    def read(self, tree: ast.Module) -> None:
        self.paths.scopes = (scope_of(tree.body),)
        self._visit_all(tree.body)

    def result(self, tree: ast.Module, nodes: list[ast.AST]) -> ModuleFacts:
        loaders = [loader for loader in self.loaders if loader is not None]
        added = module_facts.added_folders(nodes, self.paths)
        return ModuleFacts(
            imports=tuple(self.imports),
            reads=tuple(read for read in self.reads if read.function not in self.called_safely),
            set_here=frozenset(self.set_here),
            opened=tuple(self.opened),
            ran=tuple(self.ran),
            tested=frozenset(self.tested),
            templates=tuple(self.templates),
            loaders=tuple(loaders) if len(loaders) == len(self.loaders) else None,
            names=module_facts.defined(tree, nodes),
            uncallable=module_facts.uncallable(tree, nodes),
            added_folders=tuple(folder for folder in added if folder is not None),
            changes_path=None in added,
        )

    @contextmanager
    def _inside(self, context: _Context) -> Iterator[None]:
        before, self.context = self.context, context
        try:
            yield
        finally:
            self.context = before

    def _visit_all(self, nodes: Sequence[ast.AST], **changes: object) -> None:
        with self._inside(replace(self.context, **changes)):  # type: ignore[arg-type]  # fields of _Context, by name
            for node in nodes:
                self.visit(node)

    def _visit_maybe(self, nodes: Sequence[ast.AST]) -> None:
        self._visit_all(nodes, when=When.MAYBE)

    # Code that runs only sometimes, or later.

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        defaults = [default for default in [*node.args.defaults, *node.args.kw_defaults] if default is not None]
        self._visit_all([*node.decorator_list, *defaults])

        is_handler = node.name == self.module.handler and not self.context.function
        scopes = self.paths.scopes
        self.paths.scopes = (*scopes, scope_of(node.body, _parameters(node.args)))
        with self._inside(_Context(When.HANDLED if is_handler else When.MAYBE, function=node.name)):
            for statement in node.body:
                self.visit(statement)
                if is_handler and _may_leave(statement):
                    self.context = replace(self.context, when=When.MAYBE)
        self.paths.scopes = scopes

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast's name

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._visit_maybe([node.body])

    def visit_If(self, node: ast.If) -> None:
        self._note_tested(node.test)
        self.visit(node.test)
        known = conditions.truth(node.test, self.qualify, self.module.minor)
        when = self.context.when if known is not None else When.MAYBE
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
        self._visit_all(node.body, caught=self.context.caught | absorbed)
        tried = tuple(statement.module for statement in self.imports[first:])

        for handler in node.handlers:
            if tried and conditions.caught([handler], self.qualify) & {IMPORTING}:
                self._visit_all(handler.body, instead_of=tried)
            else:
                self._visit_maybe(handler.body)

        if tried and IMPORTING in absorbed:
            self._visit_maybe(node.orelse)
        else:
            self._visit_all(node.orelse)
        self._visit_all(node.finalbody)

    visit_TryStar = visit_Try  # noqa: N815 - ast's name

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        self._visit_all(node.items)
        self._visit_all(node.body, caught=self.context.caught | conditions.suppressed(node, self.qualify))

    visit_AsyncWith = visit_With  # noqa: N815 - ast's name

    # Facts that the rules need.

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add_import(alias.name, (), node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = module_facts.absolute(self.module, node.module or "", node.level)
        self._add_import(module, tuple(alias.name for alias in node.names), node.lineno)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if self.qualify(node.value) == _ENVIRON and (name := self.paths.text(node.slice)):
            if isinstance(node.ctx, ast.Load):
                self._add_read(name, node.lineno)
            else:
                self.set_here.add(name)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self.qualify(node.func)
        if LOOKING_UP in self.context.caught:
            self.called_safely.add(name)
        if name == f"{_ENVIRON}.setdefault" and node.args:
            self.set_here.add(self.paths.text(node.args[0]) or "")
        elif name in _IMPORTERS and node.args and (module := self._literal_module(node)):
            self._add_import(module, (), node.lineno)
        elif name in _TEST_FUNCTIONS and node.args:
            self._add_tested(self.paths.opened(node.args[0]))
        elif path := self._path_read(node, name):
            if OPENING not in self.context.caught:
                self.opened.append(Opened(path, node.lineno, self.context.when))
        elif program := self._program_run(node, name):
            if OPENING not in self.context.caught:
                self.ran.append(Opened(program, node.lineno, self.context.when))
        else:
            self._note_template(node, name)
        self.generic_visit(node)

    def _add_import(self, module: str, names: tuple[str, ...], line: int) -> None:
        context = self.context
        optional = IMPORTING in context.caught
        self.imports.append(Import(module, names, line, context.when, optional, context.instead_of))

    def _literal_module(self, node: ast.Call) -> str:
        name = self.paths.text(node.args[0]) or ""
        if not name.startswith("."):
            return name
        package = node.args[1] if len(node.args) > 1 else next((keyword.value for keyword in node.keywords), None)
        if package is None or self.paths.text(package) not in {self.module.package, self.module.name}:
            return ""
        return module_facts.absolute(self.module, name.lstrip("."), len(name) - len(name.lstrip(".")))

    def _add_read(self, name: str, line: int) -> None:
        if LOOKING_UP not in self.context.caught:
            self.reads.append(Read(name, line, self.context.when, self.context.function))

    def _note_tested(self, test: ast.expr) -> None:
        """Note the variables that a condition tests: under it, and after it, they are known to be set."""
        for node in ast.walk(test):
            match node:
                case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[right]):
                    if self.qualify(right) == _ENVIRON:
                        self.set_here.add(self.paths.text(left) or "")
                case ast.Call(func=function, args=[first, *_]) if self.qualify(function) in _GETTERS:
                    self.set_here.add(self.paths.text(first) or "")

    def _path_read(self, node: ast.Call, name: str) -> LambdaPath | None:
        """Return the path that a call reads, when it is wholly literal."""
        if name in _OPENERS and node.args:
            return self.paths.opened(node.args[0]) if _is_reading(node, 1) else None
        if name in _READERS and node.args:
            # The loader looks for a name without a folder in folders of its own.
            is_bare = name == _LIBRARY_LOADER and "/" not in (self.paths.text(node.args[0]) or "/")
            return None if is_bare else self.paths.opened(node.args[0])
        if name in _RESOURCE_READERS and len(node.args) > 1:
            package, file = self.paths.text(node.args[0]), self.paths.text(node.args[1])
            return LambdaPath(PurePosixPath(file), package=package) if package and file else None
        if not isinstance(node.func, ast.Attribute):
            return None
        if node.func.attr in _TESTS:
            self._add_tested(self.paths.path(node.func.value))
        if node.func.attr in _READING or (node.func.attr == "open" and _is_reading(node, 0)):
            return self.paths.path(node.func.value)
        return None

    def _program_run(self, node: ast.Call, name: str) -> LambdaPath | None:
        """Return the program that a call runs, when it is literal; a name without a folder stays one."""
        keywords = [keyword.value for keyword in node.keywords if keyword.arg == "args"]
        arguments = [*node.args, *keywords][_RUNNERS[name] :] if name in _RUNNERS else []
        first = arguments[0] if arguments else None
        if isinstance(first, ast.List | ast.Tuple):
            first = first.elts[0] if first.elts else None
        if first is None or isinstance(first, ast.Starred):
            return None

        text = self.paths.text(first)
        command = next(iter(text.split()), "") if text is not None else ""
        path = self.paths.opened(ast.Constant(command)) if command else self.paths.path(first)
        changed = {keyword.arg for keyword in node.keywords} & {"cwd", "env"}
        if path is None or (path.is_relative and changed):
            return None
        return LambdaPath(PurePosixPath(command)) if command and "/" not in command else path

    def _add_tested(self, path: LambdaPath | None) -> None:
        if path is not None:
            self.tested.add(path)

    def _note_template(self, node: ast.Call, name: str) -> None:
        last = name.rpartition(".")[2]
        if last == "FileSystemLoader" and node.args:
            folders = node.args[0].elts if isinstance(node.args[0], ast.List | ast.Tuple) else [node.args[0]]
            self.loaders += [self._loader(self.paths.opened(folder), node) for folder in folders]
        elif last == "PackageLoader" and node.args:
            package = self.paths.text(node.args[0])
            folder = self.paths.text(node.args[1]) if len(node.args) > 1 else "templates"
            path = LambdaPath(PurePosixPath(folder), package=package) if package and folder else None
            self.loaders.append(self._loader(path, node))
        elif isinstance(node.func, ast.Attribute) and node.func.attr == "get_template" and node.args:
            template = self.paths.text(node.args[0])
            self.templates += [(template, node.lineno, self.context.when)] if template else []

    def _loader(self, path: LambdaPath | None, node: ast.Call) -> Opened | None:
        return Opened(path, node.lineno, self.context.when) if path else None


def _parameters(arguments: ast.arguments) -> list[str]:
    names = [argument.arg for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]]
    return names + [argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument is not None]


def _may_leave(statement: ast.stmt) -> bool:
    """Return whether a statement may end its function, so that the lines after it may not run."""
    return any(isinstance(node, ast.Return | ast.Raise) for node in ast.walk(statement))


def _is_reading(node: ast.Call, position: int) -> bool:
    """Return whether the mode of an `open` needs the file to exist."""
    mode = node.args[position] if len(node.args) > position else None
    mode = mode or next((keyword.value for keyword in node.keywords if keyword.arg == "mode"), None)
    return mode is None or (isinstance(mode, ast.Constant) and str(mode.value).startswith("r"))
