"""An environment as the commands of the person on duty use it: its stacks, its broker, its tables, its kill switch."""

import getpass
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from automation.deploying import scope as scopes
from automation.deploying.checks import credentials
from automation.deploying.remarks import Level
from automation.deploying.scope import Scope
from automation.project.settings import PYPROJECT
from automation.system import aws
from automation.system.account_checks import Account
from automation.system.accounts import CallError, Identity, Problem
from automation.system.cloudformation import CloudFormation
from automation.system.errors import CheckFailedError, ConfigurationError, DeploymentError, ToolError
from automation.system.stacks import StackDescription, StackResource
from automation.system.targets import Target
from desk.operations.switch import KillSwitch
from the_alchemiser.shared.books.dynamo_books import DynamoBooks
from the_alchemiser.shared.broker.account_check import WrongAccountError
from the_alchemiser.shared.broker.client import Broker
from the_alchemiser.shared.broker.credentials import (
    Credentials,
    CredentialsMalformedError,
    CredentialsUnavailableError,
    read_credentials,
)
from the_alchemiser.shared.broker.errors import BrokerError
from the_alchemiser.shared.errors import StateUnavailableError
from the_alchemiser.shared.ledger.dynamo_ledger import DynamoLedger
from the_alchemiser.shared.market_data.objects import S3Objects
from the_alchemiser.shared.messaging.commands import Command
from the_alchemiser.shared.run.dynamo_runs import DynamoRunStore

SWITCH = "KillSwitch"  # its logical id
DATA, TRADING = "data", "trading"  # the stacks' names in pyproject.toml
COORDINATOR, DATA_MODULE, MONITOR = "coordinator_v2", "data_v2", "data_quality_monitor"
# By module, the logical id and the stack.
_INBOXES = {
    COORDINATOR: ("CoordinatorInbox", TRADING),
    DATA_MODULE: ("DataInbox", DATA),
    MONITOR: ("MonitorInbox", DATA),
}


@dataclass(frozen=True, slots=True)
class Environment:
    """A deployed environment. What its methods return calls AWS or the broker only when it is used.

    Attributes:
        stacks: the stacks' names in the account, by their names in pyproject.toml.
        outputs, parameters: of all stacks together.
        resources: of each stack, by its name in pyproject.toml.
        client: returns the boto3 client of a service.
    """

    scope: Scope
    stacks: Mapping[str, str]
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]
    resources: Mapping[str, tuple[StackResource, ...]]
    client: Callable[[str], Any]

    @property
    def name(self) -> str:
        return self.scope.environment.name

    @property
    def target(self) -> Target:
        return self.scope.target

    @property
    def is_sandbox(self) -> bool:
        """Whether its broker is the paper exchange and its days are simulated."""
        return self.scope.environment.is_sandbox

    @property
    def stage(self) -> str:
        """The first part of every run id."""
        return self.parameters["Stage"]

    def output(self, name: str) -> str:
        """Return an output of any of the stacks.

        Raises:
            ConfigurationError: no deployed stack has it.
        """
        if name not in self.outputs:
            message = f"the deployed stacks have no output {name}; run inv deploy --env {self.name}"
            raise ConfigurationError(message, where=self.name)
        return self.outputs[name]

    def physical_id(self, logical_id: str, stack: str = TRADING) -> str:
        """Return the physical id of a resource of a stack, which pyproject.toml calls `stack`.

        Raises:
            ConfigurationError: the deployed stack does not have it.
        """
        for resource in self.resources.get(stack, ()):
            if resource.logical_id == logical_id:
                return resource.physical_id
        message = f"the deployed {stack} stack has no {logical_id}; run inv deploy --env {self.name}"
        raise ConfigurationError(message, where=self.name)

    def broker(self) -> Broker:
        """Return a connection to the environment's broker, as its functions connect; the caller closes it.

        The first request reads the credentials from Secrets Manager; they are kept in this process and never printed.
        """
        return Broker(
            self.parameters["BrokerTradingUrl"],
            self.parameters["BrokerDataUrl"],
            _KeptCredentials(self.secret_name, self.client),
        )

    @property
    def secret_name(self) -> str:
        """The name of the broker's secret.

        Raises:
            ConfigurationError: pyproject.toml declares no secret.
        """
        declared = self.scope.project.settings.secrets
        if not declared:
            raise ConfigurationError("declares no secret for the broker", where=PYPROJECT)
        return declared[0].name_in(self.name)

    def runs(self) -> DynamoRunStore:
        """Return the store of runs."""
        return DynamoRunStore(self.client("dynamodb"), self.output("RunsTable"))

    def ledger(self) -> DynamoLedger:
        """Return the ledger."""
        return DynamoLedger(self.client("dynamodb"), self.output("LedgerTable"))

    def books(self) -> DynamoBooks:
        """Return the checks of the books."""
        return DynamoBooks(self.client("dynamodb"), self.output("RunsTable"))

    def objects(self) -> S3Objects:
        """Return the objects of the lake's bucket."""
        return S3Objects(self.client("s3"), self.output("BucketName"))

    def switch(self) -> KillSwitch:
        """Return the kill switch."""
        return KillSwitch(self.client("ssm"), self.physical_id(SWITCH))

    def inbox(self, module: str) -> str:
        """Return the URL of the inbox of a module that takes commands.

        Raises:
            ConfigurationError: the deployed stack does not have it.
        """
        return self.physical_id(*_INBOXES[module])

    def send(self, module: str, command: Command) -> str:
        """Put a command into a module's inbox, as a schedule does; return the id that SQS gives the message."""
        content = {name: value for name, value in command.to_content().items() if value is not None}
        answer = self.client("sqs").send_message(
            QueueUrl=self.inbox(module), MessageBody=json.dumps(content, separators=(",", ":"))
        )
        return str(answer["MessageId"])

    def caller(self) -> str:
        """Return who runs this command: the user of this machine, and whom AWS takes them for."""
        arn = self.client("sts").get_caller_identity()["Arn"]
        return f"{getpass.getuser()} ({arn})"

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the errors of AWS and of the broker inside the block into errors that a person can act on.

        Raises:
            DeploymentError: AWS refused a request or does not answer.
            ToolError: the broker refused a request or does not answer.
            ConfigurationError: the broker's secret does not have the form that the broker needs, or has the keys of
                another account.
        """
        try:
            yield
        except WrongAccountError as cause:
            raise wrong_account(cause, self.name) from cause
        except ClientError as cause:
            raise DeploymentError(f"AWS refused the request: {cause}", where=self.name) from cause
        except BotoCoreError as cause:
            cloud = self.target.endpoint or f"AWS in {self.target.region}"
            raise DeploymentError(f"{cloud} does not answer: {cause}", where=self.name) from cause
        except CredentialsMalformedError as cause:
            raise ConfigurationError(
                f"{cause}; run inv secrets.set broker --env {self.name}", where=self.name
            ) from cause
        except CredentialsUnavailableError as cause:
            raise DeploymentError(f"{cause}; run inv secrets.check --env {self.name}", where=self.name) from cause
        except StateUnavailableError as cause:
            raise DeploymentError(f"{cause}; run inv status --env {self.name}", where=self.name) from cause
        except BrokerError as cause:
            raise ToolError(f"the broker: {cause}; {self._broker_advice()}", where=self.name) from cause

    def _broker_advice(self) -> str:
        return "run inv sandbox.status, then inv sandbox.up" if self.is_sandbox else "look at the broker's status page"


def wrong_account(cause: WrongAccountError, environment: str) -> ConfigurationError:
    """Return the error about keys of another account, with what to type next."""
    advice = f"run inv secrets.set broker --env {environment}, or set BrokerAccount in samconfig.toml and deploy"
    return ConfigurationError(f"{cause}; {advice}", where=environment)


class _KeptCredentials:
    """The credentials in a secret, read once."""

    def __init__(self, secret_name: str, client: Callable[[str], Any]) -> None:
        self._secret_name = secret_name
        self._client = client
        self._kept: Credentials | None = None

    def __call__(self) -> Credentials:
        if self._kept is None:
            self._kept = read_credentials(self._secret_name, self._client("secretsmanager"))
        return self._kept


def connect(root: Path, name: str) -> Environment:
    """Connect to a deployed environment, after the checks of account, region and clock that a deployment makes.

    Raises:
        UsageError: there is no such environment.
        ConfigurationError: the settings are incomplete or wrong, or the environment is not deployed.
        CheckFailedError: the credentials, the region or the clock cannot be used for this environment.
        DeploymentError: AWS does not answer.
    """
    scope = scopes.read(root, name, variables=os.environ)
    account, stacks = Account(scope.target), CloudFormation(scope.target)
    require_account(scope, account.identity, regions=account.regions(), now=datetime.now(UTC))
    described = [stacks.describe(stack) for stack in scope.stack_names]
    require_deployed(scope, described)
    resources = {settings.stack.name: stacks.resources(settings.stack_name) for settings in scope.stacks}
    return read(scope, described, resources, client=lambda service: aws.client(service, scope.target))


def read(
    scope: Scope,
    stacks: list[StackDescription],
    resources: Mapping[str, tuple[StackResource, ...]],
    *,
    client: Callable[[str], Any],
) -> Environment:
    """Return the environment that these stacks are."""
    return Environment(
        scope=scope,
        stacks={settings.stack.name: settings.stack_name for settings in scope.stacks},
        outputs=dict(chain.from_iterable(stack.outputs.items() for stack in stacks)),
        parameters=dict(chain.from_iterable(stack.parameters.items() for stack in stacks)),
        resources=resources,
        client=client,
    )


def require_account(
    scope: Scope, identify: Callable[[], Identity], *, regions: frozenset[str], now: datetime
) -> Identity:
    """Return who the credentials belong to, if they and the region are those of the environment.

    Raises:
        CheckFailedError: they are not; the findings say why.
        DeploymentError: AWS cannot be reached.
    """
    region = credentials.region_remark(scope.target.region, regions, PYPROJECT)
    if region.level is Level.STOP:
        raise CheckFailedError(f"{scope.environment.name} cannot be used", findings=[region.finding])

    def identify_if_reachable() -> Identity:
        try:
            return identify()
        except CallError as cause:
            if cause.problem is not Problem.UNREACHABLE:
                raise
            remark = credentials.failure(scope, cause, now)
            fix = "run inv sandbox.up" if scope.environment.is_sandbox else remark.fix
            raise DeploymentError(f"{remark.what}; {fix}", where=scope.environment.name) from cause

    return credentials.require_account(scope, identify_if_reachable, now)


def require_deployed(scope: Scope, stacks: list[StackDescription]) -> None:
    """Check that every stack exists.

    Raises:
        ConfigurationError: one does not.
    """
    for stack in stacks:
        if not stack.state.exists:
            message = f"{stack.state.name} is not deployed; run inv deploy --env {scope.environment.name}"
            raise ConfigurationError(message, where=scope.environment.name)
