"""Prices of the orders of a trade, from the quote and the last sale. Pure.

A limit walks from the passive to the aggressive side of the spread and never goes further from the last sale than a
cap. A market order has no limit, so it needs a quote that both sides stand behind: fresh, narrow, and near the last
sale.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from the_alchemiser.execution_v2.limits import to_tick
from the_alchemiser.shared.broker.models import Quote, Snapshot
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.values import Refusal, Side

QUOTE_VALID = timedelta(minutes=2)
SPREAD_TOO_WIDE = "spread_too_wide"
_OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY}
_SIGN = {Side.BUY: 1, Side.SELL: -1}


class MarketView(Frozen):
    """The market of one symbol, as far as it can be trusted.

    Attributes:
        quote: None unless it is fresh and has a bid and an ask.
        last: USD per share of the last sale; the planning price when the broker knows of no sale.
        cap: of the spread, as a fraction of its midpoint, and of a price's distance from `last`.
        doubt: why `quote` is None; empty with a quote.
    """

    quote: Quote | None
    last: Decimal
    cap: Decimal
    doubt: str = ""

    def limit_price(self, side: Side, fraction: Decimal) -> Decimal:
        """Return the limit at this fraction of the spread, on the tick; without a quote, the last sale."""
        bound = self.last * (1 + _SIGN[side] * self.cap)
        # The price rounds toward the side that fills, its bound away from it: the tick must not go beyond the bound.
        within = to_tick(bound, _OPPOSITE[side])
        wanted = to_tick(self._walked(side, fraction), side)
        return min(wanted, within) if side is Side.BUY else max(wanted, within)

    def touch(self, side: Side) -> Decimal:
        """Return the price that a market order is expected to get: the far side; without a quote, the last sale."""
        if self.quote is None:
            return self.last
        return self.quote.ask if side is Side.BUY else self.quote.bid

    def refuse_market_order(self, side: Side) -> Refusal | None:
        """Refuse an order without a limit when the quote does not protect it."""
        if self.quote is None:
            return Refusal(reason=SPREAD_TOO_WIDE, detail=self.doubt)

        middle = (self.quote.bid + self.quote.ask) / 2
        spread = (self.quote.ask - self.quote.bid) / middle
        if spread > self.cap:
            detail = (
                f"the spread {self.quote.bid} to {self.quote.ask} is {spread:.2%}; at most {self.cap:.2%} is allowed"
            )
            return Refusal(reason=SPREAD_TOO_WIDE, detail=detail)

        distance = _SIGN[side] * (self.touch(side) / self.last - 1)
        if distance > self.cap:
            detail = (
                f"{self.touch(side)} is {distance:.2%} worse than the last sale {self.last}; "
                f"at most {self.cap:.2%} is allowed"
            )
            return Refusal(reason=SPREAD_TOO_WIDE, detail=detail)
        return None

    def _walked(self, side: Side, fraction: Decimal) -> Decimal:
        if self.quote is None:
            return self.last
        step = fraction * (self.quote.ask - self.quote.bid)
        return self.quote.bid + step if side is Side.BUY else self.quote.ask - step


def view_market(snapshot: Snapshot | None, *, at: datetime, planning_price: Decimal, cap: Decimal) -> MarketView | None:
    """Return what the snapshot says, None when it has neither a usable quote nor a sale.

    Args:
        at: business time now, for the age of the quote.
        planning_price: USD per share, the last sale when the trade was planned.
    """
    quote = None if snapshot is None else snapshot.quote
    doubt = _doubt(quote, at)
    sale = None if snapshot is None or snapshot.trade is None else snapshot.trade.price

    if sale is not None and sale > 0:
        return MarketView(None if doubt else quote, sale, cap, doubt)
    return None if doubt else MarketView(quote, planning_price, cap)


def _doubt(quote: Quote | None, at: datetime) -> str:
    """Return why the quote is not a price for a market order; empty when it is."""
    if quote is None:
        return "the broker has no quote"
    if quote.bid <= 0 or quote.ask <= 0:
        return f"the quote has one side only: bid {quote.bid}, ask {quote.ask}"
    if quote.bid > quote.ask:
        return f"the quote is crossed: bid {quote.bid}, ask {quote.ask}"
    age = at - quote.at
    return f"the quote is {age.total_seconds():.0f} s old" if age > QUOTE_VALID else ""
