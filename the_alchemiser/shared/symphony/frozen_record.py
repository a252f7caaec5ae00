"""Immutable record classes that are cheap to define.

A tree and a program need some thirty classes of values, and most handlers only import them. As dataclasses they would
add 20 ms to every cold start, because a dataclass generates and compiles its methods; these share theirs.
"""

from operator import attrgetter
from typing import ClassVar, NoReturn, dataclass_transform

_IGNORED_BY_EQUALITY = frozenset({"place", "source"})


@dataclass_transform(frozen_default=True)
class Record:
    """An immutable value whose fields are the annotations of its class.

    Two records are equal if they have the same class and equal fields. Fields named `place` or `source` say where a
    value comes from and are ignored by equality and hashing.
    """

    _fields: ClassVar[tuple[str, ...]]
    _compared: "ClassVar[attrgetter[object]]"

    def __init_subclass__(cls) -> None:
        cls._fields = tuple(cls.__annotations__)
        cls._compared = attrgetter(*(name for name in cls._fields if name not in _IGNORED_BY_EQUALITY))

    def __init__(self, *values: object, **named: object) -> None:
        self.__dict__.update(zip(self._fields, values, strict=False))
        if named or len(values) != len(self._fields):
            self._complete(len(values), named)

    def _complete(self, count: int, named: dict[str, object]) -> None:
        self.__dict__.update(named)
        is_known = count + len(named) == len(self.__dict__) and named.keys() <= set(self._fields[count:])
        if not is_known or not all(hasattr(self, name) for name in self._fields):
            raise TypeError(f"{type(self).__name__} takes exactly these fields: {', '.join(self._fields)}")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._compared(self) == self._compared(other)

    def __hash__(self) -> int:
        return hash((type(self), self._compared(self)))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen")

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._fields)
        return f"{type(self).__name__}({shown})"
