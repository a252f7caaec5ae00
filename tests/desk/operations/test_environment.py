"""An environment is used only with its own account, and every error of a call says what to do next."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from automation.system.accounts import CallError, Identity, Problem
from automation.system.errors import AutomationError, CheckFailedError, ConfigurationError, DeploymentError, ToolError
from automation.system.stacks import StackDescription, StackResource, StackState
from desk.operations.environment import Environment, read, require_account, require_deployed
from tests.desk.operations.duty import (
    COORDINATOR_INBOX,
    DATA_INBOX,
    MONITOR_INBOX,
    FakeEnvironment,
    World,
    environment,
    scope_of,
)
from the_alchemiser.shared.broker.credentials import CredentialsMalformedError, CredentialsMissingError
from the_alchemiser.shared.broker.errors import BrokerTimeoutError
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.messaging.commands import StartRun

NOW = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)
REGIONS = frozenset({"us-east-1", "eu-west-1"})
PINNED = "123456789012"


class FakeSqs:
    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []

    def send_message(self, **request: str) -> dict[str, str]:
        self.sent.append(request)
        return {"MessageId": "an-id"}


class FakeSecrets:
    """Secrets Manager; it counts the reads."""

    def __init__(self) -> None:
        self.reads: list[str] = []

    def get_secret_value(self, *, SecretId: str) -> Any:  # noqa: N803 - the vendor's name
        self.reads.append(SecretId)
        return {"SecretString": '{"key": "K", "secret": "S"}'}


def real(**clients: Any) -> Environment:
    """Return an environment with the real methods and these clients."""
    fake = environment(World())
    return Environment(
        fake.scope, fake.stacks, fake.outputs, fake.parameters, fake.resources, lambda service: clients[service]
    )


def stack(name: str, status: str = "CREATE_COMPLETE", **values: Any) -> StackDescription:
    return StackDescription(StackState(name, status), **values)


def identified(account: str) -> Callable[[], Identity]:
    return lambda: Identity(account, f"arn:aws:iam::{account}:user/eva", NOW)


def failing(problem: Problem) -> Callable[[], Identity]:
    def identify() -> Identity:
        raise CallError(problem, "connection refused")

    return identify


def test_read_joins_the_stacks() -> None:
    scope = scope_of("dev")
    stacks = [
        stack("data", outputs={"BucketName": "lake"}, parameters={"Stage": "dev", "A": "1"}),
        stack("trading", outputs={"RunsTable": "runs"}, parameters={"Stage": "dev", "B": "2"}),
    ]
    resources = {stack: (StackResource("Claims", f"{stack}-claims", "AWS::Any"),) for stack in ("data", "trading")}

    deployed = read(scope, stacks, resources, client=str)

    assert deployed.stacks == {"data": "alchemiser-dev-data", "trading": "alchemiser-dev"}
    assert deployed.outputs == {"BucketName": "lake", "RunsTable": "runs"}
    assert deployed.parameters == {"Stage": "dev", "A": "1", "B": "2"}
    assert (deployed.name, deployed.stage, deployed.target, deployed.is_sandbox) == ("dev", "dev", scope.target, False)
    assert deployed.physical_id("Claims") == "trading-claims"
    assert deployed.physical_id("Claims", stack="data") == "data-claims"


def test_environment_on_this_machine_is_a_sandbox() -> None:
    assert environment(World(), "local").is_sandbox


def test_environment_without_an_output_says_deploy() -> None:
    with pytest.raises(ConfigurationError, match=r"^prod: the deployed stacks have no output Nope; run inv"):
        real().output("Nope")


@pytest.mark.parametrize("stack", ["data", "trading", "nope"])
def test_environment_without_a_resource_says_deploy(stack: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^prod: the deployed {stack} stack has no DataDlq; run inv"):
        real().physical_id("DataDlq", stack=stack)


def test_secret_is_that_of_the_environment() -> None:
    assert real().secret_name == "/alchemiser/prod/broker"


def test_broker_reads_its_secret_once_and_only_when_it_is_used() -> None:
    secrets = FakeSecrets()
    broker = real(secretsmanager=secrets).broker()
    assert secrets.reads == []

    keys = [broker._transport._keys() for _ in range(2)]  # no request leaves a unit test

    assert [(key.key, key.secret) for key in keys] == [("K", "S")] * 2
    assert secrets.reads == ["/alchemiser/prod/broker"]
    broker.close()


def test_broker_has_the_urls_of_the_stacks() -> None:
    broker = real().broker()

    assert (broker._trading._base_url, broker._data._base_url) == ("http://broker", "http://data")
    broker.close()


def test_inbox_of_each_module_that_takes_commands() -> None:
    assert real().inbox("coordinator_v2") == COORDINATOR_INBOX
    assert real().inbox("data_v2") == DATA_INBOX
    assert real().inbox("data_quality_monitor") == MONITOR_INBOX


def test_inbox_that_is_not_deployed_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="the deployed trading stack has no CoordinatorInbox"):
        replace(real(), resources={}).inbox("coordinator_v2")


def test_send_puts_the_exact_body_into_the_inbox() -> None:
    sqs = FakeSqs()

    message_id = real(sqs=sqs).send("coordinator_v2", StartRun(command="start-run", force=True))

    assert message_id == "an-id"
    assert sqs.sent == [{"QueueUrl": COORDINATOR_INBOX, "MessageBody": '{"command":"start-run","force":true}'}]


def test_stores_are_those_of_the_stacks() -> None:
    calls: list[str] = []

    class Tables:
        def __getattr__(self, operation: str) -> Any:
            def call(**request: Any) -> Any:
                calls.append(request["TableName"])
                return {"Items": []}

            return call

    deployed = real(dynamodb=Tables(), s3="s3")
    deployed.books().latest()

    assert calls == ["runs"]
    assert deployed.runs()._table == "runs"
    assert deployed.ledger()._table == "ledger"
    assert deployed.objects().url("") == "s3://lake/"


def test_switch_is_the_parameter_of_the_stack() -> None:
    switch = real(ssm="ssm").switch()

    assert str(switch.client) == "ssm"
    assert switch.name == "/alchemiser/prod/trading"


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (
            ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutParameter"),
            DeploymentError,
            "AWS refused the request: .*AccessDenied",
        ),
        (
            EndpointConnectionError(endpoint_url="https://x"),
            DeploymentError,
            "AWS in us-east-1 does not answer: Could not connect",
        ),
        (CredentialsMalformedError("secret x"), ConfigurationError, "secret x; run inv secrets.set broker --env prod$"),
        (CredentialsMissingError("secret x"), DeploymentError, "secret x; run inv secrets.check --env prod$"),
        (StateUnavailableError("lake"), DeploymentError, "lake; run inv status --env prod$"),
        (
            BrokerTimeoutError("GET /v2/clock"),
            ToolError,
            "the broker: GET /v2/clock; look at the broker's status page$",
        ),
    ],
)
def test_errors_of_calls_say_what_to_do(error: Exception, kind: type[AutomationError], text: str) -> None:
    with pytest.raises(kind, match=text) as caught, real().errors():
        raise error
    assert type(caught.value) is kind
    assert caught.value.where == "prod"


def test_errors_of_the_sandbox_name_its_commands() -> None:
    local: FakeEnvironment = environment(World(), "local")

    with pytest.raises(ToolError, match=r"run inv sandbox\.status, then inv sandbox\.up"), local.errors():
        raise BrokerTimeoutError("GET /v2/clock")
    with pytest.raises(DeploymentError, match=r"http://127\.0\.0\.1:4566 does not answer"), local.errors():
        raise EndpointConnectionError(endpoint_url="https://x")


def test_require_account_returns_who_it_is() -> None:
    identity = require_account(scope_of("prod"), identified(PINNED), regions=REGIONS, now=NOW)

    assert identity.account == PINNED


def test_require_account_refuses_another_account() -> None:
    with pytest.raises(CheckFailedError) as caught:
        require_account(scope_of("prod"), identified("999999999999"), regions=REGIONS, now=NOW)

    [finding] = caught.value.findings
    assert "belong to account 999999999999" in finding.what
    assert "export AWS_PROFILE=NAME" in finding.fix


def test_require_account_refuses_a_region_that_does_not_exist() -> None:
    with pytest.raises(CheckFailedError, match="prod cannot be used") as caught:
        require_account(scope_of("prod"), identified(PINNED), regions=frozenset({"us-east-2"}), now=NOW)

    assert [finding.what for finding in caught.value.findings] == ["AWS has no region us-east-1"]


def test_require_account_without_credentials_is_a_finding() -> None:
    with pytest.raises(CheckFailedError) as caught:
        require_account(scope_of("prod"), failing(Problem.NO_CREDENTIALS), regions=REGIONS, now=NOW)

    assert "no usable AWS credentials" in caught.value.findings[0].what


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("prod", r"^prod: AWS in us-east-1 cannot be reached: connection refused; check the network .*curl"),
        ("local", r"^local: http://127\.0\.0\.1:4566 cannot be reached: connection refused; run inv sandbox\.up$"),
    ],
)
def test_require_account_when_aws_cannot_be_reached(name: str, text: str) -> None:
    with pytest.raises(DeploymentError, match=text):
        require_account(scope_of(name), failing(Problem.UNREACHABLE), regions=REGIONS, now=NOW)


def test_require_deployed_names_the_missing_stack() -> None:
    stacks = [stack("alchemiser-prod-data"), stack("alchemiser-prod", "")]

    with pytest.raises(ConfigurationError, match=r"^prod: alchemiser-prod is not deployed; run inv deploy --env prod$"):
        require_deployed(scope_of("prod"), stacks)


def test_require_deployed_accepts_existing_stacks() -> None:
    require_deployed(scope_of("prod"), [stack("a"), stack("b", "UPDATE_ROLLBACK_COMPLETE")])
