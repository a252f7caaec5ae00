"""Answers of the broker that come in pages."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from the_alchemiser.shared.broker import corporate_action_parsing, parsing
from the_alchemiser.shared.broker.errors import UnexpectedResponseError
from the_alchemiser.shared.broker.models import Bar, Order
from the_alchemiser.shared.broker.parsing import parse_one
from the_alchemiser.shared.broker.wire import Wire
from the_alchemiser.shared.corporate_actions import CorporateAction

_ORDERS_PER_PAGE = 500
_BARS_PER_PAGE = 10_000
_ACTIONS_PER_PAGE = 1000


def orders_after(trading: Wire, after: datetime, params: Mapping[str, str]) -> tuple[Order, ...]:
    """Return the orders that were submitted after this moment, in that order.

    Raises:
        UnexpectedResponseError: the broker repeats a page, or an order does not have the documented shape.
    """
    page_params = {**params, "direction": "asc", "nested": "false", "limit": str(_ORDERS_PER_PAGE)}
    by_id: dict[str, Order] = {}
    while True:
        page, size = parsing.orders_page(trading.get("/v2/orders", page_params | {"after": after.isoformat()}))
        new = {order.id: order for order in page if order.id not in by_id}
        by_id |= new
        if size < _ORDERS_PER_PAGE:
            return tuple(by_id.values())
        if not new:
            raise UnexpectedResponseError(f"GET /v2/orders: the page after {after.isoformat()} brings no new order")

        # `after` excludes its own moment, at which there may be orders that did not fit on this page: the next page
        # starts just before it, and repeats some of this one.
        after = page[-1].submitted_at - timedelta(microseconds=1)


def bars_by_symbol(data: Wire, params: Mapping[str, str]) -> Iterator[tuple[str, tuple[Bar, ...]]]:
    """Yield each symbol with its bars, ascending. At most two pages are in memory."""
    pending: dict[str, tuple[Bar, ...]] = {}
    for payload in _pages(data, "/v2/stocks/bars", {**params, "limit": str(_BARS_PER_PAGE)}):
        page = parse_one(parsing.bars_page, payload)
        # Rows are ordered by symbol, then time: a symbol that is not on the newest page is complete.
        for symbol in [earlier for earlier in pending if earlier not in page]:
            yield symbol, pending.pop(symbol)
        for symbol, rows in page.items():
            pending[symbol] = pending.get(symbol, ()) + rows
    yield from pending.items()


def corporate_actions(data: Wire, params: Mapping[str, str]) -> tuple[CorporateAction, ...]:
    """Return the corporate actions of all pages, by symbol and ex-date."""
    actions: list[CorporateAction] = []
    for payload in _pages(data, "/v1/corporate-actions", {**params, "limit": str(_ACTIONS_PER_PAGE)}):
        actions += parse_one(corporate_action_parsing.corporate_actions, payload)
    return tuple(sorted(actions))


def _pages(wire: Wire, path: str, params: Mapping[str, str]) -> Iterator[object]:
    """Yield the answer of each page. An answer has the token of the next page, null on the last one."""
    page_params = dict(params)
    while True:
        payload = wire.get(path, page_params)
        yield payload
        token = parse_one(parsing.next_page_token, payload)
        if token is None:
            return
        page_params["page_token"] = token
