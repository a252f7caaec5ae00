"""The end of a simulated history: everything that invariants and reports read. Values only."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from sandbox.exchange.orders import Fill, Order
from tests.simulation.scenario import FaultKind, Scenario
from the_alchemiser.shared.books.checks import BooksCheck
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.run.runs import Run


class AccountView(NamedTuple):
    """The broker's account: USD, and shares by symbol; a short is negative."""

    cash: Decimal
    positions: Mapping[str, Decimal]


class Notice(NamedTuple):
    """One mail that SES accepted, or one message that SNS accepted.

    Attributes:
        message_id: of the message that it is about; empty when it is not known.
        text: the plain text of a mail, or the whole text of an SNS message.
    """

    at: datetime
    subject: str
    message_id: str
    text: str


class Published(NamedTuple):
    """A message that the bus or the trade queue accepted, once per acceptance."""

    at: datetime
    function: str
    detail_type: str
    message_id: str
    run_id: str
    detail: Mapping[str, Any]


class Post(NamedTuple):
    """A request of the product to place an order, as the exchange saw it.

    Attributes:
        at: when it arrived at the exchange.
        status: the HTTP status that the exchange decided on, whether or not the answer arrived.
        sent_at: when the function sent it; None when a test leaves it open.
    """

    at: datetime
    client_order_id: str
    symbol: str
    side: str
    status: int
    function: str
    invocation: str
    sent_at: datetime | None = None


class Attempt(NamedTuple):
    """One record of one invocation.

    Attributes:
        invocation: `<subject>.<receive>`, unique within its function.
        subject: the message id, or the command, of the record.
        receive: 1 for the first receive.
        result: `handled`, `failed`, `killed` or `timed out`.
    """

    at: datetime
    ended_at: datetime
    function: str
    invocation: str
    subject: str
    receive: int
    result: str


class Kill(NamedTuple):
    """An invocation that ended without an answer; `call` is the call at which it died."""

    at: datetime
    function: str
    invocation: str
    call: str


class RunChange(NamedTuple):
    """A change of a run's META row in virtual time: the state that it entered, or `settled`."""

    at: datetime
    run_id: str
    change: str


class BooksChange(NamedTuple):
    """A check of the books that was stored, with the virtual time of the write."""

    at: datetime
    check: BooksCheck


class Gauge(NamedTuple):
    """One figure that CloudWatch accepted."""

    at: datetime
    name: str
    value: float


class TraceLine(NamedTuple):
    """One event of a history.

    Attributes:
        function: the module; `world` for the platform, the owner and the exchange.
        call: what was called, for example `dynamodb.put_item Claims`.
        fault: the kind of fault that happened here; empty for none.
        result: `ok`, or the error, in a few words.
    """

    at: datetime
    function: str
    invocation: str
    call: str
    fault: str
    result: str


@dataclass(frozen=True, slots=True)
class EndState:
    """Everything that is known at the end of a history.

    Attributes:
        is_quiet: no message and no invocation was left when the history ended.
        runs: by run id, as DynamoRunStore.load returns them.
        days: the run that owns a day, by the key of the day's item.
        ledger: every entry, read through the real ledger.
        opening, account: before the first session and at the end.
        orders, fills: the exchange's own, the oldest first.
        owner_order_ids: the orders that the owner sent by hand; a successor of an order of ours is not in it.
        dead_letters: bodies by dead-letter queue, each queue with the logical id of its template.
        published: accepted by the bus; `trade_messages`: accepted by the trade queue.
        switch: every value of the kill switch, with the time from which it held.
        checks: every check of the books that was stored, and every change of one.
        actions: the corporate actions that the lake contains at the end.
        adjustments: the splits that the exchange applied to positions.
        faults: the kind of every fault that happened, by the key of its draw.
        logs: every line of log, with the invocation that wrote it; empty without keep_logs.
    """

    scenario: Scenario
    started_at: datetime
    ended_at: datetime
    is_quiet: bool
    runs: Mapping[str, Run]
    days: Mapping[str, str]
    ledger: tuple[LedgerEntry, ...]
    opening: AccountView
    account: AccountView
    orders: tuple[Order, ...]
    fills: tuple[Fill, ...]
    owner_order_ids: frozenset[str]
    mails: tuple[Notice, ...]
    notices: tuple[Notice, ...]
    dead_letters: Mapping[str, tuple[str, ...]]
    published: tuple[Published, ...]
    trade_messages: tuple[Published, ...]
    switch: tuple[tuple[datetime, str], ...]
    changes: tuple[RunChange, ...]
    adjustments: tuple[Any, ...]
    gauges: tuple[Gauge, ...]
    posts: tuple[Post, ...]
    attempts: tuple[Attempt, ...]
    kills: tuple[Kill, ...]
    faults: Mapping[str, FaultKind]
    trace: tuple[TraceLine, ...]
    logs: tuple[str, ...] = ()
    checks: tuple[BooksChange, ...] = ()
    actions: CorporateActions = field(default_factory=lambda: CorporateActions(()))
