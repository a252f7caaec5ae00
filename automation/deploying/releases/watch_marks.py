"""The mark that `inv watch` leaves in the table of releases before it replaces code for the first time.

While it is there, the code that runs may differ from the release, so every command that compares them asks Lambda.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class WatchMark:
    """Who has replaced code, and since when.

    Attributes:
        person: `user@host`.
        since: RFC 3339, UTC.
    """

    person: str
    since: str


class Table(Protocol):
    """The table that stores the mark; release_table.ReleaseTable is the real one."""

    def watch_mark(self) -> Mapping[str, Any] | None:
        """Return the document of the mark; None without one."""
        ...

    def write_watch_mark(self, document: Mapping[str, Any]) -> None:
        """Store the mark, in place of an earlier one."""
        ...

    def remove_watch_mark(self) -> None:
        """Remove the mark; do nothing when there is none."""
        ...


def read(table: Table) -> WatchMark | None:
    """Return the mark; None when no code was replaced since the last deployment.

    Raises:
        DeploymentError: DynamoDB did not answer.
    """
    document = table.watch_mark()
    return WatchMark(str(document.get("person", "")), str(document.get("since", ""))) if document is not None else None


def write(table: Table, mark: WatchMark) -> None:
    """Store the mark, unless there is one: the first says since when.

    Raises:
        DeploymentError: DynamoDB refused it or did not answer.
    """
    if table.watch_mark() is None:
        table.write_watch_mark(asdict(mark))
