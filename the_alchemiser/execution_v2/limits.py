"""The rules that stop an order before it is sent; each has a reason code. Pure."""

from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from the_alchemiser.shared.exchange_time import LAST_ORDER, market_date
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Clock, Refusal, Side

SPREAD = Decimal("0.01")


class Limits(Frozen):
    """The configured limits of one order; None means no limit.

    Attributes:
        notional: USD.
        price_distance: from the last close, up or down, as a fraction of it.
        universe: the symbols that may be traded.
        spread: of a quote, as a fraction of its midpoint, and of a price's distance from the last sale; always set.
    """

    notional: Decimal | None = None
    price_distance: Decimal | None = None
    universe: frozenset[str] | None = None
    spread: Decimal = SPREAD


def limits_of(*, notional: str, price_distance: str, universe: str, spread: str) -> Limits:
    """Parse the limits as configuration spells them: decimals, and symbols separated by commas.

    An empty text means no limit, and for `spread` the default.
    """
    symbols = frozenset(symbol.strip() for symbol in universe.split(",") if symbol.strip())
    return Limits(
        notional=Decimal(notional) if notional else None,
        price_distance=Decimal(price_distance) if price_distance else None,
        universe=symbols or None,
        spread=Decimal(spread) if spread else SPREAD,
    )


class Proposal(Frozen):
    """An order about to be sent; price is its expected price, USD per share."""

    symbol: str
    quantity: Decimal
    price: Decimal
    last_close: Decimal


def refuse_time(clock: Clock, requested_at: datetime) -> Refusal | None:
    """Refuse an order on another day than its trade's, outside the session, or less than 60 s before the close."""
    requested_on, today = market_date(requested_at), market_date(clock.timestamp)
    if requested_on != today:
        detail = f"the trade was requested on {requested_on}, the broker's date is {today}"
        return Refusal(reason="stale_trade", detail=detail)
    if not clock.is_open:
        return Refusal(reason="market_closed", detail=f"the market is closed until {clock.next_open.isoformat()}")

    to_close = clock.next_close - clock.timestamp
    if to_close < LAST_ORDER:
        detail = f"{to_close.total_seconds():.0f} s to the close; an order needs at least {LAST_ORDER.seconds} s"
        return Refusal(reason="market_closed", detail=detail)
    return None


def refuse_order(proposal: Proposal, limits: Limits) -> Refusal | None:
    """Return the first limit that the order breaks."""
    return _universe(proposal, limits) or _notional(proposal, limits) or _distance(proposal, limits)


def to_tick(price: Decimal, side: Side) -> Decimal:
    """Round the price to the tick, toward the side that fills: up for a buy, down for a sell."""
    tick = Decimal("0.01") if price >= 1 else Decimal("0.0001")
    rounding = ROUND_CEILING if side is Side.BUY else ROUND_FLOOR
    return (price / tick).to_integral_value(rounding) * tick


def _universe(proposal: Proposal, limits: Limits) -> Refusal | None:
    if limits.universe is None or proposal.symbol in limits.universe:
        return None
    return Refusal(reason="limit_universe", detail=f"{proposal.symbol} is not in the allowed universe")


def _notional(proposal: Proposal, limits: Limits) -> Refusal | None:
    notional = proposal.quantity * proposal.price
    if limits.notional is None or notional <= limits.notional:
        return None
    detail = f"the order is worth ${notional:,.2f}; at most ${limits.notional:,.2f} is allowed"
    return Refusal(reason="limit_notional", detail=detail)


def _distance(proposal: Proposal, limits: Limits) -> Refusal | None:
    if limits.price_distance is None:
        return None
    if proposal.last_close <= 0:
        return Refusal(reason="limit_price_distance", detail="there is no last close to compare the price with")

    distance = abs(proposal.price / proposal.last_close - 1)
    if distance <= limits.price_distance:
        return None
    detail = (
        f"{proposal.price} is {distance:.1%} from the last close {proposal.last_close}; "
        f"at most {limits.price_distance:.1%} is allowed"
    )
    return Refusal(reason="limit_price_distance", detail=detail)
