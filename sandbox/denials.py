"""Which IAM action was refused, read off the text of an error. Pure."""

import re
from collections.abc import Mapping

_NAMED = re.compile(r"not authorized to perform: ([A-Za-z0-9-]+):([A-Za-z0-9]+)")
_CALLED = re.compile(
    r"\((?:AccessDenied\w*|AuthorizationError\w*|Unauthorized\w*|Forbidden|403)\) when calling the (\w+) operation"
)
# Some operations have no action of their own, and some services have another name in IAM than at their endpoint.
_ACTIONS: Mapping[str, str] = {
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "HeadBucket": "s3:ListBucket",
    "ListObjects": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "GetItem": "dynamodb:GetItem",
    "PutItem": "dynamodb:PutItem",
    "UpdateItem": "dynamodb:UpdateItem",
    "DeleteItem": "dynamodb:DeleteItem",
    "Query": "dynamodb:Query",
    "Scan": "dynamodb:Scan",
    "BatchGetItem": "dynamodb:BatchGetItem",
    "BatchWriteItem": "dynamodb:BatchWriteItem",
    "TransactGetItems": "dynamodb:GetItem",
    "TransactWriteItems": "dynamodb:PutItem, UpdateItem, DeleteItem or ConditionCheckItem",
    "PutEvents": "events:PutEvents",
    "SendMessage": "sqs:SendMessage",
    "SendMessageBatch": "sqs:SendMessage",
    "SendEmail": "ses:SendEmail",
    "Publish": "sns:Publish",
    "GetParameter": "ssm:GetParameter",
    "GetSecretValue": "secretsmanager:GetSecretValue",
    "PutMetricData": "cloudwatch:PutMetricData",
}
_BY_LOWER_CASE = {action.lower(): action for action in _ACTIONS.values()}


def denied_action(text: str) -> str | None:
    """The action, as a policy spells it: `dynamodb:PutItem`; None when the text tells of no refusal.

    The refusal's own words win; the name of the operation stands in where the answer had no body (HeadObject).
    """
    named = _NAMED.search(text)
    if named:
        service, action = named[1].lower(), named[2]
        return _BY_LOWER_CASE.get(f"{service}:{action.lower()}", f"{service}:{action}")
    called = _CALLED.search(text)
    return _ACTIONS.get(called[1], called[1]) if called else None
