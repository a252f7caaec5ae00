"""SharedDataFunction: refreshes the lake every night, and fetches single symbols on request."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from the_alchemiser.data_v2.corporate_actions import ActionsRefresher
from the_alchemiser.data_v2.fetch_requests import DynamoFetchRequests
from the_alchemiser.data_v2.service import MODULE, Refresher
from the_alchemiser.shared import aws, wall_clock
from the_alchemiser.shared.broker.connect import broker_checks, broker_from_environment
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


@cache
def _inbox() -> Inbox:
    from urllib.parse import urlsplit  # noqa: PLC0415 - the SDK loads it anyway, after the import of the handler

    objects = S3Objects(aws.client("s3", connections=THREADS), os.environ["BUCKET_NAME"])
    broker = broker_from_environment(os.environ)
    bus = BusPublisher(aws.client("events"), os.environ["BUS_NAME"])
    requests = DynamoFetchRequests(aws.client("dynamodb"), os.environ["FETCH_REQUESTS_TABLE"], now=wall_clock.now)
    refresher = Refresher(
        market=broker,
        lake=Lake(objects),
        actions=ActionsRefresher(broker, objects),
        requests=requests,
        universe=_universe,
        stage=os.environ["STAGE"],
        source=urlsplit(os.environ["BROKER_DATA_URL"]).netloc,
        history_years=int(os.environ.get("HISTORY_YEARS", HISTORY_YEARS)),
    )

    return Inbox(
        module=MODULE,
        handlers={RefreshMarketData: refresher.refresh, MarketDataFetchRequested: refresher.fetch},
        publisher=bus,
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
    return serve(event, context, build=_inbox)
