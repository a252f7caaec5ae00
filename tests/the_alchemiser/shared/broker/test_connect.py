"""The broker of a function's environment: nothing is read before the first request."""

import pytest

from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.connect import broker_from_environment

ENVIRON = {
    "BROKER_TRADING_URL": "https://trading",
    "BROKER_DATA_URL": "https://data",
    "BROKER_SECRET": "/alchemiser/local/broker",
}


def test_broker_from_environment_reads_no_secret_yet() -> None:
    assert isinstance(broker_from_environment(ENVIRON), Broker)  # a read would fail: tests have no network


@pytest.mark.parametrize("name", ENVIRON)
def test_broker_from_environment_without_a_variable_names_it(name: str) -> None:
    environ = {key: value for key, value in ENVIRON.items() if key != name}

    with pytest.raises(KeyError, match=name):
        broker_from_environment(environ)
