from decimal import Decimal

from tests.the_alchemiser.metrics_v2.performance_store_contract import performance
from the_alchemiser.metrics_v2.gauges import build_gauges
from the_alchemiser.shared.gauges import Gauge


def test_gauges_account_without_equity_has_no_exposure() -> None:
    shown = build_gauges(performance("trend").changed(equity=Decimal(0)))

    assert "Exposure" not in {gauge.name for gauge in shown}


def test_gauges_of_a_strategy_are_in_percent_or_in_usd() -> None:
    shown = build_gauges(performance("trend").changed(equity=Decimal(200), market_value=Decimal(50)))

    assert Gauge("Exposure", Decimal(25), "Percent", "trend") in shown
    assert Gauge("MarketValue", Decimal(50), "None", "trend") in shown
    assert {gauge.strategy for gauge in shown} == {"trend"}
