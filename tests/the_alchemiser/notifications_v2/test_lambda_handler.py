from collections.abc import Iterator
from typing import Any

import pytest

from tests.the_alchemiser.aws_wire import AwsWire
from tests.the_alchemiser.fakes import Context
from the_alchemiser.notifications_v2 import lambda_handler as module
from the_alchemiser.notifications_v2.service import MODULE
from the_alchemiser.shared.messaging.messages import REGISTRY, RunFailed

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "STAGE": "local",
    "CLAIMS_TABLE": "claims",
    "MAIL_FROM": "alchemiser@example.com",
    "MAIL_TO": "one@example.com, two@example.com",
    "TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:alerts",
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
        "module": "notifications_v2",
        "healthy": True,
        "consumes": ["BooksDiffer", "DataQualityChecked", "RunCompleted", "RunFailed", "RunRefused", "RunSettled"],
        "checks": {"settings": "ok", "claims table": "ok"},
        "incomplete": [],
    }


@pytest.mark.parametrize("name", sorted(name for name in ENVIRONMENT if not name.startswith("AWS_")))
def test_lambda_handler_missing_variable_raises_its_name(environment: pytest.MonkeyPatch, name: str) -> None:
    environment.delenv(name)

    with pytest.raises(KeyError, match=name):
        module.lambda_handler({"health": True}, Context())


def test_inbox_sends_each_notice_once_per_attempt(environment: pytest.MonkeyPatch) -> None:
    AwsWire().install(environment)

    handle: Any = module._inbox().handlers[RunFailed]
    notifier = handle.__self__

    clients = [channel._client.meta for channel in notifier.channels]
    assert [client.service_model.service_name for client in clients] == ["sesv2", "sns"]
    assert [client.config.retries["total_max_attempts"] for client in clients] == [1, 1]
    assert notifier.deliveries._client.meta.config.retries["total_max_attempts"] > 1


def test_inbox_notifies_about_each_kind_of_news(environment: pytest.MonkeyPatch) -> None:
    AwsWire().install(environment)

    handlers = module._inbox().handlers

    assert {handler.__name__ for handler in handlers.values()} == {"handle"}
    assert handlers.keys() == {kind for kind, route in REGISTRY.items() if MODULE in route.consumers}
