"""Who may destroy an environment, and what must be confirmed first; a refusal changes nothing."""

from datetime import timedelta

import pytest

from automation.system.accounts import Identity
from automation.system.errors import CheckFailedError, ConfigurationError, DeploymentError, UsageError
from tests.automation.deployable_shop import STOP, ShopDeployments, write_json
from tests.automation.deploying.changing_stacks import Person
from tests.automation.release_tables import LOCK, NOW
from tests.automation.test_deploy_adoption import APP_ID, sales
from tests.automation.test_destroy import is_as_before


@pytest.fixture
def deployed(deployments: ShopDeployments) -> ShopDeployments:
    deployments.deploy()
    deployments.take_calls()
    deployments.aws.table.calls.clear()
    return deployments


@pytest.mark.parametrize("confirm", ["", "Live", "live and all data"])
def test_destroy_in_advance_needs_the_word(deployed: ShopDeployments, confirm: str) -> None:
    with pytest.raises(UsageError) as caught:
        deployed.destroy(confirm=confirm)

    message = "--yes needs the word that a person would type; add --confirm live"
    assert str(caught.value) == f"destroy --env live: {message}"
    assert is_as_before(deployed)


def test_destroy_all_in_advance_needs_another_word(deployed: ShopDeployments) -> None:
    with pytest.raises(UsageError, match="add --confirm 'live and all data'"):
        deployed.destroy("all")

    assert is_as_before(deployed)


def test_destroy_without_terminal_needs_yes(deployed: ShopDeployments) -> None:
    with pytest.raises(UsageError, match="run it in a terminal, or add --yes --confirm live"):
        deployed.destroy(yes=False, confirm="")

    assert is_as_before(deployed)


def test_destroy_asks_for_the_name_and_for_each_named_resource(deployed: ShopDeployments, person: Person) -> None:
    table = sales(deployed)
    person.answers = ["live", "Sales"]

    deployed.destroy("Sales", yes=False, confirm="")

    assert person.questions == [
        "Type live to destroy live:",
        f"{table}, 3 items is deleted for ever. Type Sales to confirm:",
    ]
    assert table in deployed.aws.data.deleted


def test_destroy_all_asks_separately(deployed: ShopDeployments, person: Person) -> None:
    person.answers = ["live", "live and all data"]

    deployed.destroy("all", yes=False, confirm="")

    assert person.questions[1] == "Type live and all data to delete the data of 1 resource(s) for ever:"


@pytest.mark.parametrize(("answers", "word"), [(["Live"], "live"), (["live", "sales"], "Sales")])
def test_destroy_other_answer_changes_nothing(
    deployed: ShopDeployments, person: Person, answers: list[str], word: str
) -> None:
    person.answers = [*answers]

    with pytest.raises(UsageError) as caught:
        deployed.destroy("Sales", yes=False, confirm="")

    assert str(caught.value) == f"destroy --env live: cancelled: nothing was changed (type {word} to confirm)"
    assert is_as_before(deployed)


def test_destroy_confirm_environment_asks_for_its_name_too(deployed: ShopDeployments, person: Person) -> None:
    """The consent of an environment is about deployments; a deletion is always typed."""
    deployed.edit("pyproject.toml", 'consent = "word"', 'consent = "none"')
    person.answers = ["y"]

    with pytest.raises(UsageError, match="type live to confirm"):
        deployed.destroy(yes=False, confirm="")


def test_destroy_sandbox_needs_no_confirmation(deployments: ShopDeployments) -> None:
    deployments.deploy("here")
    deployments.take_calls()

    deployments.destroy(name="here", yes=False, confirm="")

    assert deployments.take_calls() == ["delete shop-here", "delete shop-here-base"]


def test_destroy_stack_that_moved_meanwhile_is_left_alone(deployed: ShopDeployments) -> None:
    def move(name: str, _argument: str) -> None:
        if name == "lock":
            deployed.aws.stacks.stacks[APP_ID].changed_at = "2027-01-01T00:00:00+00:00"

    deployed.aws.table.on_call = move

    with pytest.raises(CheckFailedError) as caught:
        deployed.destroy()

    [finding] = caught.value.findings
    assert (finding.where, finding.what) == (APP_ID, "the stack was changed in the meantime")
    assert finding.fix == "look again: inv destroy --env live --dry-run"
    assert deployed.take_calls() == []


def test_destroy_guard_stops_it(deployed: ShopDeployments) -> None:
    deployed.add_hooks()
    write_json(deployed, "guard.json", [STOP])

    with pytest.raises(CheckFailedError, match=r"1 finding\(s\) stop this; nothing was changed") as caught:
        deployed.destroy()

    assert caught.value.findings[0].what == "3 orders are queued"
    assert is_as_before(deployed)


def test_destroy_guard_is_not_asked_about_what_is_half_deleted(deployed: ShopDeployments) -> None:
    deployed.add_hooks()
    deployed.aws.stacks.failing = {APP_ID: "role is in use"}
    with pytest.raises(DeploymentError):
        deployed.destroy()
    write_json(deployed, "guard.json", [STOP])
    deployed.aws.stacks.failing = {}

    deployed.destroy()

    assert deployed.aws.stacks.stacks == {}


def test_destroy_another_deployer_keeps_out(deployed: ShopDeployments) -> None:
    deployed.aws.table.lock = LOCK
    deployed.aws.table.now = NOW + timedelta(minutes=1)

    with pytest.raises(CheckFailedError) as caught:
        deployed.destroy()

    assert "has been deploying since" in caught.value.findings[0].what
    assert deployed.take_calls() == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_destroy_other_account_is_refused(deployed: ShopDeployments, dry_run: bool) -> None:
    deployed.aws.account.who = Identity("210987654321", "arn:aws:iam::210987654321:user/ann")

    with pytest.raises((CheckFailedError, ConfigurationError)):
        deployed.destroy(dry_run=dry_run)

    assert is_as_before(deployed)
