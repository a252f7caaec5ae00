"""The product's lines in `inv status`, with a command for everything that keeps the system from trading."""

from typing import Any

import pytest

from desk.deployment.account import LastRun
from desk.deployment.status import status
from tests.desk.deployment.accounts import FakeAccount, hook_context, unreachable
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
        READY,
    ]


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


def test_status_paused_comes_before_what_must_be_set_up() -> None:
    assert reason(FakeAccount(is_switch_enabled=False), missing=["MailFrom"])[0] == "the kill switch is paused"
