"""Invented evidence of complete and failed trading days, for the tests of the report."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from msgspec import structs

from sandbox.evidence import Backlog, BrokerState, DayEvidence, Mail, QueuedMessage
from sandbox.function_logs import FunctionLog, LogFailure
from tests.desk.decisions import DECISIONS
from tests.the_alchemiser.results import CANCELLED_LATE, settled
from the_alchemiser.shared.broker.models import Account, Order, OrderStatus, Position
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.market_data.verdict import Verdict
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import (
    Fill,
    Message,
    RunFailed,
    SignalGenerated,
    StrategyEvaluated,
    StrategyFailed,
    TradeExecuted,
    TradeFailed,
    message_id,
)
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision, trade_id
from the_alchemiser.shared.run.runs import PLAN, SETTLEMENT, SIGNAL, STRATEGY, TRADE, Run, RunItem, RunState, Transition
from the_alchemiser.shared.values import Side

DAY = date(2022, 3, 16)
STARTED = datetime(2026, 11, 24, 9, 30, 2, 117_000, tzinfo=UTC)
ALLOCATIONS = {"trend_following": Decimal("0.5"), "sector_momentum": Decimal("0.3"), "calm_balance": Decimal("0.2")}
ANSWERS: Mapping[str, Mapping[str, str]] = {
    "trend_following": {"SPY": "0.6", "GLD": "0.4"},
    "sector_momentum": {"XOM": "0.5", "UNH": "0.5"},
    "calm_balance": {"SPY": "0.45", "TLT": "0.35", "KO": "0.2"},
}
PRICES = {"SPY": "429.12", "GLD": "179.44", "XOM": "78.31", "UNH": "495.02", "TLT": "131.92", "KO": "58.77"}
STEPS = (
    (RunState.EVALUATING, "coordinator_v2", 0),
    (RunState.AGGREGATED, "aggregator_v2", 742),
    (RunState.PLANNED, "portfolio_v2", 961),
    (RunState.SELLING, "trade_aggregator", 1088),
    (RunState.BUYING, "trade_aggregator", 1544),
    (RunState.COMPLETED, "trade_aggregator", 3902),
)


def business(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 19, 45, 30, tzinfo=UTC)


def contributions() -> dict[str, dict[str, Decimal]]:
    return {name: contribution(name) for name in ANSWERS}


def contribution(name: str) -> dict[str, Decimal]:
    return {symbol: Decimal(weight) * ALLOCATIONS[name] for symbol, weight in ANSWERS[name].items()}


def targets() -> dict[str, Decimal]:
    totals = dict.fromkeys(PRICES, Decimal(0))
    for parts in contributions().values():
        for symbol, part in parts.items():
            totals[symbol] += part
    return totals


def run_id_of(day: date) -> str:
    return f"local-{day}"


def decision(symbol: str, *, equity: Decimal) -> TradeDecision:
    price, weight = Decimal(PRICES[symbol]), targets()[symbol]
    target = (weight * equity * Decimal("0.99") / price).quantize(Decimal("0.000001"))
    is_kept = symbol == "KO"
    return TradeDecision(
        symbol=symbol,
        side=None if is_kept else Side.BUY,
        quantity=Decimal(0) if is_kept else target,
        held=target if is_kept else Decimal(0),
        price=price,
        last_close=price - 1,
        target_weight=weight,
        target_quantity=target,
        reason="the change of $1.20 is below the minimum of $100.00" if is_kept else "below target by its whole weight",
        deltas={},
    )


def full_exit() -> TradeDecision:
    return TradeDecision(
        symbol="QQQ",
        side=Side.SELL,
        quantity=Decimal("61.5"),
        held=Decimal("61.5"),
        price=Decimal("341.17"),
        last_close=Decimal("338.02"),
        target_weight=Decimal(0),
        target_quantity=Decimal(0),
        reason="no strategy wants it any more: full exit",
        deltas={"trend_following": Decimal("-61.5")},
    )


def plan_of(day: date, *, equity: Decimal) -> RebalancePlan:
    decisions = [full_exit(), *(decision(symbol, equity=equity) for symbol in PRICES)]
    return RebalancePlan(
        run_id=run_id_of(day),
        equity=equity,
        cash=Decimal("78017.05"),
        deployment_fraction=Decimal("0.99"),
        decisions=tuple(sorted(decisions, key=lambda line: line.symbol)),
    )


def order_of(planned: TradeDecision, day: date, *, filled: Decimal) -> Order:
    side = planned.side or Side.BUY
    filled_price = planned.price * (Decimal("1.0001") if side is Side.BUY else Decimal("0.9999"))
    return Order(
        id=f"6f1c3b0e-9d5e-4c1b-8a55-{sum(planned.symbol.encode()):012d}",
        client_order_id=f"{trade_id(run_id_of(day), side, planned.symbol)}-1",
        symbol=planned.symbol,
        side=side,
        type="limit",
        status=OrderStatus.FILLED if filled == planned.quantity else OrderStatus.CANCELED,
        quantity=planned.quantity,
        filled_quantity=filled,
        filled_avg_price=filled_price.quantize(Decimal("0.0001")) if filled else None,
        limit_price=filled_price.quantize(Decimal("0.01")),
        submitted_at=business(day),
        filled_at=business(day) if filled == planned.quantity else None,
        canceled_at=None,
    )


def outcome_of(planned: TradeDecision, order: Order, day: date) -> TradeExecuted | TradeFailed:
    side = planned.side or Side.BUY
    trade = trade_id(run_id_of(day), side, planned.symbol)
    price = order.filled_avg_price or Decimal(0)
    fills = (
        (Fill(order_id=order.id, client_order_id=order.client_order_id, quantity=order.filled_quantity, price=price,
              filled_at=business(day)),)
        if order.filled_quantity
        else ()
    )  # fmt: skip

    kind = TradeExecuted if order.filled_quantity == planned.quantity else TradeFailed
    common = {
        "message_id": message_id(run_id_of(day), kind, trade),
        "run_id": run_id_of(day),
        "occurred_at": business(day),
        "trade_id": trade,
        "symbol": planned.symbol,
        "side": side,
        "quantity": planned.quantity,
        "filled_quantity": order.filled_quantity,
        "fills": fills,
    }

    if kind is TradeExecuted:
        return TradeExecuted.read({**common, "avg_price": price})
    detail = "87.250000 shares did not fill in time"
    return TradeFailed.read({**common, "reason": "not_filled", "detail": detail})


def entry_of(planned: TradeDecision, order: Order, day: date) -> LedgerEntry:
    sign = 1 if order.side is Side.BUY else -1
    wants = {name: weights[planned.symbol] for name, weights in contributions().items() if planned.symbol in weights}
    total = sum(wants.values(), Decimal(0))
    shares = {name: sign * order.filled_quantity * part / total for name, part in wants.items()} if total else {}
    price = order.filled_avg_price or Decimal(0)

    return LedgerEntry(
        symbol=planned.symbol,
        filled_at=business(day),
        order_id=order.id,
        fill="1",
        client_order_id=order.client_order_id,
        trade_id=trade_id(run_id_of(day), order.side, planned.symbol),
        run_id=run_id_of(day),
        side=order.side,
        quantity=order.filled_quantity,
        price=price,
        cash=(-sign * order.filled_quantity * price).quantize(Decimal("0.01")),
        attribution=shares or {"trend_following": sign * order.filled_quantity},
    )


def account(equity: Decimal, cash: Decimal) -> Account:
    return Account("sandbox", "ACTIVE", cash, equity, equity, cash, Decimal(1), trading_blocked=False)


def item(sk: str, message: Message) -> RunItem:
    return RunItem(sk, outbox.encode(message))


def _answer(name: str, day: date) -> StrategyEvaluated:
    return StrategyEvaluated(
        message_id=message_id(run_id_of(day), StrategyEvaluated, name),
        run_id=run_id_of(day),
        occurred_at=business(day),
        strategy=name,
        allocation=ALLOCATIONS[name],
        weights={symbol: Decimal(weight) for symbol, weight in ANSWERS[name].items()},
        closes={},
        as_of=day - timedelta(days=1),
        bars_digest="d1gest",
        path_ref=f"s3://lake/decisions/v1/{run_id_of(day)}/{name}.json",
    )


def _signal(day: date) -> SignalGenerated:
    return SignalGenerated(
        message_id=message_id(run_id_of(day), SignalGenerated),
        run_id=run_id_of(day),
        occurred_at=business(day),
        weights=targets(),
        contributions=contributions(),
        closes={},
        as_of=day - timedelta(days=1),
    )


def run_of(day: date, plan: RebalancePlan, outcomes: Mapping[str, Message], *, began: datetime) -> Run:
    items = [item(f"{STRATEGY}#{name}", _answer(name, day)) for name in ALLOCATIONS]
    items += [item(SIGNAL, _signal(day)), RunItem(PLAN, plan.to_content())]
    items += [item(f"{TRADE}#{trade}", outcome) for trade, outcome in outcomes.items()]

    return Run(
        run_id=run_id_of(day),
        stage="local",
        trading_date=day,
        as_of=day - timedelta(days=1),
        state=RunState.COMPLETED,
        allocations=ALLOCATIONS,
        deadline_at=began + timedelta(minutes=5),
        timeline=tuple(Transition(state, began + timedelta(milliseconds=ms), by) for state, by, ms in STEPS),
        items={entry.sk: entry for entry in items},
    )


def logs() -> dict[str, FunctionLog]:
    handled = {
        "data_v2": {"RefreshMarketData": 1},
        "data_quality_monitor": {"MarketDataRefreshed": 1},
        "coordinator_v2": {"StartRun": 1},
        "strategy_v2": {"StrategyRequested": 3},
        "aggregator_v2": {"StrategyEvaluated": 3},
        "portfolio_v2": {"SignalGenerated": 1},
        "trade_aggregator": {"RebalancePlanned": 1, "TradeExecuted": 6},
        "execution_v2": {"TradeRequested": 6},
        "notifications_v2": {"RunCompleted": 1, "DataQualityChecked": 1},
        "metrics_v2": {"RunCompleted": 1},
    }
    return {
        module: FunctionLog(module, f"alchemiser-local-{module}", sum(kinds.values()), kinds)
        for module, kinds in handled.items()
    }


def whole_day(day: date = DAY, *, equity: str = "100000", gain: str = "-11.37", missed: str = "") -> DayEvidence:
    """Return a completed day; `missed` is a symbol whose trade was not filled."""
    before, after = Decimal(equity), Decimal(equity) + Decimal(gain)
    plan = plan_of(day, equity=before)

    traded = plan.by_trade_id()
    orders = {
        trade: order_of(line, day, filled=Decimal(0) if line.symbol == missed else line.quantity)
        for trade, line in traded.items()
    }
    outcomes = {trade: outcome_of(line, orders[trade], day) for trade, line in traded.items()}

    positions = tuple(_position(line, after) for line in plan.decisions if line.symbol not in ("QQQ", missed))
    cash = after - sum((position.market_value or Decimal(0) for position in positions), Decimal(0))

    mail = Mail(
        message_id="m1",
        sender="alchemiser@example.com",
        recipients=("trader@example.com",),
        subject=f"[local] {day} completed, 6 trades, equity ${after:,.2f}",
        text="",
        html="",
        sent_at=STARTED + timedelta(milliseconds=4127),
    )
    return DayEvidence(
        trading_date=day,
        run=run_of(day, plan, outcomes, began=STARTED),
        verdict=Verdict(checked_at=business(day), as_of=day - timedelta(days=1), quarantined={}),
        before=BrokerState(account(before, plan.cash), ()),
        after=BrokerState(account(after, cash), positions, tuple(orders.values())),
        ledger=tuple(
            entry_of(line, orders[trade], day) for trade, line in traded.items() if orders[trade].filled_quantity
        ),
        functions=logs(),
        mails=(mail,),
        backlogs=(Backlog("coordinator-inbox", "coordinator_v2", is_dead_letter=False, messages=()),),
        started_at=STARTED,
        seconds={"refreshing the data": 2.31, "trading": 4.18},
        decisions=DECISIONS,
    )


ODD = {"628ESC012": "odd_symbol", "BTCUSD": "not_an_equity"}


def odd_day(quarantined: Mapping[str, str] = ODD) -> DayEvidence:
    """Return a completed day of an account with holdings and targets that the run left out, and a late order."""
    day = whole_day()
    plan = plan_of(DAY, equity=Decimal(100_000)).changed(
        quarantined=dict(quarantined), untradable={"AAA": "not_tradable"}
    )
    items = {PLAN: RunItem(PLAN, plan.to_content()), SETTLEMENT: item(SETTLEMENT, settled(CANCELLED_LATE))}
    odd = Position("628ESC012", Decimal(5), Decimal(5), Decimal(0), None, None, None, "us_equity")
    after = replace(day.after, positions=(odd, *day.after.positions))
    return replace(day, run=structs.replace(day.run, items={**day.run.items, **items}), after=after)


def _position(line: TradeDecision, equity: Decimal) -> Position:
    price = Decimal(PRICES[line.symbol])
    value = (line.target_quantity * price).quantize(Decimal("0.01"))
    return Position(
        line.symbol, line.target_quantity, line.target_quantity, price - Decimal("0.04"), price, None, value
    )


def failures_of(name: str, day: date) -> tuple[StrategyFailed, RunFailed]:
    """Return the failures that a strategy and its run published."""
    detail = "XOM has 120 bars through 2022-03-15; 200 are needed"
    strategy_failed = StrategyFailed(
        message_id=message_id(run_id_of(day), StrategyFailed, name),
        run_id=run_id_of(day),
        occurred_at=business(day),
        strategy=name,
        reason="too_little_history",
        detail=detail,
    )

    run_failed = RunFailed(
        message_id=message_id(run_id_of(day), RunFailed),
        run_id=run_id_of(day),
        occurred_at=business(day),
        trading_date=day,
        state=RunState.EVALUATING,
        reason="strategy_failed",
        detail=f"{name}: {detail}",
        missing=(name,),
    )
    return strategy_failed, run_failed


def failed_day(day: date = DAY) -> DayEvidence:
    """Return a day on which a strategy failed: nothing was planned, and one function logged an error."""
    whole, name = whole_day(day), "sector_momentum"
    strategy_failed, run_failed = failures_of(name, day)
    lines = (whole.run.timeline[0], Transition(RunState.FAILED, STARTED + timedelta(milliseconds=812), "aggregator_v2"))
    run = structs.replace(
        whole.run,
        state=RunState.FAILED,
        timeline=lines,
        items={f"{STRATEGY}#{name}": item(f"{STRATEGY}#{name}", strategy_failed)},
        outbox=(run_failed,),
    )

    failure = LogFailure("failed: <KeyError> & more")
    broken = FunctionLog("strategy_v2", "alchemiser-local-strategy_v2", 1, {}, (failure,))
    quiet = {"portfolio_v2", "trade_aggregator", "execution_v2", "metrics_v2"}
    functions = {name: log for name, log in whole.functions.items() if name not in quiet} | {"strategy_v2": broken}

    after = BrokerState(account(Decimal(100_000), Decimal(100_000)), ())
    dead = QueuedMessage("a-message", receives=3, visible_at=STARTED)
    left = Backlog("strategy-dead-letters", "strategy_v2", is_dead_letter=True, messages=(dead,))
    return replace(
        whole,
        run=run,
        before=after,
        after=after,
        ledger=(),
        functions=functions,
        mails=(),
        backlogs=(left,),
        decisions={},
    )
