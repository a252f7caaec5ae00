"""notifications_v2: tells people by mail and SNS of ended and refused runs, differing books, and unfit data."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from the_alchemiser.notifications_v2.background import BackgroundReader
from the_alchemiser.notifications_v2.channels import DynamoDeliveries, SesMail, SnsTopic
from the_alchemiser.notifications_v2.figures_of_run import Patience
from the_alchemiser.notifications_v2.service import MODULE, Notifier
from the_alchemiser.shared import aws, wall_clock
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.market_data.verdict import QUALITY
from the_alchemiser.shared.messaging.inbox import claims_table, serve
from the_alchemiser.shared.messaging.messages import (
    BooksDiffer,
    DataQualityChecked,
    RunCompleted,
    RunFailed,
    RunRefused,
    RunSettled,
)
from the_alchemiser.shared.messaging.publisher import NoPublisher
from the_alchemiser.shared.messaging.wiring import Context, Inbox
from the_alchemiser.shared.performance.table import DynamoPerformances
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore
from the_alchemiser.shared.threads import THREADS

DECISIONS = "decisions/v1"
"""Below it, strategy_v2 stores the decision paths."""
READ_S = 2
NOBODY = "health-check"
"""A strategy that does not exist."""


@cache
def _inbox() -> Inbox:
    claims = os.environ["CLAIMS_TABLE"]
    recipients = tuple(address.strip() for address in os.environ["MAIL_TO"].split(","))
    # The SDK sends a call again when it gets no answer, and each of these calls is a notice. So only the service
    # decides how often to send.
    mail = SesMail(aws.client("sesv2", attempts=1), sender=os.environ["MAIL_FROM"], recipients=recipients)
    topic = SnsTopic(aws.client("sns", attempts=1), os.environ["TOPIC_ARN"])
    deliveries = DynamoDeliveries(aws.client("dynamodb"), claims)
    # A mail does not wait for a store that does not answer: one attempt, and a short one.
    tables = aws.client("dynamodb", connections=THREADS, attempts=1, read_s=READ_S)
    runs = DynamoRunStore(tables, os.environ["RUNS_TABLE"])
    performances = DynamoPerformances(tables, os.environ["PERFORMANCE_TABLE"])
    lake = S3Objects(aws.client("s3", connections=THREADS, attempts=1, read_s=READ_S), os.environ["BUCKET_NAME"])
    patience = Patience(float(os.environ["FIGURES_WAIT_S"]), wall_clock.monotonic, wall_clock.sleep)
    reader = BackgroundReader(os.environ["STAGE"], runs, lake, performances, patience)
    notifier = Notifier(os.environ["STAGE"], (mail, topic), deliveries, reader.read)
    news = (RunCompleted, RunFailed, RunRefused, RunSettled, BooksDiffer, DataQualityChecked)

    return Inbox(
        module=MODULE,
        handlers=dict.fromkeys(news, notifier.handle),
        publisher=NoPublisher(),
        claims=claims_table(claims),
        checks={
            "runs table": runs.check,
            "performance table": lambda: performances.latest(NOBODY),
            "decisions in the bucket": lambda: lake.check(DECISIONS),
            "quality verdict in the bucket": lambda: lake.check(QUALITY),
        },
    )


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Notify people about a run or about market data."""
    return serve(event, context, build=_inbox)
