"""The test of what was deployed: the code that runs, the answers of the functions, and what is missing but known."""

import pytest

from automation.deploying import recovery
from automation.deploying.stacks.execution import DetachedError
from automation.system.accounts import SecretState
from automation.system.errors import DeploymentError, RolledBackError
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.deploying.fake_accounts import denied

BROKEN = "KeyError: 'TABLE'"
SECRETS = """
[[tool.alchemiser.secrets]]
name = "/{env}/bank"

[[tool.alchemiser.secrets]]
name = "/{env}/mail"
"""


@pytest.fixture
def deployed(deployments: ShopDeployments) -> ShopDeployments:
    deployments.deploy()
    deployments.take_calls()
    return deployments


def test_interrupt_of_the_test_says_how_to_repeat_it(deployed: ShopDeployments) -> None:
    deployed.change_till()

    def interrupt(_name: str, _function: str) -> None:
        raise KeyboardInterrupt

    deployed.aws.functions.on_call = interrupt

    with pytest.raises(DetachedError) as caught:
        deployed.deploy()

    message = "live: interrupted; r2 is deployed, but not tested; test it: inv deploy --env live"
    assert str(caught.value) == message
    assert deployed.history[1] == ("deploy", "deployed", "pending")


def test_incomplete_test_is_accepted_and_repeated(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.answer(incomplete=["/live/bank"])
    deployments.deploy()
    requests = deployments.aws.functions.requests
    first = {name: len(messages) for name, messages in requests.items()}

    deployments.deploy()

    assert deployments.history == [("deploy", "deployed", "incomplete")]
    assert {name: len(messages) for name, messages in requests.items()} == dict.fromkeys(first, 2)
    output, errors = capsys.readouterr()
    assert output.endswith("r1 runs in live: smoke test incomplete\n")
    assert "the smoke test is incomplete: /live/bank: is not set up yet" in errors


def test_incomplete_release_is_one_to_go_back_to(deployments: ShopDeployments) -> None:
    deployments.answer(incomplete=["/live/bank"])
    deployments.deploy()
    deployments.answer(error=BROKEN)

    with pytest.raises(RolledBackError):
        deployments.deploy()

    assert deployments.history[2] == ("rollback to r1", "deployed", "incomplete")


def test_test_without_an_answer_is_made_up_for(deployed: ShopDeployments) -> None:
    """Deployed, but never tested: the same command again tests it, and changes nothing."""
    deployed.change_till()

    def lose(_name: str, _function: str) -> None:
        raise DeploymentError("Lambda does not answer")

    deployed.aws.functions.on_call = lose
    with pytest.raises(DeploymentError, match="Lambda does not answer"):
        deployed.deploy()
    before = deployed.history[1]
    deployed.aws.functions.on_call = lambda _name, _function: None
    deployed.take_calls()

    release = deployed.deploy()

    assert release == deployed.releases[1]
    assert (before, deployed.history[1]) == (("deploy", "deployed", "pending"), ("deploy", "deployed", "passed"))
    assert deployed.take_calls() == []


def test_other_code_than_the_build_is_a_failed_test(deployed: ShopDeployments) -> None:
    deployed.change_till()
    deployed.aws.functions.requests.clear()
    ledger = deployed.aws.stacks.stacks["shop-live"].physical_ids["Ledger"]
    deployed.aws.code.by_hand[ledger] = "other"

    with pytest.raises(DeploymentError, match="shop-live: Ledger: runs other code than the build"):
        deployed.deploy()

    assert deployed.history[1] == ("deploy", "rolled back", "failed")
    assert deployed.aws.functions.requests == {}


@pytest.mark.parametrize("secrets", [{}, {"/live/bank": SecretState.DELETED}])
def test_fault_of_a_missing_secret_is_incomplete(
    deployed: ShopDeployments, secrets: dict[str, SecretState], capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.edit("pyproject.toml", "[[tool.alchemiser.watched]]", f"{SECRETS}\n[[tool.alchemiser.watched]]")
    deployed.answer(error="AccessDenied: /live/bank")
    deployed.aws.account.secrets = secrets

    deployed.deploy()

    assert deployed.history[1] == ("deploy", "deployed", "incomplete")
    assert "the smoke test is incomplete: /live/bank: is not set up yet" in capsys.readouterr().err


def test_fault_of_a_secret_that_exists_is_a_failure(deployed: ShopDeployments) -> None:
    deployed.edit("pyproject.toml", "[[tool.alchemiser.watched]]", f"{SECRETS}\n[[tool.alchemiser.watched]]")
    deployed.answer(error="AccessDenied: /live/bank")
    deployed.aws.account.secrets = {"/live/bank": SecretState.PRESENT}

    with pytest.raises(RolledBackError, match="r2 failed its test: Till: failed: AccessDenied: /live/bank"):
        deployed.deploy()


def test_test_sends_the_projects_message_to_every_function(deployed: ShopDeployments) -> None:
    deployed.change_till()
    deployed.aws.functions.requests.clear()

    deployed.deploy()

    assert list(deployed.aws.functions.requests.values()) == [[{"health": True}]] * 3


def test_secrets_that_cannot_be_looked_up_are_an_error(deployed: ShopDeployments) -> None:
    deployed.edit("pyproject.toml", "[[tool.alchemiser.watched]]", f"{SECRETS}\n[[tool.alchemiser.watched]]")
    deployed.change_till()
    deployed.aws.account.failing = {"secret": denied()}

    with pytest.raises(DeploymentError) as caught:
        deployed.deploy()

    assert str(caught.value) == "smoke test: the secrets could not be looked up: AccessDenied: no"
    assert deployed.history[1] == ("deploy", "deployed", "pending")


def test_project_without_a_smoke_test_compares_the_code_only(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.edit("pyproject.toml", "smoke = {health = true}", "")
    deployments.answer(error=BROKEN)

    deployments.deploy()

    assert deployments.history == [("deploy", "deployed", "passed")]
    assert deployments.aws.functions.requests == {}
    assert "functions answered" not in capsys.readouterr().out


def test_prove_on_aws_asks_failed_functions_again(
    deployments: ShopDeployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new role takes some seconds to reach every server of AWS; an emulator has no such excuse."""
    monkeypatch.setattr(recovery, "PAUSES_S", (0.0,))
    deployments.variables.clear()
    functions = deployments.aws.functions

    def fail_once(_name: str, function: str) -> None:
        functions.broken = {} if function in functions.requests else {function: BROKEN}

    functions.on_call = fail_once

    deployments.deploy()

    assert deployments.history == [("deploy", "deployed", "passed")]


def test_prove_on_an_emulator_asks_once(deployments: ShopDeployments, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "PAUSES_S", (0.0,))
    deployments.answer(error=BROKEN)

    with pytest.raises(DeploymentError):
        deployments.deploy()

    assert {len(messages) for messages in deployments.aws.functions.requests.values()} == {1}
