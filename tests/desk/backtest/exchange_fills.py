"""The paper exchange's prices, for backtests that are to match what was traded there."""

from datetime import date
from decimal import Decimal

from sandbox.exchange.market import Market, quote_around
from sandbox.exchange.sessions import session_on
from the_alchemiser.shared.messaging.messages import Side


class ExchangeFills:
    """The close to the tick, and the touch around it."""

    def __init__(self, market: Market) -> None:
        self._market = market

    def last(self, symbol: str, day: date) -> Decimal:
        close = self._market.close(symbol, day)
        assert close is not None, f"{symbol} has no bar before {day}"
        return close

    def fill(self, symbol: str, side: Side, day: date) -> Decimal:
        session = session_on(day)
        assert session is not None
        quote = quote_around(symbol, session.closes, self.last(symbol, day))
        return quote.ask if side is Side.BUY else quote.bid
