from collections.abc import Iterator
from decimal import Decimal
from typing import Any, cast

import pytest

from tests.the_alchemiser.aws_wire import AwsWire
from tests.the_alchemiser.test_health import ENVIRONMENT, forget_wirings
from the_alchemiser.shared import wall_clock
from the_alchemiser.shared.messaging.messages import RebalancePlanned, TradeExecuted, TradeFailed
from the_alchemiser.trade_aggregator import lambda_handler as module
from the_alchemiser.trade_aggregator.release import DayLimits
from the_alchemiser.trade_aggregator.service import TradeAggregator


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    urls = dict.fromkeys(("BROKER_TRADING_URL", "BROKER_DATA_URL"), "http://127.0.0.1:9")
    for name, value in (ENVIRONMENT | urls).items():
        monkeypatch.setenv(name, value)
    AwsWire().install(monkeypatch)
    forget_wirings()
    yield
    forget_wirings()


def aggregator() -> TradeAggregator:
    handler = cast("Any", module._inbox().handlers[RebalancePlanned])
    return cast("TradeAggregator", handler.__self__)


def test_inbox_handles_plans_and_outcomes() -> None:
    handlers = module._inbox().handlers

    assert {kind: handler.__name__ for kind, handler in handlers.items()} == {
        RebalancePlanned: "handle_plan",
        TradeExecuted: "handle_outcome",
        TradeFailed: "handle_outcome",
    }


def test_aggregator_without_settings_has_no_limits_and_60_s_per_trade() -> None:
    assert (aggregator().limits, aggregator().pace.trade_s) == (DayLimits(None, None), 60)
    assert aggregator().now is wall_clock.now


def test_aggregator_takes_its_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"TRADE_WORK_S": "10", "DAY_NOTIONAL_LIMIT": "1000.5", "DAY_TRADE_LIMIT": "7"}.items():
        monkeypatch.setenv(name, value)

    assert (aggregator().limits, aggregator().pace.trade_s) == (DayLimits(Decimal("1000.5"), 7), 10)


def test_aggregator_takes_the_account_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_ACCOUNT", "PA7")

    assert aggregator().account == "PA7"
