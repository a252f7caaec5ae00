"""A deployed environment in memory, as the person on duty meets it: kill switch, broker, runs, books."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from itertools import starmap
from pathlib import Path
from typing import Any, Literal

from automation.deploying import scope as scopes
from automation.deploying.scope import Scope
from automation.system.stacks import StackResource
from desk.operations.environment import Environment
from desk.operations.situation import Sources
from desk.operations.switch import Setting
from tests.the_alchemiser.coordinator_v2.test_admission import MONDAY, SESSIONS, at
from tests.the_alchemiser.fakes import InMemoryBooks, InMemoryLedger, InMemoryRunStore
from tests.the_alchemiser.shared.market_data.in_memory_objects import InMemoryObjects
from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.broker.errors import BrokerError, BrokerUnreachableError, OrderNotCancelableError
from the_alchemiser.shared.broker.models import Account, Order, OrderStatus
from the_alchemiser.shared.market_data.verdict import Verdict, write_verdict
from the_alchemiser.shared.messaging.commands import Command
from the_alchemiser.shared.messaging.messages import Difference
from the_alchemiser.shared.run.runs import Run, RunState, Transition
from the_alchemiser.shared.values import Clock, Session, Side

ROOT = Path(__file__).parents[3]
STAGE = "prod"
RUN_ID = "prod-2022-11-28"
BUY_SPY = f"{RUN_ID}-BUY-SPY-1"
SWITCH_NAME = "/alchemiser/prod/trading"
COORDINATOR_INBOX = "https://sqs.us-east-1.amazonaws.com/123456789012/prod-CoordinatorInbox"
DATA_INBOX = "https://sqs.us-east-1.amazonaws.com/123456789012/prod-data-DataInbox"
MONITOR_INBOX = "https://sqs.us-east-1.amazonaws.com/123456789012/prod-data-MonitorInbox"
SET_AT = datetime(2022, 11, 28, 14, 2, 11, tzinfo=UTC)
WHO = "arn:aws:iam::123456789012:user/eva"
AS_OF = date(2022, 11, 25)


@cache
def scope_of(name: str) -> Scope:
    """Return the scope of an environment of this project."""
    return scopes.read(ROOT, name, variables={})


@dataclass
class FakeSwitch:
    """The kill switch. `interferes` is the value that somebody else sets right after ours."""

    value: str = "enabled"
    name: str = SWITCH_NAME
    interferes: str = ""
    error: Exception | None = None
    values: list[str] = field(default_factory=list)

    def read(self) -> Setting:
        return Setting(self.value, SET_AT, WHO)

    def set(self, value: str) -> None:
        if self.error is not None:
            raise self.error
        self.values.append(value)
        self.value = self.interferes or value


@dataclass
class FakeWatch:
    """A stopwatch that advances only by sleeping; `on_sleep` is called with the time after each pause."""

    seconds: float = 100.0
    pauses: list[float] = field(default_factory=list)
    on_sleep: Callable[[float], None] = lambda _: None

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds
        self.on_sleep(self.seconds)


def order(
    client_order_id: str = BUY_SPY,
    status: OrderStatus = OrderStatus.NEW,
    *,
    filled: str = "0",
    minute: int = 46,
    quantity: str | None = "10",
) -> Order:
    """Return an order for SPY at $100; its broker id is `id-<client order id>`."""
    return Order(
        id=f"id-{client_order_id}",
        client_order_id=client_order_id,
        symbol="SPY",
        side=Side.BUY,
        type="limit",
        status=status,
        quantity=None if quantity is None else Decimal(quantity),
        filled_quantity=Decimal(filled),
        filled_avg_price=Decimal("99.5") if Decimal(filled) else None,
        limit_price=Decimal(100),
        submitted_at=at(MONDAY, f"15:{minute}"),
        filled_at=None,
        canceled_at=None,
    )


@dataclass
class FakeBroker:
    """One account. A cancelled order becomes final as `after_cancel`, with `fills_at_cancel` more shares.

    Attributes:
        stubborn: client order ids whose cancellation is answered and ignored that many times.
        refused: client order ids that the broker does not cancel.
        asked: the `after` and the status of each listing.
    """

    time: str = "15:45"
    day: date = MONDAY
    number: str = "PA1"
    is_blocked: bool = False
    listed: list[Order] = field(default_factory=list)
    after_cancel: OrderStatus = OrderStatus.CANCELED
    fills_at_cancel: str = "0"
    stubborn: dict[str, int] = field(default_factory=dict)
    refused: frozenset[str] = frozenset()
    error: BrokerError | None = None
    cancelled: list[str] = field(default_factory=list)
    asked: list[tuple[datetime, str]] = field(default_factory=list)
    is_closed: bool = False

    def close(self) -> None:
        self.is_closed = True

    def clock(self) -> Clock:
        if self.error is not None:
            raise self.error
        now, opens, closes = at(self.day, self.time), at(MONDAY, "09:30"), at(MONDAY, "16:00")
        is_open = opens <= now < closes
        return Clock(now, is_open, next_open=at(date(2022, 11, 29), "09:30"), next_close=closes)

    def calendar(self, start: date, end: date) -> tuple[Session, ...]:
        return tuple(session for session in SESSIONS if start <= session.date <= end)

    def account(self) -> Account:
        cash, equity, power = Decimal(1000), Decimal("12345.67"), Decimal(900)
        return Account("an-id", "ACTIVE", cash, equity, equity, power, Decimal(1), self.is_blocked, number=self.number)

    def orders(self, *, after: datetime, status: Literal["open", "closed", "all"] = "all") -> tuple[Order, ...]:
        if self.error is not None:
            raise self.error
        self.asked.append((after, status))
        return tuple(order for order in self.listed if status == "all" or not order.is_done)

    def order(self, order_id: str) -> Order:
        return next(order for order in self.listed if order.id == order_id)

    def cancel(self, order_id: str) -> None:
        order = self.order(order_id)
        self.cancelled.append(order.client_order_id)
        if order.client_order_id in self.refused:
            raise OrderNotCancelableError("cannot be cancelled")
        if self.stubborn.get(order.client_order_id, 0):
            self.stubborn[order.client_order_id] -= 1
            return
        filled = order.filled_quantity + Decimal(self.fills_at_cancel)
        done = order.changed(status=self.after_cancel, filled_quantity=filled)
        self.listed = [done if listed.id == order_id else listed for listed in self.listed]


UNREACHABLE = BrokerUnreachableError("GET /v2/clock: connection refused")


def run(
    state: RunState = RunState.COMPLETED, run_id: str = RUN_ID, *, settled: bool = False, day: date = MONDAY
) -> Run:
    moment = datetime(2022, 11, 28, 20, 46, tzinfo=UTC)
    return Run(
        run_id=run_id,
        stage=STAGE,
        trading_date=day,
        as_of=AS_OF,
        state=state,
        allocations={"calm": Decimal(1)},
        deadline_at=moment,
        timeline=(Transition(state, moment, "a test"),),
        settled=settled,
    )


def stored(*runs: Run) -> InMemoryRunStore:
    store = InMemoryRunStore()
    store.runs = {run.run_id: run for run in runs}
    return store


def differing_books() -> InMemoryBooks:
    """Return books whose latest check differs."""
    books = InMemoryBooks()
    difference = Difference(symbol="SPY", broker=Decimal(12), books=Decimal(10))
    assert books.put(check(CheckState.DIFFERS, difference))
    return books


def check(state: CheckState, *differences: Difference) -> BooksCheck:
    return BooksCheck(
        trading_date=AS_OF,
        state=state,
        checked_at=datetime(2022, 11, 25, 21, 30, tzinfo=UTC),
        account="PA1",
        holdings={"SPY": Decimal(10)},
        held_at=datetime(2022, 11, 25, 21, 30, tzinfo=UTC),
        differences=differences,
        accepted_by="eva" if state is CheckState.ACCEPTED else "",
    )


VERDICT = Verdict(checked_at=datetime(2022, 11, 26, 1, 5, tzinfo=UTC), as_of=AS_OF, quarantined={})


@dataclass
class World:
    """What surrounds the commands; everything is in order unless a test says otherwise.

    Attributes:
        starts: the run that the coordinator creates when it receives a command.
        log: the coordinator's log.
    """

    switch: FakeSwitch = field(default_factory=FakeSwitch)
    broker: FakeBroker = field(default_factory=FakeBroker)
    store: InMemoryRunStore = field(default_factory=InMemoryRunStore)
    books: InMemoryBooks = field(default_factory=InMemoryBooks)
    ledger: InMemoryLedger = field(default_factory=InMemoryLedger)
    verdict: Verdict | None = VERDICT
    account: str = ""
    now: datetime = datetime(2022, 11, 28, 20, 45, tzinfo=UTC)
    sent: list[tuple[str, Command]] = field(default_factory=list)
    send_error: Exception | None = None
    starts: Run | None = None
    log: list[str] = field(default_factory=list)

    def sources(self) -> Sources:
        def latest() -> BooksCheck | None:
            latest_check = self.books.latest()
            return latest_check.check if latest_check else None

        return Sources(
            self.switch, self.broker, self.store, lambda: self.verdict, latest, self.account, lambda: self.now
        )


class FakeLogs:
    """CloudWatch Logs with the coordinator's lines, in pages of one line."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.asked: list[dict[str, Any]] = []

    def get_paginator(self, operation: str) -> Any:
        assert operation == "filter_log_events"
        return self

    def paginate(self, **request: Any) -> Any:
        self.asked.append(request)
        return [{"events": []}, *({"events": [{"message": line}]} for line in self.lines)]


@dataclass(frozen=True)
class FakeEnvironment(Environment):
    """Environment whose services are those of a world; what it inherits is real."""

    world: World = field(default_factory=World)

    def broker(self) -> Any:
        return self.world.broker

    def runs(self) -> Any:
        return self.world.store

    def books(self) -> Any:
        return self.world.books

    def switch(self) -> Any:
        return self.world.switch

    def ledger(self) -> Any:
        return self.world.ledger

    def objects(self) -> Any:
        objects = InMemoryObjects()
        if self.world.verdict is not None:
            write_verdict(objects, self.world.verdict, keep_newer=False)
        return objects

    def send(self, module: str, command: Command) -> str:
        if self.world.send_error is not None:
            raise self.world.send_error
        self.world.sent.append((module, command))
        if self.world.starts is not None:
            self.world.store.runs[self.world.starts.run_id] = self.world.starts
        return f"message-{len(self.world.sent)}"


def environment(world: World, name: str = "prod", **parameters: str) -> FakeEnvironment:
    """Return a deployed environment of this project whose services are those of the world."""
    names = {"KillSwitch": SWITCH_NAME, "Claims": "claims", "CoordinatorLogs": "/prod/coordinator"}
    names |= {"CoordinatorInbox": COORDINATOR_INBOX}
    of_data = {"DataInbox": DATA_INBOX, "Claims": "data-claims", "FetchRequests": "requests"}
    of_data["MonitorInbox"] = MONITOR_INBOX
    resources = {"data": of_data, "trading": names}
    return FakeEnvironment(
        scope=scope_of(name),
        stacks={"data": f"{name}-data", "trading": name},
        outputs={"RunsTable": "runs", "LedgerTable": "ledger", "BucketName": "lake"},
        parameters={"Stage": STAGE, "BrokerTradingUrl": "http://broker", "BrokerDataUrl": "http://data"} | parameters,
        resources={stack: tuple(starmap(resource, ids.items())) for stack, ids in resources.items()},
        client=lambda service: {"logs": FakeLogs(world.log)}.get(service, service),
        world=world,
    )


def resource(logical_id: str, physical_id: str) -> StackResource:
    return StackResource(logical_id, physical_id, "AWS::Any")


def connected(world: World, name: str = "prod") -> Callable[[Path, str], Environment]:
    """Return a function that connects to the world under one name."""

    def connect(root: Path, asked: str) -> Environment:
        assert (root, asked) == (ROOT, name)
        return environment(world, name, BrokerAccount=world.account)

    return connect
