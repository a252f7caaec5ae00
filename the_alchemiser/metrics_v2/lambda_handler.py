"""metrics_v2: what each strategy owns and has gained, kept a row a day and shown as gauges."""

import os
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from the_alchemiser.metrics_v2.gauges import CloudWatchGauges
from the_alchemiser.metrics_v2.service import MODULE, Accountant
from the_alchemiser.metrics_v2.table import DynamoPerformances
from the_alchemiser.shared import aws
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.messaging.inbox import Inbox, claims_table, serve
from the_alchemiser.shared.messaging.messages import RunCompleted
from the_alchemiser.shared.messaging.publisher import NoPublisher

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@cache
def _inbox() -> Inbox:
    dynamodb = aws.client("dynamodb")
    accountant = Accountant(
        DynamoLedger(dynamodb, os.environ["LEDGER_TABLE"]),
        DynamoPerformances(dynamodb, os.environ["PERFORMANCE_TABLE"]),
        CloudWatchGauges(aws.client("cloudwatch"), stage=os.environ["STAGE"]),
    )
    return Inbox(
        module=MODULE,
        handles={RunCompleted: accountant.handle},
        publisher=NoPublisher(),
        claims=claims_table(os.environ["CLAIMS_TABLE"]),
    )


def lambda_handler(event: Mapping[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """The function's entry; see shared/inbox.py for what an event is."""
    return serve(event, context, build=_inbox)
