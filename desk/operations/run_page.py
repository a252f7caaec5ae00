"""Print everything about one run on one page, from the decision of each strategy to the last notice."""

from collections.abc import Iterable
from decimal import Decimal

from automation.system import console
from desk.decision import sentences, summary
from desk.operations.run_record import Notice, RunRecord, TradeRecord
from desk.operations.situation_view import time_text
from sandbox.summary import signal_rows, strategy_rows
from the_alchemiser.notifications_v2.channels import Delivery
from the_alchemiser.notifications_v2.explanations import explain_omission, explain_trade_reason
from the_alchemiser.shared import formats
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.messaging.messages import RunCompleted, RunFailed, TradeFailed
from the_alchemiser.shared.run.plan import TradeDecision
from the_alchemiser.shared.run.progress import missing

_DECISIONS = ("symbol", "held", "target weight", "target", "price", "last close", "decision", "reason")
_TRADES = ("trade", "planned", "released", "filled", "avg price", "result")
_ORDERS = ("order", "side", "type", "limit", "shares", "filled", "avg price", "status", "in the ledger")
_ENTRIES = ("order", "shares", "price", "cash", "by strategy")


def show(record: RunRecord) -> None:
    """Print the page; what the run has not reached yet is left out."""
    run = record.run
    console.result(heading(record), style="bold")
    console.results(timeline(record))
    console.results(result_lines(record))
    console.table(("strategy", "allocation", "target weights"), strategy_rows(record), title="strategies")
    console.results(decision_lines(record))
    if record.signal:
        console.table(("symbol", "weight", "from strategies"), signal_rows(record), title="merged signal")
    _show_plan(record)
    _show_trades(record)
    if record.ledger:
        console.table(_ENTRIES, entry_rows(record), title="ledger", right=_ENTRIES[1:4])
    settled = [
        (order.client_order_id, order.symbol, order.status, formats.shares(order.filled_quantity))
        for order in record.settled_orders
    ]
    if settled:
        console.table(("order", "symbol", "status", "filled"), settled, title="settled after the end of the run")
    console.table(("notice", "published", "mail", "topic"), map(notice_row, record.notices), title="notices")
    if not run.state.is_final:
        console.result(f"waiting for: {', '.join(missing(run)) or 'its next step'}")


def heading(record: RunRecord) -> str:
    """Return what the run is and how it ended."""
    run, result = record.run, record.result
    degraded = ", degraded" if isinstance(result, RunCompleted) and result.degraded else ""
    settled = "" if not run.state.is_final else ", settled" if run.settled else ", not settled yet"
    return f"{run.run_id}: {run.state}{degraded}{settled}; decided on closes through {run.as_of}"


def timeline(record: RunRecord) -> list[str]:
    """Return a line per state, in wall-clock time, with the seconds since the run began."""
    began = record.run.timeline[0].at if record.run.timeline else None
    return [
        f"{time_text(line.at)}  +{(line.at - began).total_seconds():.1f} s  {line.state}  {line.by}"
        for line in record.run.timeline
        if began is not None
    ]


def result_lines(record: RunRecord) -> list[str]:
    """Return why the run failed, or its equity before and after; none while it has not ended."""
    result = record.result
    match result:
        case RunFailed():
            absent = f"; missing: {', '.join(result.missing)}" if result.missing else ""
            return [f"failed in {result.state}: {result.reason}: {result.detail}{absent}"]
        case RunCompleted():
            before, after = result.equity_before, result.equity_after
            return [
                f"equity {formats.money(before)} before, {formats.money(after)} after: {formats.change(before, after)}",
                f"cash   {formats.money(result.cash_after)}",
            ]
    return []


def decision_lines(record: RunRecord) -> list[str]:
    """Return why each strategy chose its weights, step by step."""
    lines: list[str] = []
    for strategy, path in record.decisions.items():
        lines.append(f"{strategy}: {summary(path) or 'no decisions'}")
        lines += [f"  {step.text}{' (fragile)' if step.is_fragile else ''}" for step in sentences(path)]
    return lines


def decision_row(decision: TradeDecision) -> tuple[str, ...]:
    """Return the row of one symbol of the plan: what was decided, and why."""
    traded = f"{decision.side.lower()} {formats.shares(decision.quantity)}" if decision.side else "no trade"
    return (
        decision.symbol,
        formats.shares(decision.held),
        formats.percent(decision.target_weight),
        formats.shares(decision.target_quantity),
        formats.price(decision.price),
        formats.price(decision.last_close),
        traded,
        decision.reason,
    )


def phase_lines(record: RunRecord) -> list[str]:
    """Return what each phase has released, with the scaling of buys and the trades that were refused."""
    lines: list[str] = []
    for state, release in record.phases.items():
        spendable = "" if release.spendable is None else f", {formats.money(release.spendable)} to spend"
        scaled = "" if release.factor == 1 else f", scaled by {release.factor}"
        lines.append(f"{state}: {formats.plural(len(release.quantities), 'trade')} released{spendable}{scaled}")
        lines += [f"  {trade}: {refusal.reason}: {refusal.detail}" for trade, refusal in release.refused.items()]
    return lines


def trade_row(trade: TradeRecord) -> tuple[str, ...]:
    """Return the row of one trade."""
    filled = trade.outcome.filled_quantity if trade.outcome else Decimal(0)
    return (
        trade.trade_id,
        formats.shares(trade.decision.quantity),
        "" if trade.released is None else formats.shares(trade.released),
        formats.shares(filled),
        average_price(trade),
        result_of(trade),
    )


def average_price(trade: TradeRecord) -> str:
    """Return the price of the fills, weighted by shares; empty when there are none."""
    fills = trade.outcome.fills if trade.outcome else ()
    filled = sum((fill.quantity for fill in fills), Decimal(0))
    value = sum((fill.quantity * fill.price for fill in fills), Decimal(0))
    return formats.price(value / filled) if filled else ""


def result_of(trade: TradeRecord) -> str:
    """Return what became of a trade, in words."""
    if trade.refusal is not None:
        return f"not sent: {trade.refusal.reason}: {trade.refusal.detail}"
    if trade.outcome is None:
        return "not released" if trade.released is None else "no outcome yet"
    if isinstance(trade.outcome, TradeFailed):
        unsettled = "; an order may still rest at the broker" if trade.outcome.unsettled else ""
        reason = trade.outcome.reason
        return f"failed: {reason}: {trade.outcome.detail or explain_trade_reason(reason)}{unsettled}"
    return "filled"


def order_row(order: Order, *, in_ledger: bool) -> tuple[str, ...]:
    """Return the row of one order at the broker."""
    return (
        order.client_order_id,
        order.side.lower(),
        order.type,
        "" if order.limit_price is None else formats.price(order.limit_price),
        "" if order.quantity is None else formats.shares(order.quantity),
        formats.shares(order.filled_quantity),
        "" if order.filled_avg_price is None else formats.price(order.filled_avg_price),
        order.raw_status or order.status.value,
        "yes" if in_ledger else "no" if order.filled_quantity else "nothing to record",
    )


def entry_rows(record: RunRecord) -> list[tuple[str, ...]]:
    """Return a row per fill in the ledger, with the shares of each strategy."""
    return [
        (
            entry.client_order_id,
            formats.shares(entry.quantity),
            formats.price(entry.price),
            formats.signed_money(entry.cash),
            ", ".join(f"{name} {formats.shares(shares)}" for name, shares in sorted(entry.attribution.items())),
        )
        for entry in record.ledger
    ]


def notice_row(notice: Notice) -> tuple[str, ...]:
    """Return the row of one notice."""
    published = "yes" if notice.is_published else "not yet"
    return notice.message_id, published, delivery_text(notice.mail), delivery_text(notice.topic)


def delivery_text(delivery: Delivery) -> str:
    """Return what is known of the delivery of a notice on one channel."""
    if delivery.is_sent:
        return "sent"
    attempts = formats.plural(delivery.unanswered, "time")
    return f"{attempts} without an answer" if delivery.unanswered else "not recorded"


def _show_plan(record: RunRecord) -> None:
    plan = record.plan
    if plan is None:
        return
    title = (
        f"plan: equity {formats.money(plan.equity)}, cash {formats.money(plan.cash)}, "
        f"{formats.percent(plan.deployment_fraction)} deployed"
    )
    console.table(_DECISIONS, map(decision_row, plan.decisions), title=title, right=_DECISIONS[1:6])
    for symbol, reason in sorted({**plan.quarantined, **plan.untradable}.items()):
        console.result(f"left out: {symbol}: {explain_omission(reason)}")
    console.results(phase_lines(record))


def _show_trades(record: RunRecord) -> None:
    trades = record.trades
    if trades:
        console.table(_TRADES, map(trade_row, trades), title="trades", right=_TRADES[1:5])
    if record.broker_error:
        console.warning(f"the orders are not known: the broker does not answer: {record.broker_error}")
    rows = [*order_rows(trades), *(order_row(order, in_ledger=False) for order in record.unplanned_orders)]
    if rows:
        console.table(_ORDERS, rows, title="orders at the broker", right=_ORDERS[3:7])


def order_rows(trades: Iterable[TradeRecord]) -> list[tuple[str, ...]]:
    """Return a row per order of the trades."""
    rows: list[tuple[str, ...]] = []
    for trade in trades:
        recorded = {entry.order_id for entry in trade.ledger}
        rows += [order_row(order, in_ledger=order.id in recorded) for order in trade.orders]
    return rows
