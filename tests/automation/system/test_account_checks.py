"""The questions to an account, against answers that botocore's Stubber compares with AWS's service models."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from automation.deploying.checks import physical_names
from automation.system import account_checks, aws
from automation.system.account_checks import Account
from automation.system.accounts import (
    CallError,
    DeployedStack,
    Identity,
    LambdaLimits,
    Problem,
    SecretState,
    Subscribers,
)
from automation.system.errors import ConfigurationError
from automation.system.stacks import StackResource, StackState
from automation.system.targets import Target

TARGET = Target("eu-west-1", key_id="stubbed", secret="stubbed")
ACCOUNT = Account(TARGET)
DATE = {"HTTPHeaders": {"date": "Wed, 04 Mar 2026 05:06:07 GMT"}, "HTTPStatusCode": 200}
SETTINGS = {
    "AccountLimit": {"TotalCodeSize": 100, "ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900},
    "AccountUsage": {"TotalCodeSize": 7, "FunctionCount": 2},
}


class Stubs:
    """Composed answers, one stubbed client per service; a call without an answer fails."""

    def __init__(self) -> None:
        self._stubs: dict[str, Stubber] = {}

    def of(self, service: str) -> Stubber:
        if service not in self._stubs:
            self._stubs[service] = Stubber(aws.client(service, TARGET))
            self._stubs[service].activate()
        return self._stubs[service]

    def answer(self, service: str, operation: str, answer: Mapping[str, Any], **expected: Any) -> None:
        self.of(service).add_response(operation, dict(answer), expected)

    def fail(self, service: str, operation: str, code: str, message: str = "", **metadata: Any) -> None:
        self.of(service).add_client_error(operation, code, message, response_meta=metadata)

    def close(self) -> None:
        for stub in self._stubs.values():
            stub.assert_no_pending_responses()
            stub.deactivate()


@pytest.fixture
def stubs() -> Iterator[Stubs]:
    stubs = Stubs()
    yield stubs
    stubs.close()


def test_regions_need_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")

    regions = ACCOUNT.regions()

    assert {"us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"} <= regions
    assert "us-esat-1" not in regions


def test_identity_has_the_time_of_the_answer(stubs: Stubs) -> None:
    answer = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:root", "ResponseMetadata": DATE}
    stubs.answer("sts", "get_caller_identity", answer)

    assert ACCOUNT.identity() == Identity(
        "123456789012", "arn:aws:iam::123456789012:root", datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
    )


def test_stack_reads_values_and_resources_of_all_pages(stubs: Stubs) -> None:
    described = {
        "StackName": "shop",
        "StackId": "arn:shop",
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": "UPDATE_COMPLETE",
        "Outputs": [{"OutputKey": "Url", "OutputValue": "https://a"}],
        "Parameters": [{"ParameterKey": "Colour", "ParameterValue": "red"}, {"ParameterKey": "Pin"}],
        "DriftInformation": {"StackDriftStatus": "DRIFTED"},
    }
    stubs.answer("cloudformation", "describe_stacks", {"Stacks": [described]}, StackName="shop")
    pages = [[summary("A"), summary("B", "DELETE_COMPLETE")], [summary("C", physical_id=None), summary("D")]]
    stubs.answer(
        "cloudformation",
        "list_stack_resources",
        {"StackResourceSummaries": pages[0], "NextToken": "2"},
        StackName="shop",
    )
    stubs.answer(
        "cloudformation",
        "list_stack_resources",
        {"StackResourceSummaries": pages[1]},
        StackName="shop",
        NextToken="2",
    )

    assert ACCOUNT.stack("shop") == DeployedStack(
        StackState("shop", "UPDATE_COMPLETE", "arn:shop"),
        outputs={"Url": "https://a"},
        parameters={"Colour": "red", "Pin": ""},
        drift="DRIFTED",
        resources=tuple(
            StackResource(logical_id, physical_id, "AWS::SQS::Queue")
            for logical_id, physical_id in (("A", "physical-A"), ("C", ""), ("D", "physical-D"))
        ),
    )


def summary(logical_id: str, status: str = "CREATE_COMPLETE", physical_id: str | None = "") -> dict[str, Any]:
    entry = {
        "LogicalResourceId": logical_id,
        "ResourceType": "AWS::SQS::Queue",
        "LastUpdatedTimestamp": datetime(2026, 1, 1, tzinfo=UTC),
        "ResourceStatus": status,
    }
    return entry if physical_id is None else {**entry, "PhysicalResourceId": f"physical-{logical_id}"}


def test_stack_without_values_has_none(stubs: Stubs) -> None:
    described = {
        "StackName": "shop",
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": "REVIEW_IN_PROGRESS",
    }
    stubs.answer("cloudformation", "describe_stacks", {"Stacks": [described]}, StackName="shop")
    stubs.answer("cloudformation", "list_stack_resources", {"StackResourceSummaries": []}, StackName="shop")

    assert ACCOUNT.stack("shop") == DeployedStack(StackState("shop", "REVIEW_IN_PROGRESS"))


def test_stack_that_does_not_exist_has_no_status(stubs: Stubs) -> None:
    stubs.fail("cloudformation", "describe_stacks", "ValidationError", "Stack with id shop does not exist")

    assert ACCOUNT.stack("shop") == DeployedStack(StackState("shop"))


def test_stack_that_may_not_be_read_raises(stubs: Stubs) -> None:
    stubs.fail("cloudformation", "describe_stacks", "AccessDenied", "not authorized")

    with pytest.raises(CallError, match="not authorized") as caught:
        ACCOUNT.stack("shop")

    assert caught.value.problem is Problem.DENIED


def test_lambda_limits_and_reservations(stubs: Stubs) -> None:
    stubs.answer("lambda", "get_account_settings", SETTINGS)
    stubs.answer("lambda", "get_function_concurrency", {"ReservedConcurrentExecutions": 5}, FunctionName="a")
    stubs.answer("lambda", "get_function_concurrency", {}, FunctionName="b")

    limits = ACCOUNT.lambda_limits()

    assert limits == LambdaLimits(code_bytes=100, used_code_bytes=7, concurrency=1000, unreserved_concurrency=900)
    assert (ACCOUNT.reserved_concurrency("a"), ACCOUNT.reserved_concurrency("b")) == (5, 0)


def test_lookups_cover_every_kind_of_name() -> None:
    assert set(account_checks.LOOKUPS) == {kind.type for kind in physical_names.KINDS.values()}


@pytest.mark.parametrize(
    ("resource_type", "operation", "argument", "answer", "code"),
    [
        ("AWS::DynamoDB::Table", "describe_table", "TableName", {"Table": {}}, "ResourceNotFoundException"),
        ("AWS::Events::EventBus", "describe_event_bus", "Name", {}, "ResourceNotFoundException"),
        ("AWS::IAM::Role", "get_role", "RoleName", None, "NoSuchEntity"),
        ("AWS::Lambda::Function", "get_function_configuration", "FunctionName", {}, "ResourceNotFoundException"),
        ("AWS::S3::Bucket", "head_bucket", "Bucket", {}, "404"),
        ("AWS::SQS::Queue", "get_queue_url", "QueueName", {}, "AWS.SimpleQueueService.NonExistentQueue"),
        ("AWS::SecretsManager::Secret", "describe_secret", "SecretId", {}, "ResourceNotFoundException"),
    ],
)
def test_exists_by_a_call_that_fails_without_the_resource(
    stubs: Stubs, resource_type: str, operation: str, argument: str, answer: dict[str, Any] | None, code: str
) -> None:
    service = account_checks.LOOKUPS[resource_type][0]
    role = {"Path": "/", "RoleName": "name", "RoleId": "A" * 16, "Arn": "arn:aws:iam::123456789012:role/name"}
    role_answer = {"Role": {**role, "CreateDate": datetime(2026, 1, 1, tzinfo=UTC)}}
    stubs.answer(service, operation, role_answer if answer is None else answer, **{argument: "name"})
    stubs.fail(service, operation, code)
    stubs.fail(service, operation, "ThrottlingException")

    assert ACCOUNT.exists(resource_type, "name")
    assert not ACCOUNT.exists(resource_type, "name")
    with pytest.raises(CallError, match="ThrottlingException"):
        ACCOUNT.exists(resource_type, "name")


def test_exists_parameter_is_asked_without_its_value(stubs: Stubs) -> None:
    wanted = [{"Key": "Name", "Option": "Equals", "Values": ["/shop"]}]
    for parameters in ([{"Name": "/shop"}], []):
        stubs.answer("ssm", "describe_parameters", {"Parameters": parameters}, ParameterFilters=wanted)

    assert ACCOUNT.exists("AWS::SSM::Parameter", "/shop")
    assert not ACCOUNT.exists("AWS::SSM::Parameter", "/shop")


def test_exists_log_group_needs_the_whole_name(stubs: Stubs) -> None:
    for names in (["/shop-2", "/shop"], ["/shop-2"]):
        groups = {"logGroups": [{"logGroupName": name} for name in names]}
        stubs.answer("logs", "describe_log_groups", groups, logGroupNamePrefix="/shop")

    assert ACCOUNT.exists("AWS::Logs::LogGroup", "/shop")
    assert not ACCOUNT.exists("AWS::Logs::LogGroup", "/shop")


def test_exists_alarm(stubs: Stubs) -> None:
    for alarms in ([{"AlarmName": "late"}], []):
        stubs.answer("cloudwatch", "describe_alarms", {"MetricAlarms": alarms}, AlarmNames=["late"])

    assert ACCOUNT.exists("AWS::CloudWatch::Alarm", "late")
    assert not ACCOUNT.exists("AWS::CloudWatch::Alarm", "late")


def test_exists_bucket_of_another_account(stubs: Stubs) -> None:
    stubs.fail("s3", "head_bucket", "403")

    assert ACCOUNT.exists("AWS::S3::Bucket", "taken")


def test_exists_denied_elsewhere_is_an_error(stubs: Stubs) -> None:
    stubs.fail("dynamodb", "describe_table", "AccessDeniedException")

    with pytest.raises(CallError):
        ACCOUNT.exists("AWS::DynamoDB::Table", "till")


def test_secret_states(stubs: Stubs) -> None:
    stubs.answer("secretsmanager", "describe_secret", {"Name": "/shop"}, SecretId="/shop")
    stubs.answer(
        "secretsmanager", "describe_secret", {"DeletedDate": datetime(2026, 1, 1, tzinfo=UTC)}, SecretId="/shop"
    )
    stubs.fail("secretsmanager", "describe_secret", "ResourceNotFoundException")
    stubs.fail("secretsmanager", "describe_secret", "AccessDeniedException")

    assert [ACCOUNT.secret("/shop") for _ in range(3)] == [
        SecretState.PRESENT,
        SecretState.DELETED,
        SecretState.MISSING,
    ]
    with pytest.raises(CallError):
        ACCOUNT.secret("/shop")


def test_subscribers_counts(stubs: Stubs) -> None:
    attributes = {"SubscriptionsConfirmed": "2", "SubscriptionsPending": "1"}
    stubs.answer("sns", "get_topic_attributes", {"Attributes": attributes}, TopicArn="arn:topic")
    stubs.answer("sns", "get_topic_attributes", {"Attributes": {}}, TopicArn="arn:topic")

    assert ACCOUNT.subscribers("arn:topic") == Subscribers(confirmed=2, pending=1)
    assert ACCOUNT.subscribers("arn:topic") == Subscribers(confirmed=0, pending=0)


def test_is_verified(stubs: Stubs) -> None:
    for answer in ({"VerifiedForSendingStatus": True}, {"VerifiedForSendingStatus": False}, {}):
        stubs.answer("sesv2", "get_email_identity", answer, EmailIdentity="a@b.de")
    stubs.fail("sesv2", "get_email_identity", "NotFoundException")
    stubs.fail("sesv2", "get_email_identity", "AccessDeniedException")

    assert [ACCOUNT.is_verified("a@b.de") for _ in range(4)] == [True, False, False, False]
    with pytest.raises(CallError):
        ACCOUNT.is_verified("a@b.de")


def test_is_mail_restricted_unless_production_access_is_enabled(stubs: Stubs) -> None:
    for answer in ({"ProductionAccessEnabled": True}, {"ProductionAccessEnabled": False}, {}):
        stubs.answer("sesv2", "get_account", answer)
    stubs.fail("sesv2", "get_account", "AccessDeniedException")

    assert [ACCOUNT.is_mail_restricted() for _ in range(3)] == [False, True, True]
    with pytest.raises(CallError):
        ACCOUNT.is_mail_restricted()


def test_alarm_topics_of_every_kind_and_page(stubs: Stubs) -> None:
    names = [f"alarm-{number}" for number in range(101)]
    kinds = ["MetricAlarm", "CompositeAlarm"]
    pages: list[dict[str, Any]] = [
        {"MetricAlarms": [{"AlarmActions": ["arn:aws:sns:b", "arn:aws:lambda:x"]}, {}], "NextToken": "2"},
        {"MetricAlarms": [], "CompositeAlarms": [{"AlarmActions": ["arn:aws:sns:a"]}]},
        {"MetricAlarms": [{"AlarmActions": ["arn:aws:sns:b"], "OKActions": ["arn:aws:sns:c"]}]},
    ]
    stubs.answer("cloudwatch", "describe_alarms", pages[0], AlarmNames=names[:100], AlarmTypes=kinds)
    stubs.answer("cloudwatch", "describe_alarms", pages[1], AlarmNames=names[:100], AlarmTypes=kinds, NextToken="2")
    stubs.answer("cloudwatch", "describe_alarms", pages[2], AlarmNames=names[100:], AlarmTypes=kinds)

    assert ACCOUNT.alarm_topics(names) == ("arn:aws:sns:a", "arn:aws:sns:b")


def test_alarm_topics_refused_is_an_error(stubs: Stubs) -> None:
    stubs.fail("cloudwatch", "describe_alarms", "AccessDenied")

    with pytest.raises(CallError):
        ACCOUNT.alarm_topics(["slow"])


def test_require_bucket_says_what_is_wrong(stubs: Stubs) -> None:
    stubs.answer("s3", "head_bucket", {"BucketRegion": "eu-west-1"}, Bucket="zips")
    stubs.fail("s3", "head_bucket", "404")

    ACCOUNT.require_bucket("zips")
    with pytest.raises(ConfigurationError, match="zips: the bucket does not exist"):
        ACCOUNT.require_bucket("zips")


@pytest.mark.parametrize(
    ("code", "message", "problem"),
    [
        ("ExpiredToken", "", Problem.EXPIRED),
        ("ExpiredTokenException", "", Problem.EXPIRED),
        ("RequestTimeTooSkewed", "", Problem.SKEWED),
        ("RequestExpired", "", Problem.SKEWED),
        ("SignatureDoesNotMatch", "Signature expired: 20260304 is now earlier than", Problem.SKEWED),
        ("InvalidSignatureException", "Signature not yet current: 2026", Problem.SKEWED),
        ("SignatureDoesNotMatch", "The request signature we calculated", Problem.REFUSED),
        ("InvalidClientTokenId", "The security token included in the request is invalid", Problem.REFUSED),
        ("UnrecognizedClientException", "", Problem.REFUSED),
        ("InvalidAccessKeyId", "", Problem.REFUSED),
        ("AuthFailure", "", Problem.REFUSED),
        ("IncompleteSignature", "", Problem.REFUSED),
        ("MissingAuthenticationToken", "", Problem.REFUSED),
        ("AccessDenied", "", Problem.DENIED),
        ("AccessDeniedException", "", Problem.DENIED),
        ("AuthorizationError", "", Problem.DENIED),
        ("UnauthorizedOperation", "", Problem.DENIED),
        ("InvalidAction", "", Problem.UNSUPPORTED),
        ("UnknownOperation", "", Problem.UNSUPPORTED),
        ("UnknownOperationException", "", Problem.UNSUPPORTED),
        ("NotImplemented", "", Problem.UNSUPPORTED),
        ("501", "", Problem.UNSUPPORTED),
        ("NoSuchBucket", "", Problem.MISSING),
        ("NotFound", "", Problem.MISSING),
        ("QueueDoesNotExist", "", Problem.MISSING),
        ("Throttling", "", Problem.OTHER),
        ("", "", Problem.OTHER),
    ],
)
def test_translate_errors_code_of_the_answer(code: str, message: str, problem: Problem) -> None:
    response: dict[str, Any] = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": DATE}

    with pytest.raises(CallError) as caught, account_checks.translate_errors():
        raise ClientError(response, "Call")  # type: ignore[arg-type] # a composed answer

    assert (caught.value.problem, caught.value.server_time) == (problem, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    assert caught.value.detail == str(caught.value) == str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (exceptions.NoCredentialsError(), Problem.NO_CREDENTIALS),
        (exceptions.PartialCredentialsError(provider="env", cred_var="secret"), Problem.NO_CREDENTIALS),
        (exceptions.ProfileNotFound(profile="x"), Problem.NO_CREDENTIALS),
        (exceptions.CredentialRetrievalError(provider="x", error_msg="y"), Problem.NO_CREDENTIALS),
        (exceptions.UnauthorizedSSOTokenError(), Problem.EXPIRED),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="expired"), Problem.EXPIRED),
        (exceptions.LoginError(), Problem.EXPIRED),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), Problem.UNREACHABLE),
        (exceptions.ConnectTimeoutError(endpoint_url="https://x"), Problem.UNREACHABLE),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), Problem.UNREACHABLE),
        (exceptions.ConnectionClosedError(endpoint_url="https://x"), Problem.UNREACHABLE),
        (exceptions.InvalidRegionError(region_name="x y"), Problem.OTHER),
        (ResponseParserError("not XML"), Problem.UNSUPPORTED),
    ],
)
def test_translate_errors_of_this_machine(error: Exception, problem: Problem) -> None:
    with pytest.raises(CallError) as caught, account_checks.translate_errors():
        raise error

    assert (caught.value.problem, caught.value.detail, caught.value.server_time) == (problem, str(error), None)


@pytest.mark.parametrize("headers", [{}, {"date": "yesterday"}])
def test_server_time_of_an_answer_without_date_is_none(headers: dict[str, str]) -> None:
    assert account_checks.server_time_of({"ResponseMetadata": {"HTTPHeaders": headers}}) is None
    assert account_checks.server_time_of({}) is None
