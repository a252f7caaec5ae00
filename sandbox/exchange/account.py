"""The account: cash, positions, orders, fills. It asks no clock and no market: times and prices are arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from sandbox.exchange.money import SHARE, ZERO, cents
from sandbox.exchange.orders import Fill, Order, Side

_NAMESPACE = uuid5(NAMESPACE_URL, "https://paper-exchange.invalid/accounts")

Prices = Mapping[str, Decimal]


class Mode(StrEnum):
    """Cash (multiplier 1) or margin (multiplier 4). Neither may sell short."""

    CASH = "cash"
    MARGIN = "margin"


@dataclass(frozen=True, slots=True)
class Position:
    """Shares held, at their average cost in USD a share (nine places)."""

    symbol: str
    qty: Decimal
    avg_entry_price: Decimal

    def bought(self, qty: Decimal, price: Decimal) -> "Position":
        total = self.qty + qty
        average = (self.qty * self.avg_entry_price + qty * price) / total
        return replace(self, qty=total, avg_entry_price=average.quantize(SHARE))

    def market_value(self, price: Decimal) -> Decimal:
        """USD, whole cents."""
        return cents(self.qty * price)


@dataclass(frozen=True, slots=True)
class EquityMark:
    """Equity at a session's close."""

    session: date
    equity: Decimal


@dataclass(slots=True)
class Account:
    """The one mutable thing of the core; the values in it are frozen. `generation` counts resets."""

    generation: int
    mode: Mode
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
        return 4 if self.mode is Mode.MARGIN else 1

    def copy(self) -> "Account":
        """An account that later changes to this one do not reach."""
        return replace(self, positions=dict(self.positions), orders=dict(self.orders), fills=list(self.fills))

    def next_order_id(self) -> UUID:
        """Depends on the count of orders alone: the same requests give the same ids."""
        return uuid5(self.id, f"order-{len(self.orders) + 1}")

    def open_orders(self) -> list[Order]:
        return [order for order in self.orders.values() if order.is_open]

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        return next((order for order in self.orders.values() if order.client_order_id == client_order_id), None)

    def held_qty(self, symbol: str) -> Decimal:
        """Shares that open sells hold."""
        held = (o.remaining_qty for o in self.open_orders() if o.symbol == symbol and o.side is Side.SELL)
        return sum(held, ZERO)

    def qty(self, symbol: str) -> Decimal:
        position = self.positions.get(symbol)
        return ZERO if position is None else position.qty

    def available_qty(self, symbol: str) -> Decimal:
        return self.qty(symbol) - self.held_qty(symbol)

    def market_value(self, prices: Prices) -> Decimal:
        """USD of all positions, each rounded to cents first.

        Raises:
            KeyError: a held symbol has no price.
        """
        return sum((held.market_value(prices[symbol]) for symbol, held in self.positions.items()), ZERO)

    def equity(self, prices: Prices) -> Decimal:
        return self.cash + self.market_value(prices)

    def reserved_cash(self) -> Decimal:
        """USD that open buys hold, each in whole cents."""
        return sum((cents(order.reserved_value) for order in self.open_orders()), ZERO)

    def buying_power(self, prices: Prices) -> Decimal:
        """USD that further buys may cost, never below zero."""
        return max(self.spendable(prices), ZERO)

    def spendable(self, prices: Prices) -> Decimal:
        """Buying power before it is cut at zero: queued buys may come to cost more than there is."""
        return self._leveraged(prices, self.multiplier) - self.reserved_cash()

    def overnight_buying_power(self, prices: Prices) -> Decimal:
        """Regulation T: at most twice the equity."""
        return max(self._leveraged(prices, min(self.multiplier, 2)) - self.reserved_cash(), ZERO)

    def settled_buying_power(self) -> Decimal:
        return max(self.cash - self.reserved_cash(), ZERO)

    def put(self, order: Order) -> Order:
        self.orders[order.id] = order
        return order

    def take(self, fill: Fill) -> None:
        """Book an execution on cash and position."""
        self.fills.append(fill)
        self.cash += fill.cash
        held = self.positions.get(fill.symbol, Position(fill.symbol, ZERO, ZERO))
        if fill.side is Side.BUY:
            self.positions[fill.symbol] = held.bought(fill.qty, fill.price)
        elif held.qty == fill.qty:
            del self.positions[fill.symbol]
        else:
            self.positions[fill.symbol] = replace(held, qty=held.qty - fill.qty)

    def mark(self, session: date, prices: Prices) -> None:
        """Remember the equity of a close; the last two are enough for any `last_equity`."""
        self.marks = (*self.marks, EquityMark(session, self.equity(prices)))[-2:]

    def last_equity(self, today: date) -> Decimal:
        """Equity at the last close before this day."""
        earlier = (mark.equity for mark in reversed(self.marks) if mark.session < today)
        return next(earlier, self.opening_cash)

    def _leveraged(self, prices: Prices, multiplier: int) -> Decimal:
        if multiplier == 1:
            return self.cash
        market_value = self.market_value(prices)
        return multiplier * (self.cash + market_value) - market_value
