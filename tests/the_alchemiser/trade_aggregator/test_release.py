"""A release never spends more than there is, never sends more than planned, and never breaks the day's limits."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.the_alchemiser import run_builders as make
from the_alchemiser.shared.broker.models import Account
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.run.progress import Release
from the_alchemiser.shared.run.runs import Move, Run, RunState
from the_alchemiser.shared.values import Refusal, Side
from the_alchemiser.trade_aggregator.release import (
    PRICE_CUSHION,
    DayLimits,
    DayUse,
    day_use,
    release_buys,
    release_nothing,
    release_sells,
    spendable,
    trades_to_send,
)

NO_LIMITS = DayLimits()
NOTHING_USED = DayUse()
MONEY = st.integers(0, 10**9).map(lambda cents: Decimal(cents).scaleb(-2))
SHARES = st.integers(1, 10**10).map(lambda n: Decimal(n).scaleb(-6)) | st.integers(1, 1000).map(Decimal)
PRICES = st.integers(1, 10**6).map(lambda cents: Decimal(cents).scaleb(-2))


def decisions_of(side: Side) -> st.SearchStrategy[RebalancePlan]:
    trade = st.tuples(SHARES, PRICES)
    return st.lists(trade, min_size=1, max_size=6).map(
        lambda trades: make.plan(*(_decision(f"S{n}", side, *trade) for n, trade in enumerate(trades)))
    )


def _decision(symbol: str, side: Side, quantity: Decimal, price: Decimal) -> TradeDecision:
    return make.decision(symbol, side, str(quantity), price=str(price))


def buys(plan: RebalancePlan, money: str, *, limits: DayLimits = NO_LIMITS, used: DayUse = NOTHING_USED) -> Release:
    return release_buys(plan, Decimal(money), limits=limits, used=used)


def account(*, cash: str, buying_power: str) -> Account:
    equity = Decimal(100_000)
    return Account(
        "id", "ACTIVE", Decimal(cash), equity, equity, Decimal(buying_power), Decimal(4), trading_blocked=False
    )


def released(run: Run) -> DayUse:
    return day_use([run])


@given(decisions_of(Side.BUY), MONEY)
def test_release_buys_costs_at_most_the_money(plan: RebalancePlan, money: Decimal) -> None:
    release = release_buys(plan, money, limits=NO_LIMITS, used=NOTHING_USED)

    prices = {trade: decision.price for trade, decision in plan.by_trade_id().items()}
    assert sum(quantity * prices[trade] for trade, quantity in release.quantities.items()) <= money


@given(decisions_of(Side.BUY), MONEY)
def test_release_buys_never_scales_up_and_keeps_the_step(plan: RebalancePlan, money: Decimal) -> None:
    release = release_buys(plan, money, limits=NO_LIMITS, used=NOTHING_USED)

    planned = plan.by_trade_id()
    assert 0 <= release.factor <= 1
    for trade, quantity in release.quantities.items():
        assert 0 < quantity <= planned[trade].quantity
        assert quantity == quantity.quantize(Decimal("0.000001"))
        if planned[trade].quantity % 1 == 0:
            assert quantity % 1 == 0


@given(decisions_of(Side.BUY), MONEY)
def test_release_buys_sends_or_refuses_every_buy(plan: RebalancePlan, money: Decimal) -> None:
    release = release_buys(plan, money, limits=NO_LIMITS, used=NOTHING_USED)

    assert release.quantities.keys() | release.refused.keys() == plan.by_trade_id().keys()
    assert not release.quantities.keys() & release.refused.keys()


@given(decisions_of(Side.BUY))
def test_release_buys_with_enough_money_sends_the_plan(plan: RebalancePlan) -> None:
    cost = sum(decision.quantity * decision.price for decision in plan.decisions)

    release = release_buys(plan, Decimal(cost) * (1 + PRICE_CUSHION), limits=NO_LIMITS, used=NOTHING_USED)

    assert release.factor == 1
    assert dict(release.quantities) == {trade: d.quantity for trade, d in plan.by_trade_id().items()}


@given(decisions_of(Side.SELL), st.integers(0, 4), MONEY)
def test_release_sells_stays_within_the_limits(plan: RebalancePlan, trades: int, notional: Decimal) -> None:
    release = release_sells(plan, limits=DayLimits(notional, trades), used=NOTHING_USED)

    prices = {trade: decision.price for trade, decision in plan.by_trade_id().items()}
    assert len(release.quantities) <= trades
    assert sum(quantity * prices[trade] for trade, quantity in release.quantities.items()) <= notional


def test_release_buys_short_of_money_scales_all_by_one_factor() -> None:
    plan = make.plan(make.decision("SPY", Side.BUY, "10.5"), make.decision("TLT", Side.BUY, "31.5"))

    release = buys(plan, "2100")

    assert release.spendable == Decimal(2100)
    assert release.factor == Decimal("0.498753117")
    assert list(release.quantities.values()) == [Decimal("5.236907"), Decimal("15.710723")]


def test_release_buys_in_whole_shares_stays_in_whole_shares() -> None:
    plan = make.plan(make.decision("SPY", Side.BUY, "10"))

    assert list(buys(plan, "999").quantities.values()) == [Decimal(9)]


def test_release_buys_scaled_to_zero_shares_refuses() -> None:
    plan = make.plan(make.decision("SPY", Side.BUY, "10"))

    release = buys(plan, "99")

    assert release.quantities == {}
    assert release.refused["local-2022-03-16-BUY-SPY"].reason == "insufficient_buying_power"


def test_release_buys_without_money_says_so() -> None:
    plan = make.plan(make.decision("SPY", Side.BUY, "10"), make.decision("TLT", Side.BUY, "0.5"))

    release = buys(plan, "0")

    assert release.quantities == {}
    assert set(release.refused.values()) == {
        Refusal(
            reason="insufficient_buying_power",
            detail="the account has no money to spend: its cash or its buying power is zero or less",
        )
    }


def test_release_buys_scaled_to_zero_shares_says_so() -> None:
    plan = make.plan(make.decision("SPY", Side.BUY, "10"))

    [refusal] = buys(plan, "99").refused.values()

    assert refusal.detail == "scaled down to the money available, no shares remain"


def test_release_nothing_refuses_each_trade() -> None:
    refusal = Refusal(reason="too_late_to_trade", detail="a test")

    assert release_nothing(["a", "b"], refusal) == Release(quantities={}, refused={"a": refusal, "b": refusal})


def test_release_sells_sends_nine_places_exactly() -> None:
    plan = make.plan(make.decision("SPY", Side.SELL, "1.123456789"))

    release = release_sells(plan, limits=NO_LIMITS, used=NOTHING_USED)

    assert list(release.quantities.values()) == [Decimal("1.123456789")]


def test_release_past_the_day_trade_limit_refuses_the_rest() -> None:
    plan = make.plan(make.decision("SPY", Side.BUY, "1"), make.decision("TLT", Side.BUY, "1"))

    release = buys(plan, "100000", limits=DayLimits(trades=5), used=DayUse(Decimal(0), 4))

    assert list(release.quantities) == ["local-2022-03-16-BUY-SPY"]
    assert release.refused["local-2022-03-16-BUY-TLT"] == Refusal(
        reason="day_trade_limit", detail="this would be trade 6 of the day; at most 5 are allowed"
    )


def test_release_past_the_day_notional_refuses_the_excess() -> None:
    plan = make.plan(make.decision("SPY", Side.BUY, "10"), make.decision("TLT", Side.BUY, "1"))

    release = buys(plan, "100000", limits=DayLimits(notional=Decimal(1000)), used=DayUse(Decimal(900), 1))

    assert list(release.quantities) == ["local-2022-03-16-BUY-TLT"]
    assert release.refused["local-2022-03-16-BUY-SPY"] == Refusal(
        reason="day_notional_limit",
        detail="with this trade the day's trades would be worth $1,900.00; at most $1,000.00 is allowed",
    )


@pytest.mark.parametrize(
    ("cash", "buying_power", "deployment", "expected"),
    [
        ("5000", "5000", "0.99", "5000"),
        ("5000", "20000", "0.99", "5000"),
        ("5000", "20000", "1", "5000"),
        ("5000", "20000", "1.5", "20000"),
        ("5000", "3000", "0.99", "3000"),
        ("-10", "20000", "0.99", "0"),
    ],
    ids=["cash account", "margin unused", "all deployed", "margin configured", "held by orders", "overdrawn"],
)
def test_spendable_is_never_borrowed_unless_configured(
    cash: str, buying_power: str, deployment: str, expected: str
) -> None:
    plan = make.plan(deployment=deployment)

    assert spendable(account(cash=cash, buying_power=buying_power), plan) == Decimal(expected)


def test_day_use_counts_released_trades_at_planning_prices() -> None:
    store = make.evaluating()
    plan = make.plan(make.decision("SPY", Side.SELL, "2", price="150"), make.decision("TLT", Side.BUY, "3"))
    make.planned(store, plan)
    release = release_sells(plan, limits=NO_LIMITS, used=NOTHING_USED)
    payload = release.to_content()
    store.move(
        make.RUN_ID, Move(RunState.PLANNED, RunState.SELLING, "a test", make.WALL, make.DEADLINE, payload=payload)
    )

    assert released(make.loaded(store)) == DayUse(Decimal(300), 1)


def test_day_use_of_a_run_without_plan_is_empty() -> None:
    assert released(make.loaded(make.evaluating())) == DayUse(Decimal(0), 0)


def test_trades_to_send_has_released_quantity_and_plan() -> None:
    plan = make.plan(make.decision("SPY", Side.BUY, "10.5", price="400"))

    [trade] = trades_to_send(plan, Side.BUY, buys(plan, "2105.25"), caused_by="a-cause", at=make.AT)

    assert (trade.trade_id, trade.side, trade.quantity) == ("local-2022-03-16-BUY-SPY", Side.BUY, Decimal("5.25"))
    assert trade.message_id == "local-2022-03-16/TradeRequested/local-2022-03-16-BUY-SPY"
    assert (trade.planning_price, trade.last_close) == (Decimal(400), Decimal(400))
    assert trade.deltas == {"calm": Decimal("10.5")}
