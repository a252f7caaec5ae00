"""A sweep is sent as a schedule sends it, and says what to look at next."""

import pytest
from botocore.exceptions import ClientError

from automation.system.errors import ConfigurationError, DeploymentError
from desk.operations import requests
from tests.desk.operations.duty import ROOT, World, connected
from the_alchemiser.shared.messaging.commands import SweepRuns
from the_alchemiser.shared.messaging.delivery import parse

Out = pytest.CaptureFixture[str]


def test_sweep_is_sent_to_the_coordinator(capsys: Out) -> None:
    world = World()

    requests.sweep(ROOT, "prod", connect=connected(world))

    assert world.sent == [("coordinator_v2", SweepRuns(command="sweep-runs"))]
    assert world.broker.is_closed
    assert capsys.readouterr().out.splitlines() == [
        "prod: asked coordinator_v2 to settle ended runs and, from 5 minutes after the close on, check the books",
        "in a few seconds: inv reconcile --env prod",
        "what it did: inv logs --env prod --function coordinator_v2 --since 5m",
    ]


def test_body_is_one_that_an_inbox_accepts() -> None:
    command = SweepRuns(command="sweep-runs")

    assert parse(command.to_json()) == command


REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessage")


def test_sweep_with_keys_of_another_account_is_not_sent() -> None:
    world = World(account="PA7")

    with pytest.raises(ConfigurationError, match="belong to account PA1, this environment trades PA7; run inv secrets"):
        requests.sweep(ROOT, "prod", connect=connected(world))
    assert world.sent == []


def test_sweep_that_aws_refuses_is_an_error() -> None:
    with pytest.raises(DeploymentError, match="AWS refused the request"):
        requests.sweep(ROOT, "prod", connect=connected(World(send_error=REFUSED)))
