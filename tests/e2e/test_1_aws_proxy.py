"""The proxy of the fault tests changes what it is asked to change, and nothing else."""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from tests.e2e.aws_proxy import AwsProxy
from tests.e2e.conftest import Sandbox

pytestmark = pytest.mark.usefixtures("deployed")

STACK = "alchemiser-local"
TOPIC = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "%s"}}}}'
type Connect = Callable[[str], Any]


@pytest.fixture(scope="module")
def connect(served_proxy: AwsProxy) -> Connect:
    def connect_through_the_proxy(service: str) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]  # any service, by name
            endpoint_url=served_proxy.url,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
            config=Config(retries={"total_max_attempts": 1}),
        )

    return connect_through_the_proxy


def status(cloudformation: Any, stack: str = STACK) -> str:
    return str(cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])


def change_topic(cloudformation: Any, stack: str, name: str, kind: str = "UPDATE") -> None:
    identifier = cloudformation.create_change_set(
        StackName=stack, ChangeSetName=name, ChangeSetType=kind, TemplateBody=TOPIC % name
    )["Id"]
    cloudformation.execute_change_set(ChangeSetName=identifier)


def test_requests_pass_through_unchanged(proxy: AwsProxy, connect: Connect, deployed: Sandbox) -> None:
    through = connect("cloudformation").describe_stacks(StackName=STACK)["Stacks"]

    assert through == deployed.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    assert proxy.operations("cloudformation") == ["DescribeStacks"]


def test_report_status_changes_that_stack_for_some_requests(proxy: AwsProxy, connect: Connect) -> None:
    cloudformation = connect("cloudformation")
    real = status(cloudformation)
    proxy.report_status(STACK, "UPDATE_ROLLBACK_FAILED", times=2)

    assert status(cloudformation, f"{STACK}-data") == real
    assert [status(cloudformation) for _ in range(3)] == ["UPDATE_ROLLBACK_FAILED"] * 2 + [real]


def test_hold_update_keeps_the_stack_in_progress_after_execution(proxy: AwsProxy, connect: Connect) -> None:
    cloudformation, stack = connect("cloudformation"), f"held-{uuid4().hex[:8]}"
    change_topic(cloudformation, stack, "create", "CREATE")
    proxy.hold_update(stack, polls=3)
    assert status(cloudformation, stack) == "CREATE_COMPLETE"

    change_topic(cloudformation, stack, "update")
    last_event = cloudformation.describe_stack_events(StackName=stack)["StackEvents"][0]
    held = [status(cloudformation, stack) for _ in range(3)]

    assert last_event["ResourceStatus"] != "UPDATE_COMPLETE" or last_event["LogicalResourceId"] != stack
    assert held == ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"]


@pytest.mark.parametrize("code", ["ExpiredToken", "InvalidClientTokenId", "RequestTimeTooSkewed"])
def test_refuse_answers_with_the_error_of_aws(proxy: AwsProxy, connect: Connect, code: str) -> None:
    proxy.refuse("GetCallerIdentity", code, "planted")

    with pytest.raises(ClientError, match=rf"\({code}\) .* planted"):
        connect("sts").get_caller_identity()
    assert connect("sts").get_caller_identity()["Account"]


@pytest.mark.parametrize(
    ("service", "operation", "call"),
    [
        ("dynamodb", "ListTables", lambda client: client.list_tables()),
        ("s3", "PutObject", lambda client: client.put_object(Bucket="b", Key="k", Body=b"1")),
        ("lambda", "GetAccountSettings", lambda client: client.get_account_settings()),
    ],
)
def test_refuse_speaks_every_protocol(
    proxy: AwsProxy, connect: Connect, service: str, operation: str, call: Callable[[Any], Any]
) -> None:
    proxy.refuse(operation, "AccessDenied", "planted", status=403)

    with pytest.raises(ClientError, match=r"\(AccessDenied\) .* planted"):
        call(connect(service))


def test_cut_uploads_leaves_no_object(proxy: AwsProxy, connect: Connect) -> None:
    s3, bucket = connect("s3"), f"cut-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=bucket)
    proxy.cut_uploads(times=1)

    with pytest.raises((ConnectionClosedError, EndpointConnectionError)):
        s3.put_object(Bucket=bucket, Key="code.zip", Body=b"x" * 100_000)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="code.zip", Body=b"x" * 100_000)
    assert s3.head_object(Bucket=bucket, Key="code.zip")["ContentLength"] == 100_000


def test_drop_closes_connections_without_an_answer(proxy: AwsProxy, connect: Connect) -> None:
    proxy.drop(times=1)

    with pytest.raises(ConnectionClosedError):
        connect("sts").get_caller_identity()
    assert connect("sts").get_caller_identity()["Account"]


def test_skew_clock_changes_every_date(proxy: AwsProxy, connect: Connect) -> None:
    proxy.skew_clock(-3600)

    before = int(time.time())
    headers = connect("sts").get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]
    after = int(time.time())

    assert before <= parsedate_to_datetime(headers["date"]).timestamp() + 3600 <= after


def test_limit_account_reports_small_quotas(proxy: AwsProxy, connect: Connect) -> None:
    proxy.limit_account(code_bytes=1000, concurrency=10)

    limit = connect("lambda").get_account_settings()["AccountLimit"]

    assert (limit["TotalCodeSize"], limit["UnreservedConcurrentExecutions"]) == (1000, 10)


def test_fail_invocation_fails_one_call_of_one_function(proxy: AwsProxy, connect: Connect, deployed: Sandbox) -> None:
    functions, names = connect("lambda"), deployed.resources(STACK)
    proxy.fail_invocation("MetricsFunction")

    def error(function: str) -> str:
        answer = functions.invoke(FunctionName=names[function], Payload=b'{"health": true}')
        return str(answer.get("FunctionError", ""))

    assert error("PortfolioFunction") == ""
    assert [error("MetricsFunction") for _ in range(2)] == ["Unhandled", ""]


def test_call_at_happens_before_the_answer(proxy: AwsProxy, connect: Connect) -> None:
    calls: list[str] = []
    proxy.call_at("GetCallerIdentity", lambda: calls.append("called"))

    for _ in range(2):
        connect("sts").get_caller_identity()

    assert calls == ["called"]
