"""The plan: cases computed by hand, and laws that hold for any portfolio."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from the_alchemiser.portfolio_v2.rebalance import (
    Holding,
    Instrument,
    LeftOut,
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


@pytest.mark.parametrize(
    ("weight", "holding", "price", "reason"),
    [
        ("0.5", _held("-5"), "100", "held short, which this system never does: not traded"),
        ("0", Holding(D("10"), D("0")), "100", "no longer a target, but open orders hold all of it"),
        ("0.5", _held("495.01"), "100", "a change of -$1.00 is below the minimum of $100.00"),
        ("0.5", None, "60000", "a change of $49,500.00 is less than the smallest quantity that trades"),
    ],
    ids=["short", "reserved", "small", "one share too much"],
)
def test_plan_says_why_nothing_is_traded(weight: str, holding: Holding | None, price: str, reason: str) -> None:
    decision = _decide(weight, holding, instrument=_instrument(price).changed(is_fractionable=False))

    assert (decision.side, decision.quantity, decision.reason) == (None, D("0"), reason)


def test_rules_by_default_invest_99_percent_and_leave_small_changes() -> None:
    assert Rules() == Rules(D("0.99"), D("5"), D("0.001"))


def test_plan_of_unfractionable_asset_buys_whole_shares() -> None:
    decision = _decide("0.5", instrument=_instrument("333").changed(is_fractionable=False))

    assert decision.quantity == 148


def test_plan_of_holding_above_its_weight_sells_the_difference() -> None:
    decision = _decide("0.5", _held("600.123456789"))

    assert (decision.side, decision.quantity) == (Side.SELL, D("105.123456"))


@pytest.mark.parametrize(
    ("available", "side", "quantity"),
    [
        ("600", Side.SELL, "105"),
        ("550", Side.SELL, "55"),  # 50 shares are in open orders to sell
        ("496.0000005", Side.SELL, "1"),
        ("495", None, "0"),
        ("20", None, "0"),  # the open orders already sell more than is too much
    ],
)
def test_plan_counts_shares_in_open_orders_as_leaving(available: str, side: Side | None, quantity: str) -> None:
    decision = _decide("0.5", _held("600", available))

    assert (decision.side, decision.quantity) == (side, D(quantity))
    assert decision.target_quantity == D("600") - D(quantity)


@pytest.mark.parametrize(
    ("incoming", "side", "quantity"),
    [
        ("0", Side.BUY, "95"),
        ("40", Side.BUY, "55"),
        ("93.9", Side.BUY, "1.1"),
        ("95", None, "0"),
        ("200", None, "0"),
        ("Infinity", None, "0"),
    ],
)
def test_plan_counts_shares_of_open_orders_as_coming(incoming: str, side: Side | None, quantity: str) -> None:
    decision = _decide("0.5", _held("400").changed(incoming=D(incoming)))

    assert (decision.side, decision.quantity) == (side, D(quantity))
    assert decision.deltas == {"only": D("495"), UNATTRIBUTED: D("-400")}


def test_plan_between_open_orders_says_so() -> None:
    decision = _decide("0.5", _held("400", "300").changed(incoming=D("200")))

    assert (decision.side, decision.target_quantity) == (None, D("400"))
    assert decision.reason == "open orders may already bring it to the $49,500.00 wanted"


def test_plan_of_shares_to_come_says_what_will_be_there() -> None:
    assert _decide("0.5", Holding(D("0"), D("0"), D("400"))).reason == "have $40,000.00, want $49,500.00"


def test_plan_of_exit_sells_what_is_available_whatever_comes() -> None:
    decision = _decide("0", _held("10", "7").changed(incoming=D("5")))

    assert (decision.side, decision.quantity) == (Side.SELL, D("7"))
    assert decision.reason == "no longer a target: sell all that is available"


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


def test_plan_decides_nothing_about_what_is_left_out() -> None:
    target = Target({"AAA": D("0.5"), "BBB": D("0.5")}, {"only": {"AAA": D("0.5"), "BBB": D("0.5")}})
    portfolio = Portfolio(D("100000"), D("90000"), {"CCC": _held("100")})
    left_out = LeftOut({"CCC": "no_price"}, {"BBB": "not_tradable"})

    planned = plan("r", target, portfolio, {"AAA": _instrument("100")}, RULES, left_out=left_out)

    assert [(decision.symbol, decision.quantity) for decision in planned.decisions] == [("AAA", D("495"))]
    assert (planned.quarantined, planned.untradable) == ({"CCC": "no_price"}, {"BBB": "not_tradable"})


def test_plan_invests_only_what_is_not_left_alone() -> None:
    target = Target({"AAA": D("1")}, {"only": {"AAA": D("1")}})
    portfolio = Portfolio(D("100000"), D("90000"), left_alone=D("20000"))

    planned = plan("r", target, portfolio, {"AAA": _instrument("100")}, RULES)

    (decision,) = planned.decisions
    assert (decision.quantity, decision.deltas) == (D("792"), {"only": D("792")})
    assert (planned.equity, planned.cash, planned.investable) == (D("100000"), D("90000"), D("80000"))
    assert (planned.quarantined, planned.untradable) == ({}, {})


def test_plan_measures_the_minimum_change_by_what_may_be_invested() -> None:
    target = Target({"AAA": D("1")}, {"only": {"AAA": D("1")}})
    portfolio = Portfolio(D("100000"), D("0"), {"AAA": _held("494.5")}, left_alone=D("50000"))

    (decision,) = plan("r", target, portfolio, {"AAA": _instrument("100")}, RULES).decisions

    assert (decision.side, decision.quantity) == (Side.BUY, D("0.5"))  # $50 is 0.1 % of $50,000


def test_plan_of_short_position_does_not_trade() -> None:
    assert _decide("0.5", _held("-3")).side is None


def test_plan_of_less_than_one_whole_share_does_not_trade() -> None:
    decision = _decide("0.01", instrument=Instrument(D("5000"), D("5000"), is_fractionable=False))

    assert decision.side is None
    assert "smallest quantity" in decision.reason


@pytest.mark.parametrize("instruments", [{}, {"AAA": _instrument("0")}])
def test_plan_without_a_price_plans_nothing(instruments: dict[str, Instrument]) -> None:
    target = Target({"AAA": D("1")}, {"only": {"AAA": D("1")}})

    with pytest.raises(MissingPriceError, match=r"^AAA: the broker has no price; nothing is planned$"):
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


@given(situations(), st.dictionaries(st.sampled_from(SYMBOLS), quantities))
def test_plan_never_passes_the_target_whatever_open_orders_do(
    situation: tuple[Target, Portfolio, dict[str, Instrument]], incoming: dict[str, Decimal]
) -> None:
    target, portfolio, instruments = situation
    held = {
        symbol: portfolio.holdings.get(symbol, Holding(D("0"), D("0"))).changed(incoming=incoming.get(symbol, D("0")))
        for symbol in SYMBOLS
    }

    for decision in plan("r", target, replace(portfolio, holdings=held), instruments, RULES).decisions:
        wanted = decision.target_weight * portfolio.equity * RULES.deployment_fraction
        holding = held[decision.symbol]
        if decision.side is Side.BUY:
            assert (holding.quantity + holding.incoming + decision.quantity) * decision.price <= wanted
        if decision.side is Side.SELL:
            assert (holding.available - decision.quantity) * decision.price >= wanted


@given(situations())
def test_plan_deltas_sum_to_target_minus_held(
    situation: tuple[Target, Portfolio, dict[str, Instrument]],
) -> None:
    target, portfolio, instruments = situation

    for decision in plan("r", target, portfolio, instruments, RULES).decisions:
        wanted = decision.target_weight * portfolio.equity * RULES.deployment_fraction / decision.price
        gap = sum(decision.deltas.values(), Decimal(0)) - (wanted - decision.held)
        assert abs(gap) <= D("3e-9")
