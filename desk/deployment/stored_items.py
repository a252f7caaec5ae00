"""The forms of all stored items, as the product writes them to its tables and to the bucket.

The product itself builds and reads most rows without these classes, because handlers start faster that way; the tests
compare the classes with what it writes.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, Json

from the_alchemiser.shared.books.checks import BooksCheck, CheckState
from the_alchemiser.shared.market_data.corporate_actions import StoredActions
from the_alchemiser.shared.market_data.lake import Description
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.run.plan import RebalancePlan
from the_alchemiser.shared.run.progress import Release
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Side, Symbol


class Row(BaseModel):
    """A row, or a part of one; the class lists every attribute."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RecordedMessage(Row):
    """A message in an outbox or a body; messages have contracts of their own."""

    type: str
    message: Mapping[str, Any]


class TimelineLine(Row):
    """One line of a run's timeline."""

    state: RunState
    at: AwareDatetime
    by: str


class FailedRun(Row):
    """What the move to FAILED stores."""

    state: RunState
    reason: str
    detail: str
    missing: tuple[str, ...]


class RunRow(Row):
    """The attributes of every row of a run."""

    pk: str
    outbox: Json[tuple[RecordedMessage, ...]]
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
    at_aggregated: Json[Mapping[str, Any]] | None = Field(None, alias="at_AGGREGATED")
    at_planned: Json[Mapping[str, Any]] | None = Field(None, alias="at_PLANNED")
    at_selling: Json[Release] | None = Field(None, alias="at_SELLING")
    at_buying: Json[Release] | None = Field(None, alias="at_BUYING")
    at_completed: Json[Mapping[str, Any]] | None = Field(None, alias="at_COMPLETED")
    at_failed: Json[FailedRun] | None = Field(None, alias="at_FAILED")
    settled: bool = False


class RunDay(Row):
    """A trading day, and the run that has it."""

    pk: str
    sk: Literal["META"]
    run_id: str


class RunStrategy(RunRow):
    """The answer of one strategy: `STRATEGY#<name>`."""

    sk: str
    body: Json[RecordedMessage]


class RunSignal(RunRow):
    """The merged signal."""

    sk: Literal["SIGNAL"]
    body: Json[RecordedMessage]


class RunPlan(RunRow):
    """The rebalance plan."""

    sk: Literal["PLAN"]
    body: Json[RebalancePlan]


class RunTrade(RunRow):
    """The outcome of one trade: `TRADE#<trade_id>`."""

    sk: str
    body: Json[RecordedMessage]


class RunSettlement(RunRow):
    """What the sweep found after the run had ended."""

    sk: Literal["SETTLEMENT"]
    body: Json[RecordedMessage]


class BooksOfDay(Row):
    """The check of one trading day: `CHECK#<date>`."""

    pk: Literal["BOOKS"]
    sk: str
    check_state: CheckState
    checked_at: AwareDatetime
    body: Json[BooksCheck]
    sent: bool


class LedgerFill(Row):
    """One fill in the ledger."""

    pk: str
    sk: str
    symbol: Symbol
    filled_at: AwareDatetime
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


class PerformanceDay(Row):
    """The figures of one owner after one run."""

    pk: str
    sk: str
    strategy: str
    trading_date: date
    run_id: str
    completed_at: AwareDatetime
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


class Delivery(Row):
    """What is known of a notice on one channel, in the Claims table: it was sent, or attempts have had no answer."""

    claim: str
    expires_at: int
    attempts: int | None = None


STORED_ITEMS: tuple[type[BaseModel], ...] = (
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
    Delivery,
    Verdict,
    Description,
    StoredActions,
)
