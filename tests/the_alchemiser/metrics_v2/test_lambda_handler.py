from collections.abc import Iterator
from typing import Any, cast

import pytest

from tests.the_alchemiser.aws_wire import AwsWire
from tests.the_alchemiser.fakes import Context
from the_alchemiser.metrics_v2 import lambda_handler as module

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "STAGE": "local",
    "CLAIMS_TABLE": "claims",
    "LEDGER_TABLE": "ledger",
    "BUCKET_NAME": "lake",
    "PERFORMANCE_TABLE": "performance",
    "BROKER_SECRET": "/alchemiser/local/broker",
    "BROKER_ACCOUNT": "PA7",
    "BROKER_TRADING_URL": "http://127.0.0.1:9",
    "BROKER_DATA_URL": "http://127.0.0.1:9",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    module._inbox.cache_clear()
    yield monkeypatch
    module._inbox.cache_clear()


def test_lambda_handler_health_event_reports_what_it_consumes(environment: pytest.MonkeyPatch) -> None:
    AwsWire().install(environment)

    answer = module.lambda_handler({"health": True}, Context())

    assert (answer["module"], answer["consumes"]) == ("metrics_v2", ["RunCompleted"])
    assert list(answer["checks"]) == [
        "settings",
        "claims table",
        "ledger table",
        "performance table",
        "corporate actions in the bucket",
        "broker secret",
        "broker clock",
    ]


def test_accountant_takes_the_account_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    AwsWire().install(environment)

    (handler,) = module._inbox().handlers.values()

    assert cast("Any", handler).__self__.account == "PA7"


@pytest.mark.parametrize("name", sorted(name for name in ENVIRONMENT if not name.startswith("AWS_")))
def test_lambda_handler_missing_variable_raises_its_name(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)

    with pytest.raises(KeyError, match=name):
        module.lambda_handler({"health": True}, Context())
