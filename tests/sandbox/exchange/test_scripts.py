"""What planted faults do with orders over time: parts, delays, slow cancels and replacements, odd statuses."""

from datetime import timedelta
from decimal import Decimal

import pytest

from sandbox.exchange.clock import Phase
from sandbox.exchange.exchange import Exchange
from sandbox.exchange.orders import Order, OrderStatus, Script
from sandbox.exchange.positions import Position
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.replacement import OrderChange
from tests.sandbox.exchange.worlds import THURSDAY, WEDNESDAY, exchange_at, later, move, order_for, send, status

PARTS = Script(parts=3, every_s=10)


def scripted(exchange: Exchange, script: Script, qty: str = "10", **more: object) -> Order:
    return exchange.submit(order_for("CALM", "buy", qty, **more), script)


def filled(exchange: Exchange, order: Order) -> Decimal:
    return exchange.order(order.id).filled_qty


@pytest.mark.parametrize(("qty", "steps"), [("10", [3, 6, 10]), ("4", [1, 2, 4]), ("2", [2, 2, 2])])
def test_order_in_parts_fills_as_time_passes(qty: str, steps: list[int]) -> None:
    exchange = exchange_at()
    order = scripted(exchange, PARTS, qty)
    seen = [filled(exchange, order)]
    for _ in range(2):
        later(exchange, 10)
        seen.append(filled(exchange, order))

    assert seen == steps
    assert status(exchange, order) is OrderStatus.FILLED


def test_order_in_parts_waits_out_the_whole_interval() -> None:
    exchange = exchange_at()
    order = scripted(exchange, PARTS, "0.3")
    later(exchange, 9.9)
    early = exchange.order(order.id)
    later(exchange, 60)
    done = exchange.order(order.id)

    assert (early.status, early.filled_qty) == (OrderStatus.PARTIALLY_FILLED, Decimal("0.1"))
    assert (done.status, done.filled_qty) == (OrderStatus.FILLED, Decimal("0.3"))
    assert [fill.qty for fill in exchange.account.fills] == [Decimal("0.1")] * 3
    assert (exchange.account.fills[2].at - exchange.account.fills[1].at).seconds == 10


def test_order_in_parts_that_is_canceled_keeps_its_fills() -> None:
    exchange = exchange_at()
    order = scripted(exchange, PARTS)
    exchange.cancel(order.id)
    later(exchange, 100)

    assert (status(exchange, order), filled(exchange, order)) == (OrderStatus.CANCELED, Decimal(3))


def test_order_that_fills_later_rests_until_then() -> None:
    exchange = exchange_at()
    order = scripted(exchange, Script(delay_s=30))
    later(exchange, 29)
    before = status(exchange, order)
    later(exchange, 2)

    assert before is OrderStatus.PENDING_NEW
    assert status(exchange, order) is OrderStatus.FILLED


def test_order_on_hold_is_held_and_then_trades() -> None:
    exchange = exchange_at()
    answered = scripted(exchange, Script(delay_s=30, held=True))
    held = exchange.order(answered.id)
    later(exchange, 31)

    assert (answered.status, held.status) == (OrderStatus.PENDING_NEW, OrderStatus.HELD)
    assert held.is_open
    assert status(exchange, answered) is OrderStatus.FILLED


def test_order_on_hold_that_does_not_trade_is_new_afterwards() -> None:
    exchange = exchange_at()
    order = scripted(exchange, Script(delay_s=30, held=True), limit_price="50")
    later(exchange, 31)

    assert status(exchange, order) is OrderStatus.NEW


@pytest.mark.parametrize("delay_s", [0.0, 5.0])
def test_order_is_rejected_after_it_was_accepted(delay_s: float) -> None:
    exchange = exchange_at()
    answered = scripted(exchange, Script(delay_s=delay_s, is_rejected=True))
    later(exchange, 6)
    order = exchange.order(answered.id)

    assert answered.status is OrderStatus.PENDING_NEW
    assert (order.status, order.filled_qty) == (OrderStatus.REJECTED, Decimal(0))
    assert order.failed_at is not None
    assert exchange.account.reserved_cash() == 0


def test_order_done_for_day_does_not_trade_again_that_day() -> None:
    exchange = exchange_at()
    script = Script(fill_fraction=Decimal("0.5"), is_done_for_day=True)
    day, gtc = scripted(exchange, script), scripted(exchange, script, time_in_force="gtc")
    later(exchange, 100)
    exchange.match_all()
    seen = status(exchange, day), status(exchange, gtc), filled(exchange, day)
    move(exchange, WEDNESDAY, Phase.AFTER_CLOSE)

    assert seen == (OrderStatus.DONE_FOR_DAY, OrderStatus.DONE_FOR_DAY, Decimal(5))
    assert (status(exchange, day), status(exchange, gtc)) == (OrderStatus.EXPIRED, OrderStatus.PARTIALLY_FILLED)


def test_order_with_an_odd_status_goes_on_under_it() -> None:
    exchange = exchange_at()
    answered = scripted(exchange, Script(alias="under_observation", alias_s=60))
    order = exchange.order(answered.id)
    seen = [order.reported_status(order.submitted_at + timedelta(seconds=seconds)) for seconds in (0, 59.9, 60)]

    assert seen == ["under_observation", "under_observation", "filled"]


def test_cancel_slowly_is_pending_and_then_canceled() -> None:
    exchange = exchange_at()
    order = send(exchange, limit_price="50")
    pending = exchange.cancel(order.id, delay_s=60)
    later(exchange, 59)
    still = status(exchange, order)
    later(exchange, 2)
    done = exchange.order(order.id)

    assert (pending.status, still) == (OrderStatus.PENDING_CANCEL, OrderStatus.PENDING_CANCEL)
    assert pending.is_open
    assert exchange.account.reserved_cash() == 0
    assert done.status is OrderStatus.CANCELED
    assert done.canceled_at is not None
    assert done.canceled_at - order.submitted_at < timedelta(seconds=61)


def test_cancel_slowly_may_fill_meanwhile() -> None:
    exchange = exchange_at()
    order = scripted(exchange, PARTS)
    exchange.cancel(order.id, delay_s=15)
    later(exchange, 11)
    between = exchange.order(order.id)
    later(exchange, 11)
    done = exchange.order(order.id)

    assert (between.status, between.filled_qty) == (OrderStatus.PENDING_CANCEL, Decimal(6))
    assert (done.status, done.filled_qty) == (OrderStatus.CANCELED, Decimal(6))


def test_cancel_slowly_of_an_order_that_fills_first_is_too_late() -> None:
    exchange = exchange_at()
    order = scripted(exchange, Script(parts=2, every_s=10))
    exchange.cancel(order.id, delay_s=15)
    later(exchange, 30)

    assert status(exchange, order) is OrderStatus.FILLED


def test_cancel_slowly_ends_at_the_close_as_canceled() -> None:
    exchange = exchange_at()
    order = send(exchange, limit_price="50")
    exchange.cancel(order.id, delay_s=100_000)
    move(exchange, WEDNESDAY, Phase.AFTER_CLOSE)

    assert status(exchange, order) is OrderStatus.CANCELED


def test_cancel_of_a_pending_cancel_is_refused() -> None:
    exchange = exchange_at()
    order = send(exchange, limit_price="50")
    exchange.cancel(order.id, delay_s=60)

    with pytest.raises(Refusal, match=r'^order is already in "pending_cancel" state$'):
        exchange.cancel(order.id)


def changed_slowly(exchange: Exchange, order: Order, qty: str = "8") -> Order:
    return exchange.change(order.id, OrderChange(qty=Decimal(qty)), delay_s=15)


def test_replace_slowly_is_pending_and_then_replaced() -> None:
    exchange = exchange_at()
    old = send(exchange, "CALM", "buy", "10", limit_price="50")
    new = changed_slowly(exchange, old)
    pending, reserved = exchange.order(old.id), exchange.account.reserved_cash()
    later(exchange, 16)
    replaced = exchange.order(old.id)

    assert (pending.status, pending.replaced_by, reserved) == (OrderStatus.PENDING_REPLACE, None, Decimal(500))
    assert (new.status, new.replaces) == (OrderStatus.PENDING_NEW, old.id)
    assert (replaced.status, replaced.replaced_by) == (OrderStatus.REPLACED, new.id)
    assert replaced.replaced_at is not None
    assert (status(exchange, new), exchange.account.reserved_cash()) == (OrderStatus.NEW, Decimal(400))


def test_replace_slowly_counts_what_the_old_order_fills_meanwhile() -> None:
    exchange = exchange_at()
    old = scripted(exchange, PARTS)
    new = changed_slowly(exchange, old)
    later(exchange, 16)

    assert (new.qty, exchange.order(new.id).qty) == (Decimal(5), Decimal(2))
    assert (status(exchange, old), filled(exchange, old)) == (OrderStatus.REPLACED, Decimal(6))
    assert (status(exchange, new), exchange.account.qty("CALM")) == (OrderStatus.FILLED, Decimal(8))


@pytest.mark.parametrize("qty", ["4", "5", "6"])
def test_replace_slowly_of_an_order_that_fills_enough_is_rejected(qty: str) -> None:
    exchange = exchange_at()
    old = scripted(exchange, Script(parts=3, every_s=10), "10")
    new = changed_slowly(exchange, old, qty)
    later(exchange, 16)

    assert status(exchange, new) is OrderStatus.REJECTED
    assert exchange.account.qty("CALM") == 6


def test_replace_slowly_of_an_order_that_fills_first_is_rejected() -> None:
    exchange = exchange_at()
    old = scripted(exchange, Script(parts=2, every_s=10))
    new = changed_slowly(exchange, old)
    later(exchange, 30)

    assert (status(exchange, old), status(exchange, new)) == (OrderStatus.FILLED, OrderStatus.REJECTED)
    assert exchange.account.qty("CALM") == 10


def test_cancel_of_a_waiting_replacement_completes_it_first() -> None:
    exchange = exchange_at()
    old = send(exchange, "CALM", "buy", "10", limit_price="50")
    new = changed_slowly(exchange, old)
    exchange.cancel(new.id)

    assert (status(exchange, old), status(exchange, new)) == (OrderStatus.REPLACED, OrderStatus.CANCELED)
    assert exchange.account.open_orders() == []


def test_cancel_of_an_order_that_is_being_replaced_rejects_the_new_one() -> None:
    exchange = exchange_at()
    old = send(exchange, "CALM", "buy", "10", limit_price="50")
    new = changed_slowly(exchange, old)
    exchange.cancel(old.id)
    later(exchange, 16)

    assert (status(exchange, old), status(exchange, new)) == (OrderStatus.CANCELED, OrderStatus.REJECTED)


def test_change_of_an_order_that_is_being_replaced_is_refused() -> None:
    exchange = exchange_at()
    old = send(exchange, "CALM", "buy", "10", limit_price="50")
    changed_slowly(exchange, old)

    with pytest.raises(Refusal, match="cannot replace order in pending_replace status"):
        changed_slowly(exchange, old)


def test_change_slowly_of_a_sell_can_still_fill_the_old_order() -> None:
    exchange = exchange_at()
    exchange.put_position(Position("CALM", Decimal(10), Decimal(100)))
    old = exchange.submit(order_for("CALM", "sell", "10"), Script(parts=2, every_s=10))
    exchange.change(old.id, OrderChange(qty=Decimal(9)), delay_s=60)
    later(exchange, 11)

    assert status(exchange, old) is OrderStatus.FILLED


def test_replacements_form_a_chain() -> None:
    exchange = exchange_at()
    first = send(exchange, "CALM", "buy", "10", limit_price="50")
    second = exchange.change(first.id, OrderChange(qty=Decimal(9)))
    third = exchange.change(second.id, OrderChange(limit_price=Decimal(100)))

    assert exchange.order(first.id).replaced_by == second.id
    assert exchange.order(second.id).replaced_by == third.id
    assert (status(exchange, third), exchange.account.qty("CALM")) == (OrderStatus.FILLED, Decimal(9))


def test_timers_do_not_pass_while_the_market_is_closed() -> None:
    exchange = exchange_at(THURSDAY, Phase.EVENING_BEFORE)
    order = scripted(exchange, Script(delay_s=30))
    later(exchange, 60)
    closed = status(exchange, order)
    move(exchange, THURSDAY)

    assert (closed, status(exchange, order)) == (OrderStatus.ACCEPTED, OrderStatus.FILLED)
