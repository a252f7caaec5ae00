"""A day that passes every check, and in-memory stand-ins for the cloud and the exchange."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import structs

from sandbox.deployment import Deployment, Queue
from sandbox.evidence import Backlog, BrokerState, DayEvidence, Mail, QueuedMessage
from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeState, History
from sandbox.function_logs import FunctionLog
from sandbox.schedules import Schedule
from tests.sandbox.book_checks import AFTER_CLOSE, books
from tests.the_alchemiser import run_builders as make
from tests.the_alchemiser.fakes import InMemoryRunStore
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.broker.models import Account, Order, OrderStatus, Position
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    RunCompleted,
    RunFailed,
    TradeExecuted,
    TradeFailed,
    message_id,
)
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.progress import Release
from the_alchemiser.shared.run.runs import STRATEGY, TRADE, Move, Run, RunItem, RunState
from the_alchemiser.shared.values import Side

DAY, AS_OF, RUN_ID, WALL = make.DAY, make.AS_OF, make.RUN_ID, make.WALL
MODULES = (
    "data_v2",
    "data_quality_monitor",
    "coordinator_v2",
    "strategy_v2",
    "aggregator_v2",
    "portfolio_v2",
    "trade_aggregator",
    "execution_v2",
    "notifications_v2",
    "metrics_v2",
)
SOLD = make.executed("OLD", Side.SELL, "10", price="49.99")
BOUGHT = make.executed("SPY", Side.BUY, "990", price="100.01")
VISIBILITY_S = 34
CASH_BEFORE, CASH_AFTER = Decimal("99500.00"), Decimal("990.00")
EQUITY_AFTER = Decimal("99990.00")


def plan() -> RebalancePlan:
    sell = make.decision("OLD", Side.SELL, "10", price="50", held="10")
    buy = make.decision("SPY", Side.BUY, "990").changed(target_quantity=Decimal(990))
    return make.plan(sell, buy).changed(cash=CASH_BEFORE)


def planned_run() -> InMemoryRunStore:
    store = make.evaluating()
    for name in make.HALVES:
        answer = make.evaluated(name, {"SPY": "1"})
        store.put_once(RUN_ID, RunItem(f"{STRATEGY}#{name}", outbox.encode(answer)))
    make.planned(store, plan())
    return store


def completed_run() -> Run:
    store = planned_run()
    for state, executed in ((RunState.SELLING, SOLD), (RunState.BUYING, BOUGHT)):
        release = Release(quantities={executed.trade_id: executed.quantity}, refused={})
        _move(store, state, payload=release.to_content())
        store.put_once(RUN_ID, RunItem(f"{TRADE}#{executed.trade_id}", outbox.encode(executed)))

    result = RunCompleted(
        message_id=message_id(RUN_ID, RunCompleted),
        run_id=RUN_ID,
        occurred_at=make.AT,
        trading_date=DAY,
        as_of=AS_OF,
        weights={"SPY": Decimal(1)},
        outcomes=(),
        positions=(),
        equity_before=Decimal(100_000),
        equity_after=EQUITY_AFTER,
        cash_after=CASH_AFTER,
        degraded=False,
    )

    make.move_to(store, RunState.COMPLETED, outbox=(result,))
    return make.loaded(store)


UNSETTLED = TradeFailed(
    message_id=message_id(RUN_ID, TradeFailed, BOUGHT.trade_id),
    run_id=RUN_ID,
    occurred_at=make.AT,
    trade_id=BOUGHT.trade_id,
    symbol=BOUGHT.symbol,
    side=BOUGHT.side,
    quantity=BOUGHT.quantity,
    reason="retries_exhausted",
    detail="gave up after: no answer",
    filled_quantity=Decimal(0),
    fills=(),
    unsettled=True,
)


def run_with_outcome(outcome: TradeExecuted | TradeFailed) -> Run:
    """Return the completed run with another outcome of one trade."""
    run, sk = completed_run(), f"{TRADE}#{outcome.trade_id}"
    return structs.replace(run, items={**run.items, sk: RunItem(sk, outbox.encode(outcome))})


def failed_run() -> Run:
    store = make.evaluating()

    result = RunFailed(
        message_id=message_id(RUN_ID, RunFailed),
        run_id=RUN_ID,
        occurred_at=make.AT,
        trading_date=DAY,
        state="EVALUATING",
        reason="strategy_failed",
        detail="calm: too_little_history",
        missing=("bold",),
    )

    make.move_to(store, RunState.FAILED, outbox=(result,))
    return make.loaded(store)


def _move(store: InMemoryRunStore, state: RunState, *, payload: Mapping[str, object]) -> None:
    leaving = store.runs[RUN_ID].state
    assert store.move(RUN_ID, Move(leaving, state, "trade_aggregator", WALL, make.DEADLINE, payload=payload))


def order_of(executed: TradeExecuted) -> Order:
    fill = executed.fills[0]
    return Order(
        id=fill.order_id,
        client_order_id=fill.client_order_id,
        symbol=executed.symbol,
        side=executed.side,
        type="limit",
        status=OrderStatus.FILLED,
        quantity=executed.quantity,
        filled_quantity=fill.quantity,
        filled_avg_price=fill.price,
        limit_price=fill.price,
        submitted_at=make.AT,
        filled_at=make.AT,
        canceled_at=None,
    )


def entry_of(executed: TradeExecuted) -> LedgerEntry:
    fill, sign = executed.fills[0], 1 if executed.side is Side.BUY else -1
    return LedgerEntry(
        symbol=executed.symbol,
        filled_at=fill.filled_at,
        order_id=fill.order_id,
        fill="1",
        client_order_id=fill.client_order_id,
        trade_id=executed.trade_id,
        run_id=RUN_ID,
        side=executed.side,
        quantity=fill.quantity,
        price=fill.price,
        cash=-sign * fill.quantity * fill.price,
        attribution={"calm": sign * fill.quantity},
    )


def account(cash: Decimal, equity: Decimal) -> Account:
    return Account("an-id", "ACTIVE", cash, equity, equity, cash, Decimal(1), trading_blocked=False)


def position(symbol: str, quantity: str, price: str) -> Position:
    shares, usd = Decimal(quantity), Decimal(price)
    return Position(symbol, shares, shares, usd, usd, usd, (shares * usd).quantize(Decimal("0.01")))


BEFORE = BrokerState(account(CASH_BEFORE, Decimal(100_000)), (position("OLD", "10", "50"),))
AFTER = BrokerState(
    account(CASH_AFTER, EQUITY_AFTER), (position("SPY", "990", "100"),), (order_of(SOLD), order_of(BOUGHT))
)


COMPLETED_SUBJECT = "[local] 2022-03-16: run completed, no trades, equity $99,990.00"


def mail(subject: str = COMPLETED_SUBJECT, sent_at: datetime = WALL) -> Mail:
    return Mail("an-id", "a@example.com", ("b@example.com",), subject, "text", "<p>html</p>", sent_at)


def log(module: str) -> FunctionLog:
    return FunctionLog(module, f"stack-{module}", 1, {"SomeMessage": 1})


RETURNS_AT = WALL + timedelta(seconds=34)


def messages(*receives: int, visible_at: datetime = RETURNS_AT) -> tuple[QueuedMessage, ...]:
    """Return a message for each number of receives."""
    return tuple(QueuedMessage(f"m{number}", count, visible_at) for number, count in enumerate(receives))


def backlogs(**receives: tuple[int, ...]) -> tuple[Backlog, ...]:
    """Return the queues of every module, empty except the named ones: `data_v2=(1,)`, `data_v2_dlq=(3,)`."""
    inboxes = [Backlog(f"{module}-inbox", module, False, messages(*receives.get(module, ()))) for module in MODULES]
    dead = [Backlog(f"{module}-dlq", module, True, messages(*receives.get(f"{module}_dlq", ()))) for module in MODULES]
    return (*inboxes, *dead)


def good_day() -> DayEvidence:
    return DayEvidence(
        trading_date=DAY,
        run=completed_run(),
        verdict=Verdict(checked_at=make.AT, as_of=AS_OF, quarantined={}),
        before=BEFORE,
        after=AFTER,
        ledger=(entry_of(SOLD), entry_of(BOUGHT)),
        functions={module: log(module) for module in MODULES},
        mails=(mail(),),
        backlogs=backlogs(),
        started_at=WALL,
        seconds={"market data": 1.5, "trading": 4.0, "evidence": 0.2},
        books=books(),
    )


EVENING = Schedule(
    "Nightly", "cron(0 20 ? * MON-FRI *)", "America/New_York", "arn:aws:sqs:r:1:data_v2-inbox", "refresh"
)
SWEEP = Schedule(
    "Sweep",
    "cron(0/5 9-19 ? * MON-FRI *)",
    "America/New_York",
    "arn:aws:sqs:r:1:coordinator_v2-inbox",
    '{"command": "sweep-runs"}',
)
AFTERNOON = Schedule(
    "Afternoon", "cron(45 15 ? * MON-FRI *)", "America/New_York", "arn:aws:sqs:r:1:coordinator_v2-inbox", "start"
)


def deployment() -> Deployment:
    queues = {
        backlog.queue: Queue(
            backlog.queue,
            backlog.queue,
            backlog.module,
            backlog.is_dead_letter,
            visibility_s=0 if backlog.is_dead_letter else VISIBILITY_S,
            max_receives=0 if backlog.is_dead_letter else 3,
        )
        for backlog in backlogs()
    }
    functions = {module: f"stack-{module}" for module in MODULES}
    groups = {module: f"logs-{module}" for module in MODULES}
    return Deployment(functions, groups, queues, (EVENING, AFTERNOON, SWEEP), {}, {"Stage": "local"})


class InMemoryCloud:
    """Cloud whose functions react at once: `reactions` has what to do for each body sent."""

    def __init__(self) -> None:
        self.deployment = deployment()
        self.sent: list[str] = []
        self.runs: dict[date, Run] = {}
        self.checked: Verdict | None = None
        self.logs = {module: log(module) for module in MODULES}
        self.queues = backlogs()
        self.are_metrics_stored = True
        self.books: BooksCheck | None = None
        self.sent_mails: tuple[Mail, ...] = (mail(),)
        self.read_since: list[datetime] = []
        self.reactions: dict[str, Callable[[], None]] = {
            "refresh": self.check,
            "start": self.complete,
            SWEEP.body: self.compare,
        }

    def check(self) -> None:
        self.checked = Verdict(checked_at=make.AT, as_of=AS_OF, quarantined={})

    def complete(self) -> None:
        self.runs[DAY] = completed_run()

    def compare(self) -> None:
        self.books = books()

    def send(self, schedule: Schedule) -> None:
        self.sent.append(schedule.body)
        self.reactions[schedule.body]()

    def backlogs(self) -> tuple[Backlog, ...]:
        return self.queues

    def log_of(self, module: str, since: datetime) -> FunctionLog:
        self.read_since.append(since)
        return self.logs[module]

    def run_on(self, trading_date: date) -> Run | None:
        return self.runs.get(trading_date)

    def run_states(self) -> Mapping[date, RunState]:
        return {day: run.state for day, run in self.runs.items()}

    def verdict(self) -> Verdict | None:
        return self.checked

    def decision(self, path_ref: str) -> Mapping[str, Any]:
        return {"decided_on": AS_OF.isoformat(), "as_of": AS_OF.isoformat(), "rebalance": "daily", "steps": []}

    def ledger_of(self, run_id: str) -> tuple[LedgerEntry, ...]:
        return (entry_of(SOLD), entry_of(BOUGHT))

    def books_of(self, trading_date: date) -> BooksCheck | None:
        assert trading_date == DAY
        return self.books

    def has_metrics(self, run: Run) -> bool:
        return self.are_metrics_stored

    def mails(self, since: datetime) -> tuple[Mail, ...]:
        return self.sent_mails


class InMemoryExchange:
    """Brokerage with a clock that only goes forward."""

    _MOMENTS: Mapping[Phase, datetime] = {
        Phase.EVENING_BEFORE: datetime(2022, 3, 16, 0, 0, tzinfo=UTC),
        Phase.BEFORE_CLOSE: datetime(2022, 3, 16, 19, 45, tzinfo=UTC),
        Phase.AFTER_CLOSE: AFTER_CLOSE,
    }

    def __init__(self) -> None:
        self.phase = Phase.OTHER
        self.now = datetime(2022, 3, 1, tzinfo=UTC)
        self.wanted_phases: list[Phase] = []

    def history(self) -> History:
        return History(("OLD", "SPY"), date(2014, 1, 2), date(2022, 12, 30), None)

    def clock(self) -> ExchangeState:
        return ExchangeState(self.now, DAY, self.phase, "an-id", CASH_BEFORE, {}, 0, 0, 0, None)

    def set_clock(self, session: date, phase: Phase) -> bool:
        self.wanted_phases.append(phase)
        if self._MOMENTS[phase] < self.now:
            return False
        self.phase, self.now = phase, self._MOMENTS[phase]
        return True

    def state(self, session: date) -> BrokerState:
        return AFTER


class FastWall:
    """A wall clock on which only sleeping takes time."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def read(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def with_quantity(day: DayEvidence, symbol: str, quantity: str) -> DayEvidence:
    """Return the same day with another quantity of one position, at an unchanged market value."""
    held = tuple(
        position.changed(quantity=Decimal(quantity)) if position.symbol == symbol else position
        for position in day.after.positions
    )
    return replace(day, after=replace(day.after, positions=held))


LATER = WALL + timedelta(minutes=1)
