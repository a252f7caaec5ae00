"""Reads the rows that metrics_v2 writes about a run, which it does at the same time as the mail is composed."""

from collections.abc import Callable
from datetime import date
from itertools import chain
from typing import Protocol

from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.messaging.messages import RunCompleted
from the_alchemiser.shared.performance.figures import History
from the_alchemiser.shared.performance.rows import ACCOUNT, Performance
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.threads import map_in_threads

POLL_S = 0.5
"""Between two reads while a row is missing: metrics_v2 writes them within a second or two of the message."""


class NotReadyError(StateUnavailableError):
    """The rows of a run are not written yet."""


class SupersededError(StateUnavailableError):
    """Another run of the same day has replaced the rows of a run."""


class PerformanceRows(Protocol):
    """The rows of the Performance table, strongly consistent; ascending by trading date."""

    def rows_of(
        self, owner: str, *, since: date | None = None, through: date | None = None
    ) -> tuple[Performance, ...]: ...

    def latest(self, owner: str = ACCOUNT) -> Performance | None: ...


class Patience(Frozen):
    """How long a reader may wait; `monotonic` returns seconds."""

    seconds: float
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]

    def deadline(self) -> float:
        return self.monotonic() + self.seconds

    def is_over(self, deadline: float) -> bool:
        return self.monotonic() >= deadline


def read_figures(rows: PerformanceRows, run: RunCompleted, *, patience: Patience, deadline: float) -> History:
    """Return what the figures of a run need: the account's days through the run's, and three days of each owner.

    The days of an owner are the run's, the account's day before it, and the account's first day. So figures of a
    strategy over other periods than the day and all days cannot be derived.

    Raises:
        NotReadyError: a row of the run was not written before the deadline.
        SupersededError: the rows of the day belong to another run.
    """
    while True:
        try:
            return _read(rows, run, is_over=lambda: patience.is_over(deadline))
        except NotReadyError:
            if patience.monotonic() + POLL_S >= deadline:
                raise
            patience.sleep(POLL_S)


def _read(rows: PerformanceRows, run: RunCompleted, *, is_over: Callable[[], bool]) -> History:
    day = run.trading_date
    today = _row_of_run(rows.rows_of(ACCOUNT, since=day, through=day), run)
    account = tuple(row for row in rows.rows_of(ACCOUNT, through=day) if row.account is not None)
    first = account[0].trading_date if account else day
    before = account[-2].trading_date if len(account) > 1 else day

    def rows_of_owner(owner: str) -> tuple[Performance, ...]:
        if is_over():
            raise NotReadyError(f"the figures of {run.run_id} took too long to read")
        recent = rows.rows_of(owner, since=before, through=day)
        _row_of_run(recent[-1:], run)
        return recent if first == before else (*rows.rows_of(owner, since=first, through=first), *recent)

    owners = today.account.owners if today.account else ()
    return History.of((*account, *chain.from_iterable(map_in_threads(rows_of_owner, owners).values())))


def _row_of_run(rows: tuple[Performance, ...], run: RunCompleted) -> Performance:
    """Return the only row of these, if it is about the run."""
    if not rows or rows[0].completed_at < run.occurred_at:
        raise NotReadyError(f"the figures of {run.run_id} are not written yet")
    if rows[0].run_id != run.run_id:
        raise SupersededError(f"the figures of {run.trading_date} are those of {rows[0].run_id}")
    return rows[0]
