"""TradeAggregatorFunction: the inbox of plans and of trades' outcomes; the only sender to the trade queue."""

import os
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from the_alchemiser.shared import aws, wall_clock
from the_alchemiser.shared.broker.connect import broker_checks, broker_from_environment
from the_alchemiser.shared.messaging.inbox import claims_table, serve
from the_alchemiser.shared.messaging.messages import RebalancePlanned, TradeExecuted, TradeFailed
from the_alchemiser.shared.messaging.publisher import BusPublisher, RoutingPublisher, TradeQueue
from the_alchemiser.shared.messaging.wiring import Context, Inbox
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.trade_aggregator.release import DayLimits
from the_alchemiser.trade_aggregator.service import MODULE, TradeAggregator
from the_alchemiser.trade_aggregator.time_needed import Pace


@cache
def _inbox() -> Inbox:
    runs = DynamoRunStore(aws.client("dynamodb"), os.environ["RUNS_TABLE"])
    broker = broker_from_environment(os.environ)
    bus = BusPublisher(aws.client("events"), os.environ["BUS_NAME"])
    trades = TradeQueue(aws.client("sqs"), os.environ["TRADE_QUEUE_URL"])
    aggregator = TradeAggregator(
        runs=runs,
        broker=broker,
        limits=_limits(),
        pace=Pace(float(os.environ.get("TRADE_WORK_S", "60"))),
        now=wall_clock.now,
        account=os.environ["BROKER_ACCOUNT"],
    )
    return Inbox(
        module=MODULE,
        handlers={
            RebalancePlanned: aggregator.handle_plan,
            TradeExecuted: aggregator.handle_outcome,
            TradeFailed: aggregator.handle_outcome,
        },
        publisher=RoutingPublisher(bus, trades),
        claims=claims_table(os.environ["CLAIMS_TABLE"]),
        checks={
            "runs table": runs.check,
            "trade queue": trades.check,
            "bus": bus.check,
            **broker_checks(broker, os.environ),
        },
    )


def _limits() -> DayLimits:
    notional = os.environ.get("DAY_NOTIONAL_LIMIT", "")
    trades = os.environ.get("DAY_TRADE_LIMIT", "")
    return DayLimits(Decimal(notional) if notional else None, int(trades) if trades else None)


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Advance the run as far as possible."""
    return serve(event, context, build=_inbox)
