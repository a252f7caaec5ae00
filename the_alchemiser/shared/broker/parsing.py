"""Parsers from the broker's JSON to its models. An error names the field that is missing or malformed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from the_alchemiser.shared.broker.errors import UnexpectedResponseError
from the_alchemiser.shared.broker.models import Account, Asset, Bar, Order, OrderStatus, Position, Quote, Trade
from the_alchemiser.shared.exchange_time import NEW_YORK
from the_alchemiser.shared.values import Clock, Session, Side

Record = Mapping[str, Any]


def parse_one[T](parse: Callable[[Record], T], payload: object) -> T:
    """Apply a parser to one record.

    Raises:
        UnexpectedResponseError: the record does not have the documented shape.
    """
    if not isinstance(payload, Mapping):
        raise UnexpectedResponseError(f"{parse.__name__}: expected an object, got {type(payload).__name__}")
    try:
        return parse(payload)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
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
        cash=_decimal(record["cash"]),
        equity=_decimal(record["equity"]),
        last_equity=_decimal(record["last_equity"]),
        buying_power=_decimal(record["buying_power"]),
        multiplier=_decimal(record["multiplier"]),
        trading_blocked=any(
            record.get(flag, False) for flag in ("trading_blocked", "account_blocked", "trade_suspended_by_user")
        ),
    )


def clock(record: Record) -> Clock:
    return Clock(
        timestamp=_time(record["timestamp"]),
        is_open=bool(record["is_open"]),
        next_open=_time(record["next_open"]),
        next_close=_time(record["next_close"]),
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
        quantity=_decimal(record["qty"]),
        available=_decimal(record["qty_available"]),
        avg_entry_price=_decimal(record["avg_entry_price"]),
        current_price=_decimal(record["current_price"]),
        last_close=_optional_decimal(record.get("lastday_price")),
        market_value=_decimal(record["market_value"]),
    )


def order(record: Record) -> Order:
    return Order(
        id=str(record["id"]),
        client_order_id=str(record["client_order_id"]),
        symbol=str(record["symbol"]),
        side=Side(record["side"].upper()),
        type=str(record["type"]),
        status=OrderStatus(record["status"]),
        quantity=_optional_decimal(record["qty"]),
        filled_quantity=_decimal(record["filled_qty"]),
        filled_avg_price=_optional_decimal(record["filled_avg_price"]),
        limit_price=_optional_decimal(record.get("limit_price")),
        submitted_at=_time(record["submitted_at"]),
        filled_at=_optional_time(record.get("filled_at")),
        canceled_at=_optional_time(record.get("canceled_at")),
    )


def bar(record: Record) -> Bar:
    """Parse a daily bar. Its time stamp is midnight in New York, in UTC."""
    return Bar(
        date=_time(record["t"]).astimezone(NEW_YORK).date(),
        open=_decimal(record["o"]),
        high=_decimal(record["h"]),
        low=_decimal(record["l"]),
        close=_decimal(record["c"]),
        volume=_decimal(record["v"]),
    )


def latest_trades(record: Record) -> Mapping[str, Trade]:
    return {
        symbol: Trade(symbol=symbol, price=_decimal(trade["p"]), at=_time(trade["t"]))
        for symbol, trade in record["trades"].items()
    }


def latest_quotes(record: Record) -> Mapping[str, Quote]:
    return {
        symbol: Quote(symbol=symbol, bid=_decimal(quote["bp"]), ask=_decimal(quote["ap"]), at=_time(quote["t"]))
        for symbol, quote in record["quotes"].items()
    }


def bars_page(record: Record) -> tuple[Mapping[str, tuple[Bar, ...]], str | None]:
    """Parse one page: its bars by symbol, and the token of the next page, None on the last one."""
    bars = {symbol: tuple(map(bar, rows)) for symbol, rows in (record["bars"] or {}).items()}
    return bars, record["next_page_token"]


def _decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise TypeError(f"expected a decimal, got {value!r}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError(f"expected a finite number, got {value!r}")
    return number


def _optional_decimal(value: object) -> Decimal | None:
    return None if value is None else _decimal(value)


def _time(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"expected a time with an offset, got {value!r}")
    return moment


def _optional_time(value: str | None) -> datetime | None:
    return None if value is None else _time(value)


def _local(day: date, wall_time: str) -> datetime:
    hour, minute = wall_time.split(":")
    return datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=NEW_YORK)
