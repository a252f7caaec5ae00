"""What an ended run has left at the broker: orders that may still fill, and fills that nobody reported. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.ledger.order_entries import (
    TradeFacts,
    entries_of_trade,
    open_order_ids,
    orders_of_trade,
)
from the_alchemiser.shared.messaging import outbox
from the_alchemiser.shared.messaging.messages import RunCompleted, SettledOrder, TradeExecuted, TradeFailed
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.progress import plan_of, releases_of
from the_alchemiser.shared.run.runs import TRADE, Run, RunState

# Execution reads the run's state right before it sends an order, and its function is killed after 90 s at the latest.
# So an order may still leave 90 s after the end of its run. The other 20 s are for clocks that differ, and for the
# broker to list the order.
EXECUTION_WINDOW = timedelta(seconds=110)
# The clock of a simulated exchange moves on at once. At a real broker this is over later than the window above: a run
# completes within half a minute after the broker's time that its result has.
BUSINESS_WINDOW = timedelta(minutes=5)


class Review(Frozen):
    """What the broker's orders mean for a run that has ended.

    Attributes:
        open: broker ids of its orders that may still fill.
        entries: the fills of its trades that have no such order.
        unreported: their orders that the run's outcomes do not contain, or with fewer fills.
    """

    open: tuple[str, ...]
    entries: tuple[LedgerEntry, ...]
    unreported: tuple[SettledOrder, ...]


def sent_trades(run: Run) -> tuple[TradeFacts, ...]:
    """Return the trades that the run has sent, with the shares it sent them with; sells first."""
    plan = plan_of(run)
    decisions = {} if plan is None else plan.by_trade_id()
    quantities: dict[str, Decimal] = {}
    for release in releases_of(run):
        quantities.update(release.quantities)

    return tuple(
        TradeFacts(
            trade_id=trade_id,
            run_id=run.run_id,
            symbol=decision.symbol,
            side=decision.side,
            quantity=quantities[trade_id],
            deltas=decision.deltas,
            planning_price=decision.price,
        )
        for trade_id, decision in decisions.items()
        if decision.side is not None and trade_id in quantities
    )


def is_window_over(run: Run, now: datetime, at: datetime) -> bool:
    """Return whether nothing that was in flight when the run ended can still send an order.

    Args:
        now: the wall clock, UTC.
        at: business time, UTC.
    """
    if now - run.timeline[-1].at >= EXECUTION_WINDOW:
        return True
    # Only this result has the broker's time of its run's end: a failure may carry that of an earlier message.
    completed = next((message for message in run.outbox if isinstance(message, RunCompleted)), None)
    return completed is not None and at - completed.occurred_at >= BUSINESS_WINDOW


def review(run: Run, listing: Sequence[Order]) -> Review:
    """Compare the run's trades with the broker's orders.

    Args:
        listing: every order of the account since the session opened.

    Raises:
        FillPriceMissingError: the broker has not finished booking a fill.
    """
    open_ids: list[str] = []
    entries: list[LedgerEntry] = []
    unreported: list[SettledOrder] = []

    for trade in sent_trades(run):
        orders = orders_of_trade(trade.trade_id, listing)
        still_open = open_order_ids(orders)
        open_ids.extend(still_open)
        # The attribution of a fill depends on the fills before it, so a trade is entered once all its orders are final.
        if not still_open:
            entries.extend(entries_of_trade(trade, orders))
            unreported.extend(_unreported(run, trade, orders))

    return Review(tuple(open_ids), tuple(entries), tuple(unreported))


def _unreported(run: Run, trade: TradeFacts, orders: Iterable[Order]) -> list[SettledOrder]:
    item = run.items_of(TRADE).get(trade.trade_id)
    outcome = None if item is None else outbox.decode(item.body)
    reported = _fills_of(outcome)
    is_open_question = (
        outcome is None
        or (isinstance(outcome, TradeFailed) and outcome.unsettled)
        # The mail about a failed run named these trades as missing: what became of them is news in any case.
        or trade.trade_id in run.payloads.get(RunState.FAILED, {}).get("missing", ())
    )
    return [
        _settled_order(trade, order)
        for order in orders
        if is_open_question or order.filled_quantity > reported.get(order.id, 0)
    ]


def _fills_of(outcome: object) -> Mapping[str, Decimal]:
    if isinstance(outcome, TradeExecuted | TradeFailed):
        return {fill.order_id: fill.quantity for fill in outcome.fills}
    return {}


def _settled_order(trade: TradeFacts, order: Order) -> SettledOrder:
    return SettledOrder(
        symbol=trade.symbol,
        side=trade.side,
        client_order_id=order.client_order_id,
        order_id=order.id,
        status=order.status.value,
        filled_quantity=order.filled_quantity,
        avg_price=order.filled_avg_price,
    )
