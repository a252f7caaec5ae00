"""A stage for trades: a broker that logs its calls and has planted oddities, a run, a switch, and a clock."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from tests.the_alchemiser.broker_fake import NOW, FakeTime, Fills, InMemoryBroker
from tests.the_alchemiser.fakes import InMemoryLedger
from the_alchemiser.execution_v2.calls import Stopwatch
from the_alchemiser.execution_v2.limits import Limits
from the_alchemiser.execution_v2.order_sequence import OrderSequence
from the_alchemiser.execution_v2.orders import Timing
from the_alchemiser.execution_v2.service import Executor
from the_alchemiser.shared.broker.errors import BrokerError, DuplicateClientOrderIdError, InsufficientQuantityError
from the_alchemiser.shared.broker.models import (
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Position,
    Quote,
    Snapshot,
    Trade,
)
from the_alchemiser.shared.messaging.messages import TradeExecuted, TradeFailed, TradeRequested
from the_alchemiser.shared.messaging.wiring import Reaction
from the_alchemiser.shared.run.runs import RunState
from the_alchemiser.shared.values import Clock, Side

BUY = TradeRequested(
    message_id="local-2024-03-15/TradeRequested/local-2024-03-15-BUY-SPY",
    run_id="local-2024-03-15",
    occurred_at=NOW,
    trade_id="local-2024-03-15-BUY-SPY",
    symbol="SPY",
    side=Side.BUY,
    quantity=Decimal("12.345678"),
    planning_price=Decimal("509.83"),
    last_close=Decimal("514.95"),
    deltas={"a": Decimal("10.000000001"), "b": Decimal("4.345677999"), "c": Decimal("-2")},
)
SELL = BUY.changed(
    message_id="local-2024-03-15/TradeRequested/local-2024-03-15-SELL-SPY",
    trade_id="local-2024-03-15-SELL-SPY",
    side=Side.SELL,
    deltas={name: -delta for name, delta in BUY.deltas.items()},
)
NEVER = Fills(after_polls=10**6)
SLOW_CANCEL = Fills(fraction=Decimal("0.4"), cancels_after_polls=10**6)
BROKER_CALLS = ("orders", "clock", "position", "snapshots", "submit", "order", "cancel")


def quote(bid: str, ask: str, *, age_s: float = 0) -> Quote:
    return Quote("SPY", Decimal(bid), Decimal(ask), NOW - timedelta(seconds=age_s))


def sale(price: str) -> Trade:
    return Trade("SPY", Decimal(price), NOW)


QUARTER = Fills(fraction=Decimal("0.25"))
WIDE = Snapshot("SPY", quote("306", "714"), sale("509.83"))
SPREAD = Snapshot("SPY", quote("509.00", "511.00"), sale("509.83"))
SELL_CALLS = ["orders", "clock", "position", "snapshots", "submit", "order", "order", "order", "cancel", "order"]
"""The calls of a sale whose limit rests; those of its market order follow."""


@dataclass
class StageBroker(InMemoryBroker):
    """The in-memory broker with a log of its calls, and with what the owner and the market may do in between.

    Attributes:
        log: the name of every call, in order.
        market: what `snapshots` answers instead of the fake's own quote; the last one for ever.
        before: acts of somebody else, by the number of the call that they happen before.
        reserved: shares of the position that other orders reserve.
        failures: errors that calls of that name raise next, in turn.
    """

    log: list[str] = field(default_factory=list)
    market: list[Snapshot | None] = field(default_factory=list)
    before: dict[int, Callable[[], None]] = field(default_factory=dict)
    reserved: Decimal = Decimal(0)
    failures: dict[str, list[BrokerError]] = field(default_factory=dict)
    ignored_cancels: int = 0

    def clock(self) -> Clock:
        self._called("clock")
        return super().clock()

    def position(self, symbol: str) -> Position | None:
        self._called("position")
        position = super().position(symbol)
        return None if position is None else position.changed(available=position.quantity - self.reserved)

    def snapshots(self, symbols: Iterable[str]) -> Mapping[str, Snapshot]:
        self._called("snapshots")
        if not self.market:
            return super().snapshots(symbols)
        snapshot = self.market.pop(0) if len(self.market) > 1 else self.market[0]
        return {} if snapshot is None else {"SPY": snapshot}

    def submit(self, request: OrderRequest) -> Order:
        self._called("submit")
        if request.side is Side.SELL and request.quantity > self.held.get(request.symbol, Decimal(0)):
            raise InsufficientQuantityError("insufficient qty")
        try:
            return super().submit(request)
        except DuplicateClientOrderIdError:
            # As the adapter does: the broker accepts each id once, and the first order with it counts.
            order = self.order_by_client_id(request.client_order_id)
            assert order is not None
            return order

    def orders(
        self, *, after: datetime, symbols: Iterable[str] = (), status: Literal["open", "closed", "all"] = "all"
    ) -> tuple[Order, ...]:
        self._called("orders")
        return super().orders(after=after, symbols=symbols, status=status)

    def order(self, order_id: str) -> Order:
        self._called("order")
        return super().order(order_id)

    def cancel(self, order_id: str) -> None:
        self._called("cancel")
        if self.ignored_cancels:
            self.ignored_cancels -= 1
            return
        super().cancel(order_id)

    def replace_by_hand(self, order_id: str, quantity: str, *, limit_price: str = "509.83") -> Order:
        """Let the account's owner replace an order; the successor has a client order id of the broker's own."""
        old = self.placed[order_id]
        new = old.changed(
            id=f"{order_id}-successor",
            client_order_id=f"by-hand-{order_id}",
            status=OrderStatus.PENDING_NEW,
            quantity=Decimal(quantity),
            filled_quantity=Decimal(0),
            filled_avg_price=None,
            limit_price=Decimal(limit_price),
        )
        self.placed[order_id] = old.changed(status=OrderStatus.REPLACED, replaced_by=new.id)
        self.placed[new.id] = new
        self.polls[new.id] = 0
        return new

    def _called(self, name: str) -> None:
        self.log.append(name)
        self.before.pop(len(self.log), _nothing)()
        if self.failures.get(name):
            raise self.failures[name].pop(0)


def _nothing() -> None:
    """Nobody does anything."""


class Runs:
    """The states of the run in turn, the last one for ever."""

    def __init__(self, *states: RunState | None) -> None:
        self._states = list(states)

    def state_of(self, run_id: str) -> RunState | None:
        assert run_id == BUY.run_id
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]


class Switch:
    """A kill switch that returns these answers in turn, the last one for ever."""

    def __init__(self, *answers: bool) -> None:
        self._answers = list(answers)
        self.reads = 0

    def is_enabled(self) -> bool:
        self.reads += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@dataclass
class Stage:
    """Everything around a trade; `executor` wires it."""

    broker: StageBroker
    trade: TradeRequested = BUY
    ledger: InMemoryLedger = field(default_factory=InMemoryLedger)
    time: FakeTime = field(default_factory=FakeTime)
    switch: Switch = field(default_factory=lambda: Switch(True))
    limits: Limits = field(default_factory=Limits)
    runs: Runs | None = None

    def executor(self, around: Callable[[Any, Iterable[str]], Any] | None = None) -> Executor:
        """Return the executor; `around` may wrap its ends, for example to crash them."""
        wrap = around or _unwrapped
        phase = RunState.SELLING if self.trade.side is Side.SELL else RunState.BUYING
        orders = OrderSequence(
            broker=wrap(self.broker, BROKER_CALLS),
            runs=wrap(self.runs or Runs(phase), ["state_of"]),
            switch=wrap(self.switch, ["is_enabled"]),
            limits=self.limits,
            timing=Timing(),
            watch=Stopwatch(self.time.monotonic, self.time.sleep),
        )
        return Executor(orders, wrap(self.ledger, ["record"]))

    def handle(self) -> TradeExecuted | TradeFailed:
        return outcome_of(self.executor().handle(self.trade))

    def fail(self) -> TradeFailed:
        outcome = self.handle()
        assert isinstance(outcome, TradeFailed)
        return outcome

    def give_up(self, error: Exception) -> TradeFailed:
        outcome = outcome_of(self.executor().give_up(self.trade, error))
        assert isinstance(outcome, TradeFailed)
        return outcome

    @property
    def prices(self) -> list[Decimal | None]:
        """Return the limits of the orders sent, None for a market order."""
        return [post.limit_price for post in self.broker.posts]


def _unwrapped(target: Any, _names: Iterable[str]) -> Any:
    return target


def stage(
    limit: Fills | None = None, market: Fills | None = None, *, trade: TradeRequested = BUY, held: str = "50"
) -> Stage:
    fills = {OrderType.LIMIT: limit or Fills(), OrderType.MARKET: market or Fills()}
    broker = StageBroker({"SPY": Decimal("509.83")}, fills=fills, held={"SPY": Decimal(held)})
    return Stage(broker, trade)


def second_order(act: Callable[[Stage], None]) -> Stage:
    """Return a stage whose first order fills a quarter; `act` happens before the second one is prepared."""
    traded = stage(limit=QUARTER, trade=SELL)
    traded.broker.before[SELL_CALLS.index("cancel") + 3] = lambda: act(traded)
    return traded


def outcome_of(reaction: Reaction) -> TradeExecuted | TradeFailed:
    (message,) = reaction.messages
    assert isinstance(message, TradeExecuted | TradeFailed)
    return message
