"""Everything that happened on one trading day in the sandbox, as one frozen value to print, verify and report."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any

from sandbox.function_logs import FunctionLog
from sandbox.run_evidence import RunEvidence
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.broker.models import Account, Order, Position
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.run.runs import Run


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
class QueuedMessage:
    """A message in a queue: how often it was received, and from when on it may be received (again); UTC."""

    message_id: str
    receives: int
    visible_at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """The messages in one queue, waiting or in flight."""

    queue: str
    module: str
    is_dead_letter: bool
    messages: tuple[QueuedMessage, ...]


@dataclass(frozen=True, slots=True)
class BrokerState:
    """The account at the paper exchange; `orders` are those submitted that day, oldest first."""

    account: Account
    positions: tuple[Position, ...]
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class DayEvidence(RunEvidence):
    """One trading day, from the evening before to the empty queues.

    Attributes:
        run: the whole run from the Runs table: state, timeline, answers, signal, plan, releases, outcomes.
        verdict: the data quality monitor's verdict on closes through the session before; None without one.
        before: the account when the run began; for a resumed run, when the command began.
        after: the account when every queue was empty again, before the close.
        ledger: the fills of this run, by time.
        functions: the log of each deployed function since the day began, by module; see `with_queues`.
        mails: the mails sent since the day began, by time.
        backlogs: every inbox and dead-letter queue at the end.
        books: the check of the books after the close; None when the sweep made none.
        started_at: wall-clock time, UTC.
        seconds: the wall-clock duration of each phase, by its name.
        decisions: the decision path that each strategy stored, by strategy.
        has_metrics: metrics_v2 has stored the account's performance of this run.
        is_resumed: an earlier command had refreshed the market data or started the run, so this one did not.
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
    has_metrics: bool = True
    is_resumed: bool = False
    decisions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    books: BooksCheck | None = None

    @property
    def survived(self) -> tuple[str, ...]:
        """Return the faults that later attempts made good, such as `1 retry of execution_v2`."""
        # A function that is killed before it has recorded a mail sends the mail again, but never a third time.
        repeated = (subject for subject, count in Counter(mail.subject for mail in self.mails).items() if count > 1)
        return (
            *chain.from_iterable(log.survived_faults() for log in self.functions.values()),
            *(f"a mail sent twice: {subject}" for subject in repeated),
        )

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


def with_queues(logs: Iterable[FunctionLog], backlogs: Iterable[Backlog]) -> Mapping[str, FunctionLog]:
    """Map each module to its log; one whose queues are empty has handled every message, whatever its log lacks."""
    unfinished = {backlog.module for backlog in backlogs if backlog.messages}
    return {log.module: log if log.module in unfinished else log.without_messages_left() for log in logs}
