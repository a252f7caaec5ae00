"""Read JSON of any nesting, and say where it is wrong, in the text and in the tree.

The standard library's reader is fast. It recurses, so a deep tree ends it, and it does not know the path of an error.
What it refuses is read again by a slower reader that does neither.
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from the_alchemiser.shared.symphony.errors import excerpt_of

_TOKEN = re.compile(
    r'[ \t\n\r]*+(?:([{}\[\],:])|("[^"\\\x00-\x1f]*+(?:\\[^\x00-\x1f][^"\\\x00-\x1f]*+)*+")|([^\s{}\[\],:"]++)|\Z)'
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONGEST_INTEGER = 18
_WORDS = {"true": True, "false": False, "null": None}
_CLOSERS = {"{": "}", "[": "]"}
_PLAIN_KEY = re.compile(r"[\w?-]+")
_LONGEST_SHOWN = 40


class JsonError(Exception):
    """A text is not JSON.

    Attributes:
        path: the value that could not be read, such as `$.children[0].weight`.
        line, column: the position in the text, both counted from 1.
        excerpt: the part of the line around it, with a caret below.
    """

    def __init__(self, message: str, *, path: str, line: int, column: int, excerpt: str) -> None:
        super().__init__(message)
        self.path = path
        self.line = line
        self.column = column
        self.excerpt = excerpt


def read_json(text: str) -> Any:
    """Return the value that a JSON text stands for; numbers with a point or an exponent are floats.

    Raises:
        JsonError: the text is not JSON, or an object has a key twice.
    """
    # Half a surrogate pair is not text, but the standard library's reader accepts it.
    if not _SURROGATE.search(text):
        with suppress(ValueError, RecursionError):
            return json.loads(text, object_pairs_hook=_with_unique_keys, parse_constant=_refuse)
    return _Reader(text).read()


def _with_unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ValueError("a key is used twice")
    return unique


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def step_of_path(key: str | int) -> str:
    """Return how a path names a key of an object, or a position of a list."""
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if _PLAIN_KEY.fullmatch(key) else f"[{json.dumps(key)}]"


@dataclass(slots=True)
class _Container:
    """An object or list whose closing bracket has not been read, and the key of the value that is read next."""

    opener: str
    key: str | int = -1
    values: Any = field(default=None)

    def __post_init__(self) -> None:
        self.values = {} if self.opener == "{" else []
        self.key = -1 if self.opener == "{" else 0

    @property
    def closer(self) -> str:
        return _CLOSERS[self.opener]

    def add(self, value: Any) -> None:
        if isinstance(self.values, dict):
            self.values[self.key] = value
        else:
            self.values.append(value)


class _Reader:
    """One pass over a text; the open brackets are a list, not calls."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._start = 0
        self._end = 0
        self._open: list[_Container] = []

    def read(self) -> Any:
        while True:
            token = self._next()
            if token in _CLOSERS:
                self._open.append(_Container(token))
                token = self._next()
                if token != self._open[-1].closer:
                    self._begin_value(token)
                    continue
                value = self._open.pop().values
            else:
                value = self._scalar(token)

            if self._has_more(value):
                continue
            if self._next():
                raise self._error("found text after the value, expected the end of the file")
            return self._last

    def _has_more(self, value: Any) -> bool:
        """Put a finished value into its bracket, close the brackets that end here, and begin the next value."""
        while self._open:
            container = self._open[-1]
            container.add(value)
            mark = self._next()
            if mark == ",":
                self._begin_value(self._next())
                return True
            if mark != container.closer:
                raise self._unexpected(mark, f", or {container.closer}")
            value = self._open.pop().values
        self._last = value
        return False

    def _begin_value(self, token: str) -> None:
        """Read the key of the next value of the innermost object, or count the next value of a list."""
        container = self._open[-1]
        if isinstance(container.values, list):
            container.key = len(container.values)
            self._end = self._start  # the token is the value's own
            return
        if not token.startswith('"'):
            raise self._unexpected(token, "a key in quotes")
        container.key = self._string(token)
        if container.key in container.values:
            raise self._error(f"found the key {_shown(token)} twice in one object")
        if (colon := self._next()) != ":":
            raise self._unexpected(colon, ":")

    def _next(self) -> str:
        """Return the next token; an empty one at the end of the text."""
        match = _TOKEN.match(self._text, self._end)
        if match is None:
            self._start = len(self._text) - len(self._text[self._end :].lstrip())
            raise self._error("found a string that does not end, or has a control character")
        token = match[match.lastindex] if match.lastindex else ""
        self._start, self._end = match.end() - len(token), match.end()
        return token

    def _scalar(self, token: str) -> Any:
        if token.startswith('"'):
            return self._string(token)
        if token in _WORDS:
            return _WORDS[token]
        if not _NUMBER.fullmatch(token):
            raise self._unexpected(token, "a value")
        is_whole = len(token) <= _LONGEST_INTEGER and token.lstrip("-").isdigit()
        return int(token) if is_whole else float(token)

    def _string(self, token: str) -> str:
        try:
            text = str(json.loads(token))
            text.encode()
        except ValueError:
            raise self._error(f"found a string with an unknown escape: {_shown(token)}") from None
        return text

    def _unexpected(self, token: str, expected: str) -> JsonError:
        return self._error(f"found {_shown(token) or 'the end of the file'}, expected {expected}")

    def _error(self, message: str) -> JsonError:
        line_start = self._text.rfind("\n", 0, self._start) + 1
        line = self._text[line_start:].partition("\n")[0]
        column = self._start - line_start + 1
        return JsonError(
            message,
            path="$" + "".join(step_of_path(container.key) for container in self._open if container.key != -1),
            line=self._text.count("\n", 0, self._start) + 1,
            column=column,
            excerpt=excerpt_of(line, column),
        )


def _shown(token: str) -> str:
    return token if len(token) <= _LONGEST_SHOWN else token[:_LONGEST_SHOWN] + "…"
