"""Evaluate the path expressions of a module as on Lambda, where its source determines them."""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from automation.lambda_runtime.paths import TASK_ROOT

_DEPTH = 20
_NOT_INSIDE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Constant, ast.Load, ast.Attribute)
_SAME = frozenset({"resolve", "absolute", "as_posix"})
_SAME_FUNCTIONS = frozenset({"os.path.abspath", "os.path.realpath", "os.path.normpath", "os.fspath", "str"})
_PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath"})
_JOINS = frozenset({"os.path.join"})
_HERE = frozenset({"pathlib.Path.cwd", "os.getcwd"})
_RESOURCES = frozenset({"importlib.resources.files", "importlib_resources.files"})


@dataclass(frozen=True, slots=True)
class LambdaPath:
    """A path on Lambda.

    Attributes:
        path: absolute, or relative to `package`.
        package: the package whose folder it starts from; empty for none.
        is_relative: the code gives it relative to the working folder.
    """

    path: PurePosixPath
    package: str = ""
    is_relative: bool = False

    def __str__(self) -> str:
        return f"{self.path} of package {self.package}" if self.package else str(self.path)


@dataclass(frozen=True, slots=True)
class Scope:
    """The only assignment of each name in a module or a function; None when there are several."""

    values: Mapping[str, ast.expr | None]


class Evaluator:
    """Evaluates the path expressions of one module.

    Args:
        file: the module's path on Lambda.
        qualify: returns the dotted name of an expression, following the module's imports; empty when it has none.
    """

    def __init__(self, file: PurePosixPath, module: str, package: str, qualify: Callable[[ast.expr], str]) -> None:
        self.file = file
        self.module = module
        self.package = package
        self.qualify = qualify
        self.scopes: tuple[Scope, ...] = ()
        self._depth = 0

    def path(self, node: ast.expr) -> LambdaPath | None:
        """Return the path of an expression, or None unless every part of it is literal."""
        if self._depth > _DEPTH:
            return None
        self._depth += 1
        try:
            return self._path(node)
        finally:
            self._depth -= 1

    def text(self, node: ast.expr) -> str | None:
        """Return the string of an expression, or None unless it is literal."""
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

    def opened(self, node: ast.expr) -> LambdaPath | None:
        """Return the path that opening this expression reads; a bare string is relative to the working folder."""
        text = self.text(node)
        return _from_text(text) if text is not None else self.path(node)

    def _path(self, node: ast.expr) -> LambdaPath | None:
        match node:
            case ast.Name(id="__file__"):
                return LambdaPath(self.file)
            case ast.Name(id=name):
                value = self._value(name)
                return self.path(value) if value is not None else None
            case ast.BinOp(op=op, left=left, right=right):
                return self._operation(op, left, right)
            case ast.Attribute(attr="parent", value=inner):
                return _up(self.path(inner), 1)
            case ast.Subscript(value=ast.Attribute(attr="parents", value=inner), slice=ast.Constant(value=int(count))):
                return _up(self.path(inner), count + 1)
            case ast.JoinedStr(values=[ast.FormattedValue(value=inner), ast.Constant(value=str(text))]):
                return _extended(self.path(inner), text)
            case ast.Call():
                return self._call(node)
        return None

    def _operation(self, op: ast.operator, left: ast.expr, right: ast.expr) -> LambdaPath | None:
        if isinstance(op, ast.Div):
            return _joined(self.path(left), [self.text(right)])
        return _extended(self.path(left), self.text(right)) if isinstance(op, ast.Add) else None

    def _call(self, node: ast.Call) -> LambdaPath | None:
        name, arguments = self.qualify(node.func), node.args
        if name in _HERE:
            return LambdaPath(PurePosixPath(TASK_ROOT))
        if name in _RESOURCES:
            return self._resources(arguments)
        if name in _PATHS | _JOINS and arguments:
            return _joined(self.opened(arguments[0]), [self.text(argument) for argument in arguments[1:]])
        if name in _SAME_FUNCTIONS and len(arguments) == 1:
            return self.path(arguments[0])
        if name == "os.path.dirname" and len(arguments) == 1:
            return _up(self.path(arguments[0]), 1)
        return self._method(node.func, arguments) if isinstance(node.func, ast.Attribute) else None

    def _method(self, function: ast.Attribute, arguments: Sequence[ast.expr]) -> LambdaPath | None:
        if function.attr in _SAME:
            return self.path(function.value)
        if function.attr == "joinpath":
            return _joined(self.path(function.value), [self.text(argument) for argument in arguments])
        if function.attr == "with_name" and len(arguments) == 1:
            return _joined(_up(self.path(function.value), 1), [self.text(arguments[0])])
        return None

    def _resources(self, arguments: Sequence[ast.expr]) -> LambdaPath | None:
        name = self.text(arguments[0]) if arguments else self.package
        return LambdaPath(PurePosixPath(), package=name) if name else None

    def _value(self, name: str) -> ast.expr | None:
        for scope in reversed(self.scopes):
            if name in scope.values:
                return scope.values[name]
        return None


def scope_of(body: Sequence[ast.stmt], parameters: Sequence[str] = ()) -> Scope:
    """Return the names that a body binds, without those of functions and classes in it; a parameter has no value."""
    values: dict[str, ast.expr | None] = dict.fromkeys(parameters)
    for name, value in _bindings(body):
        values[name] = None if name in values else value
    return Scope(values)


def _bindings(body: Sequence[ast.stmt]) -> list[tuple[str, ast.expr | None]]:
    bindings: list[tuple[str, ast.expr | None]] = []
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, _NOT_INSIDE):
            continue

        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                bindings.append((name, value))
                pending.append(value)
                continue
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                bindings.append((name, value))
                pending.append(value)
                continue
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                # Twice, so that the value counts as unknown: the name is assigned elsewhere too.
                bindings += [(name, None) for name in [*names, *names]]
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                bindings.append((name, None))
        pending += ast.iter_child_nodes(node)
    return bindings


def _from_text(text: str) -> LambdaPath:
    path = PurePosixPath(text)
    return LambdaPath(path) if path.is_absolute() else LambdaPath(PurePosixPath(TASK_ROOT) / path, is_relative=True)


def _joined(base: LambdaPath | None, parts: Sequence[str | None]) -> LambdaPath | None:
    if base is None or any(part is None for part in parts):
        return None
    return replace(base, path=_normal(base.path.joinpath(*(part for part in parts if part is not None))))


def _extended(base: LambdaPath | None, text: str | None) -> LambdaPath | None:
    if base is None or text is None:
        return None
    return replace(base, path=_normal(PurePosixPath(f"{base.path}{text}")))


def _up(base: LambdaPath | None, levels: int) -> LambdaPath | None:
    if base is None:
        return None

    path = base.path
    for _ in range(levels):
        path = path.parent
    return replace(base, path=path)


def _normal(path: PurePosixPath) -> PurePosixPath:
    """Return a path without its `..` parts, as far as the parts before them are known."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] not in {"..", "/"}:
            parts.pop()
        else:
            parts.append(part)
    return PurePosixPath(*parts)
