"""SharedDataFunction: refreshes the lake every night, and fetches single symbols on request."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from the_alchemiser.data_v2.corporate_actions import ActionsRefresher
from the_alchemiser.data_v2.fetch_requests import DynamoFetchRequests
from the_alchemiser.data_v2.progress import DynamoProgress, Invocation
from the_alchemiser.data_v2.service import MODULE, Refresher
from the_alchemiser.shared import aws, wall_clock
from the_alchemiser.shared.broker.connect import broker_checks, broker_from_environment
from the_alchemiser.shared.broker.rate_limit import Pacing
from the_alchemiser.shared.market_data.corporate_actions import ACTIONS_PREFIX
from the_alchemiser.shared.market_data.lake import PREFIX, Lake
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.messaging.commands import RefreshMarketData
from the_alchemiser.shared.messaging.inbox import claims_table, serve
from the_alchemiser.shared.messaging.messages import MarketDataFetchRequested
from the_alchemiser.shared.messaging.publisher import BusPublisher
from the_alchemiser.shared.messaging.wiring import Context, Inbox
from the_alchemiser.shared.threads import THREADS

HISTORY_YEARS = "6"  # at least 5: recursive indicators depend on all earlier prices
# A longer wait would not fit between two looks at the time that is left; the message returns to its queue instead.
PACING = Pacing(longest_wait_s=8.0)


@cache
def _invocation() -> Invocation:
    return Invocation()


@cache
def _inbox() -> Inbox:
    from urllib.parse import urlsplit  # noqa: PLC0415 - the SDK loads it anyway, after the import of the handler

    objects = S3Objects(aws.client("s3", connections=THREADS), os.environ["BUCKET_NAME"])
    broker = broker_from_environment(os.environ, pacing=PACING)
    bus = BusPublisher(aws.client("events"), os.environ["BUS_NAME"])
    dynamodb, table = aws.client("dynamodb"), os.environ["FETCH_REQUESTS_TABLE"]
    requests = DynamoFetchRequests(dynamodb, table, now=wall_clock.now)
    refresher = Refresher(
        market=broker,
        lake=Lake(objects),
        actions=ActionsRefresher(broker, objects),
        requests=requests,
        progress=DynamoProgress(dynamodb, table, now=wall_clock.now),
        universe=_universe,
        stage=os.environ["STAGE"],
        source=urlsplit(os.environ["BROKER_DATA_URL"]).netloc,
        history_years=int(os.environ.get("HISTORY_YEARS", HISTORY_YEARS)),
        invocation=_invocation(),
    )

    return Inbox(
        module=MODULE,
        handlers={RefreshMarketData: refresher.refresh, MarketDataFetchRequested: refresher.fetch},
        publisher=bus,
        give_up=refresher.give_up,
        claims=claims_table(os.environ["CLAIMS_TABLE"]),
        checks={
            "book": _universe,
            "bars in the bucket": lambda: objects.check(PREFIX),
            "corporate actions in the bucket": lambda: objects.check(ACTIONS_PREFIX),
            "fetch requests table": requests.check,
            "bus": bus.check,
            **broker_checks(broker, os.environ),
        },
    )


def _universe() -> frozenset[str]:
    """Return the symbols of the book. Fetches of single symbols never load it."""
    from the_alchemiser.shared.book import load_book  # noqa: PLC0415 - only refreshes need it

    return load_book().universe


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Refresh the lake and publish what changed."""
    _invocation().start(event, context)
    return serve(event, context, build=_inbox)
