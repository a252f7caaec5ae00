"""ExecutionFunction: the FIFO trade queue, one trade at a time."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from the_alchemiser.execution_v2.calls import Stopwatch
from the_alchemiser.execution_v2.checks import RunStates
from the_alchemiser.execution_v2.limits import limits_of
from the_alchemiser.execution_v2.order_sequence import OrderSequence
from the_alchemiser.execution_v2.orders import Timing
from the_alchemiser.execution_v2.service import MODULE, Executor
from the_alchemiser.shared import aws
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.connect import broker_checks, broker_from_environment
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.messaging.inbox import claims_table, serve
from the_alchemiser.shared.messaging.messages import TradeRequested
from the_alchemiser.shared.messaging.publisher import BusPublisher
from the_alchemiser.shared.messaging.wiring import Context, Inbox
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.run.kill_switch import KillSwitch


@cache
def _inbox() -> Inbox:
    bus = BusPublisher(aws.client("events"), os.environ["BUS_NAME"])
    broker = broker_from_environment(os.environ)
    switch = KillSwitch(aws.client("ssm"), os.environ["KILL_SWITCH_PARAMETER"])
    database = aws.client("dynamodb")
    ledger = DynamoLedger(database, os.environ["LEDGER_TABLE"])
    runs = DynamoRunStore(database, os.environ["RUNS_TABLE"])
    executor = Executor(_order_sequence(broker, runs, switch), ledger)
    return Inbox(
        module=MODULE,
        handlers={TradeRequested: executor.handle},
        publisher=bus,
        claims=claims_table(os.environ["CLAIMS_TABLE"]),
        give_up=executor.give_up,
        checks={
            "runs table": lambda: runs.state_of("health-check"),
            "ledger table": ledger.check,
            "bus": bus.check,
            "kill switch": switch.check,
            **broker_checks(broker, os.environ),
        },
    )


def _order_sequence(broker: Broker, runs: RunStates, switch: KillSwitch) -> OrderSequence:
    return OrderSequence(
        broker=broker,
        runs=runs,
        switch=switch,
        limits=limits_of(
            notional=os.environ.get("ORDER_NOTIONAL_LIMIT", ""),
            price_distance=os.environ.get("PRICE_DISTANCE_LIMIT", ""),
            universe=os.environ.get("ALLOWED_SYMBOLS", ""),
            spread=os.environ.get("SPREAD_LIMIT", ""),
        ),
        timing=Timing.within(float(os.environ.get("TRADE_WORK_S", "60"))),
        watch=Stopwatch(),
    )


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Execute one trade."""
    return serve(event, context, build=_inbox)
