"""The run: its states, its items, and the port of the store that keeps it.

Every move is one conditional write that names the state it leaves; items are put only if they are missing; a phase is
complete when a strongly consistent read of the run's items says so. There are no counters. The messages that a move or
an item must publish are stored with it as its outbox, which is marked `sent` once they are published.

Bodies of items: `STRATEGY#<name>`, SIGNAL and `TRADE#<trade_id>` record a message as `outbox.encode` returns it
(StrategyEvaluated or StrategyFailed, SignalGenerated, TradeExecuted or TradeFailed); PLAN is a RebalancePlan as JSON.
Payloads of moves: SELLING and BUYING hold a `progress.Release`; FAILED holds the state, reason, detail and missing of
its RunFailed. SETTLEMENT is a RunSettled, and exists only when the sweep found what the run's outcome does not contain.

One item per trading day and stage names the run that has the day. Creating a run takes the day, in one transaction, so
that two runs never trade on the same day, unless the later one replaces the earlier one.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import count
from typing import Any, Protocol

from the_alchemiser.shared.messaging.messages import Message
from the_alchemiser.shared.records import Frozen

META = "META"
SIGNAL = "SIGNAL"
PLAN = "PLAN"
STRATEGY = "STRATEGY"
TRADE = "TRADE"
SETTLEMENT = "SETTLEMENT"


class RunState(StrEnum):
    """`EVALUATING -> AGGREGATED -> PLANNED -> SELLING -> BUYING -> COMPLETED`, or FAILED; empty phases are skipped."""

    EVALUATING = "EVALUATING"
    AGGREGATED = "AGGREGATED"
    PLANNED = "PLANNED"
    SELLING = "SELLING"
    BUYING = "BUYING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Return whether a run never leaves this state."""
        return self in (RunState.COMPLETED, RunState.FAILED)


class Transition(Frozen):
    """One line of a run's timeline, in wall-clock time, UTC."""

    state: RunState
    at: datetime
    by: str


class RunItem(Frozen):
    """One fact of a run, written once: its body as JSON values, and the messages that it must publish."""

    sk: str
    body: Mapping[str, Any]
    outbox: tuple[Message, ...] = ()
    sent: bool = True


class NewRun(Frozen):
    """A run as the coordinator creates it; allocations are fractions that sum to 1."""

    run_id: str
    stage: str
    trading_date: date
    as_of: date
    allocations: Mapping[str, Decimal]
    deadline_at: datetime


class Run(Frozen):
    """A run as a strongly consistent read returned it.

    Attributes:
        deadline_at: wall-clock, UTC: after it the sweep fails a run that is still in this state.
        payloads: what each move stored with itself, by the state it entered.
        outbox: the messages that the last move must publish; `sent` once they are.
        items: everything but META, by sort key.
        settled: whether every order of the run is final and every fill is in the ledger.
    """

    run_id: str
    stage: str
    trading_date: date
    as_of: date
    state: RunState
    allocations: Mapping[str, Decimal]
    deadline_at: datetime
    timeline: tuple[Transition, ...]
    payloads: Mapping[RunState, Mapping[str, Any]] = {}
    outbox: tuple[Message, ...] = ()
    sent: bool = True
    items: Mapping[str, RunItem] = {}
    settled: bool = False

    def items_of(self, kind: str) -> Mapping[str, RunItem]:
        """Return the items `<kind>#<name>`, by name."""
        prefix = f"{kind}#"
        return {sk.removeprefix(prefix): item for sk, item in self.items.items() if sk.startswith(prefix)}


class Move(Frozen):
    """One step of the state machine: allowed only from `leaving`; payload and outbox are stored with it."""

    leaving: RunState
    entering: RunState
    by: str
    at: datetime
    deadline_at: datetime
    payload: Mapping[str, Any] | None = None
    outbox: tuple[Message, ...] = ()


class RunStore(Protocol):
    """The store of runs. A write returns False when somebody else was first; then it has changed nothing."""

    def create(
        self, run: NewRun, *, by: str, at: datetime, outbox: tuple[Message, ...], replaces: str | None = None
    ) -> bool:
        """Put META in EVALUATING and take the day, unless the run exists or another run has the day.

        A repeated attempt, with the same `by` and `at`, returns True again.

        Args:
            replaces: the run that has the day, which must be final and settled.
        """
        ...

    def state_of(self, run_id: str) -> RunState | None:
        """Return the run's state, strongly consistent; None for a run that does not exist."""
        ...

    def load(self, run_id: str) -> Run | None:
        """Return the run with all its items, strongly consistent; None for a run that does not exist."""
        ...

    def put_once(self, run_id: str, item: RunItem) -> bool:
        """Put an item, unless its sort key is taken."""
        ...

    def move(self, run_id: str, move: Move) -> bool:
        """Move, if the run is still in the state that the move leaves.

        A repeated attempt, with the same `by` and `at`, returns True again.
        """
        ...

    def mark_settled(self, run_id: str) -> None:
        """Record that every order of the run is final and every fill is in the ledger; ignored unless it has ended."""
        ...

    def mark_sent(self, run_id: str, sk: str = META, *, state: RunState | None = None) -> None:
        """Record that the outbox of META or of an item has been published.

        Args:
            state: for META, the state whose outbox it was. If the run has left that state, its outbox is already
                another one, and nothing is recorded.
        """
        ...

    def runs_on(self, trading_date: date) -> tuple[str, ...]:
        """Return the ids of the runs of a date, ascending; eventually consistent."""
        ...


def day_of(stage: str, trading_date: date) -> str:
    """Return `<stage>-<date>`: the name of a trading day."""
    return f"{stage}-{trading_date.isoformat()}"


def run_id_of(stage: str, trading_date: date, forced: int = 0) -> str:
    """Return `<stage>-<date>`, or `<stage>-<date>-r<n>` for the n-th run that a person forced that day."""
    base = day_of(stage, trading_date)
    return f"{base}-r{forced}" if forced else base


def runs_of_day(store: RunStore, stage: str, trading_date: date) -> tuple[Run, ...]:
    """Return the day's runs, the scheduled one first, then the forced ones in order; strongly consistent.

    Forced runs are numbered without gaps, so the first missing number ends them.
    """
    scheduled = store.load(run_id_of(stage, trading_date))
    runs = [] if scheduled is None else [scheduled]
    for number in count(1):
        run = store.load(run_id_of(stage, trading_date, number))
        if run is None:
            break
        runs.append(run)
    return tuple(runs)
