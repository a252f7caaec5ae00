"""Builders of a day's result and its parts, for tests of their consumers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from the_alchemiser.shared.messaging.messages import (
    BooksDiffer,
    DataQualityChecked,
    Difference,
    Mark,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSettled,
    SettledOrder,
    TradeOutcome,
    message_id,
)
from the_alchemiser.shared.values import Side

DAY = date(2022, 3, 15)


def at(day: date, *, hour: int = 19, minute: int = 46) -> datetime:
    return datetime.combine(day, time(hour, minute), UTC)


def outcome(side: Side, symbol: str, quantity: str, price: str | None, **parts: str) -> TradeOutcome:
    """Return the outcome of a trade that filled completely, unless `filled` and `reason` say otherwise."""
    return TradeOutcome(
        trade_id=f"local-{DAY}-{side}-{symbol}",
        symbol=symbol,
        side=side,
        quantity=Decimal(quantity),
        filled_quantity=Decimal(parts.get("filled", quantity)),
        avg_price=None if price is None else Decimal(price),
        reason=parts.get("reason"),
    )


BOUGHT = outcome(Side.BUY, "SPY", "94.123456", "418.1234")
SOLD = outcome(Side.SELL, "QQQ", "57.25", "321.9")
HALF_BOUGHT = outcome(Side.BUY, "TLT", "187.5", "131.25", filled="100", reason="not_filled")
REFUSED = outcome(Side.BUY, "GLD", "111", None, filled="0", reason="limit_price_distance")


def mark(symbol: str, quantity: str, price: str) -> Mark:
    return Mark(symbol=symbol, quantity=Decimal(quantity), price=Decimal(price))


def completed(
    *,
    outcomes: Sequence[TradeOutcome] = (SOLD, BOUGHT),
    positions: Sequence[Mark] = (mark("SPY", "94.123456", "418.10"),),
    day: date = DAY,
    run_id: str | None = None,
    quarantined: Mapping[str, str] | None = None,
    untradable: Mapping[str, str] | None = None,
) -> RunCompleted:
    run_id = run_id or f"local-{day}"
    return RunCompleted(
        message_id=message_id(run_id, RunCompleted),
        run_id=run_id,
        occurred_at=at(day),
        trading_date=day,
        as_of=day - timedelta(days=1),
        weights={"SPY": Decimal("0.6"), "TLT": Decimal("0.4")},
        outcomes=tuple(outcomes),
        positions=tuple(positions),
        equity_before=Decimal(100_000),
        equity_after=Decimal("99987.21"),
        cash_after=Decimal("60634.19"),
        degraded=any(outcome.reason for outcome in outcomes) or bool(quarantined or untradable),
        quarantined=quarantined or {},
        untradable=untradable or {},
    )


def failed(
    *,
    state: str = "EVALUATING",
    reason: str = "strategy_failed",
    detail: str = "trend: TLT has 120 bars, 200 are needed",
) -> RunFailed:
    run_id = f"local-{DAY}"
    return RunFailed(
        message_id=message_id(run_id, RunFailed),
        run_id=run_id,
        occurred_at=at(DAY),
        trading_date=DAY,
        state=state,
        reason=reason,
        detail=detail,
        missing=("trend",),
    )


def refused(reason: str = "paused", detail: str = "the kill switch is not enabled") -> RunRefused:
    run_id = f"local-{DAY}"
    return RunRefused(
        message_id=message_id(run_id, RunRefused, reason),
        run_id=run_id,
        occurred_at=at(DAY),
        trading_date=DAY,
        reason=reason,
        detail=detail,
    )


def settled_order(side: Side, symbol: str, filled: str, price: str | None, *, status: str = "canceled") -> SettledOrder:
    return SettledOrder(
        order_id=f"order-{symbol}",
        client_order_id=f"local-{DAY}-{side}-{symbol}-1",
        symbol=symbol,
        side=side,
        status=status,
        filled_quantity=Decimal(filled),
        avg_price=None if price is None else Decimal(price),
    )


FILLED_LATE = settled_order(Side.BUY, "SPY", "94.5", "418", status="filled")
CANCELLED_LATE = settled_order(Side.SELL, "628ESC012", "0", None)


def settled(*orders: SettledOrder) -> RunSettled:
    run_id = f"local-{DAY}"
    return RunSettled(
        message_id=message_id(run_id, RunSettled),
        run_id=run_id,
        occurred_at=at(DAY),
        trading_date=DAY,
        orders=orders,
    )


ODD_HOLDING = Difference(symbol="628ESC012", broker=Decimal(12), books=Decimal(0))
BY_HAND = Difference(symbol="SPY", broker=Decimal("94.5"), books=Decimal(100), cause="ordered by hand: SELL 5.5")
OPEN_ORDER = Difference(
    kind="order", symbol="TLT", broker=Decimal(-3), books=Decimal(0), order=f"local-{DAY}-SELL-TLT-1"
)
MISSING_FILL = Difference(
    kind="fill", symbol="GLD", broker=Decimal(7), books=Decimal(0), order=f"local-{DAY}-BUY-GLD-2"
)


def differing(*differences: Difference) -> BooksDiffer:
    run_id = f"local-{DAY}"
    return BooksDiffer(
        message_id=message_id(run_id, BooksDiffer, "books"),
        run_id=run_id,
        occurred_at=at(DAY),
        trading_date=DAY,
        account="PA1",
        differences=differences or (BY_HAND,),
    )


def checked(*, passed: bool, problems: tuple[str, ...] = ()) -> DataQualityChecked:
    run_id = f"data-local-{DAY}"
    return DataQualityChecked(
        message_id=message_id(run_id, DataQualityChecked),
        run_id=run_id,
        occurred_at=at(DAY),
        as_of=DAY,
        passed=passed,
        checked=35,
        quarantined={} if passed else {"TLT": "2 sessions missing", "BBY": "last bar 2022-03-01"},
        problems=problems,
    )
