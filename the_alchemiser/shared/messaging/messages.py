"""Every message of the system, and the registry of who sends and who consumes it.

Messages are frozen. Decimals travel as strings, times as RFC 3339 in UTC. `message_id` is deterministic,
`<run_id>/<type>/<subject>`: the same fact told twice carries the same id, and consumers' claims absorb it.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Symbol = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9.]*$")]
Weights = Mapping[Symbol, Decimal]


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


UtcDatetime = Annotated[AwareDatetime, AfterValidator(_utc)]

TRADING = "alchemiser.trading"
DATA = "alchemiser.data"


class Side(StrEnum):
    """Which way a trade goes; also its phase, since sells come first."""

    BUY = "BUY"
    SELL = "SELL"


class Value(BaseModel):
    """A part of a message: frozen, and refusing what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Message(Value):
    """The envelope.

    Attributes:
        message_id: `<run_id>/<type>/<subject>`; the key of every consumer's claim.
        run_id: `<stage>-<date>[-r<n>]`; for messages of the data stack `data-<stage>-<as_of>`.
        caused_by: message_id of the message that led to this one; None for a schedule's work.
        occurred_at: business time, UTC.
    """

    message_id: str
    run_id: str
    caused_by: str | None = None
    occurred_at: UtcDatetime
    schema_version: Literal[1] = 1


class StrategyRequested(Message):
    """Evaluate one strategy of the book on closes through as_of."""

    strategy: str
    allocation: Decimal
    trading_date: date
    as_of: date


class StrategyEvaluated(Message):
    """One strategy's answer: weights sum to exactly 1; closes are those of as_of, USD; path_ref is an s3:// URL."""

    strategy: str
    allocation: Decimal
    weights: Weights
    closes: Mapping[Symbol, Decimal]
    as_of: date
    bars_digest: str
    path_ref: str


class StrategyFailed(Message):
    """One strategy has no answer: reason is a short code, detail the sentence for people."""

    strategy: str
    reason: str
    detail: str


class MarketDataFetchRequested(Message):
    """Bars found missing today; helps the next day and never delays this one."""

    symbols: tuple[Symbol, ...]
    reason: str


class SignalGenerated(Message):
    """The merged target: weights sum to 1; contributions sum to the weights, symbol by symbol."""

    weights: Weights
    contributions: Mapping[str, Weights]
    closes: Mapping[Symbol, Decimal]
    as_of: date


class RebalancePlanned(Message):
    """The plan is stored in the run; these are its trades by id, sells first. Equity in USD."""

    sells: tuple[str, ...]
    buys: tuple[str, ...]
    equity: Decimal


class TradeRequested(Message):
    """One trade for the FIFO queue.

    Attributes:
        quantity: shares, never notional.
        planning_price: USD a share, the price the plan was made at.
        last_close: USD a share at as_of: the reference of the price-distance limit.
        deltas: signed shares each strategy wants of this symbol; attribution splits the fills by them.
    """

    trade_id: str
    symbol: Symbol
    side: Side
    quantity: Decimal
    planning_price: Decimal
    last_close: Decimal
    deltas: Mapping[str, Decimal]


class Fill(Value):
    """What one order got: shares, USD a share, and when."""

    order_id: str
    client_order_id: str
    quantity: Decimal
    price: Decimal
    filled_at: UtcDatetime


class TradeExecuted(Message):
    """A trade that filled whole; avg_price USD a share, weighted by quantity."""

    trade_id: str
    symbol: Symbol
    side: Side
    quantity: Decimal
    filled_quantity: Decimal
    avg_price: Decimal
    fills: tuple[Fill, ...]


class TradeFailed(Message):
    """A trade that did not fill whole: a named reason, and whatever it did fill."""

    trade_id: str
    symbol: Symbol
    side: Side
    quantity: Decimal
    reason: str
    detail: str
    filled_quantity: Decimal = Decimal(0)
    fills: tuple[Fill, ...] = ()


class TradeOutcome(Value):
    """One line of the day's result; reason is None when the trade filled whole."""

    trade_id: str
    symbol: Symbol
    side: Side
    quantity: Decimal
    filled_quantity: Decimal
    avg_price: Decimal | None
    reason: str | None = None


class Mark(Value):
    """A holding after the run: shares and USD a share."""

    symbol: Symbol
    quantity: Decimal
    price: Decimal


class RunCompleted(Message):
    """The day's result. degraded: at least one trade did not fill whole. Equity and cash in USD."""

    trading_date: date
    as_of: date
    weights: Weights
    outcomes: tuple[TradeOutcome, ...]
    positions: tuple[Mark, ...]
    equity_before: Decimal
    equity_after: Decimal
    cash_after: Decimal
    degraded: bool


class RunFailed(Message):
    """A run that ended without completing: the state it was in, why, and what was missing."""

    trading_date: date
    state: str
    reason: str
    detail: str
    missing: tuple[str, ...] = ()


class MarketDataRefreshed(Message):
    """One refresh of the lake: failed maps a symbol to the reason."""

    as_of: date
    refreshed: tuple[Symbol, ...]
    failed: Mapping[Symbol, str] = Field(default_factory=dict)


class DataQualityChecked(Message):
    """The verdict in short; quarantined maps a symbol to the reason."""

    as_of: date
    passed: bool
    checked: int
    quarantined: Mapping[Symbol, str] = Field(default_factory=dict)


class Route(NamedTuple):
    """Where a message goes: the bus source, the modules that send it, the modules that consume it.

    `queued` messages go straight to a queue and need no rule.
    """

    source: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    queued: bool = False


REGISTRY: Mapping[type[Message], Route] = {
    StrategyRequested: Route(TRADING, ("coordinator_v2",), ("strategy_v2",)),
    StrategyEvaluated: Route(TRADING, ("strategy_v2",), ("aggregator_v2",)),
    StrategyFailed: Route(TRADING, ("strategy_v2",), ("aggregator_v2",)),
    MarketDataFetchRequested: Route(TRADING, ("strategy_v2",), ("data_v2",)),
    SignalGenerated: Route(TRADING, ("aggregator_v2",), ("portfolio_v2",)),
    RebalancePlanned: Route(TRADING, ("portfolio_v2",), ("trade_aggregator",)),
    TradeRequested: Route(TRADING, ("trade_aggregator",), ("execution_v2",), queued=True),
    TradeExecuted: Route(TRADING, ("execution_v2",), ("trade_aggregator",)),
    TradeFailed: Route(TRADING, ("execution_v2",), ("trade_aggregator",)),
    RunCompleted: Route(TRADING, ("trade_aggregator",), ("notifications_v2", "metrics_v2")),
    RunFailed: Route(
        TRADING, ("coordinator_v2", "aggregator_v2", "portfolio_v2", "trade_aggregator"), ("notifications_v2",)
    ),
    MarketDataRefreshed: Route(DATA, ("data_v2",), ("data_quality_monitor",)),
    DataQualityChecked: Route(DATA, ("data_quality_monitor",), ("notifications_v2",)),
}

BY_NAME: Mapping[str, type[Message]] = {message.__name__: message for message in REGISTRY}


def message_id(run_id: str, kind: type[Message], subject: str = "run") -> str:
    """The deterministic id of a fact: the same run, type and subject give the same id."""
    return f"{run_id}/{kind.__name__}/{subject}"
