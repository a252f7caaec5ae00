"""Immutable record classes that are cheap to define, to create and to compare.

A tree and a program need some thirty classes of values, and most handlers only import them. As dataclasses they would
add 20 ms to every cold start, because a dataclass generates and compiles its methods; those of a struct are in C.
"""

from operator import attrgetter
from typing import ClassVar

from msgspec import Struct

_IGNORED_BY_EQUALITY = frozenset({"place", "source"})


class Record(Struct, frozen=True, cache_hash=True, gc=False):
    """An immutable value whose fields are the annotations of its class.

    Two records are equal if they have the same class and equal fields.
    """


class PlacedRecord(Record, frozen=True, eq=False):
    """A record that knows where it comes from: equality and hashing ignore fields named `place` or `source`.

    Attributes:
        compared: returns the class and the compared fields of a record. As the key of a dictionary they are faster than
            the record, whose methods are not in C.
    """

    compared: "ClassVar[attrgetter[object]]"

    def __init_subclass__(cls) -> None:
        # The class comes first, so that a record without compared fields has something to compare.
        names = (name for name in cls.__annotations__ if name not in _IGNORED_BY_EQUALITY)
        cls.compared = attrgetter("__class__", *names)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.compared(self) == self.compared(other)

    def __ne__(self, other: object) -> bool:
        # A struct has a method of its own, which compares every field.
        return not self == other

    def __hash__(self) -> int:
        return hash(self.compared(self))
