"""The exchange: takes orders, fills them, and moves its clock when it is set. No network, no disk, no wall clock."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sandbox.exchange.account import Account, AccountMode
from sandbox.exchange.activities import Activity, Entry
from sandbox.exchange.admission import Admitted, admit
from sandbox.exchange.bar_faults import BarFault
from sandbox.exchange.clock import Phase, SimulatedClock, check_forward, clock_at, fresh_clock
from sandbox.exchange.conditions import Condition
from sandbox.exchange.floor import TradingFloor
from sandbox.exchange.market import Market
from sandbox.exchange.orders import PLAIN, Order, OrderRequest, OrderStatus, Script, TimeInForce
from sandbox.exchange.positions import Position
from sandbox.exchange.refusals import Refusal, bad_control, invalid, not_found
from sandbox.exchange.replacement import OrderChange, replacement_request
from sandbox.exchange.sessions import next_boundary, session_open_at, trading_session

_GTC_LIFE = timedelta(days=90)
_TICK = timedelta(microseconds=1)
_REPLACEABLE = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True)
class State:
    """Everything that survives a restart.

    Attributes:
        bar_faults: those planted in the bars of either side.
    """

    clock: SimulatedClock
    account: Account
    bar_faults: tuple[BarFault, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """The terms of a new account.

    Attributes:
        cash: USD.
        whole_shares: symbols that cannot be traded in fractions.
        fractional_shorts: whether fractions of a share may be sold short; the broker refuses that.
    """

    cash: Decimal
    mode: AccountMode = AccountMode.CASH
    whole_shares: frozenset[str] = frozenset()
    fractional_shorts: bool = False


def opening_state(market: Market, terms: AccountTerms, *, generation: int = 1) -> State:
    """Return the state of a new account with a fresh clock."""
    clock = fresh_clock(market)
    account = Account(
        generation,
        terms.mode,
        opening_cash=terms.cash,
        cash=terms.cash,
        opened_at=clock.now,
        whole_shares=terms.whole_shares,
        fractional_shorts=terms.fractional_shorts,
    )
    return State(clock, account)


class Exchange(TradingFloor):
    """One account trading on one replayed market."""

    def __init__(self, market: Market, state: State) -> None:
        super().__init__(market, state.clock, state.account)
        market.replace_bar_faults(state.bar_faults)

    @property
    def state(self) -> State:
        """Return the current state; it shares the account, so it is valid until the next change."""
        return State(self.clock, self.account, self.market.all_bar_faults())

    def snapshot(self) -> State:
        """Return the current state; later changes do not affect it."""
        return State(self.clock, self.account.copy(), self.market.all_bar_faults())

    def restore(self, state: State) -> None:
        self.clock, self.account = state.clock, state.account
        self.market.replace_bar_faults(state.bar_faults)

    def reset(self, terms: AccountTerms) -> None:
        """Start over with a new account, no planted conditions, and a clock that may be set to any moment."""
        self.market.reset()
        self.restore(opening_state(self.market, terms, generation=self.account.generation + 1))

    def submit(self, request: OrderRequest, script: Script = PLAIN) -> Order:
        """Take an order, and fill what trades at once.

        Args:
            script: what planted faults do with the order.

        Returns:
            The order before any fill, as the broker answers it; the next read shows the fills.

        Raises:
            Refusal: the order breaks a rule of `admission`; nothing has changed.
        """
        admitted = admit(request, self.account, self.market, self.now)
        order = self._added(admitted, script)
        answered = self.account.put_order(order)
        if order.script.held and order.status is OrderStatus.PENDING_NEW:
            order = self._update(order, OrderStatus.HELD)
        self._match_if_due(order)
        return answered

    def cancel(self, order_id: UUID, *, delay_s: float = 0.0) -> Order:
        """Cancel an open order; with a delay (a planted fault) it is pending for so long, and may still fill.

        Raises:
            Refusal: the order is unknown, no longer open, or being canceled.
        """
        order = self.order(order_id)
        if order.is_waiting:
            # Its predecessor would otherwise be pending for ever.
            self._take_over(order)
            order = self.order(order_id)
        if not order.is_open or order.status is OrderStatus.PENDING_CANCEL:
            raise invalid(f'order is already in "{order.status}" state')
        if delay_s:
            ends_at = self.now + timedelta(seconds=delay_s)
            return self._update(replace(order, ends_at=ends_at), OrderStatus.PENDING_CANCEL)
        return self._finish(order, OrderStatus.CANCELED)

    def change(self, order_id: UUID, change: OrderChange, *, delay_s: float = 0.0) -> Order:
        """Replace a resting order by a new order for its unfilled part; return the new order before any fill.

        Args:
            delay_s: how long the old order is pending, and may still fill, before the new one takes its place (a
                planted fault).

        Raises:
            Refusal: the order is unknown or cannot be replaced now, the change changes nothing, or the new order breaks
                a rule; nothing has changed.
        """
        old = self.order(order_id)
        if old.status not in _REPLACEABLE:
            raise invalid(f"cannot replace order in {old.status} status")
        request, before = replacement_request(old, change), self.snapshot()

        # The old order is closed first, so that what it reserves is free when the new one is checked.
        self._finish(old, OrderStatus.REPLACED)
        try:
            admitted = admit(request, self.account, self.market, self.now)
        except Refusal:
            self.restore(before)
            raise

        # A slow replacement leaves the old order open; both have the same shares until one of them is closed.
        starts_at = self.now + timedelta(seconds=delay_s)
        new = replace(self._added(admitted), replaces=old.id, is_waiting=True, starts_at=starts_at)
        new = self.account.put_order(replace(new, replaced_qty=old.filled_qty))
        self._update(old, OrderStatus.PENDING_REPLACE)
        if not delay_s:
            self._take_over(new)
        return new

    def order(self, order_id: UUID) -> Order:
        """Return an order.

        Raises:
            Refusal: 404, there is no such order.
        """
        order = self.account.orders.get(order_id)
        if order is None:
            raise not_found(f"order not found for {order_id}")
        return order

    def put_condition(self, condition: Condition) -> None:
        """Plant the condition of a symbol's market; orders that it lets trade are filled at once."""
        self.market.conditions[condition.symbol] = condition.model_copy(update={"since": self.now})
        self.match_all()

    def clear_conditions(self, symbol: str | None = None) -> None:
        """Remove the condition of a symbol, or all; orders that rested because of it are filled at once."""
        for name in [symbol] if symbol else list(self.market.conditions):
            self.market.conditions.pop(name, None)
        self.match_all()

    def put_position(self, position: Position) -> None:
        """Plant a position, whatever the account has paid for; a quantity of zero removes it."""
        self.account.positions.pop(position.symbol, None)
        if position.qty:
            self.account.positions[position.symbol] = position

    def book(self, entry: Entry) -> Activity:
        """Book a deposit, a withdrawal, a fee or a dividend now.

        Raises:
            Refusal: 422, more money would leave the account than no open order reserves.
        """
        free = self.account.settled_buying_power()
        if entry.net_amount < -free:
            raise bad_control(422, f"net_amount: {-entry.net_amount} USD cannot be withdrawn, {free} can")
        return self.account.book(entry, self._tick())

    def set_clock(self, wanted: SimulatedClock) -> None:
        """Move the clock forward, and let everything happen that is due on the way.

        Queued orders trade at each open; day orders expire and the equity is recorded at each close; splits are applied
        at the open of their ex-date; planted timers pass.

        Raises:
            Refusal: 409, the wanted moment is before the current one.
        """
        check_forward(self.clock, wanted)
        if wanted.set_to == self.clock.set_to:
            self.clock = replace(wanted, ticks=self.clock.ticks)
        elif self.clock.is_fresh:
            # Nothing has happened yet, so nothing is due on the way.
            self.clock = wanted
        else:
            self._move(wanted)

    def advance(self, now: datetime) -> None:
        """Move the clock to a moment; does nothing when it is not later. Cheap while nothing is due.

        Raises:
            Refusal: 422, the moment is outside the history.
        """
        if now <= self.now:
            return
        if not self.clock.is_fresh and self._next_due(self.now) > now:
            self.clock = SimulatedClock(now, self.clock.session, Phase.OTHER)
        else:
            self.set_clock(clock_at(self.market, now))

    def _move(self, wanted: SimulatedClock) -> None:
        reached = self.now
        while (moment := self._next_due(reached)) <= wanted.set_to:
            self.clock = replace(self.clock, set_to=moment, ticks=0)
            self._pass(moment)
            reached = moment
        # What happened last may have taken the clock some ticks past the wanted moment.
        self.clock = replace(wanted, ticks=max((self.now - wanted.set_to) // _TICK, 0))

    def _next_due(self, after: datetime) -> datetime:
        """Return the next moment at which something may happen: an open, a close, or the timer of an order."""
        due = next_boundary(after)
        for timer in self._timers():
            if after < timer < due:
                due = timer
        return due

    def _added(self, admitted: Admitted, script: Script = PLAIN) -> Order:
        request, at = admitted.request, self._tick()
        order_id = self.account.next_order_id()
        is_open = session_open_at(at) is not None
        is_day = request.time_in_force is not TimeInForce.GTC

        return Order(
            id=order_id,
            client_order_id=request.client_order_id or str(order_id),
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            qty=request.qty,
            notional=request.notional,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            extended_hours=request.extended_hours,
            reserve_price=admitted.reserve_price,
            position_intent=admitted.intent,
            status=OrderStatus.PENDING_NEW if is_open else OrderStatus.ACCEPTED,
            submitted_at=at,
            updated_at=at,
            expires_at=trading_session(at).closes if is_day else at + _GTC_LIFE,
            script=script,
            starts_at=at + timedelta(seconds=script.delay_s) if script.delay_s else None,
        )
