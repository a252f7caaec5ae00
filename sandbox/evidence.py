"""Everything that happened on one day of the sandbox, as one frozen value: what is printed, verified and reported."""

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
    SignalGenerated,
    StrategyEvaluated,
    StrategyFailed,
    TradeExecuted,
    TradeFailed,
)
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.progress import Release, plan_of, releases_of
from the_alchemiser.shared.run.runs import SIGNAL, STRATEGY, TRADE, Run


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail in the emulator's inbox; `sent_at` is wall-clock, UTC."""

    message_id: str
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """What lies in one queue: its messages, waiting or in flight, by how often each was received."""

    queue: str
    module: str
    is_dead_letter: bool
    receives: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BrokerState:
    """The account at the paper exchange; `orders` are those of the day, in the order of their submission."""

    account: Account
    positions: tuple[Position, ...]
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class DayEvidence:
    """One trading day, from the evening before to the empty queues.

    Attributes:
        run: the whole run as the Runs table has it: state, timeline, answers, signal, plan, releases, outcomes.
        verdict: of the data quality monitor, for closes through the session before.
        before: the account when the run began; `after`, when every queue was empty again.
        ledger: the fills of this run, by time.
        functions: the log of each deployed function since the day began, by module.
        mails: those sent since the day began.
        backlogs: every inbox and dead-letter queue at the end.
        started_at: wall-clock, UTC.
        seconds: wall-clock seconds the phases took, by their name.
        decisions: by strategy, its decision path as it stored it.
        is_resumed: the run was there before, left by an interrupted command; market data were not refreshed again.
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
        """What each strategy answered, by name."""
        return {
            name: answer
            for name, answer in _recorded(self.run, STRATEGY).items()
            if isinstance(answer, StrategyEvaluated | StrategyFailed)
        }

    @property
    def signal(self) -> SignalGenerated | None:
        """The merged signal; None when the run did not come so far."""
        item = self.run.items.get(SIGNAL)
        message = None if item is None else outbox.decode(item.body)
        return message if isinstance(message, SignalGenerated) else None

    @property
    def plan(self) -> RebalancePlan | None:
        """The plan, with a reason for every trade and non-trade; None when the run did not come so far."""
        return plan_of(self.run)

    @property
    def releases(self) -> tuple[Release, ...]:
        """What each phase released, sells first."""
        return releases_of(self.run)

    @property
    def outcomes(self) -> Mapping[str, TradeExecuted | TradeFailed]:
        """What became of each trade, by trade id, in the plan's order."""
        recorded = _recorded(self.run, TRADE)
        order = self.plan.by_trade_id() if self.plan else recorded
        found = {trade: recorded[trade] for trade in order if trade in recorded}
        return {trade: told for trade, told in found.items() if isinstance(told, TradeExecuted | TradeFailed)}

    @property
    def result(self) -> RunCompleted | RunFailed | None:
        """What the run told at its end; None when it has not ended."""
        last = [message for message in self.run.outbox if isinstance(message, RunCompleted | RunFailed)]
        return last[0] if last else None

    @property
    def equity_before(self) -> Decimal:
        """USD, when the run began."""
        return self.plan.equity if self.plan else self.before.account.equity

    @property
    def equity_after(self) -> Decimal:
        """USD, when every queue was empty again."""
        return self.after.account.equity

    @property
    def total_seconds(self) -> float:
        """Wall-clock seconds of the whole day."""
        return sum(self.seconds.values())


def _recorded(run: Run, kind: str) -> Mapping[str, Message]:
    return {name: outbox.decode(item.body) for name, item in sorted(run.items_of(kind).items())}
