"""A sweep and a refresh are sent as a schedule sends them, and say what to look at next."""

import pytest
from botocore.exceptions import ClientError

from automation.system.errors import ConfigurationError, DeploymentError, UsageError
from desk.operations import requests
from tests.desk.operations.duty import ROOT, World, connected
from the_alchemiser.shared.messaging.commands import Command, RefreshMarketData, SweepRuns
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


def test_refresh_without_symbols_loads_the_book(capsys: Out) -> None:
    world = World()

    requests.refresh(ROOT, "prod", [], connect=connected(world))

    assert world.sent == [("data_v2", RefreshMarketData(command="refresh-market-data"))]
    assert capsys.readouterr().out.splitlines() == [
        "prod: asked data_v2 to load the market data of the book; the quality check then runs by itself",
        "in a minute: inv trading.status --env prod",
        "what it did: inv logs --env prod --function data_v2 --since 5m",
    ]


def test_refresh_of_some_symbols_loads_these(capsys: Out) -> None:
    world = World()

    requests.refresh(ROOT, "prod", ["SPY", "BRK.B"], connect=connected(world))

    assert world.sent == [("data_v2", RefreshMarketData(command="refresh-market-data", symbols=("SPY", "BRK.B")))]
    assert "asked data_v2 to load 2 symbols; the" in capsys.readouterr().out


def test_refresh_of_an_impossible_symbol_sends_nothing() -> None:
    world = World()

    with pytest.raises(UsageError, match=r"^trading\.refresh: no symbol can be a b, spy!; write symbols as the"):
        requests.refresh(ROOT, "prod", ["spy!", "SPY", "a b"], connect=connected(world))
    assert world.sent == []


@pytest.mark.parametrize(
    "command",
    [SweepRuns(command="sweep-runs"), RefreshMarketData(command="refresh-market-data", symbols=("SPY",))],
)
def test_body_is_one_that_an_inbox_accepts(command: Command) -> None:
    assert parse(command.to_json()) == command


REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "SendMessage")


def test_sweep_with_keys_of_another_account_is_not_sent() -> None:
    world = World(account="PA7")

    with pytest.raises(ConfigurationError, match="belong to account PA1, this environment trades PA7; run inv secrets"):
        requests.sweep(ROOT, "prod", connect=connected(world))
    assert world.sent == []


def test_refresh_with_keys_of_another_account_is_not_sent() -> None:
    world = World(account="PA7")

    with pytest.raises(ConfigurationError, match="belong to account PA1, this environment trades PA7; run inv secrets"):
        requests.refresh(ROOT, "prod", [], connect=connected(world))
    assert world.sent == []


def test_sweep_that_aws_refuses_is_an_error() -> None:
    with pytest.raises(DeploymentError, match="AWS refused the request"):
        requests.sweep(ROOT, "prod", connect=connected(World(send_error=REFUSED)))


def test_refresh_that_aws_refuses_is_an_error() -> None:
    with pytest.raises(DeploymentError, match="AWS refused the request"):
        requests.refresh(ROOT, "prod", [], connect=connected(World(send_error=REFUSED)))
