"""The pause sets the kill switch; when that fails, it says what to type."""

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from desk.deployment.pause import pause
from tests.desk.deployment.accounts import SANDBOX, SWITCH, FakeAccount, hook_context, unreachable

REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutParameter")


def test_pause_sets_the_kill_switch_and_says_how_to_trade_again() -> None:
    account = FakeAccount()

    lines = pause(hook_context(), connect=account)

    assert account.paused == [SWITCH]
    assert lines == [
        {
            "level": "warn",
            "where": "kill switch",
            "what": "paused: no run starts and no order is sent",
            "fix": "to trade again: inv trading.resume --env prod",
        }
    ]


def test_pause_works_on_a_stack_that_failed_to_deploy() -> None:
    account = FakeAccount()

    pause(hook_context(outputs={}, parameters={}), connect=account)

    assert account.paused == [SWITCH]


@pytest.mark.parametrize("error", [REFUSED, EndpointConnectionError(endpoint_url="https://ssm")])
def test_pause_that_fails_says_what_to_type(error: Exception) -> None:
    lines = pause(hook_context(), connect=FakeAccount(refusal=error))

    assert lines == [
        {
            "level": "warn",
            "where": "kill switch",
            "what": f"{SWITCH} could not be paused: {error}",
            "fix": f"aws ssm put-parameter --name {SWITCH} --value paused --overwrite --region us-east-1",
        }
    ]


def test_pause_without_a_kill_switch_has_nothing_to_do() -> None:
    account = FakeAccount(switch="")

    lines = pause(hook_context(), connect=account)

    assert account.paused == []
    assert lines == [{"level": "info", "where": "kill switch", "what": "is not deployed, so nothing trades", "fix": ""}]


def test_pause_leaves_the_sandbox_as_it_is() -> None:
    assert pause(hook_context(parameters=SANDBOX), connect=unreachable) == []
