"""One served exchange per module of contract tests, reset before every test; and the broker's SDK, imported once."""

import warnings
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeControl
from tests.sandbox.exchange.serving import real_venue, served

with warnings.catch_warnings():
    # The SDK's streaming client, which no test uses, imports a deprecated module of websockets.
    warnings.filterwarnings("ignore", "websockets", DeprecationWarning)
    from alpaca.data.historical import StockHistoricalDataClient
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.trading.client import TradingClient


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(real_venue(tmp_path_factory.mktemp("exchange") / "state.json")) as address:
        yield address


@pytest.fixture(scope="module")
def controller(server: str) -> Iterator[ExchangeControl]:
    with ExchangeControl(server) as client:
        yield client


@pytest.fixture
def control(controller: ExchangeControl) -> ExchangeControl:
    """Return an exchange with a new account and no faults, 15 minutes before the close of 2022-03-16."""
    controller.reset(mode="cash")
    controller.set_clock(date(2022, 3, 16), Phase.BEFORE_CLOSE)
    return controller


@pytest.fixture
def trading(server: str, control: ExchangeControl) -> Iterator[TradingClient]:
    client: Any = TradingClient("sandbox-key", "sandbox-secret", paper=True, url_override=server + "/")
    client._retry = 0
    yield client
    client._session.close()


@pytest.fixture
def data(server: str, control: ExchangeControl) -> Iterator[StockHistoricalDataClient]:
    client: Any = StockHistoricalDataClient("sandbox-key", "sandbox-secret", url_override=server)
    yield client
    client._session.close()


@pytest.fixture
def actions(server: str, control: ExchangeControl) -> Iterator[CorporateActionsClient]:
    client: Any = CorporateActionsClient("sandbox-key", "sandbox-secret", url_override=server)
    yield client
    client._session.close()
