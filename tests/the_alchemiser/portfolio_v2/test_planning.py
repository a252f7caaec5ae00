"""A plan from what the broker and the ledger say: each thing asked once, oddities left alone, the rest traded."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.the_alchemiser.fakes import InMemoryLedger
from tests.the_alchemiser.portfolio_v2.brokerage import AS_OF, DAY, NOW, InMemoryBrokerage, open_order, position
from tests.the_alchemiser.portfolio_v2.test_market import run, split
from the_alchemiser.portfolio_v2.left_out import NoTradableTargetError
from the_alchemiser.portfolio_v2.planning import AccountBlockedError, Sources, compute_plan
from the_alchemiser.portfolio_v2.rebalance import Rules
from the_alchemiser.portfolio_v2.split_check import SplitNotBookedError
from the_alchemiser.shared.broker.account_check import WrongAccountError
from the_alchemiser.shared.broker.models import Position
from the_alchemiser.shared.corporate_actions import CorporateAction, CorporateActions
from the_alchemiser.shared.ledger.ledger import LedgerEntry
from the_alchemiser.shared.messaging.messages import SignalGenerated
from the_alchemiser.shared.run.plan import RebalancePlan, TradeDecision
from the_alchemiser.shared.values import Side

SPY, GLD = position("SPY", "10", "500"), position("GLD", "7.123456789", "200", last_close=Decimal("199.5"))
PRICES = {"SPY": Decimal("509.83"), "TLT": Decimal("92.50"), "GLD": Decimal("201")}


def signal(**weights: str) -> SignalGenerated:
    targets = {symbol: Decimal(weight) for symbol, weight in (weights or {"SPY": "0.6", "TLT": "0.4"}).items()}
    return SignalGenerated(
        message_id="r/SignalGenerated/run",
        run_id="r",
        occurred_at=NOW,
        weights=targets,
        contributions={"trend": targets},
        closes={"SPY": Decimal("514.95"), "TLT": Decimal("93.10"), "NVDA": Decimal(800)},
        as_of=AS_OF,
    )


def broker_of(*held: Position, **changes: Any) -> InMemoryBrokerage:
    return replace(InMemoryBrokerage(dict(PRICES), held or (SPY, GLD)), **changes)


def entry(symbol: str, quantity: str, price: str, **attribution: str) -> LedgerEntry:
    return LedgerEntry(
        symbol=symbol,
        filled_at=NOW - timedelta(days=4),
        order_id=f"order-{symbol}-{price}",
        fill="1",
        client_order_id="c",
        trade_id="t",
        run_id="r",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(price),
        cash=-Decimal(quantity) * Decimal(price),
        attribution={name: Decimal(part) for name, part in attribution.items()},
    )


def plan_with(
    broker: InMemoryBrokerage,
    target: SignalGenerated | None = None,
    *,
    entries: tuple[LedgerEntry, ...] = (),
    actions: tuple[CorporateAction, ...] = (),
) -> RebalancePlan:
    ledger = InMemoryLedger()
    for fill in entries:
        ledger.record(fill)
    sources = Sources(broker, ledger, lambda: CorporateActions(actions))
    return compute_plan(run(), target or signal(), sources, Rules())


def by_symbol(plan: RebalancePlan) -> Mapping[str, TradeDecision]:
    return {decision.symbol: decision for decision in plan.decisions}


def test_compute_plan_asks_the_broker_each_thing_once() -> None:
    broker = broker_of()

    plan_with(broker)

    assert sorted(broker.calls) == ["account", "assets_of", "latest_trades", "orders", "positions"]


def test_compute_plan_decides_at_the_latest_trade() -> None:
    plan = plan_with(broker_of())

    assert [decision.symbol for decision in plan.decisions] == ["GLD", "SPY", "TLT"]
    assert [decision.price for decision in plan.decisions] == [Decimal(201), Decimal("509.83"), Decimal("92.50")]
    assert [decision.last_close for decision in plan.decisions] == [
        Decimal("199.5"),
        Decimal("514.95"),
        Decimal("93.10"),
    ]
    assert by_symbol(plan)["GLD"].quantity == Decimal("7.123456789")
    assert plan.run_id == "local-2022-03-16"
    assert (plan.equity, plan.cash) == (Decimal("56424.691357800"), Decimal(50_000))


def test_compute_plan_takes_attribution_from_the_ledger() -> None:
    plan = plan_with(broker_of(), entries=(entry("SPY", "10", "500", rotation="10"),))

    assert by_symbol(plan)["SPY"].deltas["rotation"] == Decimal(-10)
    assert set(by_symbol(plan)["SPY"].deltas) == {"trend", "rotation"}


def test_compute_plan_buys_whole_shares_where_the_broker_has_no_fractions() -> None:
    plan = plan_with(broker_of(whole_shares_only=frozenset({"TLT"})))

    assert by_symbol(plan)["TLT"].quantity % 1 == 0
    assert by_symbol(plan)["SPY"].quantity % 1 != 0


def test_compute_plan_leaves_a_target_held_without_a_price_alone() -> None:
    """Although there is a latest trade: without the price, the equity does not count the holding."""
    plan = plan_with(broker_of(SPY, position("TLT", "100")))

    assert plan.quarantined == {"TLT": "no_price"}
    assert set(by_symbol(plan)) == {"SPY"}


@pytest.mark.parametrize("price", ["500", "0"])
def test_compute_plan_prices_a_holding_without_trades_as_the_broker_does(price: str) -> None:
    broker = broker_of(SPY, position("GLD", "2", price))
    del broker.prices["GLD"]
    broker.known = frozenset(PRICES)

    plan = plan_with(broker)

    if price == "0":
        assert plan.quarantined == {"GLD": "no_price"}
    else:
        assert by_symbol(plan)["GLD"].price == Decimal(500)


@pytest.mark.parametrize("close", [None, Decimal(0), Decimal(-1)])
def test_compute_plan_without_a_close_takes_the_price(close: Decimal | None) -> None:
    plan = plan_with(broker_of(SPY, GLD.changed(last_close=close)))

    assert by_symbol(plan)["GLD"].last_close == Decimal(201)


def test_compute_plan_takes_the_own_close_of_a_holding_under_a_dollar() -> None:
    plan = plan_with(broker_of(SPY, GLD.changed(last_close=Decimal("0.5"))))

    assert by_symbol(plan)["GLD"].last_close == Decimal("0.5")


def test_compute_plan_of_a_target_without_any_close_takes_the_price() -> None:
    plan = plan_with(broker_of(), signal(SPY="0.6", TLT="0.4").changed(closes={}))

    assert by_symbol(plan)["TLT"].last_close == Decimal("92.50")


def test_compute_plan_leaves_odd_holdings_alone_and_trades_the_rest() -> None:
    odd = (
        position("628ESC012", "5"),
        position("BTCUSD", "0.1", "60000", asset_class="crypto"),
        position("TSLA", "-3", "200"),
        position("DEAD", "9", "1"),
    )
    broker = broker_of(SPY, GLD, *odd, bad_symbols=frozenset({"628ESC012", "BTCUSD", "TSLA"}))

    plan = plan_with(broker)

    assert plan.quarantined == {
        "628ESC012": "odd_symbol",
        "BTCUSD": "not_an_equity",
        "TSLA": "short_position",
        "DEAD": "not_tradable",
    }
    assert plan.untradable == {}
    assert [decision.symbol for decision in plan.decisions] == ["GLD", "SPY", "TLT"]
    assert broker.calls.count("latest_trades") == 1  # one odd symbol would fail the request
    # The cash, SPY and GLD, less what the short position owes.
    assert plan.investable == Decimal("56424.691357800") - 600


def test_compute_plan_of_a_delisted_holding_with_a_price_leaves_it_alone() -> None:
    plan = plan_with(broker_of(known=frozenset({"SPY", "TLT"})))

    assert plan.quarantined == {"GLD": "not_tradable"}
    assert plan.investable == plan.equity - Decimal("7.123456789") * 200


def test_compute_plan_of_a_short_target_leaves_it_alone() -> None:
    plan = plan_with(broker_of(SPY, position("TLT", "-3", "90")))

    assert (plan.quarantined, plan.untradable) == ({"TLT": "short_position"}, {})
    assert [decision.symbol for decision in plan.decisions] == ["SPY"]


def test_compute_plan_keeps_the_weight_of_an_untradable_target_in_cash() -> None:
    everything = plan_with(broker_of())
    plan = plan_with(broker_of(inactive=frozenset({"TLT"})))

    assert (plan.quarantined, plan.untradable) == ({}, {"TLT": "not_tradable"})
    assert plan.decisions == tuple(decision for decision in everything.decisions if decision.symbol != "TLT")


def test_compute_plan_leaves_the_cash_of_the_signal_unspent() -> None:
    half = signal(SPY="0.5").changed(cash=Decimal("0.5"))

    plan = plan_with(broker_of(), half)

    spy = by_symbol(plan)["SPY"]
    assert spy.target_quantity * spy.price <= Decimal("0.5") * Rules().deployment_fraction * plan.equity
    assert {decision.symbol for decision in plan.decisions} == {"SPY", "GLD"}


def test_compute_plan_of_nothing_but_cash_sells_every_holding() -> None:
    plan = plan_with(broker_of(), signal().changed(weights={}, contributions={"trend": {}}, cash=Decimal(1)))

    assert [(decision.symbol, decision.side, decision.quantity) for decision in plan.decisions] == [
        ("GLD", Side.SELL, GLD.quantity),
        ("SPY", Side.SELL, SPY.quantity),
    ]


def test_compute_plan_of_nothing_but_cash_without_holdings_trades_nothing() -> None:
    broker = replace(InMemoryBrokerage(dict(PRICES), ()))

    plan = plan_with(broker, signal().changed(weights={}, contributions={"trend": {}}, cash=Decimal(1)))

    assert plan.decisions == ()


def test_compute_plan_with_cash_and_no_tradable_target_sells_nothing() -> None:
    half = signal(XYZ="0.5").changed(cash=Decimal("0.5"))

    with pytest.raises(NoTradableTargetError, match="none of the targets XYZ can be traded"):
        plan_with(broker_of(), half)


def test_compute_plan_of_an_unknown_target_names_it() -> None:
    plan = plan_with(broker_of(), signal(SPY="0.6", GONE="0.4"))

    assert plan.untradable == {"GONE": "not_tradable"}
    assert [decision.symbol for decision in plan.decisions] == ["GLD", "SPY"]


def test_compute_plan_of_a_target_without_a_price_names_it() -> None:
    broker = broker_of(known=frozenset({"SPY", "GLD", "NEW"}))

    assert plan_with(broker, signal(SPY="0.6", NEW="0.4")).untradable == {"NEW": "no_price"}


def test_compute_plan_counts_open_orders_of_anybody() -> None:
    orders = (open_order("SPY", Side.BUY, "20"), open_order("TLT", Side.BUY, "1"), open_order("XYZ", Side.BUY, "5"))
    without, counted = plan_with(broker_of()), plan_with(broker_of(open_orders=orders))

    assert by_symbol(counted)["SPY"].quantity == by_symbol(without)["SPY"].quantity - 20
    assert by_symbol(counted)["TLT"].quantity == by_symbol(without)["TLT"].quantity - 1
    assert by_symbol(counted)["SPY"].held == 10
    assert by_symbol(counted).keys() == by_symbol(without).keys()


def test_compute_plan_sells_only_what_open_orders_leave() -> None:
    plan = plan_with(broker_of(SPY, GLD.changed(available=Decimal(2))))

    assert by_symbol(plan)["GLD"].quantity == 2


def test_compute_plan_of_a_blocked_account_is_named() -> None:
    with pytest.raises(AccountBlockedError, match=r"^the broker blocks trading on account an-account \(ACTIVE\)$"):
        plan_with(broker_of(is_blocked=True))


def test_compute_plan_with_keys_of_another_account_reads_nothing_else() -> None:
    broker = broker_of()
    sources = Sources(broker, InMemoryLedger(), lambda: CorporateActions(()), "PA7")

    with pytest.raises(WrongAccountError, match=r"this environment trades PA7$"):
        compute_plan(run(), signal(), sources, Rules())
    assert broker.calls == ["account"]


def split_day(held: str) -> InMemoryBrokerage:
    broker = broker_of(position("NVDA", held, "82", last_close=Decimal(81)), raw_closes={"NVDA": "810"})
    broker.prices["NVDA"] = Decimal(82)
    return broker


def test_compute_plan_on_the_day_of_a_split_is_in_new_shares() -> None:
    bought = entry("NVDA", "10", "700", trend="10")

    plan = plan_with(split_day("100"), signal(NVDA="1"), entries=(bought,), actions=(split("NVDA", DAY, "1", "10"),))

    nvda = by_symbol(plan)["NVDA"]
    assert (nvda.price, nvda.last_close, nvda.held) == (Decimal(82), Decimal(81), Decimal(100))
    wanted = (plan.equity * Decimal("0.99") / 82).quantize(Decimal("1e-9"))
    assert nvda.deltas == {"trend": wanted - 100}


def test_compute_plan_ignores_a_split_of_tomorrow() -> None:
    broker = split_day("10")
    tomorrow = split("NVDA", DAY + timedelta(days=1), "1", "10")

    plan = plan_with(broker, signal(NVDA="1"), entries=(entry("NVDA", "10", "70", trend="10"),), actions=(tomorrow,))

    assert by_symbol(plan)["NVDA"].last_close == Decimal(800)
    assert "bars" not in broker.calls
    assert set(by_symbol(plan)["NVDA"].deltas) == {"trend"}


def test_compute_plan_before_the_broker_booked_the_split_plans_nothing() -> None:
    bought = entry("NVDA", "10", "700", trend="10")

    with pytest.raises(SplitNotBookedError):
        plan_with(split_day("10"), signal(NVDA="1"), entries=(bought,), actions=(split("NVDA", DAY, "1", "10"),))
