"""Small markets and exchanges for the tests."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from sandbox.exchange.account import AccountMode
from sandbox.exchange.clock import Phase, clock_at_phase
from sandbox.exchange.exchange import AccountTerms, Exchange, opening_state
from sandbox.exchange.history import BarSeries, load_history
from sandbox.exchange.market import Market
from sandbox.exchange.order_parsing import read_order
from sandbox.exchange.orders import Order, OrderRequest, OrderStatus
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.sessions import sessions_between

ROOT = Path(__file__).parents[3]
HISTORY = ROOT / "sandbox" / "history"

MONDAY = date(2022, 3, 14)
TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)
THURSDAY = MONDAY + timedelta(days=3)
FRIDAY = MONDAY + timedelta(days=4)

# The closes from Monday on: a flat symbol, a rising one, one below a dollar, and one whose history ends on Wednesday.
CLOSES: Mapping[str, Sequence[float]] = {
    "CALM": (100.0, 100.0, 100.0, 100.0, 100.0),
    "RISE": (50.0, 51.0, 52.0, 60.0, 61.5),
    "PENNY": (0.5, 0.5001, 0.5, 0.5, 0.49996),
    "GONE": (10.0, 10.0, 10.0),
}


def week_market(closes: Mapping[str, Sequence[float]] = CLOSES) -> Market:
    days = [session.date for session in sessions_between(MONDAY, FRIDAY)]
    series = {symbol: BarSeries(symbol, days[: len(own)], list(own), None) for symbol, own in closes.items()}
    return Market(series)


def exchange_at(
    day: date = WEDNESDAY,
    phase: Phase = Phase.BEFORE_CLOSE,
    *,
    cash: str = "10000",
    mode: AccountMode = AccountMode.CASH,
    market: Market | None = None,
    whole_shares: frozenset[str] = frozenset(),
    fractional_shorts: bool = False,
) -> Exchange:
    market = market or week_market()
    terms = AccountTerms(Decimal(cash), mode, whole_shares, fractional_shorts)
    exchange = Exchange(market, opening_state(market, terms))
    move(exchange, day, phase)
    return exchange


def move(exchange: Exchange, day: date, phase: Phase = Phase.BEFORE_CLOSE) -> None:
    exchange.set_clock(clock_at_phase(exchange.market, day, phase))


def order_for(symbol: str = "CALM", side: str = "buy", qty: str | None = "1", **more: object) -> OrderRequest:
    kinds = {(False, False): "market", (True, False): "limit", (False, True): "stop", (True, True): "stop_limit"}
    kind = kinds["limit_price" in more, "stop_price" in more]
    body = {"symbol": symbol, "side": side, "qty": qty, "type": kind, "time_in_force": "day", **more}
    return read_order(body)


def send(exchange: Exchange, symbol: str = "CALM", side: str = "buy", qty: str | None = "1", **more: object) -> Order:
    """Submit an order and return it as the next read shows it."""
    return exchange.order(exchange.submit(order_for(symbol, side, qty, **more)).id)


def refused(exchange: Exchange, request: OrderRequest) -> Refusal | None:
    try:
        exchange.submit(request)
    except Refusal as refusal:
        return refusal
    return None


def status(exchange: Exchange, order: Order) -> OrderStatus:
    return exchange.order(order.id).status


def later(exchange: Exchange, seconds: float) -> None:
    """Let time pass in the exchange."""
    exchange.advance(exchange.now + timedelta(seconds=seconds))


@lru_cache(maxsize=1)
def real_market() -> Market:
    return Market(load_history(HISTORY))
