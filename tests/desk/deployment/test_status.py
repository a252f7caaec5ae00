"""The product's lines in `inv status`, with a command for everything that keeps the system from trading."""

from decimal import Decimal
from typing import Any

import pytest

from desk.deployment.account import LastRun
from desk.deployment.status import status
from tests.desk.deployment.accounts import SANDBOX, FakeAccount, hook_context, unreachable
from tests.desk.operations.duty import check
from the_alchemiser.shared.books.checks import CheckState
from the_alchemiser.shared.messaging.messages import Difference
from the_alchemiser.shared.run.runs import RunState

READY = {"level": "info", "where": "trading", "what": "ready to trade", "fix": ""}


def trading(account: FakeAccount, **changes: Any) -> list[dict[str, str]]:
    lines = status(hook_context(**changes), connect=account)
    return [line for line in lines if line["where"] == "trading"]


def reason(account: FakeAccount, **changes: Any) -> tuple[str, str]:
    """Return the only reason why the system is not ready, and its fix."""
    [line] = trading(account, **changes)
    assert line["level"] == "warn"
    assert line["what"].startswith("not ready to trade: ")
    return line["what"].removeprefix("not ready to trade: "), line["fix"]


def test_status_before_the_first_deployment_is_empty() -> None:
    assert status(hook_context(outputs={}), connect=unreachable) == []


def test_status_of_a_ready_environment() -> None:
    account = FakeAccount(last=LastRun("prod-2026-11-24", RunState.COMPLETED, trades=12, failed_trades=0))

    assert status(hook_context(), connect=account) == [
        {"level": "info", "where": "last run", "what": "prod-2026-11-24: COMPLETED, 12 trades", "fix": ""},
        {"level": "info", "where": "kill switch", "what": "enabled", "fix": ""},
        {"level": "info", "where": "books", "what": "not checked yet: the first run opens them", "fix": ""},
        READY,
    ]


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (CheckState.OPENED, "OPENED on 2022-11-25"),
        (CheckState.AGREED, "AGREED on 2022-11-25"),
        (CheckState.ACCEPTED, "ACCEPTED on 2022-11-25 by eva"),
    ],
)
def test_status_of_books_that_are_in_order(state: CheckState, what: str) -> None:
    lines = status(hook_context(), connect=FakeAccount(check=check(state)))

    assert lines[2] == {"level": "info", "where": "books", "what": what, "fix": ""}


def test_status_of_books_that_differ_warns_with_the_command() -> None:
    differing = check(CheckState.DIFFERS, Difference(symbol="SPY", broker=Decimal(12), books=Decimal(10)))

    lines = status(hook_context(), connect=FakeAccount(check=differing))

    assert lines[2] == {
        "level": "warn",
        "where": "books",
        "what": "DIFFERS on 2022-11-25 in 1 place: no run starts until that is accepted",
        "fix": "inv reconcile --env prod",
    }


@pytest.mark.parametrize(
    ("parameters", "is_remarked"),
    [
        ({"Stage": "prod", "BrokerAccount": ""}, True),
        ({"Stage": "prod"}, True),
        ({"Stage": "prod", "BrokerAccount": "PA1"}, False),
        (SANDBOX, False),
    ],
)
def test_status_remarks_that_any_account_is_traded(parameters: dict[str, str], is_remarked: bool) -> None:
    remark = {
        "level": "info",
        "where": "broker account",
        "what": "not named: set BrokerAccount in samconfig.toml, so that keys of another account trade nothing",
        "fix": "",
    }

    assert (remark in status(hook_context(parameters=parameters), connect=FakeAccount())) is is_remarked


@pytest.mark.parametrize(
    ("run", "level", "what"),
    [
        (None, "info", "none yet"),
        (LastRun("a-run", RunState.SELLING, 1, 0), "info", "a-run: SELLING, 1 trade"),
        (LastRun("a-run", RunState.COMPLETED, 3, 1), "warn", "a-run: COMPLETED, 3 trades, 1 of them failed"),
        (LastRun("a-run", RunState.FAILED, 0, 0), "warn", "a-run: FAILED, 0 trades"),
    ],
)
def test_status_of_the_last_run(run: LastRun | None, level: str, what: str) -> None:
    line = status(hook_context(), connect=FakeAccount(last=run))[0]

    assert line == {"level": level, "where": "last run", "what": what, "fix": ""}


def test_status_with_trading_paused_has_the_command_that_enables_it() -> None:
    account = FakeAccount(is_switch_enabled=False)

    assert status(hook_context(), connect=account)[1]["what"] == "paused"
    assert reason(account) == (
        "the kill switch is paused",
        "inv trading.resume --env prod",
    )


def test_status_without_a_kill_switch_is_not_ready() -> None:
    account = FakeAccount(switch="")

    assert status(hook_context(), connect=account)[1]["what"] == "paused"
    assert reason(account) == ("there is no kill switch", "inv deploy --env prod")


def test_status_with_something_to_set_up_is_not_ready() -> None:
    """The automation itself names what helps, so the line only informs."""
    missing = ["/alchemiser/prod/broker", "MailFrom"]

    assert trading(FakeAccount(), missing=missing) == [
        {**READY, "what": "not ready to trade: set up first: /alchemiser/prod/broker, MailFrom"}
    ]


@pytest.mark.parametrize("is_switch_enabled", [True, False])
def test_status_of_a_temporary_environment_is_never_ready(*, is_switch_enabled: bool) -> None:
    """It has no broker, so nobody is asked to set up or to resume anything."""
    account = FakeAccount(is_switch_enabled=is_switch_enabled)
    context = hook_context(is_temporary=True, parameters={"Stage": "pr-1"})

    lines = status(context, connect=account)

    assert lines[-1] == {**READY, "what": "never ready to trade: a temporary environment has no broker"}
    assert {line["level"] for line in lines} == {"info"}
    assert "broker account" not in {line["where"] for line in lines}


def test_status_paused_comes_before_what_must_be_set_up() -> None:
    assert reason(FakeAccount(is_switch_enabled=False), missing=["MailFrom"])[0] == "the kill switch is paused"
