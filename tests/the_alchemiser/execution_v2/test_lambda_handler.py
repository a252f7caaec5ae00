"""The wiring of ExecutionFunction, and one trade through its lambda_handler."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.the_alchemiser.aws_wire import AwsWire
from tests.the_alchemiser.examples import sqs_record
from tests.the_alchemiser.fakes import Context
from tests.the_alchemiser.paper import Paper
from tests.the_alchemiser.test_health import ENVIRONMENT, forget_wirings
from the_alchemiser.execution_v2 import lambda_handler as module
from the_alchemiser.execution_v2.calls import Stopwatch
from the_alchemiser.execution_v2.limits import Limits
from the_alchemiser.execution_v2.order_sequence import OrderSequence
from the_alchemiser.execution_v2.orders import Timing
from the_alchemiser.execution_v2.service import Executor
from the_alchemiser.shared.broker.credentials import broker_credentials
from the_alchemiser.shared.messaging.messages import TradeFailed, TradeRequested
from the_alchemiser.shared.values import Side

TRADE = TradeRequested(
    message_id="local-2023-11-22/TradeRequested/local-2023-11-22-BUY-SPY",
    run_id="local-2023-11-22",
    occurred_at=datetime(2023, 11, 22, 20, 45, tzinfo=UTC),
    trade_id="local-2023-11-22-BUY-SPY",
    symbol="SPY",
    side=Side.BUY,
    quantity=Decimal(5),
    planning_price=Decimal(455),
    last_close=Decimal(455),
    deltas={"trend": Decimal(5)},
)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsWire]:
    urls = dict.fromkeys(("BROKER_TRADING_URL", "BROKER_DATA_URL"), "http://127.0.0.1:9")
    for name, value in (ENVIRONMENT | urls).items():
        monkeypatch.setenv(name, value)
    wire = AwsWire()
    wire.install(monkeypatch)
    forget()
    yield wire
    forget()


def forget() -> None:
    broker_credentials.cache_clear()
    forget_wirings()


def wired() -> OrderSequence:
    executor = module._inbox().handlers[TradeRequested].__self__  # type: ignore[attr-defined]  # a bound method
    assert isinstance(executor, Executor)
    return executor.orders


@pytest.mark.usefixtures("wire")
def test_order_sequence_by_default_has_the_defaults() -> None:
    orders = wired()

    assert orders.limits == Limits()
    assert orders.timing == Timing.within(60.0)
    assert orders.watch == Stopwatch()


@pytest.mark.usefixtures("wire")
def test_order_sequence_is_configured_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {
        "ORDER_NOTIONAL_LIMIT": "25000",
        "PRICE_DISTANCE_LIMIT": "0.25",
        "ALLOWED_SYMBOLS": "SPY,QQQ",
        "SPREAD_LIMIT": "0.02",
        "TRADE_WORK_S": "25",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    orders = wired()

    assert orders.limits == Limits(Decimal(25000), Decimal("0.25"), frozenset({"SPY", "QQQ"}), Decimal("0.02"))
    assert orders.timing == Timing.within(25.0)


@pytest.mark.enable_socket
def test_trade_of_an_unknown_run_is_published_as_failed(
    wire: AwsWire, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads the run, the broker's orders, and nothing else."""
    monkeypatch.setenv("BROKER_TRADING_URL", paper.url)
    wire.answers |= {
        "dynamodb:PutItem": {},
        "dynamodb:UpdateItem": {},
        "events:PutEvents": {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]},
    }

    answer = module.lambda_handler({"Records": [sqs_record(TRADE)]}, Context())

    assert answer == {"batchItemFailures": []}
    read, published = (
        next(body for operation, body in zip(wire.operations, wire.bodies, strict=True) if operation == wanted)
        for wanted in ("dynamodb:GetItem", "events:PutEvents")
    )
    assert read["Key"] == {"pk": {"S": "RUN#local-2023-11-22"}, "sk": {"S": "META"}}
    assert read["ConsistentRead"]
    (entry,) = published["Entries"]
    failed = TradeFailed.read_json(entry["Detail"])
    assert (failed.trade_id, failed.reason) == (TRADE.trade_id, "run_ended")
    assert "ssm:GetParameter" not in wire.operations
    assert paper.control.state().orders == 0
