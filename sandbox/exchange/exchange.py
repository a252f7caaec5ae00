"""The exchange: takes orders, fills them, and moves its clock when it is set. No network, no disk, no wall clock."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sandbox.exchange import matching
from sandbox.exchange.account import Account, AccountMode
from sandbox.exchange.admission import Admitted, admit, prices_of
from sandbox.exchange.clock import SimulatedClock, check_forward, fresh_clock
from sandbox.exchange.market import Market
from sandbox.exchange.money import to_cents
from sandbox.exchange.orders import Order, OrderRequest, OrderStatus, Side, TimeInForce
from sandbox.exchange.refusals import Refusal, invalid, not_found
from sandbox.exchange.replacement import OrderChange, replacement_request
from sandbox.exchange.sessions import Session, session_open_at, sessions_between, trading_session

_GTC_LIFE = timedelta(days=90)
_REPLACEABLE = frozenset({OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED})


@dataclass(frozen=True, slots=True)
class State:
    """Everything that survives a restart."""

    clock: SimulatedClock
    account: Account


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """The terms of a new account: its USD, its mode, and the symbols that cannot be traded in fractions."""

    cash: Decimal
    mode: AccountMode = AccountMode.CASH
    whole_shares: frozenset[str] = frozenset()


def opening_state(market: Market, terms: AccountTerms, *, generation: int = 1) -> State:
    """Return the state of a new account with a fresh clock."""
    clock = fresh_clock(market)
    return State(clock, Account(generation, terms.mode, terms.cash, terms.cash, clock.now, terms.whole_shares))


class Exchange:
    """One account trading on one replayed market."""

    def __init__(self, market: Market, state: State) -> None:
        self.market = market
        self.clock = state.clock
        self.account = state.account

    @property
    def now(self) -> datetime:
        return self.clock.now

    def snapshot(self) -> State:
        """Return the current state; later changes do not affect it."""
        return State(self.clock, self.account.copy())

    def restore(self, state: State) -> None:
        self.clock, self.account = state.clock, state.account

    def reset(self, terms: AccountTerms) -> None:
        """Start over with a new account and a clock that may be set to any moment."""
        self.restore(opening_state(self.market, terms, generation=self.account.generation + 1))

    def submit(self, request: OrderRequest, *, fill_fraction: Decimal = Decimal(1)) -> Order:
        """Take an order, and fill what trades at once.

        Args:
            fill_fraction: how much of it may ever be filled; below 1 the rest stays open (a planted fault).

        Returns:
            The order before any fill, as the broker answers it; the next read shows the fills.

        Raises:
            Refusal: the order breaks a rule of `admission`; nothing has changed.
        """
        admitted = admit(request, self.account, self.market, self.now)
        order = self._add(admitted, fill_fraction=fill_fraction)
        self._match_if_new(order)
        return order

    def cancel(self, order_id: UUID) -> Order:
        """Cancel an open order.

        Raises:
            Refusal: the order is unknown or no longer open.
        """
        order = self.order(order_id)
        if not order.is_open:
            raise invalid(f"order is not cancelable in {order.status} status")
        at = self._tick()
        return self.account.put_order(replace(order, status=OrderStatus.CANCELED, canceled_at=at, updated_at=at))

    def change(self, order_id: UUID, change: OrderChange) -> Order:
        """Replace a resting order by a new order for its unfilled part; return the new order before any fill.

        Raises:
            Refusal: the order is unknown or cannot be replaced now, the change changes nothing, or the new order breaks
                a rule; nothing has changed.
        """
        old = self.order(order_id)
        if old.status not in _REPLACEABLE:
            raise invalid(f"cannot replace order in {old.status} status")
        request, before = replacement_request(old, change), self.snapshot()

        # The old order is closed first, so that what it reserves is free when the new one is checked.
        at = self._tick()
        replaced = self.account.put_order(replace(old, status=OrderStatus.REPLACED, replaced_at=at, updated_at=at))
        try:
            admitted = admit(request, self.account, self.market, self.now)
        except Refusal:
            self.restore(before)
            raise

        new = self._add(admitted, replaces=old.id)
        self.account.put_order(replace(replaced, replaced_by=new.id))
        self._match_if_new(new)
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

    def set_clock(self, wanted: SimulatedClock) -> None:
        """Move the clock forward.

        Queued orders trade at each open; day orders expire and the equity is recorded at each close.

        Raises:
            Refusal: 409, the wanted moment is before the current one.
        """
        check_forward(self.clock, wanted)
        if wanted.set_to == self.clock.set_to:
            self.clock = replace(wanted, ticks=self.clock.ticks)
            return

        start = self.now
        for session in sessions_between(self.clock.set_to.date() - timedelta(days=1), wanted.set_to.date()):
            self._pass_session(session, start, wanted.set_to)
        self.clock = wanted
        if session_open_at(self.now):
            self._match_all()

    def _pass_session(self, session: Session, start: datetime, end: datetime) -> None:
        if start < session.opens <= end and self.account.open_orders():
            self.clock = replace(self.clock, set_to=session.opens, ticks=0)
            self._match_all()
        if start < session.closes <= end:
            self.clock = replace(self.clock, set_to=session.closes, ticks=0)
            self._close_session(session)

    def _close_session(self, session: Session) -> None:
        for order in self.account.open_orders():
            if order.expires_at <= session.closes:
                at = self._tick()
                self.account.put_order(replace(order, status=OrderStatus.EXPIRED, expired_at=at, updated_at=at))
        self.account.mark_equity(session.date, prices_of(self.account, self.market, self.now))

    def _add(self, admitted: Admitted, *, fill_fraction: Decimal = Decimal(1), replaces: UUID | None = None) -> Order:
        request, at = admitted.request, self._tick()
        order_id = self.account.next_order_id()
        is_open = session_open_at(at) is not None
        is_day = request.time_in_force is TimeInForce.DAY

        order = Order(
            id=order_id,
            client_order_id=request.client_order_id or str(order_id),
            symbol=request.symbol,
            side=request.side,
            type=request.type,
            time_in_force=request.time_in_force,
            qty=request.qty,
            notional=request.notional,
            limit_price=request.limit_price,
            extended_hours=request.extended_hours,
            reserve_price=admitted.reserve_price,
            status=OrderStatus.PENDING_NEW if is_open else OrderStatus.ACCEPTED,
            submitted_at=at,
            updated_at=at,
            expires_at=trading_session(at).closes if is_day else at + _GTC_LIFE,
            fill_fraction=fill_fraction,
            replaces=replaces,
        )
        return self.account.put_order(order)

    def _match_if_new(self, order: Order) -> None:
        if order.status is OrderStatus.PENDING_NEW:
            self._match(order)

    def _match_all(self) -> None:
        for order in self.account.open_orders():
            self._match(order)

    def _match(self, order: Order) -> None:
        quote = self.market.quote(order.symbol, self.now)
        price = None if quote is None else matching.fill_price(order, quote)
        qty = Decimal(0) if price is None else matching.fill_qty(order, price)
        if price is None or not qty:
            self._rest(order)
        elif self._is_covered(order, qty, price):
            matching.execute(self.account, order, qty=qty, price=price, at=self._tick())
        else:
            at = self._tick()
            self.account.put_order(replace(order, status=OrderStatus.REJECTED, failed_at=at, updated_at=at))

    def _rest(self, order: Order) -> None:
        if order.status in {OrderStatus.PENDING_NEW, OrderStatus.ACCEPTED}:
            self.account.put_order(replace(order, status=OrderStatus.NEW, updated_at=self._tick()))

    def _is_covered(self, order: Order, qty: Decimal, price: Decimal) -> bool:
        """Return whether the account can pay for a fill, or holds the shares to deliver.

        The check at admission is not enough: a queued order may meet another price than the one it was admitted at.
        """
        if order.side is Side.SELL:
            return qty <= self.account.available_qty(order.symbol) + order.remaining_qty
        spendable = self.account.spendable(prices_of(self.account, self.market, self.now))
        return to_cents(qty * price) <= spendable + to_cents(order.reserved_value)

    def _tick(self) -> datetime:
        self.clock = self.clock.ticked()
        return self.clock.now
