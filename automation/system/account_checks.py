"""Ask an AWS account, read-only, about everything that a deployment needs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import batched, chain
from typing import TYPE_CHECKING, Any

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from automation.system.accounts import (
    CallError,
    DeployedStack,
    Identity,
    LambdaLimits,
    Problem,
    SecretState,
    Subscribers,
)
from automation.system.aws import client, service_data
from automation.system.object_store import ObjectStore
from automation.system.stacks import StackResource, StackState
from automation.system.targets import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sts import STSClient

_ALARMS_PER_CALL = 100  # the most that DescribeAlarms accepts


@dataclass(frozen=True, slots=True)
class Account:
    """The questions to an account. Each method raises CallError when its call fails."""

    target: Target

    def regions(self) -> frozenset[str]:
        """Return the names of all regions that this botocore knows; calls nobody and needs no credentials."""
        partitions = service_data().load_data("endpoints")["partitions"]
        return frozenset(chain.from_iterable(partition["regions"] for partition in partitions))

    def identity(self) -> Identity:
        """Return who the credentials belong to, and the time of AWS's clock."""
        with translate_errors():
            sts: STSClient = client("sts", self.target)
            answer = sts.get_caller_identity()
        return Identity(answer["Account"], answer["Arn"], server_time_of(answer))

    def stack(self, name: str) -> DeployedStack:
        """Return a stack with its resources."""
        with translate_errors():
            cloudformation: CloudFormationClient = client("cloudformation", self.target)
            try:
                described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
            except ClientError as cause:
                if "does not exist" in str(cause):
                    return DeployedStack(StackState(name))
                raise
            pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
            summaries = pages.build_full_result()["StackResourceSummaries"]

        return DeployedStack(
            state=StackState(name, described["StackStatus"], described.get("StackId", "")),
            outputs={output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])},
            parameters={
                parameter["ParameterKey"]: parameter.get("ParameterValue", "")
                for parameter in described.get("Parameters", [])
            },
            drift=described.get("DriftInformation", {}).get("StackDriftStatus", ""),
            resources=tuple(
                StackResource(
                    summary["LogicalResourceId"], summary.get("PhysicalResourceId", ""), summary["ResourceType"]
                )
                for summary in summaries
                if not summary["ResourceStatus"].startswith("DELETE_")
            ),
        )

    def lambda_limits(self) -> LambdaLimits:
        """Return the quotas of Lambda."""
        with translate_errors():
            functions: LambdaClient = client("lambda", self.target)
            answer = functions.get_account_settings()
        limit = answer["AccountLimit"]
        return LambdaLimits(
            code_bytes=limit["TotalCodeSize"],
            used_code_bytes=answer["AccountUsage"]["TotalCodeSize"],
            concurrency=limit["ConcurrentExecutions"],
            unreserved_concurrency=limit["UnreservedConcurrentExecutions"],
        )

    def reserved_concurrency(self, function: str) -> int:
        """Return the concurrency that is reserved for a function; 0 for none."""
        with translate_errors():
            functions: LambdaClient = client("lambda", self.target)
            answer = functions.get_function_concurrency(FunctionName=function)
        return answer.get("ReservedConcurrentExecutions", 0)

    def exists(self, resource_type: str, name: str) -> bool:
        """Return whether the account has a resource of a type in `LOOKUPS` with a name."""
        service, look_up = LOOKUPS[resource_type]
        try:
            with translate_errors():
                return look_up(client(service, self.target), name)
        except CallError as cause:
            if cause.problem is Problem.MISSING:
                return False
            # S3 denies access to a bucket of another account, so the name is taken.
            if service == "s3" and cause.problem is Problem.DENIED:
                return True
            raise

    def secret(self, name: str) -> SecretState:
        """Return whether a secret exists; its value is not read."""
        try:
            with translate_errors():
                secrets: SecretsManagerClient = client("secretsmanager", self.target)
                answer: Mapping[str, Any] = secrets.describe_secret(SecretId=name)
        except CallError as cause:
            if cause.problem is Problem.MISSING:
                return SecretState.MISSING
            raise
        return SecretState.DELETED if "DeletedDate" in answer else SecretState.PRESENT

    def subscribers(self, topic_arn: str) -> Subscribers:
        """Return how many subscribers a topic has."""
        with translate_errors():
            topics: SNSClient = client("sns", self.target)
            attributes = topics.get_topic_attributes(TopicArn=topic_arn)["Attributes"]
        return Subscribers(
            int(attributes.get("SubscriptionsConfirmed", 0)), int(attributes.get("SubscriptionsPending", 0))
        )

    def is_verified(self, sender: str) -> bool:
        """Return whether SES may send from an address or a domain."""
        try:
            with translate_errors():
                mail: SESV2Client = client("sesv2", self.target)
                return mail.get_email_identity(EmailIdentity=sender).get("VerifiedForSendingStatus", False)
        except CallError as cause:
            if cause.problem is Problem.MISSING:
                return False
            raise

    def is_mail_restricted(self) -> bool:
        """Return whether SES is in its sandbox: it only sends to addresses that are verified too."""
        with translate_errors():
            mail: SESV2Client = client("sesv2", self.target)
            return not mail.get_account().get("ProductionAccessEnabled", False)

    def alarm_topics(self, alarms: Sequence[str]) -> tuple[str, ...]:
        """Return the ARNs of the topics that alarms notify, sorted."""
        cloudwatch: CloudWatchClient = client("cloudwatch", self.target)
        actions: set[str] = set()
        for batch in batched(alarms, _ALARMS_PER_CALL):
            with translate_errors():
                pages = cloudwatch.get_paginator("describe_alarms").paginate(
                    AlarmNames=list(batch), AlarmTypes=["MetricAlarm", "CompositeAlarm"]
                )
                for page in pages:
                    listed = chain(page["MetricAlarms"], page.get("CompositeAlarms", ()))
                    actions.update(chain.from_iterable(alarm.get("AlarmActions", ()) for alarm in listed))
        return tuple(sorted(action for action in actions if ":sns:" in action))

    def require_bucket(self, name: str) -> None:
        """Check that a bucket for code can be used; see ObjectStore.require_usable for what it raises."""
        ObjectStore(self.target).require_usable(name)


def _has_parameter(ssm: Any, name: str) -> bool:
    # GetParameter would return the value, which nobody needs here.
    wanted = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    return bool(ssm.describe_parameters(ParameterFilters=wanted)["Parameters"])


def _has_log_group(logs: Any, name: str) -> bool:
    groups = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


def _has_alarm(cloudwatch: Any, name: str) -> bool:
    return bool(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"])


def _answers(operation: str, argument: str) -> Callable[[Any, str], bool]:
    """Return a look-up by an operation that fails when there is no such resource."""

    def look_up(service: Any, name: str) -> bool:
        getattr(service, operation)(**{argument: name})
        return True

    return look_up


# How to find out, by type, whether a name is taken: a service, and the call. physical_names.py has the name's property.
LOOKUPS: Mapping[str, tuple[str, Callable[[Any, str], bool]]] = {
    "AWS::CloudWatch::Alarm": ("cloudwatch", _has_alarm),
    "AWS::DynamoDB::Table": ("dynamodb", _answers("describe_table", "TableName")),
    "AWS::Events::EventBus": ("events", _answers("describe_event_bus", "Name")),
    "AWS::IAM::Role": ("iam", _answers("get_role", "RoleName")),
    "AWS::Lambda::Function": ("lambda", _answers("get_function_configuration", "FunctionName")),
    "AWS::Logs::LogGroup": ("logs", _has_log_group),
    "AWS::S3::Bucket": ("s3", _answers("head_bucket", "Bucket")),
    "AWS::SQS::Queue": ("sqs", _answers("get_queue_url", "QueueName")),
    "AWS::SSM::Parameter": ("ssm", _has_parameter),
    "AWS::SecretsManager::Secret": ("secretsmanager", _answers("describe_secret", "SecretId")),
}


def server_time_of(answer: Mapping[str, Any]) -> datetime | None:
    """Return the time in the Date header of an answer; None when it has none."""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None


_CODES: Mapping[Problem, frozenset[str]] = {
    Problem.EXPIRED: frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}),
    Problem.SKEWED: frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"}),
    Problem.REFUSED: frozenset(
        {
            "AuthFailure",
            "IncompleteSignature",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "MissingAuthenticationToken",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        }
    ),
    Problem.DENIED: frozenset(
        {"403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
    ),
    Problem.UNSUPPORTED: frozenset(
        {"501", "InvalidAction", "NotImplemented", "UnknownOperation", "UnknownOperationException"}
    ),
    Problem.MISSING: frozenset(
        {
            "404",
            "AWS.SimpleQueueService.NonExistentQueue",
            "NoSuchBucket",
            "NoSuchEntity",
            "NotFound",
            "NotFoundException",
            "QueueDoesNotExist",
            "ResourceNotFoundException",
        }
    ),
}
_WITHOUT_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.CredentialRetrievalError,
)
_EXPIRED = (exceptions.SSOError, exceptions.TokenRetrievalError, exceptions.LoginError)
_UNREACHABLE = (exceptions.ConnectionError, exceptions.HTTPClientError)
_SKEWED_TEXTS = ("Signature expired", "Signature not yet current")


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn boto3's errors into CallError.

    Raises:
        CallError: the call failed.
    """
    try:
        yield
    except ClientError as cause:
        server_time = server_time_of(cause.response)
        raise CallError(problem_of(cause.response), str(cause), server_time) from cause
    except ResponseParserError as cause:
        raise CallError(Problem.UNSUPPORTED, str(cause)) from cause
    except BotoCoreError as cause:
        raise CallError(_local_problem(cause), str(cause)) from cause


def problem_of(response: Mapping[str, Any]) -> Problem:
    """Return why AWS refused a request, by the code and the text of its answer."""
    error = response.get("Error", {})
    if any(text in str(error.get("Message", "")) for text in _SKEWED_TEXTS):
        return Problem.SKEWED
    code = str(error.get("Code", ""))
    return next((problem for problem, codes in _CODES.items() if code in codes), Problem.OTHER)


def _local_problem(error: BotoCoreError) -> Problem:
    if isinstance(error, _EXPIRED):
        return Problem.EXPIRED
    if isinstance(error, _WITHOUT_CREDENTIALS):
        return Problem.NO_CREDENTIALS
    return Problem.UNREACHABLE if isinstance(error, _UNREACHABLE) else Problem.OTHER
