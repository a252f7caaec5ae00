"""What the broker says about the symbols of a plan: assets, prices, last closes and open orders."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal, Protocol

from the_alchemiser.portfolio_v2.rebalance import MissingPriceError
from the_alchemiser.shared.broker.errors import AssetNotFoundError
from the_alchemiser.shared.broker.models import Account, Asset, Bar, Order, Position, Trade
from the_alchemiser.shared.corporate_actions import CorporateActions
from the_alchemiser.shared.records import Frozen
from the_alchemiser.shared.run.runs import Run
from the_alchemiser.shared.values import Clock, Side

ORDERS_BACK = timedelta(days=100)  # the broker cancels an order that is good until canceled after 90 days
_ZERO = Decimal(0)
_INFINITE = Decimal("Infinity")


class Brokerage(Protocol):
    """The broker, as planning needs it: read only, and few requests however many symbols a plan has."""

    def account(self) -> Account: ...
    def clock(self) -> Clock: ...
    def positions(self) -> tuple[Position, ...]: ...
    def orders(
        self, *, after: datetime, symbols: Iterable[str] = (), status: Literal["open", "closed", "all"] = "all"
    ) -> tuple[Order, ...]: ...
    def assets_of(self, symbols: Iterable[str]) -> Mapping[str, Asset]: ...
    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]: ...
    def bars(
        self, symbols: Iterable[str], start: date, end: date, *, adjustment: Literal["all", "raw", "split"] = "all"
    ) -> Iterator[tuple[str, tuple[Bar, ...]]]: ...


class Listing(Frozen):
    """The symbols that the broker knows, and the latest price of each, in USD per share."""

    assets: Mapping[str, Asset]
    prices: Mapping[str, Decimal]


def read_listing(broker: Brokerage, symbols: Sequence[str]) -> Listing:
    """Read assets and latest trades. A symbol that is unknown or never traded is left out.

    Raises:
        MissingPriceError: the broker has no price for any known symbol, so prices are not to be had now.
    """
    assets = broker.assets_of(symbols)
    prices = _latest_prices(broker, sorted(assets))
    if assets and not prices:
        raise MissingPriceError(f"the broker has no latest trade of any of {len(assets)} symbols; nothing is planned")
    return Listing(assets, prices)


def shares_to_come(broker: Brokerage, trading_date: date) -> Mapping[str, Decimal]:
    """Return by symbol the shares that open orders to buy may still bring, of this program or of a person.

    An order by notional does not say how many shares it brings. It counts as infinitely many: nothing more is bought.
    """
    since = datetime.combine(trading_date, time(), UTC) - ORDERS_BACK
    incoming: dict[str, Decimal] = defaultdict(Decimal)
    for order in broker.orders(after=since, status="open"):
        if order.side is Side.BUY:
            quantity = _INFINITE if order.quantity is None else order.quantity - order.filled_quantity
            incoming[order.symbol] += quantity
    return incoming


def last_closes(
    broker: Brokerage, run: Run, known: Mapping[str, Decimal], actions: CorporateActions
) -> Mapping[str, Decimal]:
    """Return the closes at the run's as_of, in USD per share of the trading date.

    The known closes were fetched before a split that takes effect between as_of and the trading date, or after it: the
    adjusted history does not say. So the close of a symbol that split is read again, as it was traded.
    """
    splits = {symbol: actions.ratio(symbol, after=run.as_of, through=run.trading_date) for symbol in known}
    split_symbols = [symbol for symbol, ratio in splits.items() if ratio != 1]
    if not split_symbols:
        return known

    traded = dict(broker.bars(split_symbols, run.as_of, run.as_of, adjustment="raw"))
    closes = dict(known)
    for symbol in split_symbols:
        close = traded[symbol][-1].close if symbol in traded else known[symbol]
        closes[symbol] = close / splits[symbol]
    return closes


def _latest_prices(broker: Brokerage, symbols: Sequence[str]) -> Mapping[str, Decimal]:
    """Return the latest prices above zero. One symbol that the data API does not know fails a whole request."""
    try:
        trades = broker.latest_trades(symbols)
    except AssetNotFoundError:
        if len(symbols) == 1:
            return {}
        middle = len(symbols) // 2
        return {**_latest_prices(broker, symbols[:middle]), **_latest_prices(broker, symbols[middle:])}
    return {symbol: trade.price for symbol, trade in trades.items() if trade.price > _ZERO}
