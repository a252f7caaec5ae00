"""docs/deploying.md, typed line by line in one account of the emulator: from an empty account to an empty account.

`nox -s docs` runs it in a sandbox of its own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from automation.system import tools
from automation.system.targets import Target
from sandbox.exchange.keys import SANDBOX_KEY, SANDBOX_SECRET, SECOND_KEY
from sandbox.verify import verify_day
from tests.e2e.conftest import ROOT, Inv, Sandbox
from tests.e2e.guide_events import Market
from tests.e2e.guide_following import follow, variables
from tests.e2e.guide_shell import open_shell
from tests.e2e.production import copy_project

pytestmark = pytest.mark.slow

GUIDE = "docs/deploying.md"
ACCOUNT = "210987654321"
# The guide's placeholder, and an address that is not an example.
PLACEHOLDER, ADDRESS = "you@example.com", "trader@alchemiser-tests.net"
ANSWERS = {
    "Type prod and all data": "prod and all data",
    "Type prod": "prod",
    "broker, key": SANDBOX_KEY,
    "broker, secret": SANDBOX_SECRET,
    "second-source, key": SECOND_KEY,
    "MailFrom": ADDRESS,
    "MailTo": ADDRESS,
    "AlertsTo": ADDRESS,
}


@dataclass(frozen=True, slots=True)
class Followed:
    """The guide after its last line.

    Attributes:
        questions: the questions that were answered.
    """

    market: Market
    questions: tuple[str, ...]


@pytest.fixture(scope="module")
def running(sandbox: Sandbox, inv: Inv) -> Iterator[Sandbox]:
    """Return a sandbox in which nothing is deployed."""
    for words in (("sandbox.reset",), ("sandbox.up",)):
        done = inv(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    yield sandbox
    inv("sandbox.down")


@pytest.fixture(scope="module")
def followed(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """Follow the guide to its end; stop at the first line that ends otherwise than it says."""
    folder = tmp_path_factory.mktemp("guide")
    root = copy_project(folder, running.exchange_url)
    market = Market(Target("us-east-1", running.emulator_url, ACCOUNT, "test"), running.exchange_url)
    market.open_account()

    credentials = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "test"}
    environment = variables(
        folder, programs=[aws_program(folder).parent], AWS_ENDPOINT_URL=running.emulator_url, **credentials
    )
    with open_shell(root, environment, ANSWERS) as shell:
        text = (ROOT / GUIDE).read_text(encoding="utf-8").replace(PLACEHOLDER, ADDRESS)
        follow(GUIDE, text, shell, events(market))
    return Followed(market, tuple(shell.asked))


def aws_program(home: Path) -> Path:
    """Write the program `aws`: version 1 of the CLI, which does not take the endpoint of SQS from the environment."""
    program = home / "bin" / "aws"
    program.parent.mkdir()
    real = tools.ensure("aws", root=ROOT).program("aws")
    program.write_text(f'#!/bin/sh\nexec {real} --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n')
    program.chmod(0o755)
    return program


def events(market: Market) -> Mapping[str, Callable[[], None]]:
    """Return what the test does instead of each step that only AWS can do."""
    return {
        "credentials": lambda: None,
        "links": lambda: None,
        "paused-day": market.pass_paused_day,
        "first-day": market.trade_day,
    }


def test_first_day_is_traded_without_findings(followed: Followed) -> None:
    day = followed.market.traded[0]

    assert verify_day(day) == ()
    assert day.ledger


def test_addresses_are_asked_for_once(followed: Followed) -> None:
    asked = [followed.questions.count(name) for name in ("AlertsTo", "MailFrom", "MailTo", "Type prod and all data")]

    assert asked == [1, 1, 1, 1]


def test_account_is_empty_at_the_end(followed: Followed, running: Sandbox) -> None:
    def client(service: str) -> Any:
        return running.client(service, account=ACCOUNT)

    assert followed.market.traded
    assert {kind: left for kind, left in leftovers(client).items() if left} == {}


def leftovers(client: Callable[[str], Any]) -> Mapping[str, list[Any]]:
    """Return what an account contains, by kind, apart from what AWS itself puts into each."""
    stacks = client("cloudformation").list_stacks()["StackSummaries"]
    groups = client("scheduler").list_schedule_groups()["ScheduleGroups"]
    return {
        "stacks": [stack for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"],
        "functions": client("lambda").list_functions()["Functions"],
        "layers": client("lambda").list_layers()["Layers"],
        "tables": client("dynamodb").list_tables()["TableNames"],
        "queues": client("sqs").list_queues().get("QueueUrls", []),
        "buckets": client("s3").list_buckets()["Buckets"],
        "log groups": client("logs").describe_log_groups()["logGroups"],
        "parameters": client("ssm").describe_parameters()["Parameters"],
        "secrets": client("secretsmanager").list_secrets()["SecretList"],
        "topics": client("sns").list_topics()["Topics"],
        "buses": [bus for bus in client("events").list_event_buses()["EventBuses"] if bus["Name"] != "default"],
        "schedules": [group for group in groups if group["Name"] != "default"],
        "roles": client("iam").list_roles()["Roles"],
        "policies": client("iam").list_policies(Scope="Local")["Policies"],
        "identity providers": client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"],
        "alarms": client("cloudwatch").describe_alarms()["MetricAlarms"],
        "senders": client("sesv2").list_email_identities()["EmailIdentities"],
    }
