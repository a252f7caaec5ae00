"""The plan: cases computed by hand, and laws that hold for any portfolio."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from the_alchemiser.portfolio_v2.rebalance import (
    Holding,
    Instrument,
    MissingPriceError,
    Portfolio,
    Rules,
    Target,
    plan,
    symbols_of,
)
from the_alchemiser.shared.ledger.ledger import UNATTRIBUTED
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.values import Side

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
RULES = Rules()


def D(text: str) -> Decimal:  # noqa: N802 - as short as a literal
    return Decimal(text)


def _held(quantity: str, available: str | None = None) -> Holding:
    return Holding(D(quantity), D(available or quantity))


def _decide(
    weight: str,
    holding: Holding | None = None,
    *,
    instrument: Instrument | None = None,
    equity: str = "100000",
    attributed: dict[str, dict[str, Decimal]] | None = None,
    contributions: dict[str, dict[str, Decimal]] | None = None,
) -> TradeDecision:
    weights = {"AAA": D(weight)}
    target = Target(weights, contributions or {"only": weights})
    portfolio = Portfolio(D(equity), D("0"), {"AAA": holding} if holding else {}, attributed or {})
    (decision,) = plan("r", target, portfolio, {"AAA": instrument or _instrument("100")}, RULES).decisions
    return decision


def _instrument(price: str) -> Instrument:
    return Instrument(D(price), last_close=D(price))


def test_plan_from_nothing_buys_the_deployed_weight() -> None:
    decision = _decide("0.5", instrument=_instrument("333"))

    assert (decision.side, decision.quantity) == (Side.BUY, D("148.648648"))
    assert decision.target_quantity == decision.quantity
    assert decision.reason == "have $0.00, want $49,500.00"


def test_plan_of_unfractionable_asset_buys_whole_shares() -> None:
    decision = _decide("0.5", instrument=_instrument("333")._replace(is_fractionable=False))

    assert decision.quantity == 148


def test_plan_of_holding_above_its_weight_sells_the_difference() -> None:
    decision = _decide("0.5", _held("600.123456789"))

    assert (decision.side, decision.quantity) == (Side.SELL, D("105.123456"))


def test_plan_of_sell_sells_only_available_shares() -> None:
    decision = _decide("0.5", _held("600", "20.0000005"))

    assert (decision.side, decision.quantity) == (Side.SELL, D("20"))


@pytest.mark.parametrize("quantity", ["0.000000001", "12.345678901"])
def test_plan_of_holding_without_target_sells_every_last_fraction(quantity: str) -> None:
    decision = _decide("0", _held(quantity))

    assert (decision.side, decision.quantity) == (Side.SELL, D(quantity))
    assert decision.target_quantity == 0


def test_plan_of_exit_with_everything_in_open_orders_does_not_trade() -> None:
    decision = _decide("0", _held("10", "0"))

    assert decision.side is None
    assert "open orders" in decision.reason


@pytest.mark.parametrize(
    ("equity", "held", "trades"),
    [
        ("100000", "989.000001", False),  # 0.1 % of equity is $100: $99.9999 is below
        ("100000", "989", True),
        ("1000", "9.85000001", False),  # $5 is more than 0.1 % of $1,000
        ("1000", "9.85", True),
    ],
)
def test_plan_of_change_below_the_minimum_does_not_trade(equity: str, held: str, *, trades: bool) -> None:
    decision = _decide("1", _held(held), equity=equity)

    assert (decision.side is not None) is trades
    assert trades or "below the minimum" in decision.reason


def test_plan_of_untradable_asset_does_not_trade_with_a_reason() -> None:
    decision = _decide("0.5", instrument=_instrument("100")._replace(is_tradable=False))

    assert decision.side is None
    assert "does not trade" in decision.reason


def test_plan_of_short_position_does_not_trade() -> None:
    assert _decide("0.5", _held("-3")).side is None


def test_plan_of_less_than_one_whole_share_does_not_trade() -> None:
    decision = _decide("0.01", instrument=Instrument(D("5000"), D("5000"), is_fractionable=False))

    assert decision.side is None
    assert "smallest quantity" in decision.reason


@pytest.mark.parametrize("instruments", [{}, {"AAA": _instrument("0")}])
def test_plan_without_a_price_plans_nothing(instruments: dict[str, Instrument]) -> None:
    target = Target({"AAA": D("1")}, {"only": {"AAA": D("1")}})

    with pytest.raises(MissingPriceError, match="AAA"):
        plan("r", target, Portfolio(D("1000"), D("1000")), instruments, RULES)


def test_plan_deltas_are_what_each_strategy_wants() -> None:
    decision = _decide(
        "0.3",
        _held("210"),
        attributed={"up": {"AAA": D("50")}, "stopped": {"AAA": D("40")}, "down": {"AAA": D("110")}},
        contributions={"up": {"AAA": D("0.2")}, "down": {"AAA": D("0.1")}},
    )

    assert decision.deltas == {"up": D("148"), "down": D("-11"), "stopped": D("-40"), UNATTRIBUTED: D("-10")}
    assert sum(decision.deltas.values()) == decision.quantity == D("87")


def test_plan_deltas_ignore_an_earlier_unattributed_sale() -> None:
    decision = _decide("0.5", attributed={UNATTRIBUTED: {"AAA": D("-10")}})

    assert decision.deltas == {"only": D("495")}


prices = st.decimals(min_value=D("0.01"), max_value=D("5000"), places=2)
quantities = st.decimals(min_value=D("0"), max_value=D("1000"), places=9)
parts = st.lists(st.integers(min_value=0, max_value=50), min_size=4, max_size=4).filter(any)


@st.composite
def _instruments(draw: st.DrawFn) -> Instrument:
    price = draw(prices)
    return Instrument(price, price, is_fractionable=draw(st.booleans()))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Target, Portfolio, dict[str, Instrument]]:
    raw = draw(parts)
    weights = {
        symbol: (Decimal(part) / sum(raw)).quantize(D("1e-9"), "ROUND_DOWN")
        for symbol, part in zip(SYMBOLS, raw, strict=True)
    }
    instruments = {symbol: draw(_instruments()) for symbol in SYMBOLS}
    held = {symbol: draw(quantities) for symbol in draw(st.sets(st.sampled_from(SYMBOLS)))}
    holdings = {
        symbol: Holding(quantity, quantity * draw(st.sampled_from([0, 1, 1]))) for symbol, quantity in held.items()
    }
    cash = draw(st.decimals(min_value=D("0"), max_value=D("1e6"), places=2))
    equity = cash + sum((held[symbol] * instruments[symbol].price for symbol in held), Decimal(0))
    half = {symbol: weight / 2 for symbol, weight in weights.items()}
    attributed = {"trend": {symbol: quantity / 2 for symbol, quantity in held.items()}}
    return (
        Target(weights, {"trend": half, "rotation": half}),
        Portfolio(equity, cash, holdings, attributed),
        instruments,
    )


def _applied(planned: RebalancePlan, portfolio: Portfolio) -> Portfolio:
    """Return the portfolio after every trade filled exactly at its price; no open orders remain."""
    held = {decision.symbol: decision.target_quantity for decision in planned.decisions}
    spent = sum(((d.target_quantity - d.held) * d.price for d in planned.decisions), Decimal(0))
    holdings = {symbol: Holding(quantity, quantity) for symbol, quantity in held.items()}
    return replace(portfolio, cash=portfolio.cash - spent, holdings=holdings)


@given(situations())
def test_plan_applied_then_planned_again_is_empty(
    situation: tuple[Target, Portfolio, dict[str, Instrument]],
) -> None:
    target, portfolio, instruments = situation
    free = {symbol: Holding(h.quantity, h.quantity) for symbol, h in portfolio.holdings.items()}
    portfolio = replace(portfolio, holdings=free)

    again = plan("r", target, _applied(plan("r", target, portfolio, instruments, RULES), portfolio), instruments, RULES)

    assert [decision for decision in again.decisions if decision.side] == []


@given(situations())
def test_plan_decides_once_on_every_symbol_with_a_reason(
    situation: tuple[Target, Portfolio, dict[str, Instrument]],
) -> None:
    target, portfolio, instruments = situation

    decisions = plan("r", target, portfolio, instruments, RULES).decisions

    assert tuple(decision.symbol for decision in decisions) == symbols_of(target, portfolio.holdings)
    assert all(decision.reason for decision in decisions)
    assert all((decision.side is None) == (decision.quantity == 0) for decision in decisions)


@given(situations())
def test_plan_stays_within_available_shares_and_target(
    situation: tuple[Target, Portfolio, dict[str, Instrument]],
) -> None:
    target, portfolio, instruments = situation

    planned = plan("r", target, portfolio, instruments, RULES)

    for decision in planned.trades(Side.SELL):
        assert 0 < decision.quantity <= portfolio.holdings[decision.symbol].available
    for decision in planned.trades(Side.BUY):
        wanted = decision.target_weight * portfolio.equity * RULES.deployment_fraction
        assert decision.target_quantity * decision.price <= wanted


@given(situations())
def test_plan_deltas_sum_to_target_minus_held(
    situation: tuple[Target, Portfolio, dict[str, Instrument]],
) -> None:
    target, portfolio, instruments = situation

    for decision in plan("r", target, portfolio, instruments, RULES).decisions:
        wanted = decision.target_weight * portfolio.equity * RULES.deployment_fraction / decision.price
        gap = sum(decision.deltas.values(), Decimal(0)) - (wanted - decision.held)
        assert abs(gap) <= D("3e-9")
