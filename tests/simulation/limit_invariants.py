"""Invariants of the configured limits, and of the last minute before the close."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from sandbox.exchange.sessions import NEW_YORK, session_on
from tests.simulation.reading import PlannedTrade, Reading

LAST_CALL = timedelta(seconds=60)


def never_near_the_close(reading: Reading) -> Iterator[str]:
    """No order leaves a function outside the session, or less than a minute before its close."""
    for post in reading.end.posts:
        sent_at = post.sent_at or post.at
        session = session_on(sent_at.astimezone(NEW_YORK).date())
        if session is None or not session.opens <= sent_at <= session.closes - LAST_CALL:
            yield f"{post.client_order_id} was sent at {sent_at.astimezone(NEW_YORK):%H:%M:%S}"


def order_limits_hold(reading: Reading) -> Iterator[str]:
    """No order breaks a configured limit of its notional, of its distance from the last close, or of the universe."""
    settings = reading.end.scenario.settings
    notional = settings.get("ORDER_NOTIONAL_LIMIT")
    distance = settings.get("PRICE_DISTANCE_LIMIT")
    universe = settings.get("ALLOWED_SYMBOLS", "").split(",")

    for trade, order in reading.sent_orders():
        if order.limit_price is None or order.qty is None:
            continue
        if notional and order.qty * order.limit_price > Decimal(notional):
            yield f"{order.client_order_id} is worth {order.qty * order.limit_price}, the limit is {notional}"
        if distance and _distance(trade, order.limit_price) > Decimal(distance):
            yield f"{order.client_order_id} at {order.limit_price} is beyond {distance} of the last close"
        if universe != [""] and order.symbol not in universe:
            yield f"{order.client_order_id} trades {order.symbol}, which is not in the universe"


def _distance(trade: PlannedTrade, price: Decimal) -> Decimal:
    return abs(price / trade.decision.last_close - 1)


def day_limits_hold(reading: Reading) -> Iterator[str]:
    """The trades that were sent on a day, at their planning prices, keep the configured limits of the day."""
    settings = reading.end.scenario.settings
    notional, trades = settings.get("DAY_NOTIONAL_LIMIT"), settings.get("DAY_TRADE_LIMIT")
    if not (notional or trades):
        return

    sent = {message.detail["trade_id"]: Decimal(message.detail["quantity"]) for message in reading.end.trade_messages}
    worth: dict[date, list[Decimal]] = defaultdict(list)
    for trade_id, quantity in sent.items():
        trade = reading.trades[trade_id]
        worth[reading.end.runs[trade.run_id].trading_date].append(quantity * trade.decision.price)

    for day, values in worth.items():
        if trades and len(values) > int(trades):
            yield f"{len(values)} trades were sent on {day}, the limit is {trades}"
        if notional and sum(values) > Decimal(notional):
            yield f"trades worth {sum(values)} were sent on {day}, the limit is {notional}"
