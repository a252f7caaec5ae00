"""Answers of the broker that come in pages."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from the_alchemiser.shared.broker import activity_parsing, corporate_action_parsing, parsing
from the_alchemiser.shared.broker.errors import UnexpectedResponseError
from the_alchemiser.shared.broker.models import Activity, Bar, Order
from the_alchemiser.shared.broker.parsing import parse_all, parse_one
from the_alchemiser.shared.broker.wire import Wire
from the_alchemiser.shared.corporate_actions import CorporateAction

_ORDERS_PER_PAGE = 500
_ACTIVITIES_PER_PAGE = 100
_BARS_PER_PAGE = 10_000
_ACTIONS_PER_PAGE = 1000
_EMPTY_PAGES = 10  # in a row; the broker may send some while it searches, but not without end


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


def activities(trading: Wire, params: Mapping[str, str]) -> tuple[Activity, ...]:
    """Return the activities of all pages, in the order in which they were created.

    Raises:
        UnexpectedResponseError: the broker repeats a page, or an activity does not have the documented shape.
    """
    page_params = {**params, "direction": "asc", "page_size": str(_ACTIVITIES_PER_PAGE)}
    by_id: dict[str, Activity] = {}
    while True:
        page = parse_all(activity_parsing.activity, trading.get("/v2/account/activities", page_params))
        new = {activity.id: activity for activity in page if activity.id not in by_id}
        by_id |= new
        if len(page) < _ACTIVITIES_PER_PAGE:
            return tuple(by_id.values())
        if not new:
            raise UnexpectedResponseError(
                f"GET /v2/account/activities: the page after {page[-1].id} brings nothing new"
            )
        page_params["page_token"] = page[-1].id


def bars_by_symbol(data: Wire, params: Mapping[str, str]) -> Iterator[tuple[str, tuple[Bar, ...]]]:
    """Yield each symbol with its bars, ascending. At most two pages are in memory, and the bars of one symbol.

    Raises:
        UnexpectedResponseError: the broker does not come to an end, a symbol comes back after it was complete, or a
            page does not have the documented shape.
    """
    pending: dict[str, list[Bar]] = {}
    complete: set[str] = set()
    empty_pages = 0
    for payload in _pages(data, "/v2/stocks/bars", {**params, "limit": str(_BARS_PER_PAGE)}):
        page = {symbol: rows for symbol, rows in parse_one(parsing.bars_page, payload).items() if rows}
        empty_pages = 0 if page else empty_pages + 1
        if empty_pages > _EMPTY_PAGES:
            raise UnexpectedResponseError(f"GET /v2/stocks/bars: more than {_EMPTY_PAGES} empty pages in a row")

        # Rows are ordered by symbol, then time: a symbol is complete when a later page has rows, but none of it. An
        # empty page completes nothing.
        for symbol in [earlier for earlier in pending if page and earlier not in page]:
            complete.add(symbol)
            yield symbol, tuple(pending.pop(symbol))
        if late := sorted(complete.intersection(page)):
            raise UnexpectedResponseError(f"GET /v2/stocks/bars: {late[0]} comes back after it was complete")
        for symbol, rows in page.items():
            pending.setdefault(symbol, []).extend(rows)
    yield from ((symbol, tuple(rows)) for symbol, rows in pending.items())


def corporate_actions(data: Wire, params: Mapping[str, str]) -> tuple[CorporateAction, ...]:
    """Return the corporate actions of all pages, by symbol and ex-date."""
    actions: list[CorporateAction] = []
    for payload in _pages(data, "/v1/corporate-actions", {**params, "limit": str(_ACTIONS_PER_PAGE)}):
        actions += parse_one(corporate_action_parsing.corporate_actions, payload)
    return tuple(sorted(actions))


def _pages(wire: Wire, path: str, params: Mapping[str, str]) -> Iterator[object]:
    """Yield the answer of each page. An answer has the token of the next page, null on the last one.

    Raises:
        UnexpectedResponseError: the broker repeats a token, which would repeat its pages without end.
    """
    page_params = dict(params)
    tokens: set[str] = set()
    while True:
        payload = wire.get(path, page_params)
        yield payload
        token = parse_one(parsing.next_page_token, payload)
        if token is None:
            return
        if token in tokens:
            raise UnexpectedResponseError(f"GET {path}: the page token {token!r:.80} comes twice")
        tokens.add(token)
        page_params["page_token"] = token
