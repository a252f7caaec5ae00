import pytest

from sandbox.denials import denied_action

_USER = "User: arn:aws:sts::000000000000:assumed-role/role/function"


@pytest.mark.parametrize(
    ("text", "action"),
    [
        (f"PutItem operation: {_USER} is not authorized to perform: dynamodb:PutItem because", "dynamodb:PutItem"),
        (f"{_USER} is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:r:1:q", "sqs:SendMessage"),
        (f"{_USER} is not authorized to perform: SNS:Publish on resource: arn:aws:sns:r:1:t", "sns:Publish"),
        (f"{_USER} is not authorized to perform: ses:SendEmail on resource *", "ses:SendEmail"),
        (f"{_USER} is not authorized to perform: kms:Decrypt because", "kms:Decrypt"),
        ("An error occurred (403) when calling the HeadObject operation: Forbidden", "s3:GetObject"),
        ("An error occurred (AccessDenied) when calling the GetObject operation: Access Denied", "s3:GetObject"),
        ("An error occurred (AccessDenied) when calling the ListObjectsV2 operation: Access Denied", "s3:ListBucket"),
        ("An error occurred (AccessDeniedException) when calling the SendEmail operation: no", "ses:SendEmail"),
        ("An error occurred (AuthorizationError) when calling the Publish operation: no", "sns:Publish"),
        ("An error occurred (AccessDeniedException) when calling the Unheard operation: no", "Unheard"),
    ],
)  # fmt: skip
def test_denied_action_of_a_denial_is_the_policy_action(text: str, action: str) -> None:
    assert denied_action(text) == action


@pytest.mark.parametrize(
    "text",
    [
        "",
        "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist.",
        "An error occurred (ConditionalCheckFailedException) when calling the PutItem operation: no",
    ],
)
def test_denied_action_of_another_error_is_none(text: str) -> None:
    assert denied_action(text) is None
