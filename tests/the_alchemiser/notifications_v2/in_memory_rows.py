"""The Performance table in memory, and a clock that only passes when somebody waits."""

from datetime import date
from typing import TYPE_CHECKING

from the_alchemiser.notifications_v2.figures_of_run import Patience
from the_alchemiser.shared.performance.rows import ACCOUNT, Performance

if TYPE_CHECKING:
    from collections.abc import Callable


class InMemoryRows:
    """Rows of all owners, and what happens with each read."""

    def __init__(self, *rows: Performance) -> None:
        self.rows = list(rows)
        self.reads: list[tuple[str, date | None, date | None]] = []
        self.failure: Exception | None = None
        self.on_read: Callable[[], None] = lambda: None

    def rows_of(self, owner: str, *, since: date | None = None, through: date | None = None) -> tuple[Performance, ...]:
        self._read(owner, since, through)
        found = [
            row
            for row in self.rows
            if row.strategy == owner and (since or date.min) <= row.trading_date <= (through or date.max)
        ]
        return tuple(sorted(found, key=lambda row: row.trading_date))

    def latest(self, owner: str = ACCOUNT) -> Performance | None:
        self._read(owner, None, None)
        found = sorted((row for row in self.rows if row.strategy == owner), key=lambda row: row.completed_at)
        return found[-1] if found else None

    def _read(self, owner: str, since: date | None, through: date | None) -> None:
        self.reads.append((owner, since, through))
        self.on_read()
        if self.failure is not None:
            raise self.failure


class Waiting:
    """A clock; each pause is remembered, and moves it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []
        self.on_pause: Callable[[], None] | None = None

    def patience(self, seconds: float = 6) -> Patience:
        return Patience(seconds, lambda: self.now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
        if self.on_pause is not None:
            self.on_pause()
