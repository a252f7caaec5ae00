"""Everything that is known about one run: its stored items, its orders at the broker, its fills, its notices."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from automation.system.errors import UsageError
from desk.operations.orders import OrderBook, run_of
from sandbox.run_evidence import RunEvidence
from the_alchemiser.notifications_v2.channels import Deliveries, Delivery, SesMail, SnsTopic
from the_alchemiser.notifications_v2.service import MODULE as NOTIFICATIONS
from the_alchemiser.shared.broker.errors import BrokerError
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.ledger.order_entries import orders_of_trade
from the_alchemiser.shared.messaging.messages import REGISTRY, Message, StrategyEvaluated, TradeExecuted, TradeFailed
from the_alchemiser.shared.run.plan import TradeDecision
from the_alchemiser.shared.run.progress import Release, plan_of
from the_alchemiser.shared.run.runs import Run, RunState, RunStore, runs_of_day
from the_alchemiser.shared.values import Refusal

LATEST = "latest"


class Notice(NamedTuple):
    """A message that people are notified of.

    Attributes:
        is_published: whether it has left the run.
        mail, topic: what is known of its delivery; the record is kept for 15 days.
    """

    message_id: str
    is_published: bool
    mail: Delivery
    topic: Delivery


class TradeRecord(NamedTuple):
    """One planned trade from the plan to the ledger.

    Attributes:
        released: shares that execution may order; None when it was not released, or was refused.
        refusal: why it was not released; None when it was, or its phase has not begun.
        outcome: None while there is none.
        orders: oldest first, with those that somebody changed at the broker.
    """

    trade_id: str
    decision: TradeDecision
    released: Decimal | None
    refusal: Refusal | None
    outcome: TradeExecuted | TradeFailed | None
    orders: tuple[Order, ...]
    ledger: tuple[LedgerEntry, ...]


@dataclass(frozen=True, slots=True)
class RunRecord(RunEvidence):
    """A run with everything that is known about it.

    Attributes:
        broker_orders: of the account since the run's day began; empty when the broker did not answer.
        broker_error: why the orders are not known; empty when they are.
        decisions: the decision path that each strategy has stored, by strategy.
    """

    run: Run
    broker_orders: tuple[Order, ...] = ()
    broker_error: str = ""
    ledger: tuple[LedgerEntry, ...] = ()
    notices: tuple[Notice, ...] = ()
    decisions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def phases(self) -> Mapping[RunState, Release]:
        """Return what each phase has released."""
        present = [state for state in (RunState.SELLING, RunState.BUYING) if state in self.run.payloads]
        return dict(zip(present, self.releases, strict=True))

    @property
    def trades(self) -> tuple[TradeRecord, ...]:
        """Return the planned trades, sells first, then in the plan's order."""
        planned = {} if self.plan is None else self.plan.by_trade_id()
        outcomes, releases = self.outcomes, self.releases
        released, refused = dict[str, Decimal](), dict[str, Refusal]()
        for release in releases:
            released.update(release.quantities)
            refused.update(release.refused)

        return tuple(
            TradeRecord(
                trade_id=trade_id,
                decision=decision,
                released=released.get(trade_id),
                refusal=refused.get(trade_id),
                outcome=outcomes.get(trade_id),
                orders=orders_of_trade(trade_id, self.broker_orders),
                ledger=tuple(entry for entry in self.ledger if entry.trade_id == trade_id),
            )
            for trade_id, decision in planned.items()
        )

    @property
    def unplanned_orders(self) -> tuple[Order, ...]:
        """Return the orders with an id of this run that belong to none of its trades; there should be none."""
        planned: set[str] = set()
        for trade in self.trades:
            planned |= {order.id for order in trade.orders}
        of_run = [order for order in self.broker_orders if run_of(order, self.run.stage) == self.run.run_id]
        return tuple(order for order in of_run if order.id not in planned)


class Fills(Protocol):
    """The call to the ledger; dynamo_ledger.DynamoLedger is the real one."""

    def entries_of_run(self, run_id: str) -> tuple[LedgerEntry, ...]:
        """Return the fills of a run."""
        ...


@dataclass(frozen=True, slots=True)
class RecordSources:
    """Where a record comes from.

    Attributes:
        decision: reads the decision path under a reference; empty when nothing is stored there.
        latest_id: returns the id of the latest run; empty before the first.
    """

    stage: str
    runs: RunStore
    ledger: Fills
    broker: OrderBook
    deliveries: Deliveries
    decision: Callable[[str], Mapping[str, Any]]
    latest_id: Callable[[], str]


def find_run(sources: RecordSources, name: str) -> Run:
    """Return the run with this id, the latest one, or the latest one of a date.

    Raises:
        UsageError: there is no such run, or it is not an id, a date or `latest`.
    """
    if re.fullmatch(r"\d{4}-\d\d-\d\d", name):
        runs = runs_of_day(sources.runs, sources.stage, _date(name))
        run = runs[-1] if runs else None
    else:
        run_id = sources.latest_id() if name == LATEST else name
        run = sources.runs.load(run_id) if run_id else None
    if run is None:
        form = f"name a run such as {sources.stage}-2026-11-27, its date, or {LATEST}"
        raise UsageError(f"there is no run {name!r} in this environment; {form}", where="run.show")
    return run


def gather(sources: RecordSources, run: Run) -> RunRecord:
    """Read everything about a run; a broker that does not answer is part of the result.

    Raises:
        ClientError, BotoCoreError, StateUnavailableError: AWS refused a request or does not answer.
    """
    try:
        orders, broker_error = _orders(sources.broker, run), ""
    except BrokerError as error:
        orders, broker_error = (), str(error)
    stored = RunRecord(run)
    paths = {name: answer.path_ref for name, answer in stored.answers.items() if isinstance(answer, StrategyEvaluated)}
    return RunRecord(
        run=run,
        broker_orders=orders,
        broker_error=broker_error,
        ledger=sources.ledger.entries_of_run(run.run_id),
        notices=tuple(_notice(message, sources.deliveries, is_published=sent) for message, sent in _news(run)),
        decisions={name: sources.decision(path) for name, path in paths.items()},
    )


def _orders(broker: OrderBook, run: Run) -> tuple[Order, ...]:
    if plan_of(run) is None:
        return ()
    return broker.orders(after=datetime.combine(run.trading_date, time(), new_york()), status="all")


def _news(run: Run) -> Iterable[tuple[Message, bool]]:
    """Yield the messages of the run that people are notified of, and whether each has been published."""
    outboxes = [(run.outbox, run.sent), *((item.outbox, item.sent) for item in run.items.values())]
    for messages, sent in outboxes:
        for message in messages:
            if NOTIFICATIONS in REGISTRY[type(message)].consumers:
                yield message, sent


def _notice(message: Message, deliveries: Deliveries, *, is_published: bool) -> Notice:
    def delivery(channel: str) -> Delivery:
        return deliveries.read(f"{NOTIFICATIONS}#{channel}#{message.message_id}")

    return Notice(message.message_id, is_published, delivery(SesMail.name), delivery(SnsTopic.name))


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as cause:
        raise UsageError(f"{text} is not a date; write it as 2026-11-27", where="run.show") from cause
