"""A valid message of every class: what `inv invoke --message` sends, and what the tests read and write."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import product
from typing import Any

from the_alchemiser.shared.messaging import messages as m
from the_alchemiser.shared.messaging.publisher import bus_event
from the_alchemiser.shared.values import Side

AT = datetime(2022, 3, 16, 19, 45, tzinfo=UTC)
DAY = date(2022, 3, 16)
AS_OF = date(2022, 3, 15)
RUN_ID = "staging-2022-03-16-r2"
WEIGHT = Decimal("0.123456789")
SHARES = Decimal("12345.123456789")
PRICE = Decimal("123456.7891")
SENTENCE = "a sentence for people of about the length that such sentences have when they name a few figures"


def samples(_context: Mapping[str, Any]) -> dict[str, Any]:
    """Return one message of every class as its consumers receive it, by the name of the class."""
    return {kind.__name__: bus_event(example(kind)) for kind in m.REGISTRY}


def example(kind: type[m.Message], *, symbols: int = 3, strategies: int = 2) -> m.Message:
    """Return a message of that class about that many symbols and strategies."""
    names = [f"SYM{n:03d}.A" for n in range(symbols)]
    books = [f"a-strategy-with-a-long-name-{n}" for n in range(strategies)]
    bodies = _signals(names, books) | _trades(names, books) | _results(names)
    return kind.read(_header(kind) | bodies[kind])


def _header(kind: type[m.Message]) -> dict[str, Any]:
    cause = m.message_id(RUN_ID, kind, "cause")
    return {"message_id": m.message_id(RUN_ID, kind), "run_id": RUN_ID, "caused_by": cause, "occurred_at": AT}


def _signals(names: list[str], books: list[str]) -> dict[type[m.Message], dict[str, Any]]:
    weights, closes = dict.fromkeys(names, WEIGHT), dict.fromkeys(names, PRICE)
    request = {"strategy": books[0], "allocation": WEIGHT, "as_of": AS_OF}
    answer = {"weights": weights, "closes": closes, "as_of": AS_OF}
    evidence = {"bars_digest": "0" * 64, "path_ref": "s3://bucket/paths/v1/run/strategy.json"}
    return {
        m.StrategyRequested: request | {"trading_date": DAY},
        m.StrategyEvaluated: request | answer | evidence,
        m.StrategyFailed: {"strategy": books[0], "reason": "too_little_history", "detail": SENTENCE},
        m.MarketDataFetchRequested: {"symbols": names, "reason": SENTENCE},
        m.SignalGenerated: answer | {"contributions": dict.fromkeys(books, weights)},
        m.MarketDataRefreshed: {"as_of": AS_OF, "refreshed": names, "failed": dict.fromkeys(names, SENTENCE)},
        m.DataQualityChecked: {
            "as_of": AS_OF,
            "passed": False,
            "checked": len(names),
            "quarantined": dict.fromkeys(names, SENTENCE),
        },
    }


def _trades(names: list[str], books: list[str]) -> dict[type[m.Message], dict[str, Any]]:
    trade = {"trade_id": f"{RUN_ID}-BUY-{names[0]}", "symbol": names[0], "side": Side.BUY, "quantity": SHARES}
    order = {"order_id": "0" * 36, "client_order_id": f"{RUN_ID}-BUY-{names[0]}-1"}
    fills = [order | {"quantity": SHARES, "price": PRICE, "filled_at": AT}] * 4
    prices = {"planning_price": PRICE, "last_close": PRICE}
    ids = [f"{RUN_ID}-SELL-{name}" for name in names]
    return {
        m.RebalancePlanned: {"sells": ids, "buys": ids, "equity": PRICE},
        m.TradeRequested: trade | prices | {"deltas": dict.fromkeys(books, SHARES)},
        m.TradeExecuted: trade | {"filled_quantity": SHARES, "avg_price": PRICE, "fills": fills},
        m.TradeFailed: trade | {"reason": "a_reason", "detail": SENTENCE, "filled_quantity": SHARES, "fills": fills},
    }


def _results(names: list[str]) -> dict[type[m.Message], dict[str, Any]]:
    outcomes = [
        {
            "trade_id": f"{RUN_ID}-SELL-{name}",
            "symbol": name,
            "side": Side.SELL,
            "quantity": SHARES,
            "filled_quantity": SHARES,
            "avg_price": PRICE,
            "reason": "insufficient_buying_power",
        }
        for name in names
    ]
    totals = {"equity_before": PRICE, "equity_after": PRICE, "cash_after": PRICE, "degraded": True}
    marks = [{"symbol": name, "quantity": SHARES, "price": PRICE} for name in names]
    day = {"trading_date": DAY, "as_of": AS_OF, "weights": dict.fromkeys(names, WEIGHT)}
    return {
        m.RunCompleted: day
        | totals
        | {"outcomes": outcomes, "positions": marks}
        | {"quarantined": dict.fromkeys(names, "odd_symbol"), "untradable": dict.fromkeys(names, "not_tradable")},
        m.RunFailed: {
            "trading_date": DAY,
            "state": "SELLING",
            "reason": "overdue_SELLING",
            "detail": SENTENCE,
            "missing": [f"{RUN_ID}-SELL-{name}" for name in names],
        },
        m.RunRefused: {"trading_date": DAY, "reason": "verdict_stale", "detail": SENTENCE},
        m.RunSettled: {"trading_date": DAY, "orders": [_settled_order(name) for name in names]},
        m.BooksDiffer: {
            "trading_date": DAY,
            "account": "123456789",
            "differences": _differences(names),
        },
    }


def _settled_order(name: str) -> dict[str, Any]:
    return {
        "order_id": "0" * 36,
        "client_order_id": f"{RUN_ID}-BUY-{name}-1",
        "symbol": name,
        "side": Side.BUY,
        "status": "filled",
        "filled_quantity": SHARES,
        "avg_price": PRICE,
    }


def _differences(names: list[str]) -> list[dict[str, Any]]:
    return [_difference(name, kind) for name, kind in product(names, ("holding", "order", "fill"))]


def _difference(name: str, kind: str) -> dict[str, Any]:
    order = "" if kind == "holding" else f"{RUN_ID}-BUY-{name}-1"
    cause = SENTENCE if kind == "holding" else ""
    return {"kind": kind, "symbol": name, "broker": SHARES, "books": SHARES, "order": order, "cause": cause}
