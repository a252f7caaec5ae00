"""Builders of runs in any state, over the in-memory store, and of their messages."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.the_alchemiser.fakes import InMemoryRunStore
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    Fill,
    Message,
    RebalancePlanned,
    SignalGenerated,
    StrategyEvaluated,
    StrategyFailed,
    TradeExecuted,
    TradeFailed,
    message_id,
)
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision, trade_id
from the_alchemiser.shared.run.runs import PLAN, SIGNAL, Move, NewRun, Run, RunItem, RunState
from the_alchemiser.shared.values import Side

STAGE = "local"
DAY = date(2022, 3, 16)
AS_OF = date(2022, 3, 15)
RUN_ID = "local-2022-03-16"
AT = datetime(2022, 3, 16, 19, 45, tzinfo=UTC)
WALL = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
DEADLINE = WALL + timedelta(minutes=5)
HALVES = {"calm": Decimal("0.5"), "bold": Decimal("0.5")}


def wall_clock() -> datetime:
    return WALL


def new_run(run_id: str = RUN_ID, *, allocations: Mapping[str, Decimal] | None = None, day: date = DAY) -> NewRun:
    return NewRun(run_id, STAGE, day, AS_OF, allocations or HALVES, DEADLINE)


def evaluating(
    run_id: str = RUN_ID, *, allocations: Mapping[str, Decimal] | None = None, outbox: tuple[Message, ...] = ()
) -> InMemoryRunStore:
    store = InMemoryRunStore()
    store.create(new_run(run_id, allocations=allocations), by="coordinator_v2", at=WALL, outbox=outbox)
    return store


def replace_run(store: InMemoryRunStore, run_id: str, *, replaces: str = RUN_ID) -> None:
    """End and settle the run that has the day, and create another one in its place."""
    if not store.runs[replaces].state.is_final:
        move_to(store, RunState.FAILED, run_id=replaces)
    store.mark_settled(replaces)
    assert store.create(new_run(run_id), by="coordinator_v2", at=WALL, outbox=(), replaces=replaces)


def move_to(
    store: InMemoryRunStore, state: RunState, *, run_id: str = RUN_ID, outbox: tuple[Message, ...] = ()
) -> None:
    """Move the run from whatever state it is in, with the same deadline."""
    leaving = store.runs[run_id].state
    assert store.move(run_id, Move(leaving, state, "a test", WALL, DEADLINE, outbox=outbox))


def loaded(store: InMemoryRunStore, run_id: str = RUN_ID) -> Run:
    run = store.load(run_id)
    assert run is not None
    return run


def evaluated(
    strategy: str, weights: Mapping[str, str], *, run_id: str = RUN_ID, as_of: date = AS_OF
) -> StrategyEvaluated:
    return StrategyEvaluated(
        message_id=message_id(run_id, StrategyEvaluated, strategy),
        run_id=run_id,
        occurred_at=AT,
        strategy=strategy,
        allocation=Decimal("0.5"),
        weights={symbol: Decimal(weight) for symbol, weight in weights.items()},
        closes=dict.fromkeys(weights, Decimal(100)),
        as_of=as_of,
        bars_digest="0" * 64,
        path_ref=f"s3://bucket/{strategy}.json",
    )


def strategy_failed(strategy: str, *, reason: str = "too_little_history", run_id: str = RUN_ID) -> StrategyFailed:
    return StrategyFailed(
        message_id=message_id(run_id, StrategyFailed, strategy),
        run_id=run_id,
        occurred_at=AT,
        strategy=strategy,
        reason=reason,
        detail="SPY: 120 bars present, 200 needed",
    )


def signal(run_id: str = RUN_ID) -> SignalGenerated:
    return SignalGenerated(
        message_id=message_id(run_id, SignalGenerated),
        run_id=run_id,
        occurred_at=AT,
        weights={"SPY": Decimal(1)},
        contributions={strategy: {"SPY": half} for strategy, half in HALVES.items()},
        closes={"SPY": Decimal(100)},
        as_of=AS_OF,
    )


def decision(
    symbol: str, side: Side | None, quantity: str = "0", *, price: str = "100", held: str = "0"
) -> TradeDecision:
    return TradeDecision(
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        held=Decimal(held),
        price=Decimal(price),
        last_close=Decimal(price),
        target_weight=Decimal(0),
        target_quantity=Decimal(0),
        reason="a test",
        deltas={"calm": Decimal(quantity)},
    )


def plan(*decisions: TradeDecision, run_id: str = RUN_ID, deployment: str = "0.99") -> RebalancePlan:
    return RebalancePlan(
        run_id=run_id,
        equity=Decimal(100_000),
        cash=Decimal(100_000),
        deployment_fraction=Decimal(deployment),
        decisions=decisions,
    )


def planned(store: InMemoryRunStore, plan: RebalancePlan) -> RebalancePlanned:
    """Move an evaluating run to PLANNED with that plan; return the message that announces it."""
    store.put_once(plan.run_id, RunItem(SIGNAL, outbox.encode(signal(plan.run_id))))
    store.put_once(plan.run_id, RunItem(PLAN, plan.to_content()))
    move_to(store, RunState.AGGREGATED, run_id=plan.run_id)
    message = RebalancePlanned(
        message_id=message_id(plan.run_id, RebalancePlanned),
        run_id=plan.run_id,
        occurred_at=AT,
        sells=_ids_of(plan, Side.SELL),
        buys=_ids_of(plan, Side.BUY),
        equity=plan.equity,
    )
    move_to(store, RunState.PLANNED, run_id=plan.run_id)
    return message


def _ids_of(plan: RebalancePlan, side: Side) -> tuple[str, ...]:
    return tuple(trade for trade, decision in plan.by_trade_id().items() if decision.side is side)


def executed(symbol: str, side: Side, quantity: str, *, price: str = "100", run_id: str = RUN_ID) -> TradeExecuted:
    trade = trade_id(run_id, side, symbol)
    fill = Fill(
        order_id=f"order-{trade}",
        client_order_id=f"{trade}-1",
        quantity=Decimal(quantity),
        price=Decimal(price),
        filled_at=AT,
    )
    return TradeExecuted(
        message_id=message_id(run_id, TradeExecuted, trade),
        run_id=run_id,
        occurred_at=AT,
        trade_id=trade,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        filled_quantity=Decimal(quantity),
        avg_price=Decimal(price),
        fills=(fill,),
    )


def trade_failed(
    symbol: str, side: Side, quantity: str, *, fills: tuple[Fill, ...] = (), run_id: str = RUN_ID
) -> TradeFailed:
    trade = trade_id(run_id, side, symbol)
    return TradeFailed(
        message_id=message_id(run_id, TradeFailed, trade),
        run_id=run_id,
        occurred_at=AT,
        trade_id=trade,
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        reason="market_closed",
        detail="under 60 s to the close",
        filled_quantity=sum((fill.quantity for fill in fills), Decimal(0)),
        fills=fills,
    )
