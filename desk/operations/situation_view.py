"""The situation as lines and tables for people, and as JSON for programs. Pure, but for printing."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from automation.system import console
from automation.system.errors import Finding
from desk.deployment.status import books_text
from desk.operations.orders import CancelledOrder, run_of
from desk.operations.situation import Market, Situation
from desk.operations.switch import Setting
from the_alchemiser.shared import formats
from the_alchemiser.shared.books.checks import BooksCheck, describe
from the_alchemiser.shared.broker.models import Order
from the_alchemiser.shared.exchange_time import new_york
from the_alchemiser.shared.run.runs import Run

_OWNER = "the account's owner"
ORDER_COLUMNS = ("order", "of", "side", "symbol", "type", "limit", "shares", "filled", "status")
_CANCELLED_COLUMNS = ("order", "side", "symbol", "shares", "filled before", "filled meanwhile", "status")


def show(situation: Situation, stage: str) -> None:
    """Print the situation."""
    market = situation.market
    console.result(f"trading      {setting_text(situation.switch)}")
    console.result(f"market       {'the broker does not answer' if market is None else market_text(market)}")
    if market is not None:
        console.result(f"account      {account_text(market)}")
    known = runs_text(situation.runs, situation.date)
    console.result(f"today's run  {known if market or situation.runs else 'unknown: the broker says what day it is'}")
    console.result(f"books        {books_text(situation.books)}")
    if market is not None:
        show_orders(market.open_orders, stage)


def show_orders(orders: Iterable[Order], stage: str) -> None:
    """Print every open order with who has sent it."""
    rows = [order_row(order, stage) for order in orders]
    console.result(f"open orders  {len(rows) or 'none'}")
    if rows:
        console.table(ORDER_COLUMNS, rows, right=("limit", "shares", "filled"))


def show_cancelled(cancelled: Iterable[CancelledOrder]) -> None:
    """Print the orders whose cancellation was requested, with what they filled meanwhile."""
    rows = [cancelled_row(order) for order in cancelled]
    if rows:
        console.table(_CANCELLED_COLUMNS, rows, right=_CANCELLED_COLUMNS[3:6])


def setting_text(setting: Setting) -> str:
    """Return the switch's value, with when and by whom it was set as far as that is known."""
    since = f" since {time_text(setting.since)}" if setting.since else ""
    return f"{setting.value}{since}{f' by {setting.by}' if setting.by else ''}"


def market_text(market: Market) -> str:
    """Return whether the market is open, and when that changes, in New York time."""
    clock = market.clock
    now = clock.timestamp.astimezone(new_york())
    change = clock.next_close if clock.is_open else clock.next_open
    moment = f"{change.astimezone(new_york()):%Y-%m-%d %H:%M}"
    return f"{now:%Y-%m-%d %H:%M} in New York: {f'open until {moment}' if clock.is_open else f'closed until {moment}'}"


def account_text(market: Market) -> str:
    """Return the account's number, state, equity and cash."""
    account = market.account
    blocked = ", trading blocked" if market.account.trading_blocked else ""
    return (
        f"{account.number or account.id}: {account.status}{blocked}, equity {formats.money(account.equity)}, "
        f"cash {formats.money(account.cash)}"
    )


def runs_text(runs: Iterable[Run], day: date) -> str:
    """Return the runs of today with their states."""
    texts = [f"{run.run_id}: {run.state}{', settled' if run.settled else ''}" for run in runs]
    return "; ".join(texts) or f"none yet on {day}"


def order_row(order: Order, stage: str) -> tuple[str, ...]:
    """Return the row of one open order."""
    return (
        order.client_order_id,
        run_of(order, stage) or _OWNER,
        order.side.lower(),
        order.symbol,
        order.type,
        "" if order.limit_price is None else formats.price(order.limit_price),
        "" if order.quantity is None else formats.shares(order.quantity),
        formats.shares(order.filled_quantity),
        order.raw_status or order.status.value,
    )


def cancelled_row(cancelled: CancelledOrder) -> tuple[str, ...]:
    """Return the row of one order whose cancellation was requested."""
    order = cancelled.final
    return (
        order.client_order_id,
        order.side.lower(),
        order.symbol,
        "" if order.quantity is None else formats.shares(order.quantity),
        formats.shares(cancelled.filled_before),
        formats.shares(cancelled.filled_meanwhile),
        order.raw_status or order.status.value,
    )


def as_json(situation: Situation, *, environment: str, stage: str, findings: Iterable[Finding]) -> Mapping[str, Any]:
    """Return the situation for a program; amounts and shares are strings, times RFC 3339."""
    setting, market, books = situation.switch, situation.market, situation.books
    return {
        "environment": environment,
        "trading": {"value": setting.value, "since": _json_time(setting.since), "by": setting.by},
        "date": situation.date.isoformat(),
        "market": None if market is None else _market_json(market),
        "account": None if market is None else _account_json(market),
        "runs": [{"run_id": run.run_id, "state": run.state.value, "settled": run.settled} for run in situation.runs],
        "books": None if books is None else _books_json(books),
        "open_orders": [] if market is None else [order_json(order, stage) for order in market.open_orders],
        "findings": [{"where": finding.where, "what": finding.what, "fix": finding.fix} for finding in findings],
    }


def order_json(order: Order, stage: str) -> Mapping[str, Any]:
    """Return one order for a program; `run_id` is null for an order of the account's owner."""
    return {
        "id": order.id,
        "client_order_id": order.client_order_id,
        "run_id": run_of(order, stage) or None,
        "symbol": order.symbol,
        "side": order.side.value,
        "type": order.type,
        "status": order.raw_status or order.status.value,
        "limit_price": _json_number(order.limit_price),
        "quantity": _json_number(order.quantity),
        "filled_quantity": str(order.filled_quantity),
        "filled_avg_price": _json_number(order.filled_avg_price),
        "submitted_at": order.submitted_at.isoformat(),
    }


def time_text(moment: datetime) -> str:
    """Return a time to the second, UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _market_json(market: Market) -> Mapping[str, Any]:
    clock = market.clock
    return {
        "now": clock.timestamp.isoformat(),
        "is_open": clock.is_open,
        "next_open": clock.next_open.isoformat(),
        "next_close": clock.next_close.isoformat(),
    }


def _account_json(market: Market) -> Mapping[str, Any]:
    account = market.account
    return {
        "id": account.id,
        "number": account.number,
        "status": account.status,
        "trading_blocked": account.trading_blocked,
        "equity": str(account.equity),
        "cash": str(account.cash),
        "buying_power": str(account.buying_power),
    }


def _books_json(books: BooksCheck) -> Mapping[str, Any]:
    return {
        "trading_date": books.trading_date.isoformat(),
        "state": books.state.value,
        "differences": [describe(difference) for difference in books.differences],
        "accepted_by": books.accepted_by,
    }


def _json_time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _json_number(number: object) -> str | None:
    return None if number is None else str(number)
