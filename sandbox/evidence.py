"""Everything that happened on one trading day in the sandbox, as one frozen value to print, verify and report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.function_logs import FunctionLog
from the_alchemiser.shared.broker.models import Account, Order, Position
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    Message,
    RunCompleted,
    RunFailed,
    RunSettled,
    SettledOrder,
    SignalGenerated,
    StrategyEvaluated,
    StrategyFailed,
    TradeExecuted,
    TradeFailed,
)
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.progress import Release, plan_of, releases_of
from the_alchemiser.shared.run.runs import SETTLEMENT, SIGNAL, STRATEGY, TRADE, Run


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail that the emulator accepted; `sent_at` is wall-clock time, UTC."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """The messages in one queue, waiting or in flight: `receives` has how often each was received."""

    queue: str
    module: str
    is_dead_letter: bool
    receives: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BrokerState:
    """The account at the paper exchange; `orders` are those submitted that day, oldest first."""

    account: Account
    positions: tuple[Position, ...]
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class DayEvidence:
    """One trading day, from the evening before to the empty queues.

    Attributes:
        run: the whole run from the Runs table: state, timeline, answers, signal, plan, releases, outcomes.
        verdict: the data quality monitor's verdict on closes through the session before; None without one.
        before: the account when the run began; for a resumed run, when the command began.
        after: the account when every queue was empty again.
        ledger: the fills of this run, by time.
        functions: the log of each deployed function since the day began, by module.
        mails: the mails sent since the day began, by time.
        backlogs: every inbox and dead-letter queue at the end.
        started_at: wall-clock time, UTC.
        seconds: the wall-clock duration of each phase, by its name.
        decisions: the decision path that each strategy stored, by strategy.
        is_resumed: an interrupted command had started the run, so market data were not refreshed again.
    """

    trading_date: date
    run: Run
    verdict: Verdict | None
    before: BrokerState
    after: BrokerState
    ledger: tuple[LedgerEntry, ...]
    functions: Mapping[str, FunctionLog]
    mails: tuple[Mail, ...]
    backlogs: tuple[Backlog, ...]
    started_at: datetime
    seconds: Mapping[str, float]
    is_resumed: bool = False
    decisions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def answers(self) -> Mapping[str, StrategyEvaluated | StrategyFailed]:
        """Return each strategy's answer, by name; strategies without an answer are left out."""
        return {
            name: answer
            for name, answer in _recorded(self.run, STRATEGY).items()
            if isinstance(answer, StrategyEvaluated | StrategyFailed)
        }

    @property
    def signal(self) -> SignalGenerated | None:
        """Return the merged signal; None when the run ended before it."""
        item = self.run.items.get(SIGNAL)
        message = None if item is None else outbox.decode(item.body)
        return message if isinstance(message, SignalGenerated) else None

    @property
    def plan(self) -> RebalancePlan | None:
        """Return the plan, with a reason for every trade and non-trade; None when the run ended before it."""
        return plan_of(self.run)

    @property
    def releases(self) -> tuple[Release, ...]:
        """Return the trades that each phase released, sells first."""
        return releases_of(self.run)

    @property
    def outcomes(self) -> Mapping[str, TradeExecuted | TradeFailed]:
        """Return the outcome of each trade, by trade id, in the plan's order."""
        recorded = _recorded(self.run, TRADE)
        order = self.plan.by_trade_id() if self.plan else recorded
        outcomes = {trade: recorded[trade] for trade in order if trade in recorded}
        return {
            trade: outcome for trade, outcome in outcomes.items() if isinstance(outcome, TradeExecuted | TradeFailed)
        }

    @property
    def result(self) -> RunCompleted | RunFailed | None:
        """Return the message with which the run ended; None while it is not final."""
        results = [message for message in self.run.outbox if isinstance(message, RunCompleted | RunFailed)]
        return results[0] if results else None

    @property
    def settled_orders(self) -> tuple[SettledOrder, ...]:
        """Return the orders that differ from what the run has reported; they became final after it had ended."""
        item = self.run.items.get(SETTLEMENT)
        message = None if item is None else outbox.decode(item.body)
        return message.orders if isinstance(message, RunSettled) else ()

    @property
    def equity_before(self) -> Decimal:
        """Return the equity in USD when the run began."""
        return self.plan.equity if self.plan else self.before.account.equity

    @property
    def equity_after(self) -> Decimal:
        """Return the equity in USD when every queue was empty again."""
        return self.after.account.equity

    @property
    def total_seconds(self) -> float:
        """Return the wall-clock duration of the whole day."""
        return sum(self.seconds.values())


def _recorded(run: Run, kind: str) -> Mapping[str, Message]:
    return {name: outbox.decode(item.body) for name, item in sorted(run.items_of(kind).items())}
