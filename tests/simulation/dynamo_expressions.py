"""DynamoDB's condition, key condition and update expressions, evaluated over typed items.

Only what DynamoDB accepts is accepted: an unknown function, an undefined or an unused placeholder is an error. An
expression is parsed once per process.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

type Item = Mapping[str, Any]
type Value = Mapping[str, Any]
type Operand = Callable[["Bound", Item], Value | None]
type Condition = Callable[["Bound", Item], bool]

_TOKEN = re.compile(r"\s*(<=|>=|<>|[(),=<>+\-]|[#:]?[A-Za-z_][\w.]*|#[\w.]+|:[\w.]+)")
_KEYWORDS = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN"})
_SECTIONS = ("SET", "REMOVE", "ADD", "DELETE")
# The reserved words that an attribute of this product may be called; DynamoDB has 573 of them.
_RESERVED = frozenset(
    [
        "ACTION",
        "ADD",
        "ALL",
        "AND",
        "AS",
        "BETWEEN",
        "BY",
        "DATA",
        "DATE",
        "DELETE",
        "DESC",
        "EXISTS",
        "FILTER",
        "HASH",
        "IN",
        "INDEX",
        "ITEMS",
        "KEY",
        "KEYS",
        "LAST",
        "LEVEL",
        "LIMIT",
        "LIST",
        "MAP",
        "NAME",
        "NOT",
        "NULL",
        "NUMBER",
        "OR",
        "ORDER",
        "OWNER",
        "PATH",
        "POSITION",
        "RANGE",
        "REASON",
        "ROLE",
        "SCHEMA",
        "SET",
        "SIZE",
        "START",
        "STATE",
        "STATUS",
        "STRING",
        "TABLE",
        "TIME",
        "TIMESTAMP",
        "TOKEN",
        "TTL",
        "TYPE",
        "USER",
        "VALUE",
        "VALUES",
    ]
)


class ExpressionError(Exception):
    """DynamoDB refuses the expression; the text is what its ValidationException says."""


class Bound(NamedTuple):
    """The placeholders of one request."""

    names: Mapping[str, str]
    values: Mapping[str, Value]


class Update(NamedTuple):
    """A parsed update expression: assignments, attributes to remove, and additions to numbers or sets."""

    assignments: tuple[tuple[str, Operand], ...]
    removals: tuple[str, ...]
    additions: tuple[tuple[str, str], ...]


def check_placeholders(bound: Bound, *expressions: str | None) -> None:
    """Check that every placeholder is defined and used.

    Raises:
        ExpressionError: one is not.
    """
    _check_names(tuple(bound.names), tuple(bound.values), expressions)


@lru_cache(maxsize=500)
def _check_names(names: tuple[str, ...], values: tuple[str, ...], expressions: tuple[str | None, ...]) -> None:
    used = set(re.findall(r"[#:][\w.]+", " ".join(filter(None, expressions))))
    defined = {*names, *values}
    if used - defined:
        raise ExpressionError(f"an expression attribute used in an expression is not defined: {min(used - defined)}")
    if defined - used:
        raise ExpressionError(f"Value unused in expressions: keys: {min(defined - used)}")


@lru_cache(maxsize=500)
def parse_condition(text: str) -> Condition:
    """Parse a condition, or a key condition.

    Raises:
        ExpressionError: the text is not a condition.
    """
    reader = _Reader(text)
    condition = reader.any_of()
    reader.end()
    return condition


@lru_cache(maxsize=500)
def parse_update(text: str) -> Update:
    """Parse an update expression.

    Raises:
        ExpressionError: the text is not an update.
    """
    return _Reader(text).update()


def apply_update(update: Update, bound: Bound, item: Item) -> dict[str, Any]:
    """Return the item after the update; every operand reads the item as it was.

    Raises:
        ExpressionError: an operand is missing or has the wrong type.
    """
    after = dict(item)
    for path, operand in update.assignments:
        value = operand(bound, item)
        if value is None:
            raise ExpressionError("The provided expression refers to an attribute that does not exist in the item")
        after[_name(path, bound)] = value
    for path in update.removals:
        after.pop(_name(path, bound), None)
    for path, placeholder in update.additions:
        name = _name(path, bound)
        after[name] = _added(item.get(name), bound.values[placeholder])
    return after


def _added(before: Value | None, more: Value) -> Value:
    if "N" in more:
        return {"N": str(Decimal(before["N"]) + Decimal(more["N"]))} if before else more
    kind = next(iter(more))
    if kind not in {"SS", "NS", "BS"} or (before is not None and kind not in before):
        raise ExpressionError("Incorrect operand type for operator or function; operator: ADD")
    return {kind: sorted({*(before[kind] if before else ()), *more[kind]})}


def _name(path: str, bound: Bound) -> str:
    return bound.names[path] if path.startswith("#") else path


def _tokens(text: str) -> Iterator[str]:
    position = 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"Invalid expression: Syntax error; near: {text[position:][:20]!r}")
        yield match[1]
        position = match.end()


class _Reader:
    """A recursive-descent parser of one expression."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), ""]
        self._next = 0

    def any_of(self) -> Condition:
        parts = [self._all_of()]
        while self._takes("OR"):
            parts.append(self._all_of())
        if len(parts) == 1:
            return parts[0]
        return lambda bound, item: any(part(bound, item) for part in parts)

    def end(self) -> None:
        if self._peek():
            raise ExpressionError(f"Invalid expression: Syntax error; token: {self._peek()!r}")

    def update(self) -> Update:
        assignments: list[tuple[str, Operand]] = []
        removals: list[str] = []
        additions: list[tuple[str, str]] = []
        while section := self._peek().upper():
            if section not in _SECTIONS or section == "DELETE":
                raise ExpressionError(f"Invalid UpdateExpression: Syntax error; token: {section!r}")
            self._take()
            while True:
                path = self._path()
                if section == "SET":
                    self._expect("=")
                    assignments.append((path, self._sum()))
                elif section == "ADD":
                    additions.append((path, self._take()))
                else:
                    removals.append(path)
                if not self._takes(","):
                    break
        return Update(tuple(assignments), tuple(removals), tuple(additions))

    def _all_of(self) -> Condition:
        parts = [self._negated()]
        while self._takes("AND"):
            parts.append(self._negated())
        if len(parts) == 1:
            return parts[0]
        return lambda bound, item: all(part(bound, item) for part in parts)

    def _negated(self) -> Condition:
        if self._takes("NOT"):
            inner = self._negated()
            return lambda bound, item: not inner(bound, item)
        if self._takes("("):
            condition = self.any_of()
            self._expect(")")
            return condition
        return self._comparison()

    def _comparison(self) -> Condition:
        match self._peek():
            case "attribute_exists" | "attribute_not_exists" as function:
                self._take()
                path = self._argument()
                is_wanted = function == "attribute_exists"
                return lambda bound, item: (_name(path, bound) in item) == is_wanted
            case "begins_with":
                self._take()
                return self._begins_with()
        left = self._operand()
        if self._takes("BETWEEN"):
            low = self._operand()
            self._expect("AND")
            high = self._operand()
            return lambda bound, item: (
                _compare("<=", low(bound, item), left(bound, item))
                and _compare("<=", left(bound, item), high(bound, item))
            )
        if self._takes("IN"):
            choices = self._choices()
            return lambda bound, item: any(_compare("=", left(bound, item), choice(bound, item)) for choice in choices)
        operator = self._take()
        if operator not in {"=", "<>", "<", "<=", ">", ">="}:
            raise ExpressionError(f"Invalid expression: Syntax error; token: {operator!r}")
        right = self._operand()
        return lambda bound, item: _compare(operator, left(bound, item), right(bound, item))

    def _choices(self) -> list[Operand]:
        self._expect("(")
        choices = [self._operand()]
        while self._takes(","):
            choices.append(self._operand())
        self._expect(")")
        return choices

    def _begins_with(self) -> Condition:
        self._expect("(")
        text = self._operand()
        self._expect(",")
        start = self._operand()
        self._expect(")")

        def holds(bound: Bound, item: Item) -> bool:
            whole, first = text(bound, item), start(bound, item)
            return whole is not None and first is not None and str(whole.get("S", "")).startswith(first["S"])

        return holds

    def _sum(self) -> Operand:
        left = self._operand()
        for sign in ("+", "-"):
            if self._takes(sign):
                right = self._operand()
                return _arithmetic(left, right, 1 if sign == "+" else -1)
        return left

    def _operand(self) -> Operand:
        match self._peek():
            case "list_append":
                first, second = self._pair()
                return _appended(first, second)
            case "if_not_exists":
                present, default = self._pair()
                return lambda bound, item: present(bound, item) or default(bound, item)
            case token if token.startswith(":"):
                self._take()
                return lambda bound, _item: bound.values[token]
        path = self._path()
        return lambda bound, item: item.get(_name(path, bound))

    def _pair(self) -> tuple[Operand, Operand]:
        self._take()
        self._expect("(")
        first = self._operand()
        self._expect(",")
        second = self._operand()
        self._expect(")")
        return first, second

    def _argument(self) -> str:
        self._expect("(")
        path = self._path()
        self._expect(")")
        return path

    def _path(self) -> str:
        token = self._take()
        if not token or token in _KEYWORDS or not re.fullmatch(r"#?[A-Za-z_]\w*|#\w+", token):
            raise ExpressionError(f"Invalid expression: Syntax error; token: {token!r}")
        if token.upper() in _RESERVED:
            raise ExpressionError(f"Attribute name is a reserved keyword; reserved keyword: {token}")
        return token

    def _peek(self) -> str:
        return self._tokens[self._next]

    def _take(self) -> str:
        token = self._peek()
        self._next += 1
        return token

    def _takes(self, wanted: str) -> bool:
        if self._peek() not in {wanted, wanted.lower()} or not wanted:
            return False
        self._next += 1
        return True

    def _expect(self, wanted: str) -> None:
        if self._take() != wanted:
            raise ExpressionError(f"Invalid expression: Syntax error; expected {wanted!r}")


def _appended(first: Operand, second: Operand) -> Operand:
    def appended(bound: Bound, item: Item) -> Value | None:
        left, right = first(bound, item), second(bound, item)
        if left is None or right is None:
            return None
        if "L" not in left or "L" not in right:
            raise ExpressionError("Incorrect operand type for operator or function; operator: list_append")
        return {"L": [*left["L"], *right["L"]]}

    return appended


def _arithmetic(left: Operand, right: Operand, sign: int) -> Operand:
    def total(bound: Bound, item: Item) -> Value | None:
        first, second = left(bound, item), right(bound, item)
        if first is None or second is None:
            return None
        return {"N": str(Decimal(first["N"]) + sign * Decimal(second["N"]))}

    return total


def _compare(operator: str, left: Value | None, right: Value | None) -> bool:
    """Compare as DynamoDB does: a missing attribute, or one of another type, is unequal and fails every order."""
    if left is None or right is None:
        return operator == "<>" and left is not right
    (left_kind, first), (right_kind, second) = *left.items(), *right.items()
    if left_kind != right_kind:
        return operator == "<>"
    if left_kind == "N":
        first, second = Decimal(first), Decimal(second)
    match operator:
        case "=":
            return bool(first == second)
        case "<>":
            return bool(first != second)
        case "<":
            return bool(first < second)
        case "<=":
            return bool(first <= second)
        case ">":
            return bool(first > second)
    return bool(first >= second)
