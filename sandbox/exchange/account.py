"""The account: cash, positions, orders, fills. It reads no clock and no market: times and prices are arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from sandbox.exchange.money import SHARE, ZERO, to_cents
from sandbox.exchange.orders import Fill, Order, Side

_NAMESPACE = uuid5(NAMESPACE_URL, "https://paper-exchange.invalid/accounts")

Prices = Mapping[str, Decimal]


class AccountMode(StrEnum):
    """Cash (multiplier 1) or margin (multiplier 4). Neither may sell short."""

    CASH = "cash"
    MARGIN = "margin"


@dataclass(frozen=True, slots=True)
class Position:
    """Shares of one symbol and their average cost, USD per share with nine decimals."""

    symbol: str
    qty: Decimal
    avg_entry_price: Decimal

    def after_buy(self, qty: Decimal, price: Decimal) -> "Position":
        """Return the position after buying more shares."""
        total = self.qty + qty
        average = (self.qty * self.avg_entry_price + qty * price) / total
        return replace(self, qty=total, avg_entry_price=average.quantize(SHARE))

    def market_value(self, price: Decimal) -> Decimal:
        """Return the value in USD, rounded to cents."""
        return to_cents(self.qty * price)


@dataclass(frozen=True, slots=True)
class EquityMark:
    """Equity at a session's close."""

    session: date
    equity: Decimal


@dataclass(slots=True)
class Account:
    """The only mutable object of the core; its values are frozen.

    Attributes:
        generation: 1 for the first account, one more after each reset.
        opening_cash, cash: USD.
        whole_shares: symbols that cannot be traded in fractions.
        positions: by symbol; without empty ones.
        orders: by id, oldest first.
        marks: the equity at the last two closes, oldest first.
    """

    generation: int
    mode: AccountMode
    opening_cash: Decimal
    cash: Decimal
    opened_at: datetime
    whole_shares: frozenset[str] = frozenset()
    positions: dict[str, Position] = field(default_factory=dict)
    orders: dict[UUID, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    marks: tuple[EquityMark, ...] = ()

    @property
    def id(self) -> UUID:
        return uuid5(_NAMESPACE, str(self.generation))

    @property
    def number(self) -> str:
        return f"PA{self.generation:010d}"

    @property
    def multiplier(self) -> int:
        return 4 if self.mode is AccountMode.MARGIN else 1

    def copy(self) -> "Account":
        """Return a copy that later changes to this account do not affect."""
        return replace(self, positions=dict(self.positions), orders=dict(self.orders), fills=list(self.fills))

    def next_order_id(self) -> UUID:
        """Return an id that depends only on the number of orders: the same requests get the same ids."""
        return uuid5(self.id, f"order-{len(self.orders) + 1}")

    def open_orders(self) -> list[Order]:
        return [order for order in self.orders.values() if order.is_open]

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        return next((order for order in self.orders.values() if order.client_order_id == client_order_id), None)

    def held_qty(self, symbol: str) -> Decimal:
        """Return the shares that open sell orders reserve."""
        sells = (order for order in self.open_orders() if order.symbol == symbol and order.side is Side.SELL)
        return sum((order.remaining_qty for order in sells), ZERO)

    def qty(self, symbol: str) -> Decimal:
        position = self.positions.get(symbol)
        return ZERO if position is None else position.qty

    def available_qty(self, symbol: str) -> Decimal:
        return self.qty(symbol) - self.held_qty(symbol)

    def market_value(self, prices: Prices) -> Decimal:
        """Return the value of all positions in USD, each rounded to cents first.

        Raises:
            KeyError: a held symbol has no price.
        """
        return sum((held.market_value(prices[symbol]) for symbol, held in self.positions.items()), ZERO)

    def equity(self, prices: Prices) -> Decimal:
        return self.cash + self.market_value(prices)

    def reserved_cash(self) -> Decimal:
        """Return the USD that open buy orders reserve, each rounded to cents."""
        return sum((to_cents(order.reserved_value) for order in self.open_orders()), ZERO)

    def buying_power(self, prices: Prices) -> Decimal:
        """Return the USD that further buys may cost, at least zero."""
        return max(self.spendable(prices), ZERO)

    def spendable(self, prices: Prices) -> Decimal:
        """Return the buying power; negative when queued buys now cost more than the account has."""
        return self._leveraged(prices, self.multiplier) - self.reserved_cash()

    def overnight_buying_power(self, prices: Prices) -> Decimal:
        """Return the overnight buying power in USD.

        Source: Regulation T, which allows at most twice the equity.
        """
        return max(self._leveraged(prices, min(self.multiplier, 2)) - self.reserved_cash(), ZERO)

    def settled_buying_power(self) -> Decimal:
        return max(self.cash - self.reserved_cash(), ZERO)

    def put_order(self, order: Order) -> Order:
        """Add an order, or replace the one with its id, and return it."""
        self.orders[order.id] = order
        return order

    def book_fill(self, fill: Fill) -> None:
        """Apply an execution to cash and position."""
        self.fills.append(fill)
        self.cash += fill.cash
        held = self.positions.get(fill.symbol, Position(fill.symbol, ZERO, ZERO))
        if fill.side is Side.BUY:
            self.positions[fill.symbol] = held.after_buy(fill.qty, fill.price)
        elif held.qty == fill.qty:
            del self.positions[fill.symbol]
        else:
            self.positions[fill.symbol] = replace(held, qty=held.qty - fill.qty)

    def mark_equity(self, session: date, prices: Prices) -> None:
        """Remember the equity at a close; `last_equity` needs only the last two."""
        self.marks = (*self.marks, EquityMark(session, self.equity(prices)))[-2:]

    def last_equity(self, today: date) -> Decimal:
        """Return the equity at the last close before a day; the opening cash when there is none."""
        earlier = (mark.equity for mark in reversed(self.marks) if mark.session < today)
        return next(earlier, self.opening_cash)

    def _leveraged(self, prices: Prices, multiplier: int) -> Decimal:
        if multiplier == 1:
            return self.cash
        market_value = self.market_value(prices)
        return multiplier * (self.cash + market_value) - market_value
