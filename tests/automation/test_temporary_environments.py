"""A temporary environment is deployed without a person's help, expires, and is destroyed with all its data."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automation.deploying.checks import preflight, setup
from automation.deploying.destroying import steps
from automation.deploying.releases import expiry
from automation.deploying.remarks import Level, Remark
from automation.system.errors import CheckFailedError, DeploymentError, UsageError
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.deploying.changing_stacks import Person
from tests.automation.deploying.checks.visited_accounts import visit_to
from tests.automation.deploying.fake_accounts import FakeAccount
from tests.automation.temporary_shop import SECTIONS, TABLE, make_temporary_shop

STACKS = ("shop-pr-1-base", "shop-pr-1")
SECRETS = '[[tool.alchemiser.secrets]]\nname = "/shop/{env}/till"\n'


@pytest.fixture
def temporary(deployments: ShopDeployments, monkeypatch: pytest.MonkeyPatch) -> ShopDeployments:
    """Return the deployments; artifacts have tests of their own."""
    for name, more in (("pyproject.toml", TABLE), ("samconfig.toml", SECTIONS)):
        path = deployments.root / name
        path.write_text(path.read_text() + more)
    monkeypatch.setattr(steps, "delete_artifacts", lambda *_arguments: None)
    return deployments


def expires_at(deployments: ShopDeployments) -> datetime:
    moment = expiry.read(deployments.aws.table)
    assert moment is not None
    return moment


def is_in(moment: datetime, ttl: timedelta) -> bool:
    return abs(moment - datetime.now(UTC) - ttl) < timedelta(minutes=5)


def test_deploy_needs_nobody_and_expires_after_the_ttl_of_pyproject(
    temporary: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    temporary.ask_for_owner()
    temporary.edit(
        "pyproject.toml", "[tool.alchemiser.environments.here]", f"{SECRETS}\n[tool.alchemiser.environments.here]"
    )

    temporary.deploy("pr-1", yes=False)

    captured = capsys.readouterr()
    assert sorted(temporary.aws.stacks.stacks) == sorted(STACKS)
    assert temporary.aws.stacks.describe("shop-pr-1").parameters["BaseStack"] == "shop-pr-1-base"
    assert is_in(expires_at(temporary), timedelta(hours=36))
    assert (
        f"pr-1 expires at {expiry.text(expires_at(temporary))}; inv destroy --expired deletes it then" in captured.out
    )
    assert ("not ready" in captured.out, "till" in captured.err) == (False, False)


@pytest.mark.parametrize(("name", "smoke"), [("pr-1", "passed"), ("live", "incomplete")])
def test_smoke_test_passes_without_secrets_only_in_temporary_ones(
    temporary: ShopDeployments, name: str, smoke: str
) -> None:
    temporary.edit(
        "pyproject.toml", "[tool.alchemiser.environments.here]", f"{SECRETS}\n[tool.alchemiser.environments.here]"
    )
    secret = f"/shop/{name}/till"
    temporary.answer(healthy=False, checks={"till": f"cannot read {secret}"})

    temporary.deploy(name)

    assert [str(release.smoke) for release in temporary.releases] == [smoke]


def test_deploy_of_live_writes_no_expiry(temporary: ShopDeployments) -> None:
    temporary.deploy()

    assert temporary.aws.table.labels == {"created-by": "inv deploy"}


def test_deploy_ttl_of_live_is_refused_before_anything_is_done(temporary: ShopDeployments) -> None:
    with pytest.raises(UsageError, match=r"^--ttl: live never expires"):
        temporary.deploy(ttl="1d")

    assert (temporary.take_calls(), temporary.aws.table.calls) == ([], [])


@pytest.mark.parametrize("is_changed", [True, False])
def test_deploy_again_gives_it_new_time(temporary: ShopDeployments, *, is_changed: bool) -> None:
    temporary.deploy("pr-1")
    temporary.aws.table.tag({"expires-at": "2026-01-02T03:04:05+00:00"})
    if is_changed:
        temporary.change_till()

    temporary.deploy("pr-1", ttl="5d")

    assert is_in(expires_at(temporary), timedelta(days=5))


def test_deploy_that_fails_at_its_first_stack_expires_too(temporary: ShopDeployments) -> None:
    temporary.aws.stacks.failing["shop-pr-1-base"] = "quota"

    with pytest.raises(DeploymentError):
        temporary.deploy("pr-1", ttl="2h")

    assert is_in(expires_at(temporary), timedelta(hours=2))


def test_lock_of_a_missing_table_has_the_expiry_from_its_first_moment(temporary: ShopDeployments) -> None:
    created: list[str] = []
    temporary.aws.table.on_call = lambda name, argument: created.append(argument) if name == "create" else None

    temporary.deploy("pr-1")

    assert "'expires-at': '20" in created[0]


def test_destroy_deletes_the_data_the_artifacts_and_the_releases(
    temporary: ShopDeployments, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaned: list[str] = []
    monkeypatch.setattr(steps, "delete_artifacts", lambda session, *_arguments: cleaned.append(session.environment))
    temporary.deploy("pr-1")
    table = temporary.aws.stacks.stacks["shop-pr-1-base"].physical_ids["Sales"]

    temporary.destroy(name="pr-1")

    assert temporary.aws.stacks.stacks == {}
    assert temporary.aws.data.calls == [f"release {table}", f"delete {table}"]
    assert (cleaned, temporary.aws.table.exists()) == (["pr-1"], False)


def test_destroy_finishes_what_was_interrupted_before_the_table_was_deleted(temporary: ShopDeployments) -> None:
    temporary.deploy("pr-1")

    def fail(name: str, _argument: str) -> None:
        if name == "delete":
            raise DeploymentError("AWS does not answer")

    temporary.aws.table.on_call = fail
    with pytest.raises(DeploymentError):
        temporary.destroy(name="pr-1")
    assert (temporary.aws.stacks.stacks, temporary.aws.table.exists()) == ({}, True)
    temporary.aws.table.on_call = lambda _name, _argument: None

    temporary.destroy(name="pr-1")

    assert not temporary.aws.table.exists()


def test_destroy_without_a_table_leaves_none(temporary: ShopDeployments) -> None:
    """The lock needs the table, so it is created again."""
    temporary.deploy("pr-1")
    temporary.aws.table.delete()

    temporary.destroy(name="pr-1")

    assert not temporary.aws.table.exists()


def test_destroy_asks_for_one_word(temporary: ShopDeployments, person: Person) -> None:
    temporary.deploy("pr-1")
    person.answers = ["pr-1"]

    temporary.destroy(name="pr-1", yes=False, confirm="")

    assert person.questions == ["Type pr-1 to destroy pr-1 with all its data:"]
    assert temporary.aws.stacks.stacks == {}


@pytest.mark.parametrize("word", ["", "y", "pr-2", "pr-1 and all data"])
def test_destroy_in_advance_needs_its_name(temporary: ShopDeployments, word: str) -> None:
    temporary.deploy("pr-1")

    with pytest.raises(UsageError, match=r"add --confirm pr-1$"):
        temporary.destroy(name="pr-1", confirm=word)

    assert len(temporary.aws.stacks.stacks) == 2


def test_destroy_of_live_keeps_its_data(temporary: ShopDeployments) -> None:
    """Planted fault: what a temporary environment loses, no other one does."""
    temporary.deploy()

    temporary.destroy()

    assert (temporary.aws.data.calls, temporary.aws.table.exists()) == ([], True)


def test_destroy_only_expired_refuses_one_that_got_more_time(temporary: ShopDeployments) -> None:
    """A deployment between the search and the lock."""
    temporary.deploy("pr-1")
    temporary.take_calls()

    with pytest.raises(CheckFailedError, match="it has not expired; nothing was changed"):
        temporary.destroy(name="pr-1", only_expired=True)
    assert (temporary.take_calls(), temporary.aws.data.calls) == ([], [])
    assert temporary.aws.table.lock is None
    temporary.aws.table.tag({"expires-at": "2026-01-02T03:04:05+00:00"})

    temporary.destroy(name="pr-1", only_expired=True)

    assert temporary.aws.stacks.stacks == {}


def test_set_up_is_nothing_to_ask_about(tmp_path: Path) -> None:
    table = TABLE + SECRETS
    shop = make_temporary_shop(tmp_path, table.replace("ttl", 'parameters = {Colour = "me@example.com"}\nttl'))
    account = FakeAccount()
    visit = visit_to(account, shop, name="pr-1")

    remarks = [remark for topic in setup.TOPICS for remark in topic(visit)]
    checked = preflight.check(visit.scope, account, visit.intent, run_hooks=lambda *_arguments, **_place: ())

    what = "a temporary environment has none; a function that needs one says so and does nothing"
    assert remarks == [Remark(Level.INFO, "secrets", what)]
    assert not [call for call in account.asked if call.startswith("secret ")]
    assert (checked.stops, checked.warnings) == ((), ())
