"""notifications_v2: tells people by mail and SNS of ended and refused runs, differing books, and unfit data."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from the_alchemiser.notifications_v2.channels import DynamoDeliveries, SesMail, SnsTopic
from the_alchemiser.notifications_v2.service import MODULE, Notifier
from the_alchemiser.shared import aws
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


@cache
def _inbox() -> Inbox:
    claims = os.environ["CLAIMS_TABLE"]
    recipients = tuple(address.strip() for address in os.environ["MAIL_TO"].split(","))
    # The SDK sends a call again when it gets no answer, and each of these calls is a notice. So only the service
    # decides how often to send.
    mail = SesMail(aws.client("sesv2", attempts=1), sender=os.environ["MAIL_FROM"], recipients=recipients)
    topic = SnsTopic(aws.client("sns", attempts=1), os.environ["TOPIC_ARN"])
    deliveries = DynamoDeliveries(aws.client("dynamodb"), claims)
    notifier = Notifier(os.environ["STAGE"], (mail, topic), deliveries)
    news = (RunCompleted, RunFailed, RunRefused, RunSettled, BooksDiffer, DataQualityChecked)

    return Inbox(
        module=MODULE,
        handlers=dict.fromkeys(news, notifier.handle),
        publisher=NoPublisher(),
        claims=claims_table(claims),
    )


def lambda_handler(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Notify people about a run or about market data."""
    return serve(event, context, build=_inbox)
