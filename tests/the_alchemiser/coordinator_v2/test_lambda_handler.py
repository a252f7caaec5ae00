from collections.abc import Iterator
from decimal import Decimal

import pytest
from botocore.stub import Stubber

from tests.the_alchemiser.aws_wire import AwsWire
from tests.the_alchemiser.test_health import ENVIRONMENT, forget_wirings
from the_alchemiser.coordinator_v2 import lambda_handler as module
from the_alchemiser.shared import wall_clock
from the_alchemiser.shared.gauges import Gauge
from the_alchemiser.shared.messaging.commands import CheckDay, StartRun, SweepRuns


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    urls = dict.fromkeys(("BROKER_TRADING_URL", "BROKER_DATA_URL"), "http://127.0.0.1:9")
    for name, value in (ENVIRONMENT | urls).items():
        monkeypatch.setenv(name, value)
    AwsWire().install(monkeypatch)
    forget()
    yield
    forget()


def forget() -> None:
    module._gauges.cache_clear()
    forget_wirings()


def test_inbox_handles_each_command_by_its_own_method() -> None:
    handlers = module._inbox().handlers

    assert {kind: handler.__name__ for kind, handler in handlers.items()} == {
        StartRun: "start",
        SweepRuns: "sweep",
        CheckDay: "check_day",
    }


def test_inbox_creates_no_client_of_cloudwatch() -> None:
    coordinator = module._coordinator(module._adapters())

    assert coordinator.gauges is module._gauges
    assert module._gauges.cache_info().currsize == 0


def test_coordinator_settles_on_the_same_broker_and_tables() -> None:
    adapters = module._adapters()
    coordinator = module._coordinator(adapters)

    settler = coordinator.settler
    assert (settler.runs, settler.broker, settler.ledger) == (adapters.runs, adapters.broker, adapters.ledger)
    assert coordinator.now is settler.now is wall_clock.now


def test_coordinator_checks_the_books_of_the_environments_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKER_ACCOUNT", "PA7")
    adapters = module._adapters()
    coordinator = module._coordinator(adapters)

    reconciler = coordinator.books.reconciler
    assert coordinator.books.books is adapters.books
    assert (reconciler.broker, reconciler.runs, reconciler.ledger) == (adapters.broker, adapters.runs, adapters.ledger)
    assert (reconciler.stage, reconciler.account, coordinator.settler.account) == ("local", "PA7", "PA7")


def test_gauges_carry_the_stage_and_keep_their_client() -> None:
    gauges = module._gauges()
    with Stubber(gauges._client) as cloudwatch:
        data = [
            {
                "MetricName": "DaysWithoutRun",
                "Dimensions": [{"Name": "Stage", "Value": "local"}],
                "Value": 0.0,
                "Unit": "Count",
            }
        ]
        cloudwatch.add_response("put_metric_data", {}, {"Namespace": "Alchemiser", "MetricData": data})

        gauges.publish([Gauge("DaysWithoutRun", Decimal(0), "Count")])

        cloudwatch.assert_no_pending_responses()
    assert module._gauges() is gauges
