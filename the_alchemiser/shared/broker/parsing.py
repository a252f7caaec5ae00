"""Parsers from the broker's JSON to its models. An error names the field that is missing or malformed."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from the_alchemiser.shared.broker.errors import UnexpectedResponseError
from the_alchemiser.shared.broker.models import (
    US_EQUITY,
    Account,
    Asset,
    Bar,
    Order,
    OrderStatus,
    Position,
    Quote,
    Snapshot,
    Trade,
)
from the_alchemiser.shared.exchange_time import market_date, new_york
from the_alchemiser.shared.values import Clock, Session, Side

Record = Mapping[str, Any]
logger = logging.getLogger(__name__)


def parse_one[T](parse: Callable[[Record], T], payload: object) -> T:
    """Apply a parser to one record.

    Raises:
        UnexpectedResponseError: the record does not have the documented shape.
    """
    if not isinstance(payload, Mapping):
        raise UnexpectedResponseError(f"{parse.__name__}: expected an object, got {type(payload).__name__}")
    try:
        return parse(payload)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnexpectedResponseError(f"{parse.__name__}: {error!r} in {dict(payload)!r:.300}") from error


def parse_all[T](parse: Callable[[Record], T], payload: object) -> tuple[T, ...]:
    """Apply a parser to every record of a list.

    Raises:
        UnexpectedResponseError: the payload is not a list, or a record does not have the documented shape.
    """
    if not isinstance(payload, Sequence) or isinstance(payload, str | bytes):
        raise UnexpectedResponseError(f"{parse.__name__}: expected a list, got {type(payload).__name__}")
    return tuple(parse_one(parse, record) for record in payload)


def account(record: Record) -> Account:
    return Account(
        id=str(record["id"]),
        status=str(record["status"]),
        cash=decimal(record["cash"]),
        equity=decimal(record["equity"]),
        last_equity=decimal(record["last_equity"]),
        buying_power=decimal(record["buying_power"]),
        multiplier=decimal(record["multiplier"]),
        trading_blocked=any(
            record.get(flag, False) for flag in ("trading_blocked", "account_blocked", "trade_suspended_by_user")
        ),
        number=str(record.get("account_number", "")),
    )


def clock(record: Record) -> Clock:
    return Clock(
        timestamp=moment_of(record["timestamp"]),
        is_open=bool(record["is_open"]),
        next_open=moment_of(record["next_open"]),
        next_close=moment_of(record["next_close"]),
    )


def session(record: Record) -> Session:
    day = date.fromisoformat(record["date"])
    return Session(date=day, open=_local(day, record["open"]), close=_local(day, record["close"]))


def asset(record: Record) -> Asset:
    return Asset(
        symbol=str(record["symbol"]),
        name=str(record.get("name", "")),
        tradable=bool(record["tradable"]) and record["status"] == "active",
        fractionable=bool(record["fractionable"]),
    )


def position(record: Record) -> Position:
    return Position(
        symbol=str(record["symbol"]),
        quantity=decimal(record["qty"]),
        available=decimal(record["qty_available"]),
        avg_entry_price=decimal(record["avg_entry_price"]),
        current_price=_optional_decimal(record["current_price"]),
        last_close=_optional_decimal(record.get("lastday_price")),
        market_value=_optional_decimal(record["market_value"]),
        asset_class=str(record.get("asset_class", US_EQUITY)),
    )


def order(record: Record) -> Order:
    return Order(
        id=str(record["id"]),
        client_order_id=str(record["client_order_id"]),
        symbol=str(record["symbol"]),
        side=Side(record["side"].upper()),
        type=str(record["type"]),
        status=_status(str(record["status"])),
        quantity=_optional_decimal(record["qty"]),
        filled_quantity=decimal(record["filled_qty"]),
        filled_avg_price=_optional_decimal(record["filled_avg_price"]),
        limit_price=_optional_decimal(record.get("limit_price")),
        submitted_at=moment_of(record["submitted_at"]),
        filled_at=_optional_time(record.get("filled_at")),
        canceled_at=_optional_time(record.get("canceled_at")),
        replaced_by=_optional_text(record.get("replaced_by")),
        raw_status=str(record["status"]),
    )


def orders_page(payload: object) -> tuple[tuple[Order, ...], int]:
    """Parse a page of orders; return its orders and how many records it has.

    An order of several legs is left out, because it has no symbol and side of its own.

    Raises:
        UnexpectedResponseError: see `parse_all`.
    """
    orders = parse_all(_order_of_one_leg, payload)
    return tuple(order for order in orders if order is not None), len(orders)


def _order_of_one_leg(record: Record) -> Order | None:
    return order(record) if record["symbol"] and record["side"] else None


def bar(record: Record) -> Bar:
    """Parse a daily bar. Its time stamp is midnight in New York, in UTC."""
    return Bar(
        date=market_date(moment_of(record["t"])),
        open=decimal(record["o"]),
        high=decimal(record["h"]),
        low=decimal(record["l"]),
        close=decimal(record["c"]),
        volume=decimal(record["v"]),
    )


def latest_trades(record: Record) -> Mapping[str, Trade]:
    trades = record["trades"] or {}
    return {symbol: _trade(symbol, trade) for symbol, trade in trades.items() if trade is not None}


def snapshots(record: Record) -> Mapping[str, Snapshot]:
    return {symbol: _snapshot(symbol, snapshot) for symbol, snapshot in record.items() if snapshot is not None}


def bars_page(record: Record) -> Mapping[str, tuple[Bar, ...]]:
    return {symbol: tuple(map(bar, rows)) for symbol, rows in (record["bars"] or {}).items()}


def next_page_token(record: Record) -> str | None:
    return _optional_text(record["next_page_token"] or None)


def _snapshot(symbol: str, record: Record) -> Snapshot:
    quote, trade = record.get("latestQuote"), record.get("latestTrade")
    return Snapshot(
        symbol=symbol,
        quote=None if quote is None else _quote(symbol, quote),
        trade=None if trade is None else _trade(symbol, trade),
    )


def _quote(symbol: str, record: Record) -> Quote:
    return Quote(symbol=symbol, bid=decimal(record["bp"]), ask=decimal(record["ap"]), at=moment_of(record["t"]))


def _trade(symbol: str, record: Record) -> Trade:
    return Trade(symbol=symbol, price=decimal(record["p"]), at=moment_of(record["t"]))


def _status(text: str) -> OrderStatus:
    try:
        return OrderStatus(text)
    except ValueError:
        warn_once(text)
        return OrderStatus.UNKNOWN


@cache
def warn_once(status: str) -> None:
    """Log a status that is not documented; once per process, because an order is read many times."""
    logger.warning(
        "the broker reports an order status that is not documented: %s; such an order counts as open", status
    )


def decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError(f"expected a decimal, got {value!r}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"expected a finite number, got {value!r}")
    return number


def _optional_decimal(value: object) -> Decimal | None:
    return None if value is None else decimal(value)


def _optional_text(value: object) -> str | None:
    return None if value is None else str(value)


def moment_of(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with an offset, got {value!r}")
    return moment


def _optional_time(value: str | None) -> datetime | None:
    return None if value is None else moment_of(value)


def _local(day: date, wall_time: str) -> datetime:
    hour, minute = wall_time.split(":")
    return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=new_york())
