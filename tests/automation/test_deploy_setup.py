"""After a deployment, what a person still has to set up is named: that every function answers does not show it."""

import pytest

from automation.system.accounts import CallError, Problem, SecretState, Subscribers
from tests.automation.deployable_shop import ShopDeployments

PYPROJECT = "pyproject.toml"
SECRET = '[[tool.alchemiser.secrets]]\nname = "/shop/{env}/till"\n'
TOPIC = """  Alerts:
    Type: AWS::SNS::Topic
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {AlarmActions: [!Ref Alerts]}
"""
NOT_READY = "live is not ready: {} thing(s) must be set up; see them again: inv status --env live"


@pytest.fixture
def fresh(deployments: ShopDeployments) -> ShopDeployments:
    """Return a shop with a secret and a topic, and an account with neither a secret nor a subscriber."""
    file = deployments.root / PYPROJECT
    file.write_text(f"{file.read_text()}\n{SECRET}")
    template = deployments.root / "app.yaml"
    template.write_text(f"{template.read_text()}{TOPIC}")
    return deployments


def topic(deployments: ShopDeployments) -> str:
    """Return the ARN of the deployed topic."""
    return deployments.aws.stacks.stacks["shop-live"].physical_ids["Alerts"]


def output(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    """Return the lines on stdout, and those of warnings after the deployment began."""
    printed = capsys.readouterr()
    return printed.out.splitlines(), printed.err.splitlines()


def test_deploy_fresh_account_names_each_thing(fresh: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    fresh.deploy()

    lines, warnings = output(capsys)
    assert lines[-1] == NOT_READY.format(2)
    assert lines[-2].startswith("r1 runs in live: smoke test")
    assert any(warning.startswith("warning: /shop/live/till: the secret does not exist; inv") for warning in warnings)
    assert warnings[-1].startswith("warning: shop-live: Alerts: the topic has no subscriber")
    assert topic(fresh) in warnings[-1]


def test_deploy_pending_confirmation_is_named(fresh: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    fresh.aws.account.secrets = {"/shop/live/till": SecretState.PRESENT}
    fresh.deploy()
    fresh.aws.account.topics = {topic(fresh): Subscribers(0, 1)}
    fresh.change_till()
    capsys.readouterr()

    fresh.deploy()

    lines, warnings = output(capsys)
    assert lines[-1] == NOT_READY.format(1)
    assert "1 subscription(s) are pending confirmation; open the mail" in warnings[-1]


def test_deploy_complete_account_says_no_more(fresh: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    fresh.aws.account.secrets = {"/shop/live/till": SecretState.PRESENT}
    fresh.deploy()
    fresh.aws.account.topics = {topic(fresh): Subscribers(1, 0)}
    fresh.change_till()
    capsys.readouterr()

    fresh.deploy()

    lines, warnings = output(capsys)
    assert lines[-1] == "r2 runs in live: smoke test passed"
    assert not any("subscri" in warning or "secret" in warning for warning in warnings)


def test_deploy_that_cannot_look_says_so(
    fresh: ShopDeployments, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.aws.account.secrets = {"/shop/live/till": SecretState.PRESENT}
    fresh.deploy()
    fresh.change_till()
    look = fresh.aws.account.stack

    def fail_at_the_end(name: str) -> object:
        if len(fresh.releases) > 1 and fresh.releases[1].is_proven:
            raise CallError(Problem.DENIED, "not you")
        return look(name)

    monkeypatch.setattr(fresh.aws.account, "stack", fail_at_the_end)

    fresh.deploy()

    expected = "warning: what must be set up could not be checked: not you; inv status --env live"
    assert output(capsys)[1][-1] == expected
