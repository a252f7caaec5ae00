"""The handler reads the settings of the rules, and fails the run itself at the last receive."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.the_alchemiser.aws_wire import AwsWire
from the_alchemiser.portfolio_v2 import lambda_handler as module
from the_alchemiser.shared.messaging.messages import SignalGenerated

ENVIRONMENT = {
    "CLAIMS_TABLE": "claims",
    "RUNS_TABLE": "runs",
    "LEDGER_TABLE": "ledger",
    "BUCKET_NAME": "lake",
    "BUS_NAME": "bus",
    "DEPLOYMENT_FRACTION": "0.95",
    "BROKER_ACCOUNT": "PA7",
    "BROKER_SECRET": "/alchemiser/local/broker",
    "BROKER_TRADING_URL": "http://127.0.0.1:9",
    "BROKER_DATA_URL": "http://127.0.0.1:9",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    AwsWire().install(monkeypatch)
    module._inbox.cache_clear()
    yield monkeypatch
    module._inbox.cache_clear()


def test_inbox_plans_signals_and_gives_up_with_a_named_failure(environment: pytest.MonkeyPatch) -> None:
    inbox = module._inbox()

    planner: Any = inbox.handlers[SignalGenerated]
    assert inbox.give_up == planner.__self__.give_up
    assert planner.__self__.rules.deployment_fraction == Decimal("0.95")
    assert planner.__self__.sources.account == "PA7"


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_inbox_without_a_variable_raises_its_name(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)

    with pytest.raises(KeyError, match=name):
        module._inbox()
