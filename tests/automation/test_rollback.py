"""`inv rollback` restores an earlier release with exactly its artifacts, planned and confirmed like a deployment."""

import json
from dataclasses import replace

import pytest

from automation.deploying.stacks.execution import DetachedError
from automation.system.errors import CheckFailedError, DeploymentError, UsageError
from tests.automation.deployable_shop import NEW_ORDER, ORDER, STOP, ShopDeployments, write_json
from tests.automation.deploying.changing_stacks import Person
from tests.automation.deploying.fake_accounts import TIMELESS
from tests.automation.fake_stacks import interrupt_changes
from tests.automation.release_tables import LOCK
from tests.automation.repositories import commit_all

BROKEN = "KeyError: 'TABLE'"


@pytest.fixture
def twice(deployments: ShopDeployments) -> ShopDeployments:
    """Return a shop that was deployed twice; both stacks have changed."""
    deployments.deploy()
    deployments.change_till()
    deployments.edit("shop/stock/handler.py", "...", "return 1")
    deployments.deploy()
    deployments.take_calls()
    return deployments


@pytest.fixture
def unreadable(deployments: ShopDeployments) -> ShopDeployments:
    """Return a shop whose two releases cannot read each other's messages."""
    deployments.add_hooks({"Order": ORDER})
    deployments.deploy()
    deployments.change_till()
    write_json(deployments, "contracts.json", {"Order": NEW_ORDER})
    deployments.deploy()
    (deployments.root / "guarded.jsonl").unlink()
    deployments.take_calls()
    return deployments


def test_rollback_restores_the_last_good_release(twice: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    newer = twice.till_code
    capsys.readouterr()

    release = twice.rollback()

    first = twice.releases[0]
    assert release == twice.releases[2]
    assert (release.kind, release.status, release.smoke) == ("rollback to r1", "deployed", "passed")
    assert [stack.code for stack in release.stacks] == [stack.code for stack in first.stacks]
    assert [stack.template for stack in release.stacks] == [stack.template for stack in first.stacks]
    assert (release.contracts, release.commit, release.is_dirty) == (first.contracts, first.commit, first.is_dirty)
    assert twice.till_code != newer
    assert [call for call in twice.take_calls() if "execute" in call] == ["execute shop-live", "execute shop-live-base"]
    output = capsys.readouterr().out
    assert "r2 -> r3\n" in output
    assert "note: the target is an emulator" in output
    assert output.endswith("r1 runs again in live, as r3: smoke test passed\n")


def test_rollback_keeps_commit_and_contracts_of_the_release(twice: ShopDeployments) -> None:
    row = json.loads(twice.aws.table.rows[1])
    twice.aws.table.rows[1] = json.dumps(row | {"commit": "a" * 40, "is_dirty": True, "contracts": "s3://b/c.json"})
    twice.aws.store.objects["b", "c.json"] = b"{}"

    release = twice.rollback()

    assert (release.commit, release.is_dirty, release.contracts) == ("a" * 40, True, "s3://b/c.json")


def test_rollback_then_deploy_deploys_the_working_copy_again(twice: ShopDeployments) -> None:
    newer = twice.till_code
    twice.rollback()

    twice.deploy()

    assert twice.till_code == newer
    assert twice.history == [("deploy", "deployed", "passed")] * 2 + [
        ("rollback to r1", "deployed", "passed"),
        ("deploy", "deployed", "passed"),
    ]


def test_rollback_to_names_the_release(twice: ShopDeployments) -> None:
    twice.rollback()
    newest = twice.releases[1].stacks[1].code

    release = twice.rollback("r2")

    assert release.kind == "rollback to r2"
    assert release.stacks[1].code == newest


def test_rollback_to_a_rollback_names_its_origin(twice: ShopDeployments) -> None:
    twice.rollback()
    twice.rollback("2")

    assert twice.rollback("r3").kind == "rollback to r1"


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("r9", "--to: live has no release r9; the newest is r2; see inv releases --env live"),
        ("r2", "--to: r2 already runs in live; see inv releases --env live"),
        ("soon", "--to: 'soon' is not a release; write it as r7 or 7"),
    ],
)
def test_rollback_to_the_wrong_release_is_refused(twice: ShopDeployments, to: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        twice.rollback(to)

    assert str(caught.value) == message
    assert twice.take_calls() == []


def test_rollback_of_a_malformed_release_calls_nobody(deployments: ShopDeployments) -> None:
    with pytest.raises(UsageError):
        deployments.rollback("soon")

    assert deployments.aws.account.asked == []


def test_rollback_without_a_good_release_is_refused(deployments: ShopDeployments) -> None:
    deployments.deploy()
    deployments.take_calls()

    with pytest.raises(CheckFailedError, match="there is nothing to go back to; nothing was changed"):
        deployments.rollback()

    assert deployments.take_calls() == []


def test_rollback_whose_artifacts_are_gone_is_refused(twice: ShopDeployments) -> None:
    objects = twice.aws.store.objects
    zips = [key for key in objects if key[1].endswith(f"{twice.releases[0].stacks[1].code['Till']}.zip")]
    del objects[zips[0]]

    with pytest.raises(CheckFailedError, match="live: r1 cannot be restored; nothing was changed") as caught:
        twice.rollback()

    assert [finding.where for finding in caught.value.findings] == [f"s3://shop-artifacts/{zips[0][1]}"]
    assert twice.take_calls() == []


def test_rollback_leaves_a_newer_stack_alone(twice: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    row = json.loads(twice.aws.table.rows[1])
    twice.aws.table.rows[1] = json.dumps(row | {"stacks": row["stacks"][:1]})

    twice.rollback()

    assert "warning: shop-live was not deployed by r1, and is left alone\n" in capsys.readouterr().err
    assert [call for call in twice.take_calls() if "execute" in call] == ["execute shop-live-base"]


def test_rollback_word_confirms(twice: ShopDeployments, person: Person) -> None:
    person.answers = ["live"]

    twice.rollback(yes=False)

    assert person.questions == ["Type live to change live:"]
    assert len(twice.releases) == 3


def test_rollback_wrong_word_cancels_and_discards(twice: ShopDeployments, person: Person) -> None:
    person.answers = ["no"]

    with pytest.raises(UsageError, match="cancelled: nothing was changed"):
        twice.rollback(yes=False)

    assert twice.aws.stacks.sets == {}
    assert twice.aws.table.lock is None
    assert len(twice.releases) == 2


def test_rollback_interrupted_at_the_question_changes_nothing(twice: ShopDeployments, person: Person) -> None:
    person.answers = [KeyboardInterrupt]

    with pytest.raises(DetachedError, match=r"rollback --env live: interrupted; nothing was changed$"):
        twice.rollback(yes=False)

    assert twice.aws.stacks.sets == {}


def test_rollback_without_terminal_is_refused_at_once(twice: ShopDeployments) -> None:
    twice.aws.account.asked.clear()

    with pytest.raises(UsageError, match="rollback --env live: must be confirmed, and there is no terminal"):
        twice.rollback(yes=False)

    assert twice.aws.account.asked == []


def test_rollback_forbidden_advises_with_the_whole_command(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.sell("on")
    deployments.deploy()
    deployments.sell("off")
    deployments.deploy()
    deployments.take_calls()

    with pytest.raises(CheckFailedError) as caught:
        deployments.rollback("r1", allow=("replace:Sales",))

    command = "inv rollback --env live --to r1 --yes --allow replace:Sales --allow watched:Selling"
    assert str(caught.value).endswith(f"if that is what you want: {command}")
    assert deployments.aws.stacks.sets == {}
    assert "instead: keep off" not in capsys.readouterr().out


def test_rollback_allowed_danger_is_shown(deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    deployments.sell("on")
    deployments.deploy()
    deployments.sell("off")
    deployments.deploy()

    release = deployments.rollback(allow=("watched:Selling",))

    assert release.allowed == ("watched:Selling",)
    assert "allowed: watched:Selling (app): selling: off -> on\n" in capsys.readouterr().out


def test_rollback_forbidden_default_has_no_release_in_the_command(deployments: ShopDeployments, person: Person) -> None:
    deployments.sell("on")
    deployments.deploy()
    deployments.sell("off")
    deployments.deploy()

    with pytest.raises(CheckFailedError, match=r"want: inv rollback --env live --allow watched:Selling$"):
        deployments.rollback(yes=False)

    assert person.questions == []


def test_rollback_does_not_look_at_the_working_copy(twice: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    """What is deployed comes from the bucket, so uncommitted changes do not matter."""
    commit_all(twice.root)
    twice.change_till()
    capsys.readouterr()

    twice.rollback()

    assert twice.history[2] == ("rollback to r1", "deployed", "passed")
    assert "warning: git" not in capsys.readouterr().err


def test_rollback_checks_the_account_first(twice: ShopDeployments) -> None:
    twice.aws.account.who = replace(TIMELESS, account="999999999999")

    with pytest.raises(CheckFailedError, match="stop this; nothing was changed"):
        twice.rollback()


def test_rollback_lock_of_another_deployer_stops(twice: ShopDeployments) -> None:
    table = twice.aws.table

    def lock_first(name: str, _argument: str) -> None:
        if name == "create":
            table.lock = LOCK

    table.on_call = lock_first

    with pytest.raises(CheckFailedError, match="another deployer is at work"):
        twice.rollback()

    assert twice.take_calls() == []


def test_rollback_of_content_that_runs_already_is_recorded_and_tested(
    twice: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody has restored the stacks by hand, so no release is known to run."""
    twice.rollback()
    del twice.aws.table.rows[3]
    twice.take_calls()
    capsys.readouterr()

    release = twice.rollback("r1")

    assert (release.name, release.smoke) == ("r3", "passed")
    assert not any("execute" in call for call in twice.take_calls())
    assert twice.aws.stacks.sets == {}
    assert capsys.readouterr().out == "3 functions answered\nr1 runs again in live, as r3: smoke test passed\n"


def test_rollback_to_a_release_that_fails_its_test_pauses(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.add_hooks()
    deployments.deploy()
    deployments.change_till()
    deployments.deploy()
    functions = deployments.aws.functions
    functions.broken = {deployments.aws.stacks.stacks["shop-live"].physical_ids["Till"]: BROKEN}

    with pytest.raises(DeploymentError) as caught:
        deployments.rollback()

    what = "live: r1 was restored as r3, and fails its test"
    assert str(caught.value) == f"{what}; choose another one: inv releases --env live"
    assert (deployments.root / "paused").exists()
    assert deployments.history[2] == ("rollback to r1", "deployed", "failed")
    assert "runs again" not in capsys.readouterr().out


def test_rollback_interrupted_is_finished_by_the_same_command(twice: ShopDeployments) -> None:
    interrupt_changes(twice.aws.stacks, "shop-live")
    with pytest.raises(DetachedError, match=r"and finish it, run inv rollback --env live --to r1$"):
        twice.rollback()
    assert twice.history[2] == ("rollback to r1", "deploying", "pending")

    twice.rollback("r1")

    assert twice.history[2:] == [("rollback to r1", "deployed", "passed")]


def test_rollback_whose_stack_fails_names_the_command_again(twice: ShopDeployments) -> None:
    twice.aws.stacks.failing["shop-live"] = "name is taken"

    with pytest.raises(DeploymentError, match=r"fix the cause, then run inv rollback --env live --to r1$"):
        twice.rollback()


def test_rollback_breaking_message_is_stopped_by_a_guard(unreadable: ShopDeployments) -> None:
    write_json(unreadable, "breaking.json", [STOP])

    with pytest.raises(
        CheckFailedError, match=r"live: Order cannot be read by both releases; nothing was changed$"
    ) as caught:
        unreadable.rollback()

    assert [finding.what for finding in caught.value.findings] == ["3 orders are queued"]
    assert unreadable.aws.stacks.sets == {}
    assert [release.number for release in unreadable.releases] == [1, 2]


def test_rollback_breaking_message_passes_when_no_guard_stops(
    unreadable: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    release = unreadable.rollback()

    assert (release.kind, release.contracts) == ("rollback to r1", unreadable.releases[0].contracts)
    assert (unreadable.root / "guarded.jsonl").read_text() == '[]\n["Order"]\n'
    assert "the new release cannot read the deployed one's: price is unknown" in capsys.readouterr().out


def test_rollback_after_a_failed_deployment_compares_with_its_messages(unreadable: ShopDeployments) -> None:
    """No release runs on both stacks then, and the messages of the newest one may be queued."""
    unreadable.change_both()
    write_json(unreadable, "contracts.json", {"Order": ORDER})
    unreadable.aws.stacks.failing["shop-live"] = "name is taken"
    with pytest.raises(DeploymentError):
        unreadable.deploy()
    unreadable.aws.stacks.failing.clear()
    (unreadable.root / "guarded.jsonl").unlink()

    unreadable.rollback("r1")

    assert (unreadable.root / "guarded.jsonl").read_text() == "[]\n"
