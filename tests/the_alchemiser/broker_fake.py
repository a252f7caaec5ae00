"""A broker in memory, with the behaviour that trading depends on, and crashes that can be planted at any call."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from the_alchemiser.shared.broker.errors import (
    AssetNotFoundError,
    BrokerError,
    DuplicateClientOrderIdError,
    OrderNotCancelableError,
    OrderNotFoundError,
)
from the_alchemiser.shared.broker.models import (
    Account,
    Asset,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    Quote,
    Snapshot,
    Trade,
)
from the_alchemiser.shared.values import Clock, Side

NOW = datetime(2024, 3, 15, 19, 45, tzinfo=UTC)
CLOSE = datetime(2024, 3, 15, 20, 0, tzinfo=UTC)


class CrashError(BaseException):
    """The process dies here; no code of the product may catch it."""


@dataclass
class FakeTime:
    """A stopwatch that advances only by sleeping."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(frozen=True)
class Fills:
    """How orders of one type fill: a fraction of the quantity, after that many polls of the order."""

    fraction: Decimal = Decimal(1)
    after_polls: int = 0
    cancels_after_polls: int = 0


@dataclass
class InMemoryBroker:
    """One account. `prices` are mids in USD; the spread is two cents; nothing costs a commission."""

    prices: dict[str, Decimal]
    cash: Decimal = Decimal(100_000)
    held: dict[str, Decimal] = field(default_factory=dict)
    fills: dict[OrderType, Fills] = field(default_factory=lambda: dict.fromkeys(OrderType, Fills()))
    timestamp: datetime = NOW
    whole_shares_only: frozenset[str] = frozenset()
    rejection: BrokerError | None = None
    placed: dict[str, Order] = field(default_factory=dict)
    polls: dict[str, int] = field(default_factory=dict)
    posts: list[OrderRequest] = field(default_factory=list)
    half_spread: Decimal = Decimal("0.01")
    allowance: int | None = None

    def clock(self) -> Clock:
        is_open = self.timestamp < CLOSE
        return Clock(self.timestamp, is_open, CLOSE + timedelta(days=3), CLOSE)

    def account(self) -> Account:
        equity = self.cash + sum((self.held[symbol] * self.prices[symbol] for symbol in self.held), Decimal(0))
        return Account("an-account", "ACTIVE", self.cash, equity, equity, self.cash, Decimal(1), trading_blocked=False)

    def positions(self) -> tuple[Position, ...]:
        return tuple(self._position(symbol, quantity) for symbol, quantity in self.held.items())

    def position(self, symbol: str) -> Position | None:
        return self._position(symbol, self.held[symbol]) if self.held.get(symbol) else None

    def assets_of(self, symbols: Iterable[str]) -> Mapping[str, Asset]:
        return {symbol: self.asset(symbol) for symbol in symbols if symbol in self.prices}

    def asset(self, symbol: str) -> Asset:
        if symbol not in self.prices:
            raise AssetNotFoundError(f"asset not found for {symbol}")
        return Asset(symbol, symbol, tradable=True, fractionable=symbol not in self.whole_shares_only)

    def latest_trades(self, symbols: Iterable[str]) -> Mapping[str, Trade]:
        return {symbol: Trade(symbol, price, self.timestamp) for symbol, price in self._prices_of(symbols)}

    def snapshots(self, symbols: Iterable[str]) -> Mapping[str, Snapshot]:
        return {symbol: self._snapshot(trade) for symbol, trade in self.latest_trades(symbols).items()}

    def _snapshot(self, trade: Trade) -> Snapshot:
        bid, ask = trade.price - self.half_spread, trade.price + self.half_spread
        return Snapshot(trade.symbol, Quote(trade.symbol, bid, ask, self.timestamp), trade)

    def submit(self, request: OrderRequest) -> Order:
        if self.rejection is not None:
            raise self.rejection
        if self.order_by_client_id(request.client_order_id) is not None:
            raise DuplicateClientOrderIdError("client_order_id must be unique")
        self.posts.append(request)
        order = _accepted(f"order-{len(self.placed) + 1}", request, self.timestamp)
        self.placed[order.id] = order
        self.polls[order.id] = 0
        return order

    def order_by_client_id(self, client_order_id: str) -> Order | None:
        for order in self.placed.values():
            if order.client_order_id == client_order_id:
                return self._advance(order.id)
        return None

    def order(self, order_id: str) -> Order:
        if order_id not in self.placed:
            raise OrderNotFoundError(f"order not found for {order_id}")
        return self._advance(order_id)

    def orders(
        self, *, after: datetime, symbols: Iterable[str] = (), status: Literal["open", "closed", "all"] = "all"
    ) -> tuple[Order, ...]:
        wanted = frozenset(symbols)
        listed = [self._advance(order.id) for order in self.placed.values() if order.submitted_at > after]
        return tuple(
            order
            for order in listed
            if (not wanted or order.symbol in wanted) and status in {"all", "closed" if order.is_done else "open"}
        )

    def cancel(self, order_id: str) -> None:
        order = self.placed[order_id]
        if order.is_done or order.status is OrderStatus.PENDING_CANCEL:
            raise OrderNotCancelableError(f"cannot cancel in {order.status}")
        self.polls[order_id] = 0
        self.placed[order_id] = order.changed(status=OrderStatus.PENDING_CANCEL)

    def _prices_of(self, symbols: Iterable[str]) -> list[tuple[str, Decimal]]:
        return [(symbol, self.prices[symbol]) for symbol in symbols if symbol in self.prices]

    def _position(self, symbol: str, quantity: Decimal) -> Position:
        price = self.prices[symbol]
        return Position(symbol, quantity, quantity, price, price, price, quantity * price)

    def _advance(self, order_id: str) -> Order:
        order, fills = self.placed[order_id], self.fills[OrderType(self.placed[order_id].type)]
        self.polls[order_id] += 1
        if order.status is OrderStatus.PENDING_CANCEL and self.polls[order_id] > fills.cancels_after_polls:
            order = order.changed(status=OrderStatus.CANCELED, canceled_at=self.timestamp)
        elif order.status is OrderStatus.PENDING_NEW and self.polls[order_id] > fills.after_polls:
            order = self._fill(order, fills.fraction)
        self.placed[order_id] = order
        return order

    def _fill(self, order: Order, fraction: Decimal) -> Order:
        assert order.quantity is not None
        quantity = (order.quantity * fraction).quantize(Decimal("1e-9"))
        sign = 1 if order.side is Side.BUY else -1
        price = order.limit_price or self.prices[order.symbol] + sign * self.half_spread
        self.held[order.symbol] = self.held.get(order.symbol, Decimal(0)) + sign * quantity
        self.cash -= sign * (quantity * price).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        is_whole = quantity == order.quantity
        return order.changed(
            status=OrderStatus.FILLED if is_whole else OrderStatus.PARTIALLY_FILLED,
            filled_quantity=quantity,
            filled_avg_price=price if quantity else None,
            filled_at=self.timestamp if is_whole else None,
        )


@dataclass
class CrashPlan:
    """Crashes once, before or after the n-th call, counted over everything wrapped in it."""

    at_call: int
    is_after: bool
    calls: int = 0

    def around(self, target: Any, names: Iterable[str]) -> Any:
        return _Wrapped(target, frozenset(names), self)


class _Wrapped:
    def __init__(self, target: Any, names: frozenset[str], plan: CrashPlan) -> None:
        self._target, self._names, self._plan = target, names, plan

    def __getattr__(self, name: str) -> Any:
        method: Callable[..., Any] = getattr(self._target, name)
        if name not in self._names:
            return method

        def called(*args: Any, **kwargs: Any) -> Any:
            self._plan.calls += 1
            dies = self._plan.calls == self._plan.at_call
            if dies and not self._plan.is_after:
                raise CrashError(name)
            answer = method(*args, **kwargs)
            if dies:
                raise CrashError(name)
            return answer

        return called


def _accepted(order_id: str, request: OrderRequest, at: datetime) -> Order:
    return Order(
        id=order_id,
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type.value,
        status=OrderStatus.PENDING_NEW,
        quantity=request.quantity,
        filled_quantity=Decimal(0),
        filled_avg_price=None,
        limit_price=request.limit_price,
        submitted_at=at,
        filled_at=None,
        canceled_at=None,
    )
