"""Find out what the conditions and the except clauses of a module mean for the lines under them."""

import ast
import operator
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

Qualify = Callable[[ast.expr], str]

_IMPORT = frozenset({"ImportError", "ModuleNotFoundError"})
_KEY = frozenset({"KeyError", "LookupError"})
_OS = frozenset({"FileNotFoundError", "OSError", "IOError", "EnvironmentError", "NotADirectoryError"})
_ALL = frozenset({"Exception", "BaseException", ""})
IMPORTING, LOOKING_UP, OPENING = "importing", "looking up", "opening"
_KINDS = {IMPORTING: _IMPORT, LOOKING_UP: _KEY, OPENING: _OS}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def truth(test: ast.expr, qualify: Qualify, minor: int) -> bool | None:
    """Return the value of a condition on Lambda with Python 3.`minor`, or None when it is unknown."""
    match test:
        case ast.Constant(value=value):
            return bool(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = truth(operand, qualify, minor)
            return None if inner is None else not inner
        case ast.BoolOp(op=op, values=values):
            return _combined([truth(value, qualify, minor) for value in values], is_and=isinstance(op, ast.And))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
            return _compared(left, right, _COMPARE[type(op)], qualify, minor)
    return False if qualify(test).rpartition(".")[2] == "TYPE_CHECKING" else None


def caught(handlers: list[ast.ExceptHandler], qualify: Qualify) -> frozenset[str]:
    """Return the kinds of failure that except clauses absorb; a clause that raises absorbs none."""
    types = (handler.type for handler in handlers if not _raises(handler.body))
    return kinds(_type_names(types, qualify))


def kinds(names: set[str]) -> frozenset[str]:
    """Return the kinds of failure that exceptions of these names represent."""
    return frozenset(kind for kind, types in _KINDS.items() if names & (types | _ALL))


def suppressed(node: ast.With | ast.AsyncWith, qualify: Qualify) -> frozenset[str]:
    """Return the kinds of failure that `with contextlib.suppress(…)` absorbs."""
    names: set[str] = set()
    for item in node.items:
        call = item.context_expr
        if isinstance(call, ast.Call) and qualify(call.func) == "contextlib.suppress":
            names |= _type_names(call.args, qualify)
    return kinds(names) if names else frozenset()


def _type_names(nodes: Iterable[ast.expr | None], qualify: Qualify) -> set[str]:
    return set(chain.from_iterable(_types(node, qualify) for node in nodes))


def _types(node: ast.expr | None, qualify: Qualify) -> Iterable[str]:
    if node is None:
        return [""]
    if isinstance(node, ast.Tuple):
        return _type_names(node.elts, qualify)
    return [qualify(node).rpartition(".")[2] or "?"]


def _raises(body: list[ast.stmt]) -> bool:
    return any(isinstance(statement, ast.Raise) for statement in body)


def _combined(values: list[bool | None], *, is_and: bool) -> bool | None:
    """Return the three-valued `and` or `or` of values."""
    decisive = not is_and
    if decisive in values:
        return decisive
    return None if None in values else is_and


def _compared(
    left: ast.expr, right: ast.expr, compare: Callable[[Any, Any], bool], qualify: Qualify, minor: int
) -> bool | None:
    known: dict[str, Any] = {
        "sys.version_info": (3, minor),
        "sys.platform": "linux",
        "os.name": "posix",
        "__name__": "a module, and never the script",
    }
    value = known.get(qualify(left))
    try:
        literal = ast.literal_eval(right)
        if isinstance(value, tuple):
            return compare(value[: len(literal)], literal) if len(literal) <= 2 else None
        return compare(value, literal) if value is not None else None
    except (ValueError, TypeError):
        return None
