from collections.abc import Iterator
from typing import Any

import pytest

from tests.the_alchemiser.aws_wire import AwsWire
from tests.the_alchemiser.fakes import Context
from the_alchemiser.notifications_v2 import lambda_handler as module
from the_alchemiser.notifications_v2.service import MODULE
from the_alchemiser.shared.messaging.messages import REGISTRY, RunFailed
from the_alchemiser.shared.threads import THREADS
from the_alchemiser.strategy_v2.service import decision_key

ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "STAGE": "local",
    "CLAIMS_TABLE": "claims",
    "MAIL_FROM": "alchemiser@example.com",
    "MAIL_TO": "one@example.com, two@example.com",
    "RUNS_TABLE": "runs",
    "PERFORMANCE_TABLE": "performance",
    "BUCKET_NAME": "lake",
    "FIGURES_WAIT_S": "6",
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
        "checks": {
            "settings": "ok",
            "claims table": "ok",
            "runs table": "ok",
            "performance table": "ok",
            "decisions in the bucket": "ok",
            "quality verdict in the bucket": "ok",
        },
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


def test_inbox_reads_about_the_run_with_short_calls_that_are_not_repeated(environment: pytest.MonkeyPatch) -> None:
    """A mail does not wait for a store that does not answer."""
    AwsWire().install(environment)

    handle: Any = module._inbox().handlers[RunFailed]
    reader = handle.__self__.read_background.__self__

    clients = [store._client.meta for store in (reader.runs, reader.performances, reader.objects)]
    assert [client.service_model.service_name for client in clients] == ["dynamodb", "dynamodb", "s3"]
    assert [client.config.retries["total_max_attempts"] for client in clients] == [1, 1, 1]
    assert [client.config.read_timeout for client in clients] == [2, 2, 2]
    assert [client.config.max_pool_connections for client in clients] == [THREADS] * 3
    assert (reader.stage, reader.patience.seconds) == ("local", 6.0)
    assert reader.objects.url("") == "s3://lake/"


def test_decisions_are_read_where_they_are_stored() -> None:
    assert decision_key("run", "strategy").startswith(f"{module.DECISIONS}/run/")


def test_inbox_notifies_about_each_kind_of_news(environment: pytest.MonkeyPatch) -> None:
    AwsWire().install(environment)

    handlers = module._inbox().handlers

    assert {handler.__name__ for handler in handlers.values()} == {"handle"}
    assert handlers.keys() == {kind for kind, route in REGISTRY.items() if MODULE in route.consumers}
