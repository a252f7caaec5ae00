"""metrics_v2: stores the holdings and gains of each strategy, a row per day, and publishes them as metrics."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from the_alchemiser.metrics_v2.performance_table import DynamoPerformanceStore
from the_alchemiser.metrics_v2.service import MODULE, Accountant
from the_alchemiser.shared import aws
from the_alchemiser.shared.broker.connect import broker_checks, broker_from_environment
from the_alchemiser.shared.gauges import CloudWatchGauges
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.market_data.corporate_actions import ACTIONS_PREFIX, read_actions
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.messaging.inbox import claims_table, serve
from the_alchemiser.shared.messaging.messages import RunCompleted
from the_alchemiser.shared.messaging.publisher import NoPublisher
from the_alchemiser.shared.messaging.wiring import Context, Inbox
from the_alchemiser.shared.threads import THREADS


@cache
def _inbox() -> Inbox:
    dynamodb = aws.client("dynamodb", connections=THREADS)
    ledger = DynamoLedger(dynamodb, os.environ["LEDGER_TABLE"])
    performance = DynamoPerformanceStore(dynamodb, os.environ["PERFORMANCE_TABLE"])
    broker = broker_from_environment(os.environ)
    lake = S3Objects(aws.client("s3"), os.environ["BUCKET_NAME"])
    accountant = Accountant(
        ledger,
        performance,
        CloudWatchGauges(aws.client("cloudwatch"), stage=os.environ["STAGE"]),
        actions=lambda: read_actions(lake),
        broker=broker,
        account=os.environ["BROKER_ACCOUNT"],
    )

    return Inbox(
        module=MODULE,
        handlers={RunCompleted: accountant.handle},
        publisher=NoPublisher(),
        claims=claims_table(os.environ["CLAIMS_TABLE"]),
        checks={
            "ledger table": ledger.check,
            "performance table": performance.check,
            "corporate actions in the bucket": lambda: lake.check(ACTIONS_PREFIX),
            **broker_checks(broker, os.environ),
        },
    )


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Store and publish the figures of a completed run."""
    return serve(event, context, build=_inbox)
