from dataclasses import replace

from sandbox.exchange.order_book import OrderBook
from sandbox.exchange.orders import OrderStatus
from tests.sandbox.exchange.worlds import exchange_at, send


def test_book_finds_orders_by_id_and_client_id_and_state() -> None:
    exchange = exchange_at()
    resting = send(exchange, limit_price="50", client_order_id="resting")
    filled = send(exchange, client_order_id="filled")
    book = exchange.account.orders

    assert book.get(filled.id) == book.by_client_id("filled") == filled
    assert book.by_client_id("none") is None
    assert book.open() == [resting]
    assert (list(book.values()), len(book)) == ([resting, filled], 2)


def test_book_copy_is_independent_of_the_original() -> None:
    exchange = exchange_at()
    order = send(exchange, limit_price="50", client_order_id="first")
    book = exchange.account.orders
    copied = book.copy()
    book.put(replace(order, status=OrderStatus.CANCELED))
    book.put(replace(order, id=exchange.account.next_order_id(), client_order_id="second"))

    assert (copied.open(), len(copied), copied.by_client_id("second")) == ([order], 1, None)
    assert copied.get(order.id) == order
    assert len(book.open()) == 1


def test_books_with_the_same_orders_are_equal() -> None:
    exchange = exchange_at()
    order = send(exchange, limit_price="50")
    book = exchange.account.orders

    assert book == OrderBook((order,))
    assert book != OrderBook()
    assert book != [order]


def test_book_reopens_an_order_that_is_open_again() -> None:
    order = send(exchange_at(), limit_price="50")
    book = OrderBook((replace(order, status=OrderStatus.CANCELED),))
    book.put(order)

    assert book.open() == [order]


def test_book_lists_a_reopened_order_at_its_place_by_age() -> None:
    exchange = exchange_at()
    first, second = send(exchange, limit_price="50"), send(exchange, limit_price="51")
    book = exchange.account.orders
    book.put(replace(first, status=OrderStatus.REPLACED))
    book.put(first)

    assert book.open() == [first, second]
    assert OrderBook(tuple(book.values())).open() == book.open()
