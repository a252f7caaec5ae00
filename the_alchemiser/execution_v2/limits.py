"""What stops an order before it is sent, by name. Pure."""

from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

from the_alchemiser.shared.broker.models import Clock
from the_alchemiser.shared.broker.parsing import NEW_YORK
from the_alchemiser.shared.messaging.messages import Side

LAST_CALL = timedelta(seconds=60)


class Refusal(NamedTuple):
    """Why an order is not sent: a short code, and the sentence for people."""

    reason: str
    detail: str


class Limits(NamedTuple):
    """What configuration allows one order; None allows anything.

    Attributes:
        notional: USD.
        price_distance: fraction of the last close, either way.
        universe: the symbols that may be traded.
    """

    notional: Decimal | None = None
    price_distance: Decimal | None = None
    universe: frozenset[str] | None = None


def limits_of(*, notional: str, price_distance: str, universe: str) -> Limits:
    """Limits as configuration spells them: decimals, and symbols with commas between; empty is no limit."""
    symbols = frozenset(symbol.strip() for symbol in universe.split(",") if symbol.strip())
    return Limits(
        notional=Decimal(notional) if notional else None,
        price_distance=Decimal(price_distance) if price_distance else None,
        universe=symbols or None,
    )


class Proposal(NamedTuple):
    """An order about to be sent; price is what it may cost, USD a share."""

    symbol: str
    quantity: Decimal
    price: Decimal
    last_close: Decimal


def refuse_time(clock: Clock, requested_at: datetime) -> Refusal | None:
    """Whether it is too late for an order: another day than the trade's, or less than 60 s to the close."""
    requested_on, today = _trading_date(requested_at), _trading_date(clock.timestamp)
    if requested_on != today:
        return Refusal("stale_trade", f"the trade is of {requested_on}, the broker's date is {today}")
    if not clock.is_open:
        return Refusal("market_closed", f"the market is closed until {clock.next_open.isoformat()}")
    left = clock.next_close - clock.timestamp
    if left < LAST_CALL:
        return Refusal("market_closed", f"{left.total_seconds():.0f} s to the close, {LAST_CALL.seconds} s are needed")
    return None


def refuse_order(proposal: Proposal, limits: Limits) -> Refusal | None:
    """The first limit the order breaks."""
    return _universe(proposal, limits) or _notional(proposal, limits) or _distance(proposal, limits)


def to_tick(price: Decimal, side: Side) -> Decimal:
    """The price on the tick, rounded the way that fills: up for a buy, down for a sell."""
    tick = Decimal("0.01") if price >= 1 else Decimal("0.0001")
    rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
    return (price / tick).to_integral_value(rounding) * tick


def _trading_date(moment: datetime) -> date:
    return moment.astimezone(NEW_YORK).date()


def _universe(proposal: Proposal, limits: Limits) -> Refusal | None:
    if limits.universe is None or proposal.symbol in limits.universe:
        return None
    return Refusal("limit_universe", f"{proposal.symbol} is not in the allowed universe")


def _notional(proposal: Proposal, limits: Limits) -> Refusal | None:
    notional = proposal.quantity * proposal.price
    if limits.notional is None or notional <= limits.notional:
        return None
    return Refusal("limit_notional", f"${notional:,.2f} in one order, ${limits.notional:,.2f} is allowed")


def _distance(proposal: Proposal, limits: Limits) -> Refusal | None:
    if limits.price_distance is None:
        return None
    if proposal.last_close <= 0:
        return Refusal("limit_price_distance", "there is no last close to measure the price by")
    distance = abs(proposal.price / proposal.last_close - 1)
    if distance <= limits.price_distance:
        return None
    return Refusal(
        "limit_price_distance",
        f"{proposal.price} is {distance:.1%} from the last close {proposal.last_close}, "
        f"{limits.price_distance:.1%} is allowed",
    )
