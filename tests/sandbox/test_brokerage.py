"""PaperBrokerage against the paper exchange as a process of its own."""

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
from sandbox.exchange.service import SANDBOX_KEY, SANDBOX_SECRET
from sandbox.settings import SandboxSettings
from tests.sandbox.test_servers import free_port
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import Credentials
from the_alchemiser.shared.broker.models import OrderRequest, OrderType
from the_alchemiser.shared.messaging.messages import Side

pytestmark = pytest.mark.enable_socket
ROOT = Path(sandbox.__file__).parent.parent
DAY = date(2022, 3, 16)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = lifecycle.exchange(SandboxSettings(ROOT, tmp_path_factory.mktemp("sandbox"), 1, free_port()))
    servers.start(server)
    yield server.url
    servers.stop(server)


@pytest.fixture
def exchange(url: str) -> Iterator[PaperBrokerage]:
    made = PaperBrokerage(url)
    yield made
    made.close()


def test_a_day_moves_the_clock_forward_trades_and_sees_its_own_orders_alone(url: str, exchange: PaperBrokerage) -> None:
    assert exchange.set_clock(DAY, Phase.EVENING_BEFORE)
    assert exchange.set_clock(DAY, Phase.BEFORE_CLOSE)
    assert not exchange.set_clock(DAY, Phase.EVENING_BEFORE)

    broker = Broker(url, url, lambda: Credentials(SANDBOX_KEY, SANDBOX_SECRET))
    broker.submit(OrderRequest("SPY", Side.BUY, Decimal(10), OrderType.MARKET, "an-order"))
    broker.close()

    state = exchange.state(DAY)
    assert [order.client_order_id for order in state.orders] == ["an-order"]
    assert state.account.cash + sum(held.market_value for held in state.positions) == state.account.equity
    assert exchange.state(date(2022, 3, 17)).orders == ()
    assert exchange.clock().phase is Phase.BEFORE_CLOSE


def test_history_tells_the_last_session(exchange: PaperBrokerage) -> None:
    assert exchange.history().last_session > DAY


def test_set_clock_to_what_is_no_session_is_refused(exchange: PaperBrokerage) -> None:
    with pytest.raises(ToolError, match="is not a session"):
        exchange.set_clock(date(2022, 3, 19), Phase.BEFORE_CLOSE)


@pytest.mark.parametrize("ask", ["history", "clock", "state", "set_clock"])
def test_an_exchange_that_is_down_is_one_paragraph_with_exit_code_5(ask: str) -> None:
    nobody = PaperBrokerage(f"http://127.0.0.1:{free_port()}")
    calls: dict[str, Callable[[], object]] = {
        "history": nobody.history,
        "clock": nobody.clock,
        "state": lambda: nobody.state(DAY),
        "set_clock": lambda: nobody.set_clock(DAY, Phase.BEFORE_CLOSE),
    }

    with pytest.raises(ToolError, match=r"inv sandbox\.up") as raised:
        calls[ask]()
    nobody.close()
    assert raised.value.exit_code == 5
    assert os.linesep not in str(raised.value)
