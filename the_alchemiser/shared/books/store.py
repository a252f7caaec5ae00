"""The port of the store that keeps the checks of the books: one per trading day."""

from typing import Protocol

from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.records import Frozen


class StoredCheck(Frozen):
    """A check as it is stored; `sent` once nothing about it waits to be published."""

    check: BooksCheck
    sent: bool = True


class BooksStore(Protocol):
    """The checks, by trading day. A write returns False when somebody else was first; then it has changed nothing.

    A repeated write of the same check returns True again.
    """

    def latest(self) -> StoredCheck | None:
        """Return the check of the latest day, strongly consistent; None before the first one."""
        ...

    def put(self, check: BooksCheck) -> bool:
        """Put the check of a day, unless the day has one."""
        ...

    def replace(self, check: BooksCheck, *, previous: BooksCheck) -> bool:
        """Put a later check of the same day in place of `previous`, if that is still the stored one."""
        ...

    def mark_sent(self, check: BooksCheck) -> None:
        """Record that the message about the check has been published."""
        ...
