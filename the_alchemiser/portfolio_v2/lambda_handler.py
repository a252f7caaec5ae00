"""PortfolioFunction: the inbox of merged signals."""

import os
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from the_alchemiser.portfolio_v2.planning import Sources
from the_alchemiser.portfolio_v2.rebalance import Rules
from the_alchemiser.portfolio_v2.service import MODULE, Planner
from the_alchemiser.shared import aws, wall_clock
from the_alchemiser.shared.broker.connect import broker_checks, broker_from_environment
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.market_data.corporate_actions import ACTIONS_PREFIX, read_actions
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.messaging.inbox import claims_table, serve
from the_alchemiser.shared.messaging.messages import SignalGenerated
from the_alchemiser.shared.messaging.publisher import BusPublisher
from the_alchemiser.shared.messaging.wiring import Context, Inbox
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.threads import THREADS


@cache
def _inbox() -> Inbox:
    dynamodb = aws.client("dynamodb", connections=THREADS)
    runs = DynamoRunStore(dynamodb, os.environ["RUNS_TABLE"])
    ledger = DynamoLedger(dynamodb, os.environ["LEDGER_TABLE"])
    broker = broker_from_environment(os.environ)
    bus = BusPublisher(aws.client("events"), os.environ["BUS_NAME"])
    lake = S3Objects(aws.client("s3"), os.environ["BUCKET_NAME"])
    planner = Planner(
        runs=runs,
        sources=Sources(broker, ledger, lambda: read_actions(lake), os.environ["BROKER_ACCOUNT"]),
        rules=Rules(deployment_fraction=Decimal(os.environ["DEPLOYMENT_FRACTION"])),
        now=wall_clock.now,
    )
    return Inbox(
        module=MODULE,
        handlers={SignalGenerated: planner.handle},
        publisher=bus,
        claims=claims_table(os.environ["CLAIMS_TABLE"]),
        give_up=planner.give_up,
        checks={
            "runs table": runs.check,
            "ledger table": ledger.check,
            "corporate actions in the bucket": lambda: lake.check(ACTIONS_PREFIX),
            "bus": bus.check,
            **broker_checks(broker, os.environ),
        },
    )


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Plan the rebalance."""
    return serve(event, context, build=_inbox)
