"""The name of a module is stored in claims and timelines: another name would handle old messages a second time."""

from importlib import import_module

import pytest

MODULES = (
    "aggregator_v2",
    "coordinator_v2",
    "data_quality_monitor",
    "data_v2",
    "execution_v2",
    "metrics_v2",
    "notifications_v2",
    "portfolio_v2",
    "strategy_v2",
    "trade_aggregator",
)


@pytest.mark.parametrize("name", MODULES)
def test_module_has_the_name_of_its_package(name: str) -> None:
    assert name == import_module(f"the_alchemiser.{name}.service").MODULE
