"""Invariants of orders: never twice, never beyond the plan, never short, never for a dead run, never after a pause."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from sandbox.exchange.orders import Order, Side
from sandbox.exchange.sessions import NEW_YORK
from tests.simulation.end_state import Post, TraceLine
from tests.simulation.reading import NEVER, Reading

_ZERO = Decimal(0)
# An execution reads the run's state before every order. Lambda stops it 90 s after it began, so that no order can
# follow the end of the run by more; ten seconds are for the way to the exchange.
EXECUTION_WINDOW = timedelta(seconds=100)
# Half of the widest spread at which the product may trade (1 % of the mid), and a tick of a cheap share.
PRICE_TOLERANCE = Decimal("0.012")


def unique_client_order_ids(reading: Reading) -> Iterator[str]:
    """No client order id is accepted twice."""
    for client_order_id, times in Counter(order.client_order_id for order in reading.end.orders).items():
        if times > 1:
            yield f"the exchange accepted {client_order_id} {times} times"


def planned_orders_only(reading: Reading) -> Iterator[str]:
    """Every order that the product sends is a step of a planned trade, for its symbol and side."""
    for order in reading.end.orders:
        trade = reading.our_orders.get(order.id)
        if trade is None:
            if str(order.id) not in reading.end.owner_order_ids:
                yield f"{order.client_order_id} is an order of no planned trade"
        elif (order.symbol, order.side.upper()) != (trade.decision.symbol, str(trade.decision.side)):
            yield f"{order.client_order_id} is a {order.side} of {order.symbol}"


def never_beyond_the_plan(reading: Reading) -> Iterator[str]:
    """Between the start of a run and the next one, a symbol trades at most what that run planned.

    All runs count together: a fill for an earlier run uses up the plan of the current one.
    """
    runs = sorted((reading.began_at(run_id), run_id) for run_id in reading.end.runs)
    filled: dict[tuple[str, str, Side], Decimal] = defaultdict(Decimal)
    for _, fill in reading.our_fills:
        run_id = _run_at(runs, fill.at)
        filled[run_id, fill.symbol, fill.side] += fill.qty

    for (run_id, symbol, side), quantity in filled.items():
        planned = _planned(reading, run_id, symbol, side)
        if quantity > planned:
            yield f"during {run_id}, {quantity} {symbol} were traded ({side}) for a plan of {planned}"


def _run_at(runs: Sequence[tuple[datetime, str]], at: datetime) -> str:
    """Return the run that began last before this moment; an empty text before the first run."""
    return next((run_id for began, run_id in reversed(runs) if began <= at), "")


def _planned(reading: Reading, run_id: str, symbol: str, side: Side) -> Decimal:
    plan = reading.plans.get(run_id)
    if plan is None:
        return _ZERO
    return sum(
        (
            decision.quantity
            for decision in plan.decisions
            if decision.symbol == symbol and decision.side is not None and decision.side == side.upper()
        ),
        _ZERO,
    )


def never_beyond_the_trade(reading: Reading) -> Iterator[str]:
    """No trade fills more than its planned quantity."""
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for trade, fill in reading.our_fills:
        filled[trade.trade_id] += fill.qty
    for trade_id, quantity in filled.items():
        planned = reading.trades[trade_id].decision.quantity
        if quantity > planned:
            yield f"{trade_id} filled {quantity} for a plan of {planned}"


def never_short(reading: Reading) -> Iterator[str]:
    """No sell of ours leaves a short position."""
    held = defaultdict(Decimal, reading.end.opening.positions)
    splits = sorted(reading.end.adjustments, key=lambda adjustment: adjustment.ex_date)
    for fill in reading.end.fills:
        while splits and splits[0].ex_date <= fill.at.astimezone(NEW_YORK).date():
            split = splits.pop(0)
            held[split.symbol] = split.qty_after
        held[fill.symbol] += fill.qty if fill.side is Side.BUY else -fill.qty
        if fill.order_id in reading.our_orders and fill.side is Side.SELL and held[fill.symbol] < 0:
            trade_id = reading.our_orders[fill.order_id].trade_id
            yield f"{trade_id} sold {fill.qty} {fill.symbol} and left {held[fill.symbol]}"


def never_for_a_dead_run(reading: Reading) -> Iterator[str]:
    """No order is accepted for a run that has ended before the execution that sent it can have begun."""
    for trade, order in reading.sent_orders():
        ended, settled = reading.ended_at(trade.run_id), reading.settled_at(trade.run_id)
        if order.submitted_at > settled:
            yield f"{order.client_order_id} was accepted {_late(order, settled)} after {trade.run_id} was settled"
        elif ended is not NEVER and order.submitted_at > ended + EXECUTION_WINDOW:
            yield f"{order.client_order_id} was accepted {_late(order, ended)} after {trade.run_id} ended"


def _late(order: Order, end: datetime) -> str:
    return f"{(order.submitted_at - end).total_seconds():.1f} s"


def nothing_rests(reading: Reading) -> Iterator[str]:
    """At the end, no order of ours can still fill."""
    for order in reading.end.orders:
        if order.id in reading.our_orders and order.is_open:
            yield f"{order.client_order_id} is still {order.status}"


def never_at_a_wild_price(reading: Reading) -> Iterator[str]:
    """No fill of an order that the product sent is further from the planning price than the spread cap allows.

    What an order brings whose limit the owner changed is the owner's doing.
    """
    sent = {order.id for _, order in reading.sent_orders()}
    for trade, fill in reading.our_fills:
        if fill.order_id not in sent:
            continue
        distance = abs(fill.price / trade.decision.price - 1)
        if distance > PRICE_TOLERANCE:
            yield f"{trade.trade_id} filled at {fill.price}, {distance:.1%} from {trade.decision.price}"


def never_after_a_pause(reading: Reading) -> Iterator[str]:
    """Before every order the execution reads the kill switch, and it is enabled."""
    lines = _lines_by_invocation(reading.end.trace)
    for post in reading.end.posts:
        reading_of_switch = _last_switch(lines[post.function, post.invocation], post)
        if reading_of_switch != "enabled":
            yield f"{post.client_order_id} was sent, but the kill switch was {reading_of_switch}"


def _lines_by_invocation(trace: Sequence[TraceLine]) -> Mapping[tuple[str, str], Sequence[TraceLine]]:
    lines: dict[tuple[str, str], list[TraceLine]] = defaultdict(list)
    for line in trace:
        if line.call.startswith(("ssm.", "broker.POST")):
            lines[line.function, line.invocation].append(line)
    return lines


def _last_switch(lines: Sequence[TraceLine], post: Post) -> str:
    """Return the value that was read between the invocation's order before this one and this one."""
    value = "not read"
    sent_at = post.sent_at or post.at
    for line in lines:
        is_post = line.call.startswith("broker.POST")
        # The line of this very order is written when its answer arrives, or at its effect if the function was killed.
        if line.at > sent_at or (is_post and line.at == sent_at):
            break
        value = "not read" if is_post else line.result
    return value


def quarantined_stays(reading: Reading) -> Iterator[str]:
    """Holdings that the product cannot trade are left alone, until a split turns them into cash."""
    stays_until = {position.symbol: date.max for position in reading.end.scenario.account.odd}
    for adjustment in reading.end.adjustments:
        if adjustment.symbol in stays_until and not adjustment.qty_after:
            stays_until[adjustment.symbol] = adjustment.ex_date
    for order in reading.end.orders:
        sent_on = order.submitted_at.astimezone(NEW_YORK).date()
        is_held = sent_on < stays_until.get(order.symbol, date.min)
        if is_held and str(order.id) not in reading.end.owner_order_ids:
            yield f"{order.client_order_id} trades {order.symbol}, which must stay"
