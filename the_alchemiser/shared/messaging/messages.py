"""Every message of the system, and the registry of which module sends it and which modules consume it.

Messages are frozen. In JSON, decimals are strings and times are RFC 3339 in UTC. `message_id` is deterministic,
`<run_id>/<type>/<subject>`: a message that is sent twice carries the same id, and the consumers' claims drop the
second delivery.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, TypedDict

from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Side, Symbol, UtcDatetime, Value, Weights

TRADING = "alchemiser.trading"
DATA = "alchemiser.data"


class Message(Value):
    """The fields that every message has.

    Attributes:
        message_id: `<run_id>/<type>/<subject>`; the key of every consumer's claim.
        run_id: `<stage>-<date>[-r<n>]`; for messages of the data stack `data-<stage>-<as_of>`.
        caused_by: message_id of the message that led to this one; None when a schedule or a person started the work.
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
    """The answer of one strategy.

    Attributes:
        weights: fractions; with cash they sum to exactly 1.
        cash: the fraction that stays in cash; a release that does not know it leaves none.
        closes: USD per share on as_of.
        bars_digest: of the prices that the strategy was evaluated on.
        path_ref: s3:// URL of the decision path.
    """

    strategy: str
    allocation: Decimal
    weights: Weights
    closes: Mapping[Symbol, Decimal]
    as_of: date
    bars_digest: str
    path_ref: str
    cash: Decimal = Decimal(0)


class StrategyFailed(Message):
    """One strategy could not be evaluated; reason is a short code, detail a sentence for people."""

    strategy: str
    reason: str
    detail: str


class MarketDataFetchRequested(Message):
    """Fetch bars that are missing from the lake. The bars help the next run; this run does not wait for them."""

    symbols: tuple[Symbol, ...]
    reason: str


class SignalGenerated(Message):
    """The merged target: weights and cash sum to 1; for every symbol, the strategies' contributions sum to its weight.

    Attributes:
        cash: the fraction that stays in cash; a release that does not know it leaves none.
    """

    weights: Weights
    contributions: Mapping[str, Weights]
    closes: Mapping[Symbol, Decimal]
    as_of: date
    cash: Decimal = Decimal(0)


class RebalancePlanned(Message):
    """A plan was stored in the run. `sells` and `buys` are trade ids; equity is in USD."""

    sells: tuple[str, ...]
    buys: tuple[str, ...]
    equity: Decimal


class TradeRequested(Message):
    """Execute one trade; sent to the FIFO trade queue.

    Attributes:
        quantity: shares, never notional.
        planning_price: USD per share, the price that the plan was computed with.
        last_close: USD per share at as_of; the price-distance limit is measured from it.
        deltas: signed shares that each strategy wants to trade; attribution splits the fills by them.
    """

    trade_id: str
    symbol: Symbol
    side: Side
    quantity: Decimal
    planning_price: Decimal
    last_close: Decimal
    deltas: Mapping[str, Decimal]


class Fill(Value):
    """The fills of one order: shares, average price in USD per share, and the time of the last one."""

    order_id: str
    client_order_id: str
    quantity: Decimal
    price: Decimal
    filled_at: UtcDatetime


class TradeExecuted(Message):
    """A trade filled completely; avg_price is in USD per share, weighted by quantity."""

    trade_id: str
    symbol: Symbol
    side: Side
    quantity: Decimal
    filled_quantity: Decimal
    avg_price: Decimal
    fills: tuple[Fill, ...]


class TradeFailed(Message):
    """A trade did not fill completely.

    Attributes:
        reason: a short code; detail is a sentence for people.
        fills: those it got.
        unsettled: an order of the trade may still rest at the broker, or fill there; the coordinator's sweep cancels
            and records it.
    """

    trade_id: str
    symbol: Symbol
    side: Side
    quantity: Decimal
    reason: str
    detail: str
    filled_quantity: Decimal = Decimal(0)
    fills: tuple[Fill, ...] = ()
    unsettled: bool = False


class TradeOutcome(Value):
    """The result of one trade; reason is None when the trade filled completely. For `unsettled`, see TradeFailed."""

    trade_id: str
    symbol: Symbol
    side: Side
    quantity: Decimal
    filled_quantity: Decimal
    avg_price: Decimal | None
    reason: str | None = None
    unsettled: bool = False


class Mark(Value):
    """A position after the run: shares, and their price in USD per share; the symbol is as the broker spells it."""

    symbol: str
    quantity: Decimal
    price: Decimal


class RunCompleted(Message):
    """A run completed. Equity and cash are in USD.

    Attributes:
        positions: those with a price.
        quarantined: the holdings that the run left alone, by symbol as the broker spells it, with the reason.
        untradable: the targets that cannot be traded now, with the reason; their weight stays in cash.
        degraded: a trade did not fill completely, or a holding or target was left out.
        cash: the fraction of the target that stays in cash.
    """

    trading_date: date
    as_of: date
    weights: Weights
    outcomes: tuple[TradeOutcome, ...]
    positions: tuple[Mark, ...]
    equity_before: Decimal
    equity_after: Decimal
    cash_after: Decimal
    degraded: bool
    quarantined: Mapping[str, str] = {}
    untradable: Mapping[str, str] = {}
    cash: Decimal = Decimal(0)


class RunFailed(Message):
    """A run failed: the state it was in, the reason, and what it was still waiting for."""

    trading_date: date
    state: str
    reason: str
    detail: str
    missing: tuple[str, ...] = ()


class SettledOrder(Value):
    """An order that filled or was cancelled after its run had ended.

    Attributes:
        symbol, status: as the broker spells them.
        filled_quantity: shares; avg_price is in USD per share, None when nothing was filled.
    """

    order_id: str
    client_order_id: str
    symbol: str
    side: Side
    status: str
    filled_quantity: Decimal
    avg_price: Decimal | None = None


class RunSettled(Message):
    """Every order of an ended run is final; `orders` are those that differ from what the run has reported."""

    trading_date: date
    orders: tuple[SettledOrder, ...]


class RunRefused(Message):
    """No run was started: why, as a short code and as a sentence. The id ends in the reason: one per day and reason."""

    trading_date: date
    reason: str
    detail: str


class Difference(Value):
    """One thing that the broker shows, and the books do not.

    Attributes:
        kind: `holding`: the account holds another number of shares; `order`: an order of ours is open that no run waits
            for; `fill`: an order of ours has filled that the ledger does not have.
        symbol: as the broker spells it.
        broker, books: signed shares: held, still to fill, or filled.
        order: the client order id of an order or a fill.
        cause: the likely cause of a holding, as a clause for people; empty when it is not known.
    """

    kind: Literal["holding", "order", "fill"] = "holding"
    symbol: str
    broker: Decimal
    books: Decimal
    order: str = ""
    cause: str = ""


class BooksDiffer(Message):
    """After the close, the account held something other than the books say; no run starts until that is accepted.

    Attributes:
        account: the number of the account.
    """

    trading_date: date
    account: str
    differences: tuple[Difference, ...]


class MarketDataRefreshed(Message):
    """The lake was refreshed; `failed` maps a symbol to the reason.

    Attributes:
        repaired: what was wrong with the stored object of a symbol before, such as `damaged: …`; it is whole again.
    """

    as_of: date
    refreshed: tuple[Symbol, ...]
    failed: Mapping[Symbol, str] = {}
    repaired: Mapping[Symbol, str] = {}


class DataQualityChecked(Message):
    """The lake was checked; `quarantined` maps a symbol to the reason.

    Attributes:
        passed: nothing is quarantined, and there are no problems.
        problems: what a person must look at, although it makes no bars unusable; a sentence each.
    """

    as_of: date
    passed: bool
    checked: int
    quarantined: Mapping[Symbol, str] = {}
    problems: tuple[str, ...] = ()


class Route(Frozen):
    """The route of a message: its source on the bus, the modules that send it, the modules that consume it.

    A `queued` message goes straight to a queue and needs no rule on the bus.
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
        TRADING,
        ("coordinator_v2", "aggregator_v2", "portfolio_v2", "trade_aggregator"),
        ("notifications_v2",),
    ),
    RunRefused: Route(TRADING, ("coordinator_v2",), ("notifications_v2",)),
    RunSettled: Route(TRADING, ("coordinator_v2",), ("notifications_v2",)),
    BooksDiffer: Route(TRADING, ("coordinator_v2",), ("notifications_v2",)),
    MarketDataRefreshed: Route(DATA, ("data_v2",), ("data_quality_monitor",)),
    DataQualityChecked: Route(DATA, ("data_quality_monitor",), ("notifications_v2",)),
}

BY_NAME: Mapping[str, type[Message]] = {message.__name__: message for message in REGISTRY}


class Envelope(TypedDict):
    """The fields of `Message`, ready to be passed to the constructor of one."""

    message_id: str
    run_id: str
    caused_by: str | None
    occurred_at: datetime


def envelope(
    kind: type[Message], run_id: str, subject: str = "run", *, occurred_at: datetime, caused_by: str | None = None
) -> Envelope:
    """Return the fields that every message has, for one of this kind about this subject of the run.

    Args:
        subject: distinguishes this message from others of its kind in the run: a strategy, a trade id.
        occurred_at: business time, UTC.
        caused_by: message_id of the message that led to this one.
    """
    return {
        "message_id": message_id(run_id, kind, subject),
        "run_id": run_id,
        "caused_by": caused_by,
        "occurred_at": occurred_at,
    }


def message_id(run_id: str, kind: type[Message], subject: str = "run") -> str:
    """Return `<run_id>/<type>/<subject>`: the same run, type and subject give the same id."""
    return f"{run_id}/{kind.__name__}/{subject}"
