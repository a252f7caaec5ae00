"""The coordinator's surroundings in memory."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

import pytest

from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.coordinator_v2.test_admission import (
    HALF_DAY,
    MONDAY,
    RUN_ID,
    SESSIONS,
    WEDNESDAY,
    at,
    clock_at,
)
from tests.the_alchemiser.fakes import InMemoryBooks, InMemoryGauges, InMemoryLedger, InMemoryRunStore
from the_alchemiser.coordinator_v2.books import BooksChecker
from the_alchemiser.coordinator_v2.service import Coordinator
from the_alchemiser.coordinator_v2.settling import OrderSettler
from the_alchemiser.shared.books.reconciling import Reconciler
from the_alchemiser.shared.broker.errors import OrderNotCancelableError
from the_alchemiser.shared.broker.models import Account, Order, OrderStatus, Position
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActions
from the_alchemiser.shared.market_data.verdict import Verdict, VerdictMalformedError
from the_alchemiser.shared.messaging.commands import CheckDay, StartRun, SweepRuns
from the_alchemiser.shared.messaging.messages import Message
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.runs import NewRun, RunState
from the_alchemiser.shared.values import Clock, Session, Side

START = StartRun(command="start-run")
FORCE = StartRun(command="start-run", force=True)
REPLACE = StartRun(command="start-run", force=True, replaces=RUN_ID)
SWEEP = SweepRuns(command="sweep-runs")
CHECK = CheckDay(command="check-day")
BOOK = {"trend": Decimal("0.6"), "rotation": Decimal("0.4")}


@dataclass
class Bell:
    """The exchange's clock and calendar; it answers with `error` if there is one."""

    day: date = MONDAY
    time: str = "15:45"
    sessions: tuple[Session, ...] = SESSIONS
    error: Exception | None = None

    def clock(self) -> Clock:
        if self.error is not None:
            raise self.error
        return clock_at(self.day, self.time)

    def calendar(self, start: date, end: date) -> tuple[Session, ...]:
        return tuple(session for session in self.sessions if start <= session.date <= end)


def order(
    client_order_id: str,
    status: OrderStatus = OrderStatus.NEW,
    *,
    side: Side = Side.BUY,
    filled: str = "0",
    replaced_by: str | None = None,
) -> Order:
    """Return an order of 10 shares at $100; its broker id is `id-<client order id>`."""
    sent_at = at(MONDAY, "15:46")
    return Order(
        id=f"id-{client_order_id}",
        client_order_id=client_order_id,
        symbol="SPY",
        side=side,
        type="limit",
        status=status,
        quantity=Decimal(10),
        filled_quantity=Decimal(filled),
        filled_avg_price=Decimal(100) if Decimal(filled) else None,
        limit_price=Decimal(100),
        submitted_at=sent_at,
        filled_at=sent_at if Decimal(filled) == 10 else None,
        canceled_at=None,
        replaced_by=replaced_by,
    )


@dataclass
class Floor:
    """The broker's account. A cancelled order gets the status `after_cancel`; `refused` ones cannot be cancelled.

    Attributes:
        held: shares by symbol.
        asked: the `after` of each listing of all orders; `asked_open` of those that are open.
        calls: how often account and positions were read.
    """

    number: str = "PA1"
    held: dict[str, Decimal] = field(default_factory=dict)
    asked_open: list[datetime] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    listed: list[Order] = field(default_factory=list)
    after_cancel: OrderStatus = OrderStatus.CANCELED
    refused: frozenset[str] = frozenset()
    error: Exception | None = None
    cancelled: list[str] = field(default_factory=list)
    asked: list[datetime] = field(default_factory=list)

    def account(self) -> Account:
        self._note("account")
        usd = Decimal(1000)
        return Account("id", "ACTIVE", usd, usd, usd, usd, Decimal(1), trading_blocked=False, number=self.number)

    def positions(self) -> tuple[Position, ...]:
        self._note("positions")
        one = Decimal(1)
        return tuple(Position(symbol, shares, shares, one, one, one, shares) for symbol, shares in self.held.items())

    def _note(self, call: str) -> None:
        if self.error is not None:
            raise self.error
        self.calls.append(call)

    def orders(self, *, after: datetime, status: Literal["open", "closed", "all"] = "all") -> tuple[Order, ...]:
        if self.error is not None:
            raise self.error
        if status == "open":
            self.asked_open.append(after)
            return tuple(order for order in self.listed if not order.is_done)
        self.asked.append(after)
        return tuple(self.listed)

    def cancel(self, order_id: str) -> None:
        self.cancelled.append(order_id)
        if order_id in self.refused:
            raise OrderNotCancelableError('order is already in "filled" state')
        self.listed = [
            order.changed(status=self.after_cancel) if order.id == order_id else order for order in self.listed
        ]


@dataclass
class Office:
    """The coordinator's surroundings, in order; `published` holds its messages."""

    bell: Bell = field(default_factory=Bell)
    store: InMemoryRunStore = field(default_factory=InMemoryRunStore)
    floor: Floor = field(default_factory=Floor)
    ledger: InMemoryLedger = field(default_factory=InMemoryLedger)
    books: InMemoryBooks = field(default_factory=InMemoryBooks)
    actions: tuple[CorporateAction, ...] = ()
    account: str = ""
    enabled: bool = True
    verdict: Verdict | VerdictMalformedError | None = field(
        default_factory=lambda: Verdict(checked_at=make.AT, as_of=HALF_DAY, quarantined={})
    )
    gauges: InMemoryGauges = field(default_factory=InMemoryGauges)
    wall: datetime = make.WALL
    published: list[Message] = field(default_factory=list)

    @property
    def reconciler(self) -> Reconciler:
        actions = CorporateActions(self.actions)
        return Reconciler("local", self.account, self.floor, self.store, self.ledger, lambda: actions)

    @property
    def coordinator(self) -> Coordinator:
        return Coordinator(
            stage="local",
            exchange=self.bell,
            runs=self.store,
            settler=OrderSettler(self.store, self.floor, self.ledger, lambda: self.wall, self.account),
            books=BooksChecker(self.books, self.reconciler),
            switch=self,
            verdict=self.read_verdict,
            allocations=lambda: BOOK,
            gauges=lambda: self.gauges,
            now=lambda: self.wall,
        )

    def is_enabled(self) -> bool:
        return self.enabled

    def read_verdict(self) -> Verdict | None:
        if isinstance(self.verdict, VerdictMalformedError):
            raise self.verdict
        return self.verdict

    def start(self, command: StartRun = START) -> Reaction:
        return self.finish(self.coordinator.start(command))

    def sweep(self) -> Reaction:
        return self.finish(self.coordinator.sweep(SWEEP))

    def check_day(self) -> Reaction:
        return self.finish(self.coordinator.check_day(CHECK))

    def finish(self, reaction: Reaction) -> Reaction:
        self.published.extend(reaction.messages)
        reaction.on_published()
        return reaction

    def create_run(self, day: date, *, outbox: tuple[Message, ...] = ()) -> str:
        """Store a run of that day, as the coordinator would have created it; return its id."""
        run = NewRun(f"local-{day}", "local", day, WEDNESDAY, BOOK, self.wall + timedelta(minutes=7))
        self.store.create(run, by="coordinator_v2", at=self.wall, outbox=outbox)
        return run.run_id

    def end_run(self, state: RunState = RunState.FAILED, *, settled: bool = True) -> None:
        """Create the day's run and end it."""
        self.start()
        make.move_to(self.store, state, run_id=RUN_ID)
        if settled:
            self.store.mark_settled(RUN_ID)
        self.published.clear()

    def later(self, minutes: int, *, seconds: int = 0) -> None:
        self.wall += timedelta(minutes=minutes, seconds=seconds)


class Log:
    """The log's lines as values."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def refusals(self) -> list[tuple[str, str]]:
        lines = [vars(record) for record in self._caplog.records if record.message == "run refused"]
        return [(line["reason"], line["detail"]) for line in lines]
