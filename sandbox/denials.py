"""Find the IAM action that was denied in the text of an error. Pure."""

import re
from collections.abc import Mapping

_NAMED = re.compile(r"not authorized to perform: ([A-Za-z0-9-]+):([A-Za-z0-9]+)")
_CALLED = re.compile(
    r"\((?:AccessDenied\w*|AuthorizationError\w*|Unauthorized\w*|Forbidden|403)\) when calling the (\w+) operation"
)
# Needed where IAM has no action of the operation's name, or calls the service by another name than its endpoint does.
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
    """Return the denied action as a policy spells it, such as `dynamodb:PutItem`; None when the text reports no denial.

    The action that the error names wins. Without one (HeadObject's error has no body) the operation's name is used.
    """
    named = _NAMED.search(text)
    if named:
        service, action = named[1].lower(), named[2]
        return _BY_LOWER_CASE.get(f"{service}:{action.lower()}", f"{service}:{action}")
    called = _CALLED.search(text)
    return _ACTIONS.get(called[1], called[1]) if called else None
