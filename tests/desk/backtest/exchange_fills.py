"""A fill model with the prices of the paper exchange, to compare a backtest with trades on the exchange."""

from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from sandbox.exchange.market import Market, Quote, quote_around
from sandbox.exchange.sessions import session_on
from the_alchemiser.shared.values import Side


class ExchangeFills:
    """Plans use the close rounded to the tick; a trade fills at its first limit."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def planning_price(self, symbol: str, day: date) -> Decimal:
        close = self._market.close(symbol, day)
        assert close is not None, f"{symbol} has no bar on or before {day}"
        return close

    def fill_price(self, symbol: str, side: Side, day: date) -> Decimal:
        session = session_on(day)
        assert session is not None
        return first_limit(quote_around(symbol, session.closes, self.planning_price(symbol, day)), side)


def first_limit(quote: Quote, side: Side) -> Decimal:
    """Return the limit of a trade's first order: at 75 % of the spread, on the tick toward the far side."""
    tick = Decimal("0.01") if quote.bid >= 1 else Decimal("0.0001")
    step = Decimal("0.75") * (quote.ask - quote.bid)
    if side is Side.BUY:
        return (quote.bid + step).quantize(tick, ROUND_CEILING)
    return (quote.ask - step).quantize(tick, ROUND_FLOOR)
