from collections.abc import Iterator

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

    assert answer == {
        "module": "metrics_v2",
        "healthy": True,
        "consumes": ["RunCompleted"],
        "checks": {
            "settings": "ok",
            "claims table": "ok",
            "ledger table": "ok",
            "performance table": "ok",
            "corporate actions in the bucket": "ok",
        },
        "incomplete": [],
    }


@pytest.mark.parametrize("name", sorted(name for name in ENVIRONMENT if not name.startswith("AWS_")))
def test_lambda_handler_missing_variable_raises_its_name(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)

    with pytest.raises(KeyError, match=name):
        module.lambda_handler({"health": True}, Context())
