"""PaperBrokerage with the paper exchange in a separate process."""

import os
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import sandbox
from automation.system.errors import ToolError
from sandbox import lifecycle, servers
from sandbox.brokerage import PaperBrokerage
from sandbox.exchange.clock import Phase
from sandbox.exchange.control import ExchangeControl
from sandbox.exchange.keys import SANDBOX_KEY, SANDBOX_SECRET
from sandbox.outages import Outages, WallClock
from sandbox.settings import SandboxSettings
from tests.sandbox.test_servers import free_port
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.models import OrderRequest, OrderType
from the_alchemiser.shared.values import Side

pytestmark = pytest.mark.enable_socket
ROOT = Path(sandbox.__file__).parent.parent
DAY = date(2022, 3, 16)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = lifecycle.exchange_server(SandboxSettings(ROOT, tmp_path_factory.mktemp("sandbox"), 1, free_port()))
    servers.start(server)
    yield server.url
    servers.stop(server)


@pytest.fixture
def exchange(url: str) -> Iterator[PaperBrokerage]:
    brokerage = PaperBrokerage(url)
    yield brokerage
    brokerage.close()


def test_state_has_only_the_orders_of_the_session(url: str, exchange: PaperBrokerage) -> None:
    assert exchange.set_clock(DAY, Phase.EVENING_BEFORE)
    assert exchange.set_clock(DAY, Phase.BEFORE_CLOSE)
    assert not exchange.set_clock(DAY, Phase.EVENING_BEFORE)

    broker = Broker(url, url, lambda: Credentials(SANDBOX_KEY, SANDBOX_SECRET))
    broker.submit(OrderRequest("SPY", Side.BUY, Decimal(10), OrderType.MARKET, "an-order"))
    broker.close()

    state = exchange.state(DAY)
    assert [order.client_order_id for order in state.orders] == ["an-order"]
    values = [position.market_value for position in state.positions if position.market_value is not None]
    assert state.account.cash + sum(values) == state.account.equity
    assert exchange.state(date(2022, 3, 17)).orders == ()
    assert exchange.clock().phase is Phase.BEFORE_CLOSE


def test_history_has_the_last_session(exchange: PaperBrokerage) -> None:
    assert exchange.history().last_session > DAY


def test_set_clock_to_a_weekend_fails(exchange: PaperBrokerage) -> None:
    with pytest.raises(ToolError, match="is not a session"):
        exchange.set_clock(date(2022, 3, 19), Phase.BEFORE_CLOSE)


@pytest.mark.parametrize("method", ["history", "clock", "state", "set_clock"])
def test_calls_without_an_exchange_fail_with_exit_code_5(method: str) -> None:
    brokerage = PaperBrokerage(f"http://127.0.0.1:{free_port()}")
    calls: dict[str, Callable[[], object]] = {
        "history": brokerage.history,
        "clock": brokerage.clock,
        "state": lambda: brokerage.state(DAY),
        "set_clock": lambda: brokerage.set_clock(DAY, Phase.BEFORE_CLOSE),
    }

    with pytest.raises(ToolError, match=r"inv sandbox\.up") as raised:
        calls[method]()
    brokerage.close()
    assert raised.value.exit_code == 5
    assert os.linesep not in str(raised.value)


@pytest.mark.parametrize(("status", "answers_later"), [(503, True), (429, True), (403, False)])
def test_state_is_read_again_after_an_outage_only(url: str, status: int, answers_later: bool) -> None:
    progress: list[str] = []
    outages = Outages("the exchange", WallClock(lambda: 0.0, lambda _: None), progress.append, limit_s=60)
    brokerage = PaperBrokerage(url, outages)
    with ExchangeControl(url) as control:
        # The product's adapter reads again by itself, at most twice.
        control.plant("refuse", status=status, times=4, path="/v2/account")
        try:
            if answers_later:
                assert brokerage.state(DAY).account.cash > 0
            else:
                with pytest.raises(ToolError, match=r"inv sandbox\.status"):
                    brokerage.state(DAY)
        finally:
            control.clear_faults()
            brokerage.close()
    assert bool(progress) is answers_later
