"""DataQualityMonitorFunction: checks the lake after every refresh."""

import os
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from the_alchemiser.data_quality_monitor.second_source import TwelveData, read_key
from the_alchemiser.data_quality_monitor.service import MODULE, Monitor
from the_alchemiser.shared import aws
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.broker.connect import broker_checks, broker_from_environment
from the_alchemiser.shared.broker.transport import Connections, Timeouts
from the_alchemiser.shared.market_data.corporate_actions import ACTIONS_PREFIX
from the_alchemiser.shared.market_data.lake import PREFIX
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.market_data.verdict import QUALITY
from the_alchemiser.shared.messaging.commands import CheckDataQuality
from the_alchemiser.shared.messaging.inbox import claims_table, serve
from the_alchemiser.shared.messaging.messages import MarketDataRefreshed
from the_alchemiser.shared.messaging.publisher import BusPublisher
from the_alchemiser.shared.messaging.wiring import Context, Inbox
from the_alchemiser.shared.threads import THREADS

SECOND_SOURCE_TIMEOUTS = Timeouts(read_s=8.0)  # years of bars are a large answer


@cache
def _inbox() -> Inbox:
    broker = broker_from_environment(os.environ)
    lake = S3Objects(aws.client("s3", connections=THREADS), os.environ["BUCKET_NAME"])
    bus = BusPublisher(aws.client("events"), os.environ["BUS_NAME"])
    source_key = partial(read_key, os.environ["SECOND_SOURCE_SECRET"])
    monitor = Monitor(
        exchange=broker,
        objects=lake,
        universe=lambda: load_book().universe,
        stage=os.environ["STAGE"],
        # A connection per check: its time is that of one check, and a key that was replaced is read.
        second_source=partial(
            TwelveData,
            Connections(SECOND_SOURCE_TIMEOUTS),
            os.environ["SECOND_SOURCE_URL"],
            source_key,
            budget_s=float(os.environ["SECOND_SOURCE_BUDGET_S"]),
        ),
        sample=int(os.environ["SECOND_SOURCE_SAMPLE"]),
    )

    return Inbox(
        module=MODULE,
        handlers={MarketDataRefreshed: monitor.after_refresh, CheckDataQuality: monitor.on_command},
        publisher=bus,
        claims=claims_table(os.environ["CLAIMS_TABLE"]),
        checks={
            "book": lambda: load_book().universe,
            "bars in the bucket": lambda: lake.check(PREFIX),
            "corporate actions in the bucket": lambda: lake.check(ACTIONS_PREFIX),
            "verdicts in the bucket": lambda: lake.check(QUALITY),
            "bus": bus.check,
            "second source secret": source_key,
            **broker_checks(broker, os.environ),
        },
    )


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Check the lake and publish the verdict."""
    return serve(event, context, build=_inbox)
