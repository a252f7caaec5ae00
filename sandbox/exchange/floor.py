"""The trading floor: what happens to orders as time passes. No network, no disk, no wall clock."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sandbox.exchange import matching, splits
from sandbox.exchange.account import Account
from sandbox.exchange.admission import prices_of
from sandbox.exchange.clock import SimulatedClock
from sandbox.exchange.market import Market, Quote
from sandbox.exchange.money import ZERO, to_cents
from sandbox.exchange.orders import Order, OrderStatus, Side, TimeInForce
from sandbox.exchange.sessions import NEW_YORK, Session, session_on, session_open_at


class TradingFloor:
    """The market, the clock and the account, and how they change each other."""

    def __init__(self, market: Market, clock: SimulatedClock, account: Account) -> None:
        self.market = market
        self.clock = clock
        self.account = account

    @property
    def now(self) -> datetime:
        return self.clock.now

    def match_all(self) -> None:
        """Match every open order with the market as it is now."""
        for order in self.account.open_orders():
            self._match_if_due(order)

    def _pass(self, moment: datetime) -> None:
        """Let everything happen that is due at a moment, which the clock shows: opens, timers, closes."""
        session = session_on(moment.astimezone(NEW_YORK).date())
        if session is not None and session.opens == moment:
            self._open_session(session)
        self._pass_timers(moment)
        if session is not None and session.closes == moment:
            self._close_session(session)

    def _open_session(self, session: Session) -> None:
        splits.apply(self.account, self.market, session, cancel=self._cancel)
        for order in self.account.open_orders():
            if order.time_in_force is TimeInForce.OPG:
                self._auction(order)
        self.match_all()

    def _close_session(self, session: Session) -> None:
        for order in self.account.open_orders():
            if order.time_in_force is TimeInForce.CLS:
                self._auction(order)
            elif order.status is OrderStatus.PENDING_CANCEL:
                self._finish(order, OrderStatus.CANCELED)
            elif order.expires_at <= session.closes:
                self._finish(order, OrderStatus.EXPIRED)
            elif order.status is OrderStatus.DONE_FOR_DAY:
                self._update(order, OrderStatus.PARTIALLY_FILLED)
        self.account.mark_equity(session.date, prices_of(self.account, self.market, self.now))

    def _pass_timers(self, moment: datetime) -> None:
        for order in self.account.open_orders():
            if order.ends_at is not None and order.ends_at <= moment:
                self._finish(order, order.ends_as)
            elif order.starts_at is not None and order.starts_at <= moment:
                self._start(order)

    def _timers(self) -> Iterator[datetime]:
        for order in self.account.open_orders():
            if order.ends_at is not None:
                yield order.ends_at
            if order.starts_at is not None:
                yield order.starts_at

    def _start(self, order: Order) -> None:
        """Let an order trade whose delay has passed; a waiting replacement takes the place of its predecessor."""
        if order.is_waiting:
            self._take_over(order)
        elif session_open_at(self.now):
            self._match_if_due(order)

    def _take_over(self, order: Order) -> None:
        """Complete a slow replacement: close the old order, and let the new one trade what is left.

        When the old order was filled or canceled meanwhile, the new one is rejected.
        """
        old = None if order.replaces is None else self.account.orders.get(order.replaces)
        if old is None or not old.is_open:
            self._finish(order, OrderStatus.REJECTED)
            return
        self._finish(replace(old, replaced_by=order.id), OrderStatus.REPLACED)
        filled_since = old.filled_qty - order.replaced_qty
        qty = None if order.qty is None else order.qty - filled_since
        started = replace(order, qty=qty, is_waiting=False, starts_at=None)
        if qty is not None and qty <= 0:
            self._finish(started, OrderStatus.REJECTED)
            return
        self._match_if_due(self._update(started, OrderStatus.NEW))

    def _match_if_due(self, order: Order) -> None:
        """Match an order, unless it waits for a moment, for an auction, or for the exchange."""
        is_waiting = order.is_waiting or (order.starts_at is not None and order.starts_at > self.now)
        if is_waiting or order.status is OrderStatus.DONE_FOR_DAY or session_open_at(self.now) is None:
            return
        if order.script.is_rejected:
            self._finish(order, OrderStatus.REJECTED)
        elif order.time_in_force in matching.AUCTIONS:
            self._rest(order)
        else:
            self._match(order)

    def _match(self, order: Order) -> None:
        quote = self.market.quote(order.symbol, self.now)
        if quote is not None and not quote.is_halted and not order.is_triggered:
            order = self._trigger(order, quote)
        price = None if quote is None else matching.fill_price(order, quote)
        qty = ZERO if price is None else matching.fill_qty(order, price)
        is_partial = price is not None and qty < order.total_qty(price) - order.filled_qty
        if price is None or not qty or (is_partial and order.time_in_force is TimeInForce.FOK):
            order = self._rest(order)
        else:
            order = self._trade(order, qty, price)
        if order.is_open and order.time_in_force in matching.IMMEDIATE:
            self._finish(order, OrderStatus.CANCELED)

    def _trigger(self, order: Order, quote: Quote) -> Order:
        if not matching.is_stop_met(order, quote.last):
            return order
        return self.account.put_order(replace(order, is_triggered=True, updated_at=self._tick()))

    def _trade(self, order: Order, qty: Decimal, price: Decimal) -> Order:
        if not self._is_covered(order, qty, price):
            return self._finish(order, OrderStatus.REJECTED)
        order = matching.execute(self.account, order, qty=qty, price=price, at=self._tick())
        script = order.script
        if order.is_open and script.is_done_for_day and matching.fill_qty(order, price) == 0:
            return self._update(order, OrderStatus.DONE_FOR_DAY)
        return order

    def _auction(self, order: Order) -> None:
        """Trade an order in the opening or closing auction, or cancel it."""
        quote = self.market.quote(order.symbol, self.now)
        price = None if quote is None else matching.auction_price(order, quote)
        qty = ZERO if price is None else matching.fill_qty(order, price)
        if price is not None and qty:
            order = self._trade(order, qty, price)
        if order.is_open:
            self._finish(order, OrderStatus.CANCELED)

    def _rest(self, order: Order) -> Order:
        if order.status in {OrderStatus.PENDING_NEW, OrderStatus.ACCEPTED, OrderStatus.HELD}:
            return self._update(order, OrderStatus.NEW)
        return order

    def _is_covered(self, order: Order, qty: Decimal, price: Decimal) -> bool:
        """Return whether the account can pay for a fill, or holds the shares to deliver.

        The check at admission is not enough: a queued order may meet another price, or another position, than the one
        it was admitted at.
        """
        others = self.account.held_qty(order.symbol, order.side) - order.remaining_qty
        closable = max(self.account.closable_qty(order.symbol, order.side) - others, ZERO)
        opening = qty - min(qty, closable)
        if not opening:
            return True
        may_open = not order.position_intent.closes and (order.side is Side.BUY or self.account.may_short)
        if not may_open:
            return False
        prices = prices_of(self.account, self.market, self.now)
        return to_cents(opening * price) <= self.account.spendable(prices, without=order.id)

    def _cancel(self, order: Order) -> None:
        self._finish(order, OrderStatus.CANCELED)

    def _finish(self, order: Order, status: OrderStatus) -> Order:
        """Give an order its final status, with the time stamp that goes with it."""
        return self.account.put_order(order.finished(status, self._tick()))

    def _update(self, order: Order, status: OrderStatus) -> Order:
        return self.account.put_order(replace(order, status=status, updated_at=self._tick()))

    def _tick(self) -> datetime:
        self.clock = self.clock.ticked()
        return self.clock.now
