"""What a path expression of a module comes to on Lambda, where the source alone tells it."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from automation.lambda_runtime.runtime import TASK_ROOT

_DEPTH = 20
_NOT_INSIDE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Constant, ast.Load, ast.Attribute)
_SAME = frozenset({"resolve", "absolute", "as_posix"})
_SAME_FUNCTIONS = frozenset({"os.path.abspath", "os.path.realpath", "os.path.normpath", "os.fspath", "str"})
_PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath"})
_JOINS = frozenset({"os.path.join"})
_HERE = frozenset({"pathlib.Path.cwd", "os.getcwd"})
_RESOURCES = frozenset({"importlib.resources.files", "importlib_resources.files"})


@dataclass(frozen=True, slots=True)
class Place:
    """A path on Lambda.

    Attributes:
        path: absolute, or relative to `package`.
        package: the package whose folder it starts from, empty for none.
        is_relative: it was written relative to the working folder.
    """

    path: PurePosixPath
    package: str = ""
    is_relative: bool = False

    def __str__(self) -> str:
        return f"{self.path} of package {self.package}" if self.package else str(self.path)


@dataclass(frozen=True, slots=True)
class Scope:
    """What the names of a module or a function stand for: their only assignment, or None where there are more."""

    values: Mapping[str, ast.expr | None]


class Evaluator:
    """Evaluates the path expressions of one module.

    Args:
        file: where the module is on Lambda.
        qualify: the dotted name that an expression means, after the module's imports; empty when it is none.
    """

    def __init__(self, file: PurePosixPath, module: str, package: str, qualify: Callable[[ast.expr], str]) -> None:
        self.file = file
        self.module = module
        self.package = package
        self.qualify = qualify
        self.scopes: tuple[Scope, ...] = ()
        self._depth = 0

    def place(self, node: ast.expr) -> Place | None:
        """The path that an expression comes to, when every part of it is literal."""
        if self._depth > _DEPTH:
            return None
        self._depth += 1
        try:
            return self._place(node)
        finally:
            self._depth -= 1

    def text(self, node: ast.expr) -> str | None:
        """The string that an expression comes to, when it is literal."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id="__name__"):
                return self.module
            case ast.Name(id="__package__"):
                return self.package
            case ast.Name(id=name):
                value = self._value(name)
                return self.text(value) if isinstance(value, ast.Constant) else None
        return None

    def opened(self, node: ast.expr) -> Place | None:
        """The path that is meant where a program opens this: a bare string starts from the working folder."""
        text = self.text(node)
        return _written(text) if text is not None else self.place(node)

    def _place(self, node: ast.expr) -> Place | None:
        match node:
            case ast.Name(id="__file__"):
                return Place(self.file)
            case ast.Name(id=name):
                value = self._value(name)
                return self.place(value) if value is not None else None
            case ast.BinOp(op=op, left=left, right=right):
                return self._operation(op, left, right)
            case ast.Attribute(attr="parent", value=inner):
                return _up(self.place(inner), 1)
            case ast.Subscript(value=ast.Attribute(attr="parents", value=inner), slice=ast.Constant(value=int(count))):
                return _up(self.place(inner), count + 1)
            case ast.JoinedStr(values=[ast.FormattedValue(value=inner), ast.Constant(value=str(text))]):
                return _extended(self.place(inner), text)
            case ast.Call():
                return self._call(node)
        return None

    def _operation(self, op: ast.operator, left: ast.expr, right: ast.expr) -> Place | None:
        if isinstance(op, ast.Div):
            return _joined(self.place(left), [self.text(right)])
        return _extended(self.place(left), self.text(right)) if isinstance(op, ast.Add) else None

    def _call(self, node: ast.Call) -> Place | None:
        name, arguments = self.qualify(node.func), node.args
        if name in _HERE:
            return Place(PurePosixPath(TASK_ROOT))
        if name in _RESOURCES:
            return self._resources(arguments)
        if name in _PATHS | _JOINS and arguments:
            return _joined(self.opened(arguments[0]), [self.text(one) for one in arguments[1:]])
        if name in _SAME_FUNCTIONS and len(arguments) == 1:
            return self.place(arguments[0])
        if name == "os.path.dirname" and len(arguments) == 1:
            return _up(self.place(arguments[0]), 1)
        return self._method(node.func, arguments) if isinstance(node.func, ast.Attribute) else None

    def _method(self, function: ast.Attribute, arguments: Sequence[ast.expr]) -> Place | None:
        if function.attr in _SAME:
            return self.place(function.value)
        if function.attr == "joinpath":
            return _joined(self.place(function.value), [self.text(one) for one in arguments])
        if function.attr == "with_name" and len(arguments) == 1:
            return _joined(_up(self.place(function.value), 1), [self.text(arguments[0])])
        return None

    def _resources(self, arguments: Sequence[ast.expr]) -> Place | None:
        name = self.text(arguments[0]) if arguments else self.package
        return Place(PurePosixPath(), package=name) if name else None

    def _value(self, name: str) -> ast.expr | None:
        for scope in reversed(self.scopes):
            if name in scope.values:
                return scope.values[name]
        return None


def scope_of(body: Sequence[ast.stmt], parameters: Sequence[str] = ()) -> Scope:
    """The names that a body binds, functions and classes inside it left out; a parameter stands for nothing known."""
    values: dict[str, ast.expr | None] = dict.fromkeys(parameters)
    for name, value in _bindings(body):
        values[name] = None if name in values else value
    return Scope(values)


def _bindings(body: Sequence[ast.stmt]) -> list[tuple[str, ast.expr | None]]:
    found: list[tuple[str, ast.expr | None]] = []
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, _NOT_INSIDE):
            continue
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found.append((name, value))
                pending.append(value)
                continue
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                found.append((name, value))
                pending.append(value)
                continue
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                found += [(name, None) for name in [*names, *names]]
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.append((name, None))
        pending += ast.iter_child_nodes(node)
    return found


def _written(text: str) -> Place:
    path = PurePosixPath(text)
    return Place(path) if path.is_absolute() else Place(PurePosixPath(TASK_ROOT) / path, is_relative=True)


def _joined(place: Place | None, parts: Sequence[str | None]) -> Place | None:
    if place is None or any(part is None for part in parts):
        return None
    return replace(place, path=_normal(place.path.joinpath(*(part for part in parts if part is not None))))


def _extended(place: Place | None, text: str | None) -> Place | None:
    if place is None or text is None:
        return None
    return replace(place, path=_normal(PurePosixPath(f"{place.path}{text}")))


def _up(place: Place | None, levels: int) -> Place | None:
    if place is None:
        return None
    path = place.path
    for _ in range(levels):
        path = path.parent
    return replace(place, path=path)


def _normal(path: PurePosixPath) -> PurePosixPath:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] not in {"..", "/"}:
            parts.pop()
        else:
            parts.append(part)
    return PurePosixPath(*parts)
