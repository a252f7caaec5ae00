"""The forms of all stored items, as the product writes them to its tables and to the bucket.

The product itself builds and reads most rows without these classes, because handlers start faster that way; the tests
compare the classes with what it writes.
"""

# ruff: noqa: N815 - attributes of a run are named after its states

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from the_alchemiser.data_quality_monitor.acceptances import Acceptances
from the_alchemiser.data_quality_monitor.scorecards import Scorecards
from the_alchemiser.data_v2.progress import RefreshProgress
from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.market_data.corporate_actions import StoredActions
from the_alchemiser.shared.market_data.lake import Description
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.progress import Release
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Side, Symbol, UtcDatetime, Value


class Row(Value):
    """A row; the class lists every attribute, and for one that is JSON in a string its content."""


class Part(Value, forbid_unknown_fields=True):
    """A part of a row; the class lists every attribute."""


class RecordedMessage(Part):
    """A message in an outbox or a body; messages have contracts of their own."""

    type: str
    message: Mapping[str, Any]


class TimelineLine(Part):
    """One line of a run's timeline."""

    state: RunState
    at: UtcDatetime
    by: str


class FailedRun(Part):
    """What the move to FAILED stores."""

    state: RunState
    reason: str
    detail: str
    missing: tuple[str, ...]


class RunRow(Row):
    """The attributes of every row of a run."""

    pk: str
    outbox: tuple[RecordedMessage, ...]
    sent: bool


class RunMeta(RunRow):
    """A run's state."""

    sk: Literal["META"]
    stage: str
    trading_date: date
    as_of: date
    allocations: Mapping[str, Decimal]
    state: RunState
    deadline_at: int
    timeline: tuple[TimelineLine, ...]
    at_AGGREGATED: Mapping[str, Any] | None = None
    at_PLANNED: Mapping[str, Any] | None = None
    at_SELLING: Release | None = None
    at_BUYING: Release | None = None
    at_COMPLETED: Mapping[str, Any] | None = None
    at_FAILED: FailedRun | None = None
    settled: bool = False


class RunDay(Row):
    """A trading day, and the run that has it."""

    pk: str
    sk: Literal["META"]
    run_id: str


class RunStrategy(RunRow):
    """The answer of one strategy: `STRATEGY#<name>`."""

    sk: str
    body: RecordedMessage


class RunSignal(RunRow):
    """The merged signal."""

    sk: Literal["SIGNAL"]
    body: RecordedMessage


class RunPlan(RunRow):
    """The rebalance plan."""

    sk: Literal["PLAN"]
    body: RebalancePlan


class RunTrade(RunRow):
    """The outcome of one trade: `TRADE#<trade_id>`."""

    sk: str
    body: RecordedMessage


class RunSettlement(RunRow):
    """What the sweep found after the run had ended."""

    sk: Literal["SETTLEMENT"]
    body: RecordedMessage


class BooksOfDay(Row):
    """The check of one trading day: `CHECK#<date>`."""

    pk: Literal["BOOKS"]
    sk: str
    check_state: CheckState
    checked_at: UtcDatetime
    body: BooksCheck
    sent: bool


class LedgerFill(Row):
    """One fill in the ledger."""

    pk: str
    sk: str
    symbol: Symbol
    filled_at: UtcDatetime
    order_id: str
    fill: str
    client_order_id: str
    trade_id: str
    run_id: str
    side: Side
    quantity: Decimal
    price: Decimal
    cash: Decimal
    attribution: Mapping[str, Decimal]
    planning_price: Decimal | None = None


class AccountTotals(Part):
    """What only the account's row has."""

    owners: tuple[str, ...]
    strategies: Decimal
    unattributed: Decimal
    deposits: Decimal
    fees: Decimal
    dividends: Decimal
    interest: Decimal
    other: Mapping[str, Decimal]
    rounding: Decimal
    opening_equity: Decimal | None = None


class PerformanceDay(Row):
    """The figures of one owner after one run."""

    pk: str
    sk: str
    strategy: str
    trading_date: date
    run_id: str
    completed_at: UtcDatetime
    edition: str
    equity: Decimal
    market_value: Decimal
    cash: Decimal | None = None
    exposure: Decimal | None = None
    cost: Decimal | None = None
    realised: Decimal | None = None
    unrealised: Decimal | None = None
    holdings: Mapping[str, Decimal]
    unmarked: tuple[str, ...]
    proceeds: Decimal | None = None
    turnover: Decimal | None = None
    slippage: Decimal | None = None
    closed_lots: int | None = None
    winning_lots: int | None = None
    account: AccountTotals | None = None


class TradedSymbols(Row):
    """Every symbol that was ever traded."""

    pk: str
    sk: str
    kept: bool
    symbols: tuple[str, ...] = ()


class FetchRequest(Row):
    """The latest fetch of a symbol."""

    symbol: Symbol
    message_id: str
    expires_at: int


class RefreshRequest(Row):
    """How far a refresh has come: `REQUEST#<id>`, in the table of the fetches."""

    symbol: str
    expires_at: int
    is_finished: bool
    body: RefreshProgress


class Delivery(Row):
    """What is known of a notice on one channel, in the Claims table: it was sent, or attempts have had no answer."""

    claim: str
    expires_at: int
    attempts: int | None = None


STORED_ITEMS: tuple[type[Value], ...] = (
    RunMeta,
    RunStrategy,
    RunSignal,
    RunPlan,
    RunTrade,
    RunSettlement,
    RunDay,
    BooksOfDay,
    LedgerFill,
    PerformanceDay,
    TradedSymbols,
    FetchRequest,
    RefreshRequest,
    Delivery,
    Verdict,
    Scorecards,
    Acceptances,
    Description,
    StoredActions,
)
