"""A fill model with the prices of the paper exchange, to compare a backtest with trades on the exchange."""

from datetime import date
from decimal import Decimal

from sandbox.exchange.market import Market, quote_around
from sandbox.exchange.sessions import session_on
from the_alchemiser.shared.values import Side


class ExchangeFills:
    """Plans use the close rounded to the tick; buys fill at the ask and sells at the bid."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def planning_price(self, symbol: str, day: date) -> Decimal:
        close = self._market.close(symbol, day)
        assert close is not None, f"{symbol} has no bar on or before {day}"
        return close

    def fill_price(self, symbol: str, side: Side, day: date) -> Decimal:
        session = session_on(day)
        assert session is not None
        quote = quote_around(symbol, session.closes, self.planning_price(symbol, day))
        return quote.ask if side is Side.BUY else quote.bid
