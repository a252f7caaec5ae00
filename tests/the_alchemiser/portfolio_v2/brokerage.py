"""A broker as planning sees it, whose every answer a test sets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from the_alchemiser.shared.broker.errors import AssetNotFoundError
from the_alchemiser.shared.broker.models import Account, Asset, Bar, Order, OrderStatus, Position, Trade
from the_alchemiser.shared.values import Clock, Side

NOW = datetime(2024, 3, 15, 19, 45, tzinfo=UTC)
DAY = date(2024, 3, 15)
AS_OF = date(2024, 3, 14)


def position(symbol: str, quantity: str, price: str | None = None, **changes: Any) -> Position:
    """Return a position worth its quantity times its price; both are None without a price."""
    shares = Decimal(quantity)
    each = None if price is None else Decimal(price)
    value = None if each is None else shares * each
    return Position(symbol, shares, shares, Decimal(1), each, each, value).changed(**changes)


def open_order(symbol: str, side: Side, quantity: str | None, filled: str = "0") -> Order:
    return Order(
        id=f"order-{symbol}",
        client_order_id="by-hand",
        symbol=symbol,
        side=side,
        type="limit",
        status=OrderStatus.NEW,
        quantity=None if quantity is None else Decimal(quantity),
        filled_quantity=Decimal(filled),
        filled_avg_price=None,
        limit_price=Decimal(1),
        submitted_at=NOW,
        filled_at=None,
        canceled_at=None,
    )


def bar(day: date, close: str) -> Bar:
    price = Decimal(close)
    return Bar(day, price, price, price, price, Decimal(0))


@dataclass
class InMemoryBrokerage:
    """One account.

    Attributes:
        prices: of the latest trades.
        known: the symbols that the broker lists; None for all that have a price.
        raw_closes: as traded at as_of.
        calls: the name of every call, in order.
        bad_symbols: those that fail a request for latest trades.
    """

    prices: dict[str, Decimal] = field(default_factory=dict)
    held: tuple[Position, ...] = ()
    cash: Decimal = Decimal(50_000)
    equity: Decimal | None = None
    is_blocked: bool = False
    known: frozenset[str] | None = None
    inactive: frozenset[str] = frozenset()
    whole_shares_only: frozenset[str] = frozenset()
    bad_symbols: frozenset[str] = frozenset()
    open_orders: tuple[Order, ...] = ()
    raw_closes: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    orders_after: datetime | None = None

    def account(self) -> Account:
        self.calls.append("account")
        value = sum((position.market_value or Decimal(0) for position in self.held), Decimal(0))
        equity = self.cash + value if self.equity is None else self.equity
        return Account("an-account", "ACTIVE", self.cash, equity, equity, self.cash, Decimal(1), self.is_blocked)

    def clock(self) -> Clock:
        self.calls.append("clock")
        return Clock(NOW, True, NOW + timedelta(days=3), NOW + timedelta(minutes=15))

    def positions(self) -> tuple[Position, ...]:
        self.calls.append("positions")
        return self.held

    def orders(
        self, *, after: datetime, symbols: Iterable[str] = (), status: Literal["open", "closed", "all"] = "all"
    ) -> tuple[Order, ...]:
        assert (tuple(symbols), status) == ((), "open")
        self.calls.append("orders")
        self.orders_after = after
        return self.open_orders

    def assets_of(self, symbols: Iterable[str]) -> Mapping[str, Asset]:
        self.calls.append("assets_of")
        known = self.prices.keys() if self.known is None else self.known
        return {symbol: self._asset(symbol) for symbol in symbols if symbol in known}

    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]:
        self.calls.append("latest_trades")
        wanted = tuple(symbols)
        if self.bad_symbols.intersection(wanted):
            raise AssetNotFoundError("GET /v2/stocks/trades/latest: 400 invalid symbol")
        return {symbol: Trade(symbol, self.prices[symbol], NOW) for symbol in wanted if symbol in self.prices}

    def bars(
        self, symbols: Iterable[str], start: date, end: date, *, adjustment: Literal["all", "raw", "split"] = "all"
    ) -> Iterator[tuple[str, tuple[Bar, ...]]]:
        assert (start, end, adjustment) == (AS_OF, AS_OF, "raw")
        self.calls.append("bars")
        for symbol in sorted(symbols):
            if symbol in self.raw_closes:
                yield symbol, (bar(AS_OF, self.raw_closes[symbol]),)

    def _asset(self, symbol: str) -> Asset:
        return Asset(symbol, symbol, symbol not in self.inactive, symbol not in self.whole_shares_only)
