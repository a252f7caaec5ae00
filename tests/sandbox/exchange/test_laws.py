"""Laws that hold over any sequence of orders, cancellations and days."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.exchange.account import AccountMode
from sandbox.exchange.admission import prices_of
from sandbox.exchange.clock import Phase, clock_at_phase
from sandbox.exchange.exchange import Exchange
from sandbox.exchange.money import to_cents
from sandbox.exchange.orders import Order, OrderRequest, OrderType, PositionIntent, Script, Side, TimeInForce
from sandbox.exchange.refusals import Refusal
from sandbox.exchange.rendering import render_account, render_position
from sandbox.exchange.replacement import OrderChange
from sandbox.exchange.store import StateFile
from tests.sandbox.exchange.worlds import FRIDAY, THURSDAY, TUESDAY, WEDNESDAY, exchange_at, later, move, send

CASH = Decimal("1000.37")
DAYS = (TUESDAY, WEDNESDAY, THURSDAY, FRIDAY)
PHASES = (Phase.EVENING_BEFORE, Phase.BEFORE_CLOSE, Phase.AFTER_CLOSE)
MOMENTS: list[tuple[date, Phase]] = list(product(DAYS, PHASES))

fractions = st.decimals(min_value="0.000000001", max_value=8, places=9)
quantities = st.integers(1, 8).map(Decimal) | fractions
limits = st.none() | st.sampled_from(
    [Decimal(price) for price in ("0.5", "51", "51.5", "52", "60", "99.99", "100", "130")]
)


def _request(symbol: str, side: Side, qty: Decimal, limit: Decimal | None, force: TimeInForce) -> OrderRequest:
    kind = OrderType.MARKET if limit is None else OrderType.LIMIT
    whole = qty == qty.to_integral_value()
    return OrderRequest(symbol, side, kind, force if whole else TimeInForce.DAY, qty, None, limit)


def _stop(symbol: str, side: Side, qty: int, stop: Decimal, *, limited: bool) -> OrderRequest:
    kind = OrderType.STOP_LIMIT if limited else OrderType.STOP
    return OrderRequest(
        symbol, side, kind, TimeInForce.GTC, Decimal(qty), limit_price=stop if limited else None, stop_price=stop
    )


symbols = st.sampled_from(["CALM", "RISE", "RISE", "PENNY", "GONE"])
requests = st.builds(_request, symbols, st.sampled_from(Side), quantities, limits, st.sampled_from(TimeInForce))
stops = st.builds(
    _stop,
    symbols,
    st.sampled_from(Side),
    st.integers(1, 8),
    st.sampled_from([Decimal(price) for price in ("0.51", "50", "51.5", "60", "99", "101")]),
    limited=st.booleans(),
)
scripts = st.sampled_from(
    [
        Script(),
        Script(),
        Script(fill_fraction=Decimal("0.5")),
        Script(fill_fraction=Decimal(0)),
        Script(parts=3, every_s=60),
        Script(delay_s=120, held=True),
        Script(delay_s=60, is_rejected=True),
        Script(fill_fraction=Decimal("0.3"), is_done_for_day=True),
    ]
)
submits = st.tuples(requests | stops, scripts)
acts = st.sampled_from(["cancel", "cancel slowly", "replace", "replace slowly", "minute", "minute", "later"])
steps = st.lists(st.one_of(submits, submits, acts), min_size=12, max_size=30)


def play(exchange: Exchange, script: list[object]) -> None:
    for step in script:
        try:
            if isinstance(step, tuple):
                exchange.submit(*step)
            else:
                _act(exchange, str(step))
        except Refusal:
            continue


def _act(exchange: Exchange, act: str) -> None:
    open_orders = exchange.account.open_orders()
    delay_s = 90.0 if "slowly" in act else 0.0
    if act == "minute":
        later(exchange, 60)
    elif act == "later":
        move(exchange, *next((moment for moment in MOMENTS if _is_ahead(exchange, moment)), MOMENTS[-1]))
    elif open_orders and act.startswith("cancel"):
        exchange.cancel(open_orders[0].id, delay_s=delay_s)
    elif open_orders:
        exchange.change(open_orders[-1].id, OrderChange(qty=Decimal(6)), delay_s=delay_s)


def _without_shorts(step: object) -> object:
    if not isinstance(step, tuple):
        return step
    request, script = step
    intent = PositionIntent.BUY_TO_OPEN if request.side is Side.BUY else PositionIntent.SELL_TO_CLOSE
    return replace(request, position_intent=intent), script


def _is_ahead(exchange: Exchange, moment: tuple[date, Phase]) -> bool:
    return clock_at_phase(exchange.market, *moment).now > exchange.now


def exchange_with_holdings(mode: AccountMode = AccountMode.CASH) -> Exchange:
    """Return an exchange whose account holds a few positions, so that sell orders can be filled."""
    exchange = exchange_at(*MOMENTS[0], cash=str(CASH), mode=mode)
    move(exchange, *MOMENTS[1])
    for symbol, qty in (("CALM", "3"), ("RISE", "4.123456789"), ("PENNY", "100")):
        send(exchange, symbol, "buy", qty)
    return exchange


def cash_of(order: Order) -> Decimal:
    moved = to_cents(order.filled_value)
    return -moved if order.side is Side.BUY else moved


@settings(deadline=None, max_examples=60)
@given(script=steps, mode=st.sampled_from(AccountMode))
def test_account_after_any_orders_conserves_cash_and_shares(script: list[object], mode: AccountMode) -> None:
    exchange = exchange_with_holdings(mode)
    play(exchange, script)
    account = exchange.account
    shares = {symbol: Decimal(0) for symbol in exchange.market.assets}
    for fill in account.fills:
        shares[fill.symbol] += fill.qty if fill.side is Side.BUY else -fill.qty

    assert account.cash == CASH + sum(map(cash_of, account.orders.values()), Decimal(0))
    assert {symbol: qty for symbol, qty in shares.items() if qty} == {
        symbol: position.qty for symbol, position in account.positions.items()
    }


@settings(deadline=None, max_examples=60)
@given(script=steps)
def test_cash_account_after_any_orders_is_never_negative(script: list[object]) -> None:
    exchange = exchange_with_holdings()
    for step in script:
        play(exchange, [step])

        assert exchange.account.cash >= 0
        assert all(position.qty > 0 for position in exchange.account.positions.values())
        assert all(exchange.account.available_qty(symbol) >= 0 for symbol in exchange.account.positions)


@settings(deadline=None, max_examples=60)
@given(script=steps)
def test_margin_account_sells_to_close_never_open_a_short(script: list[object]) -> None:
    exchange = exchange_with_holdings(AccountMode.MARGIN)
    for step in script:
        play(exchange, [_without_shorts(step)])

        assert all(position.qty > 0 for position in exchange.account.positions.values())


@settings(deadline=None, max_examples=60)
@given(script=steps, mode=st.sampled_from(AccountMode))
def test_events_of_any_orders_have_ascending_times(script: list[object], mode: AccountMode) -> None:
    exchange = exchange_with_holdings(mode)
    play(exchange, script)
    times = [fill.at for fill in exchange.account.fills]

    assert times == sorted(set(times))
    assert all(order.filled_qty <= order.total_qty(order.reserve_price) for order in exchange.account.orders.values())
    assert all(order.updated_at <= exchange.now for order in exchange.account.orders.values())


@settings(deadline=None, max_examples=60)
@given(script=steps, mode=st.sampled_from(AccountMode))
def test_rendered_equity_is_cash_plus_market_values(script: list[object], mode: AccountMode) -> None:
    exchange = exchange_with_holdings(mode)
    play(exchange, script)
    account, now = exchange.account, exchange.now
    rendered = render_account(account, prices_of(account, exchange.market, now), now)
    values = [
        Decimal(str(render_position(position, account, exchange.market, now)["market_value"]))
        for position in account.positions.values()
    ]

    assert Decimal(str(rendered["equity"])) == Decimal(str(rendered["cash"])) + sum(values, Decimal(0))
    assert all(value == to_cents(value) for value in values)


@settings(deadline=None, max_examples=60)
@given(script=steps, request=requests, name=st.text(min_size=1, max_size=128))
def test_submit_with_a_used_client_order_id_is_refused(script: list[object], request: OrderRequest, name: str) -> None:
    exchange = exchange_with_holdings()
    named = OrderRequest("CALM", Side.BUY, OrderType.MARKET, TimeInForce.DAY, Decimal(1), client_order_id=name)
    exchange.submit(named)
    play(exchange, script)

    with pytest.raises(Refusal, match="client_order_id must be unique"):
        exchange.submit(replace(request, client_order_id=name))


@settings(deadline=None, max_examples=25)
@given(script=steps, mode=st.sampled_from(AccountMode))
def test_loaded_state_equals_the_saved_one_and_continues_it(script: list[object], mode: AccountMode) -> None:
    exchange = exchange_with_holdings(mode)
    play(exchange, script)
    with TemporaryDirectory() as folder:
        file = StateFile(Path(folder) / "state.json")
        file.save(exchange.snapshot())
        loaded = StateFile(Path(folder) / "state.json").load()

    assert loaded == exchange.snapshot()
    resumed = Exchange(exchange.market, loaded)
    play(exchange, script)
    play(resumed, script)
    assert resumed.snapshot() == exchange.snapshot()
