"""Endpoints of the account's activities: trades and everything else that moves its money."""

from datetime import date, datetime

from sandbox.exchange.activities import TRANSFERS, Activity
from sandbox.exchange.host import Answer, Call, Endpoint, Host
from sandbox.exchange.orders import Fill
from sandbox.exchange.parameters import choice_of, count_of, day_of, moment_of
from sandbox.exchange.refusals import malformed
from sandbox.exchange.rendering import render_activity, render_fill
from sandbox.exchange.sessions import NEW_YORK

_PAGE_ROWS = 100
_TRADE = "FILL"
_CATEGORIES = ("trade_activity", "non_trade_activity")

_Row = Fill | Activity


def list_activities(host: Host, call: Call) -> Answer:
    """Return the activities of `activity_types` or of a `category`, of all by default."""
    types, category = call.query.get("activity_types"), call.query.get("category")
    if types and category:
        raise malformed("category cannot be used with activity_types")
    if category and choice_of("category", category, default="", of=_CATEGORIES) == _CATEGORIES[0]:
        types = _TRADE
    rows = _rows(host, types.split(",") if types else [])
    return _page(call, [row for row in rows if not (category and not types and _type(row) == _TRADE)])


def list_activities_of_type(host: Host, call: Call) -> Answer:
    """Return the activities of one type."""
    return _page(call, _rows(host, [call.path["activity_type"]]))


def _rows(host: Host, types: list[str]) -> list[_Row]:
    """Return the activities of these types, of all without one, ascending; TRANS means deposits and withdrawals."""
    account = host.exchange.account
    wanted = {name.upper() for name in types}
    if "TRANS" in wanted:
        wanted |= TRANSFERS

    every: tuple[_Row, ...] = (*account.fills, *account.activities)
    return sorted((row for row in every if not wanted or _type(row) in wanted), key=lambda row: row.at)


def _type(row: _Row) -> str:
    return _TRADE if isinstance(row, Fill) else row.entry.type


def _page(call: Call, rows: list[_Row]) -> Answer:
    """Return a page, newest first by default; `page_token` is the last id of the page before."""
    rows = _within(call, rows)
    if choice_of("direction", call.query.get("direction"), default="desc", of=("asc", "desc")) == "desc":
        rows.reverse()
    token = call.query.get("page_token")
    if token:
        position = next((index for index, row in enumerate(rows) if row.id == token), None)
        rows = [] if position is None else rows[position + 1 :]
    most = count_of("page_size", call.query.get("page_size"), default=_PAGE_ROWS, most=_PAGE_ROWS)
    return Answer([render_fill(row) if isinstance(row, Fill) else render_activity(row) for row in rows[:most]])


def _within(call: Call, rows: list[_Row]) -> list[_Row]:
    after, until = (moment_of(name, call.query.get(name)) for name in ("after", "until"))
    day = day_of("date", call.query.get("date"))
    return [row for row in rows if _is_within(row.at, after, until, day)]


def _is_within(at: datetime, after: datetime | None, until: datetime | None, day: date | None) -> bool:
    return (
        (after is None or at > after)
        and (until is None or at < until)
        and (day is None or at.astimezone(NEW_YORK).date() == day)
    )


ENDPOINTS = (
    Endpoint("GET", "/v2/account/activities", list_activities),
    Endpoint("GET", "/v2/account/activities/{activity_type}", list_activities_of_type),
)
