"""StrategyAggregatorFunction: the inbox of the strategies' answers."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from the_alchemiser.aggregator_v2.service import MODULE, Aggregator
from the_alchemiser.shared import aws
from the_alchemiser.shared.messaging.inbox import claims_table, serve
from the_alchemiser.shared.messaging.messages import StrategyEvaluated, StrategyFailed
from the_alchemiser.shared.messaging.publisher import BusPublisher
from the_alchemiser.shared.messaging.wiring import Context, Inbox
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore


@cache
def _inbox() -> Inbox:
    runs = DynamoRunStore(aws.client("dynamodb"), os.environ["RUNS_TABLE"])
    bus = BusPublisher(aws.client("events"), os.environ["BUS_NAME"])
    aggregator = Aggregator(runs, now=lambda: datetime.now(UTC))
    return Inbox(
        module=MODULE,
        handlers={StrategyEvaluated: aggregator.handle, StrategyFailed: aggregator.handle},
        publisher=bus,
        claims=claims_table(os.environ["CLAIMS_TABLE"]),
        checks={"runs table": runs.check, "bus": bus.check},
    )


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Merge the answers once all of them are in."""
    return serve(event, context, build=_inbox)
