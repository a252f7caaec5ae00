"""All orders of an account, found by id, by client order id, and by whether they are open."""

from collections.abc import Iterator
from uuid import UUID

from sandbox.exchange.orders import Order


class OrderBook:
    """Orders by id, oldest first, with indexes, so that a request does not search all orders."""

    def __init__(self, orders: Iterator[Order] | tuple[Order, ...] = ()) -> None:
        self._by_id: dict[UUID, Order] = {}
        self._by_client_id: dict[str, UUID] = {}
        self._open: dict[UUID, Order] = {}
        for order in orders:
            self.put(order)

    def __len__(self) -> int:
        return len(self._by_id)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OrderBook) and list(self.values()) == list(other.values())

    __hash__ = None  # type: ignore[assignment]  # a mutable container

    def copy(self) -> "OrderBook":
        """Return a copy that later changes to this book do not affect."""
        copied = OrderBook()
        copied._by_id = dict(self._by_id)
        copied._by_client_id = dict(self._by_client_id)
        copied._open = dict(self._open)
        return copied

    def get(self, order_id: UUID) -> Order | None:
        return self._by_id.get(order_id)

    def values(self) -> Iterator[Order]:
        """Iterate over all orders, oldest first."""
        return iter(self._by_id.values())

    def open(self) -> list[Order]:
        """Return the open orders, oldest first."""
        return list(self._open.values())

    def by_client_id(self, client_order_id: str) -> Order | None:
        order_id = self._by_client_id.get(client_order_id)
        return None if order_id is None else self._by_id[order_id]

    def put(self, order: Order) -> None:
        """Add an order, or replace the one with its id."""
        is_reopened = order.is_open and order.id in self._by_id and order.id not in self._open
        self._by_id[order.id] = order
        self._by_client_id[order.client_order_id] = order.id
        if is_reopened:
            # It goes back to its place by age: a book that is loaded must list the same open orders as the saved one.
            self._open = {known.id: known for known in self._by_id.values() if known.is_open}
        elif order.is_open:
            self._open[order.id] = order
        else:
            self._open.pop(order.id, None)
