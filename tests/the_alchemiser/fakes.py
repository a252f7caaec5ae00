"""In-memory implementations of the product's ports; the same contract tests run over them and the real stores."""

import json
import threading
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from msgspec.structs import replace

from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.books.store import StoredCheck
from the_alchemiser.shared.gauges import Gauge
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.claims import ClaimedElsewhereError
from the_alchemiser.shared.messaging.messages import Message
from the_alchemiser.shared.run.runs import META, Move, NewRun, Run, RunItem, RunState, Transition, day_of


class InMemoryRunStore:
    """RunStore in a dict, with the conditional writes of the table and its conversion to JSON."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.days: dict[str, str] = {}
        self._lock = threading.Lock()

    def create(
        self, run: NewRun, *, by: str, at: datetime, outbox: tuple[Message, ...], replaces: str | None = None
    ) -> bool:
        with self._lock:
            if run.run_id in self.runs:
                return self.runs[run.run_id].timeline[0] == Transition(RunState.EVALUATING, at, by)
            if not self._is_free(day_of(run.stage, run.trading_date), replaces):
                return False
            self.days[day_of(run.stage, run.trading_date)] = run.run_id
            self.runs[run.run_id] = Run(
                run_id=run.run_id,
                stage=run.stage,
                trading_date=run.trading_date,
                as_of=run.as_of,
                state=RunState.EVALUATING,
                allocations=dict(run.allocations),
                deadline_at=run.deadline_at,
                timeline=(Transition(RunState.EVALUATING, at, by),),
                outbox=_through_json(outbox),
                sent=not outbox,
            )
            return True

    def _is_free(self, day: str, replaces: str | None) -> bool:
        if replaces is None:
            return day not in self.days
        replaced = self.runs.get(replaces)
        is_over = replaced is not None and replaced.state.is_final and replaced.settled
        return is_over and self.days.get(day, replaces) == replaces

    def state_of(self, run_id: str) -> RunState | None:
        return self.runs[run_id].state if run_id in self.runs else None

    def load(self, run_id: str) -> Run | None:
        return self.runs.get(run_id)

    def put_once(self, run_id: str, item: RunItem) -> bool:
        with self._lock:
            run = self.runs[run_id]
            if item.sk in run.items:
                return False
            stored = RunItem(item.sk, json.loads(json.dumps(item.body)), _through_json(item.outbox), not item.outbox)
            self.runs[run_id] = replace(run, items={**run.items, item.sk: stored})
            return True

    def move(self, run_id: str, move: Move) -> bool:
        with self._lock:
            run = self.runs.get(run_id)
            if run is None:
                return False
            if run.state is not move.leaving:
                return run.timeline[-1] == Transition(move.entering, move.at, move.by)
            self.runs[run_id] = replace(
                run,
                state=move.entering,
                deadline_at=move.deadline_at,
                timeline=(*run.timeline, Transition(move.entering, move.at, move.by)),
                payloads={**run.payloads, move.entering: json.loads(json.dumps(move.payload or {}))},
                outbox=_through_json(move.outbox),
                sent=not move.outbox,
            )
            return True

    def mark_sent(self, run_id: str, sk: str = META, *, state: RunState | None = None) -> None:
        with self._lock:
            run = self.runs[run_id]
            if state is not None and run.state is not state:
                return
            if sk == META:
                self.runs[run_id] = replace(run, sent=True)
            else:
                self.runs[run_id] = replace(run, items={**run.items, sk: run.items[sk].changed(sent=True)})

    def mark_settled(self, run_id: str) -> None:
        with self._lock:
            run = self.runs.get(run_id)
            if run is not None and run.state.is_final:
                self.runs[run_id] = replace(run, settled=True)

    def runs_on(self, trading_date: date) -> tuple[str, ...]:
        return tuple(sorted(run.run_id for run in self.runs.values() if run.trading_date == trading_date))


class InMemoryLedger:
    """Ledger in a dict."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str, str], LedgerEntry] = {}

    def record(self, entry: LedgerEntry) -> bool:
        key = (entry.symbol, entry.order_id, entry.fill)
        if key in self.entries:
            return False
        self.entries[key] = entry
        return True

    def entries_of(self, symbol: str) -> tuple[LedgerEntry, ...]:
        return self._sorted(entry for entry in self.entries.values() if entry.symbol == symbol)

    def entries_of_run(self, run_id: str) -> tuple[LedgerEntry, ...]:
        return self._sorted(entry for entry in self.entries.values() if entry.run_id == run_id)

    @staticmethod
    def _sorted(entries: Any) -> tuple[LedgerEntry, ...]:
        return tuple(sorted(entries, key=lambda entry: (entry.filled_at, entry.order_id, entry.fill)))


class InMemoryBooks:
    """BooksStore in a dict, with the conditional writes of the table and its conversion to JSON."""

    def __init__(self) -> None:
        self.stored: dict[date, StoredCheck] = {}

    @property
    def checks(self) -> list[BooksCheck]:
        return [stored.check for _, stored in sorted(self.stored.items())]

    def latest(self) -> StoredCheck | None:
        return self.stored[max(self.stored)] if self.stored else None

    def put(self, check: BooksCheck) -> bool:
        if check.trading_date in self.stored:
            return self.stored[check.trading_date].check == check
        self._store(check)
        return True

    def replace(self, check: BooksCheck, *, previous: BooksCheck) -> bool:
        stored = self.stored.get(check.trading_date)
        if stored is None or _version(stored.check) != _version(previous):
            return stored is not None and stored.check == check
        self._store(check)
        return True

    def mark_sent(self, check: BooksCheck) -> None:
        self.stored[check.trading_date] = self.stored[check.trading_date].changed(sent=True)

    def _store(self, check: BooksCheck) -> None:
        through_json = BooksCheck.read_json(check.to_json())
        self.stored[check.trading_date] = StoredCheck(through_json, sent=not check.differs)


def _version(check: BooksCheck) -> tuple[datetime, str]:
    return check.checked_at, check.state


class InMemoryGauges:
    """Records every published gauge."""

    def __init__(self) -> None:
        self.published: list[Gauge] = []

    def publish(self, figures: Sequence[Gauge]) -> None:
        self.published.extend(figures)


class InMemoryPublisher:
    """Publisher that keeps the messages; the next `fail_next` calls raise, as a bus may."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.fail_next = 0

    def publish(self, messages: Sequence[Message]) -> None:
        if self.fail_next and messages:
            self.fail_next -= 1
            raise ConnectionError("the bus did not answer")
        self.published.extend(_through_json(tuple(messages)))


class Context:
    """The part of Lambda's context that the shell reads."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


class InMemoryClaims:
    """Claims in a dict: True once the message was handled. None of them lapses."""

    fails_to_release = False

    def __init__(self) -> None:
        self.are_completed: dict[str, bool] = {}
        self.remaining_ms: list[int] = []

    def take(self, key: str, *, remaining_ms: int) -> bool:
        self.remaining_ms.append(remaining_ms)
        if key not in self.are_completed:
            self.are_completed[key] = False
            return True
        if not self.are_completed[key]:
            raise ClaimedElsewhereError(key)
        return False

    def complete(self, key: str) -> None:
        self.are_completed[key] = True

    def release(self, key: str) -> None:
        if self.fails_to_release:
            raise ConnectionError("the table did not answer")
        self.are_completed.pop(key, None)

    def check(self) -> None:
        """Do nothing: a dict can be read."""


def _through_json(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    return outbox.load(outbox.dump(messages))
