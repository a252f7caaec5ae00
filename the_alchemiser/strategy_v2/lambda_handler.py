"""The Lambda handler of StrategyFunction: it evaluates one strategy per message."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from the_alchemiser.shared import aws
from the_alchemiser.shared.book import load_book
from the_alchemiser.shared.market_data.lake import PREFIX
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.market_data.verdict import QUALITY
from the_alchemiser.shared.messaging.inbox import claims_table, serve
from the_alchemiser.shared.messaging.messages import StrategyRequested
from the_alchemiser.shared.messaging.publisher import BusPublisher
from the_alchemiser.shared.messaging.wiring import Context, Inbox
from the_alchemiser.shared.threads import THREADS
from the_alchemiser.strategy_v2.service import MODULE, Evaluator
from the_alchemiser.strategy_v2.strategy_decision import decide_strategy


@cache
def _inbox() -> Inbox:
    objects = S3Objects(aws.client("s3", connections=THREADS), os.environ["BUCKET_NAME"])
    bus = BusPublisher(aws.client("events"), os.environ["BUS_NAME"])
    evaluator = Evaluator(book=load_book, objects=objects, decide=decide_strategy)
    return Inbox(
        module=MODULE,
        handlers={StrategyRequested: evaluator.handle},
        publisher=bus,
        claims=claims_table(os.environ["CLAIMS_TABLE"]),
        give_up=evaluator.give_up,
        checks={
            "book": lambda: load_book().universe,
            "bars in the bucket": lambda: objects.check(PREFIX),
            "verdicts in the bucket": lambda: objects.check(QUALITY),
            "bus": bus.check,
        },
    )


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Evaluate the requested strategies; every request is answered with its weights or with a failure message."""
    return serve(event, context, build=_inbox)
