from decimal import Decimal

from sandbox.exchange.matching import execute
from sandbox.exchange.orders import OrderStatus, Script
from tests.sandbox.exchange.worlds import exchange_at, order_for


def test_execute_in_parts_rounds_cash_once() -> None:
    exchange = exchange_at()
    account = exchange.account
    order = exchange.submit(order_for("CALM", "buy", "0.1"), Script(fill_fraction=Decimal(0)))
    price = Decimal("100.05")

    for _ in range(4):
        order = execute(account, order, qty=Decimal("0.025"), price=price, at=exchange.now)

    assert order.status is OrderStatus.FILLED
    assert order.filled_avg_price == price
    assert account.cash == Decimal("10000") - Decimal("10.01")
    assert [fill.cash for fill in account.fills] == [Decimal(text) for text in ("-2.50", "-2.50", "-2.50", "-2.51")]
    assert len({fill.id for fill in account.fills}) == 4
