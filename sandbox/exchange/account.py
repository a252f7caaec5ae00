"""The account: cash, positions, orders, fills. It reads no clock and no market: times and prices are arguments."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import NAMESPACE_URL, UUID, uuid5

from sandbox.exchange.activities import Activity, Entry, activity_of, split_entry
from sandbox.exchange.money import ZERO, to_cents
from sandbox.exchange.order_book import OrderBook
from sandbox.exchange.orders import Fill, Order, Side
from sandbox.exchange.positions import Adjustment, Position, flat

_NAMESPACE = uuid5(NAMESPACE_URL, "https://paper-exchange.invalid/accounts")

Prices = Mapping[str, Decimal]


class AccountMode(StrEnum):
    """Cash (multiplier 1, no short positions) or margin (multiplier 4, short positions)."""

    CASH = "cash"
    MARGIN = "margin"


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
        fractional_shorts: whether fractions of a share may be sold short; False at the broker.
        positions: by symbol; without empty ones.
        adjustments: what splits did to positions, oldest first.
        marks: the equity at the last two closes, oldest first.
        activities: what moved money besides trades, oldest first.
    """

    generation: int
    mode: AccountMode
    opening_cash: Decimal
    cash: Decimal
    opened_at: datetime
    whole_shares: frozenset[str] = frozenset()
    fractional_shorts: bool = False
    positions: dict[str, Position] = field(default_factory=dict)
    orders: OrderBook = field(default_factory=OrderBook)
    fills: list[Fill] = field(default_factory=list)
    adjustments: tuple[Adjustment, ...] = ()
    marks: tuple[EquityMark, ...] = ()
    activities: tuple[Activity, ...] = ()

    @property
    def id(self) -> UUID:
        return uuid5(_NAMESPACE, str(self.generation))

    @property
    def number(self) -> str:
        return f"PA{self.generation:010d}"

    @property
    def multiplier(self) -> int:
        return 4 if self.mode is AccountMode.MARGIN else 1

    @property
    def may_short(self) -> bool:
        return self.mode is AccountMode.MARGIN

    def copy(self) -> "Account":
        """Return a copy that later changes to this account do not affect."""
        return replace(self, positions=dict(self.positions), orders=self.orders.copy(), fills=list(self.fills))

    def next_order_id(self) -> UUID:
        """Return an id that depends only on the number of orders: the same requests get the same ids."""
        return uuid5(self.id, f"order-{len(self.orders) + 1}")

    def open_orders(self) -> list[Order]:
        return self.orders.open()

    def qty(self, symbol: str) -> Decimal:
        """Return the shares of a position, negative when short; zero without a position."""
        position = self.positions.get(symbol)
        return ZERO if position is None else position.qty

    def closable_qty(self, symbol: str, side: Side) -> Decimal:
        """Return the shares that trades on a side can close: sells close a long position, buys a short one."""
        qty = self.qty(symbol)
        return max(qty if side is Side.SELL else -qty, ZERO)

    def held_qty(self, symbol: str, side: Side = Side.SELL) -> Decimal:
        """Return the shares that open orders on a side reserve."""
        orders = (order for order in self.open_orders() if order.symbol == symbol and order.side is side)
        return sum((order.remaining_qty for order in orders), ZERO)

    def free_qty(self, symbol: str, side: Side) -> Decimal:
        """Return how many shares a further order on this side can take off the position."""
        return max(self.closable_qty(symbol, side) - self.held_qty(symbol, side), ZERO)

    def available_qty(self, symbol: str) -> Decimal:
        """Return the shares that no open order reserves; negative for a short position."""
        is_long = self.qty(symbol) >= 0
        free = self.free_qty(symbol, Side.SELL if is_long else Side.BUY)
        return free if is_long else -free

    def market_value(self, prices: Prices) -> Decimal:
        """Return the value of all positions in USD, each rounded to cents first; short ones count negative.

        Raises:
            KeyError: a held symbol has no price.
        """
        return sum((held.market_value(prices[symbol]) for symbol, held in self.positions.items()), ZERO)

    def short_value(self, prices: Prices) -> Decimal:
        """Return the value of the short positions in USD, negative or zero."""
        values = (held.market_value(prices[symbol]) for symbol, held in self.positions.items() if held.qty < 0)
        return sum(values, ZERO)

    def equity(self, prices: Prices) -> Decimal:
        return self.cash + self.market_value(prices)

    def reserved_cash(self, *, without: UUID | None = None) -> Decimal:
        """Return the USD that open orders reserve, each rounded to cents; what closes a position reserves nothing.

        Args:
            without: the id of an order that does not count.
        """
        total, closable = ZERO, dict[tuple[str, Side], Decimal]()
        for order in self.open_orders():
            if order.id == without:
                continue
            key = order.symbol, order.side
            left = closable.get(key)
            if left is None:
                left = self.closable_qty(*key)
            closing = min(order.remaining_qty, left)
            closable[key] = left - closing
            total += to_cents((order.remaining_qty - closing) * order.reserve_price)
        return total

    def buying_power(self, prices: Prices) -> Decimal:
        """Return the USD that further orders may cost, at least zero."""
        return max(self.spendable(prices), ZERO)

    def spendable(self, prices: Prices, *, without: UUID | None = None) -> Decimal:
        """Return the buying power; negative when queued orders now cost more than the account has.

        Args:
            without: the id of an order whose reserve does not count.
        """
        return self._leveraged(prices, self.multiplier) - self.reserved_cash(without=without)

    def overnight_buying_power(self, prices: Prices) -> Decimal:
        """Return the overnight buying power in USD.

        Source: Regulation T, which allows at most twice the equity.
        """
        return max(self._leveraged(prices, min(self.multiplier, 2)) - self.reserved_cash(), ZERO)

    def settled_buying_power(self) -> Decimal:
        return max(self.cash - self.reserved_cash(), ZERO)

    def put_order(self, order: Order) -> Order:
        """Add an order, or replace the one with its id, and return it."""
        self.orders.put(order)
        return order

    def book_fill(self, fill: Fill) -> None:
        """Apply an execution to cash and position."""
        self.fills.append(fill)
        self.cash += fill.cash
        held = self.positions.get(fill.symbol, flat(fill.symbol))
        signed = fill.qty if fill.side is Side.BUY else -fill.qty
        if held.qty + signed == 0:
            self.positions.pop(fill.symbol, None)
        else:
            self.positions[fill.symbol] = held.traded(signed, fill.price)

    def book(self, entry: Entry, at: datetime) -> Activity:
        """Book what moves money besides trades."""
        activity = activity_of(entry, self.id, len(self.activities) + 1, at)
        self.activities = (*self.activities, activity)
        self.cash += entry.net_amount
        return activity

    def adjust(self, adjustment: Adjustment, position: Position, at: datetime) -> None:
        """Apply a split to a position: its new shares and price, and the cash in lieu."""
        self.adjustments = (*self.adjustments, adjustment)
        added = adjustment.qty_after - adjustment.qty_before
        self.book(split_entry(adjustment.symbol, added, adjustment.cash), at)
        if position.qty:
            self.positions[position.symbol] = position
        else:
            del self.positions[position.symbol]

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
        value, short = self.market_value(prices), self.short_value(prices)
        # Long and short positions both use buying power; a short sale's proceeds are in the cash already.
        gross = value - 2 * short
        return multiplier * (self.cash + value) - gross
