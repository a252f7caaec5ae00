"""What follows a deployment: the test of what runs, and after a failed one the way back to the last good release."""

import pytest

from automation.deploying.stacks.execution import DetachedError
from automation.system.errors import DeploymentError, RolledBackError
from tests.automation.deployable_shop import NEW_ORDER, ORDER, STOP, ShopDeployments, write_json
from tests.automation.fake_stacks import interrupt_changes

BROKEN = "KeyError: 'TABLE'"
FAILED = f"r2 failed its test: Till: failed: {BROKEN}"


def executed(deployments: ShopDeployments) -> list[str]:
    """Return the stacks that were changed since the last time, in order."""
    return [call.removeprefix("execute ") for call in deployments.take_calls() if call.startswith("execute ")]


def break_both(deployments: ShopDeployments) -> None:
    """Change both stacks; the till will fail its test."""
    deployments.answer(error=BROKEN)
    deployments.edit("shop/stock/handler.py", "...", "return 1")


@pytest.fixture
def deployed(deployments: ShopDeployments) -> ShopDeployments:
    deployments.deploy()
    deployments.take_calls()
    return deployments


@pytest.fixture
def unproven(deployments: ShopDeployments) -> ShopDeployments:
    """Return a first release that has failed its test, so that there is nothing to go back to."""
    deployments.add_hooks()
    deployments.answer(error=BROKEN)
    with pytest.raises(DeploymentError):
        deployments.deploy()
    deployments.take_calls()
    return deployments


def test_failed_test_restores_both_stacks_in_reverse(
    deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    before = deployed.till_code
    break_both(deployed)
    capsys.readouterr()

    with pytest.raises(RolledBackError) as caught:
        deployed.deploy()

    what = f"live: {FAILED}; rolled back to r1, which runs as r3; fix it and run inv deploy --env live"
    assert (str(caught.value), caught.value.exit_code) == (what, 8)
    assert executed(deployed) == ["shop-live-base", "shop-live", "shop-live", "shop-live-base"]
    assert deployed.till_code == before
    assert deployed.history[1:] == [("deploy", "rolled back", "failed"), ("rollback to r1", "deployed", "passed")]
    output, errors = capsys.readouterr()
    assert "rolling back to r1\n" in output
    assert f"warning: {FAILED}; going back to the last release that works\n" in errors


def test_failed_test_records_why(deployed: ShopDeployments) -> None:
    break_both(deployed)

    with pytest.raises(RolledBackError):
        deployed.deploy()

    (finding,) = deployed.releases[1].smoke_findings
    assert (finding.where, finding.what) == ("Till", f"failed: {BROKEN}")


def test_restored_release_says_what_it_restores(deployed: ShopDeployments) -> None:
    break_both(deployed)
    with pytest.raises(RolledBackError):
        deployed.deploy()

    first, _, restored = deployed.releases
    assert restored.rollback_to == 1
    assert [stack.digest for stack in restored.stacks] == [stack.digest for stack in first.stacks]
    assert [stack.stack_name for stack in restored.stacks] == ["shop-live-base", "shop-live"]
    assert deployed.stamp("shop-live")[0] == "r1"


def test_restored_release_runs_until_the_code_is_fixed(deployed: ShopDeployments) -> None:
    break_both(deployed)
    for _ in range(2):
        with pytest.raises(RolledBackError):
            deployed.deploy()
    deployed.answer()

    deployed.deploy()

    assert [smoke for _, _, smoke in deployed.history] == ["passed", "failed", "passed", "failed", "passed", "passed"]


def test_second_way_back_restores_in_reverse_too(deployed: ShopDeployments) -> None:
    """The last good release is itself a rollback, whose stacks were changed in reverse."""
    break_both(deployed)
    with pytest.raises(RolledBackError):
        deployed.deploy()
    deployed.take_calls()

    with pytest.raises(RolledBackError, match="rolled back to r1, which runs as r5"):
        deployed.deploy()

    assert executed(deployed) == ["shop-live-base", "shop-live", "shop-live", "shop-live-base"]


def test_removed_export_is_restored_before_nobody_needs_it(deployed: ShopDeployments) -> None:
    """CloudFormation refuses to take an export back while another stack imports it: hence the reverse order."""
    table = '  Sold:\n    Value: !Ref Sales\n    Export: {Name: !Sub "${AWS::StackName}-sold"}\n'
    (deployed.root / "base.yaml").write_text((deployed.root / "base.yaml").read_text() + table)
    deployed.edit("app.yaml", "COLOUR:", 'SOLD: !ImportValue {"Fn::Sub": "${BaseStack}-sold"}, COLOUR:')
    deployed.answer(error=BROKEN)

    with pytest.raises(RolledBackError):
        deployed.deploy()

    assert "shop-live-base-sold" not in deployed.aws.stacks.exports()


def test_failed_test_without_a_good_release_pauses(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.add_hooks()
    deployments.answer(error=BROKEN)

    with pytest.raises(DeploymentError) as caught:
        deployments.deploy()

    assert caught.value.exit_code == 6
    what = "live: r1 failed its test, and was not rolled back: no earlier release has passed its test"
    assert str(caught.value) == f"{what}; fix it and run inv deploy --env live, or inv rollback --env live"
    assert (deployments.root / "paused").exists()
    errors = capsys.readouterr().err
    assert "warning: shop: is paused; open it again\nwarning: shop: sells nothing\n" in errors
    assert f"warning: r1 failed its test: Till: failed: {BROKEN}" in errors
    assert deployments.history == [("deploy", "deployed", "failed")]


def test_failed_test_is_repeated_and_stays_red(unproven: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    (unproven.root / "paused").unlink()
    capsys.readouterr()

    with pytest.raises(DeploymentError, match="r1 failed its test"):
        unproven.deploy()

    assert (unproven.take_calls(), len(unproven.releases)) == ([], 1)
    assert (unproven.root / "paused").exists()
    assert capsys.readouterr().out.startswith("nothing has changed in live: r1 runs\n")


def test_failed_test_passes_once_the_code_is_fixed(unproven: ShopDeployments) -> None:
    unproven.answer()

    unproven.deploy()

    assert unproven.history == [("deploy", "deployed", "failed"), ("deploy", "deployed", "passed")]


def test_failed_test_without_pause_hook_pauses_nothing(deployments: ShopDeployments) -> None:
    deployments.answer(error=BROKEN)

    with pytest.raises(DeploymentError, match="and was not rolled back"):
        deployments.deploy()

    assert not (deployments.root / "paused").exists()


def test_pause_hook_that_is_missing_hides_no_failure(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.add_hooks()
    deployments.edit("pyproject.toml", "shop_hooks:pause", "shop_hooks:halt")
    deployments.answer(error=BROKEN)

    with pytest.raises(DeploymentError, match="r1 failed its test"):
        deployments.deploy()

    reason = "pyproject.toml: [tool.alchemiser] pause: shop_hooks:halt does not exist: shop_hooks has no function halt"
    assert f"warning: live could not be paused: {reason}\n" in capsys.readouterr().err


def test_rollback_of_a_forbidden_change_stops_and_pauses(deployments: ShopDeployments) -> None:
    """The way back would set a watched parameter to the value that only a person may choose."""
    deployments.add_hooks()
    deployments.sell("on")
    deployments.deploy()
    deployments.sell("off")
    deployments.answer(error=BROKEN)
    deployments.take_calls()

    with pytest.raises(DeploymentError) as caught:
        deployments.deploy()

    assert (
        "and was not rolled back: that is forbidden: watched:Selling: selling: off -> on; if you want it: "
        "inv rollback --env live --to r1 --allow watched:Selling; fix it and run inv deploy --env live"
    ) in str(caught.value)
    assert (deployments.root / "paused").exists()
    assert executed(deployments) == ["shop-live"]
    assert deployments.aws.stacks.sets == {}
    assert deployments.history[1] == ("deploy", "deployed", "failed")


def test_rollback_of_a_forbidden_change_works_once_it_is_allowed(deployments: ShopDeployments) -> None:
    deployments.sell("on")
    deployments.deploy()
    deployments.sell("off")
    deployments.answer(error=BROKEN)
    with pytest.raises(DeploymentError):
        deployments.deploy()

    release = deployments.rollback("r1", allow=("watched:Selling",))

    assert (release.kind, release.smoke, release.allowed) == ("rollback to r1", "passed", ("watched:Selling",))
    assert deployments.aws.stacks.describe("shop-live").parameters["Selling"] == "on"


def test_rollback_that_aws_refuses_offers_no_option(deployments: ShopDeployments) -> None:
    """A logical id gets its old type back: AWS refuses that, so nobody can allow it."""
    deployments.deploy()
    deployments.edit("base.yaml", "  Stock:\n", "  Flag:\n    Type: AWS::SNS::Topic\n  Stock:\n")
    deployments.deploy()
    deployments.aws.stacks.edit("shop-live-base", lambda text: text.replace("AWS::SNS::Topic", "AWS::SQS::Queue"))
    deployments.edit("base.yaml", "AWS::SNS::Topic", "AWS::SQS::Queue")
    deployments.answer(error=BROKEN)

    with pytest.raises(DeploymentError, match=r"that is forbidden: retype:Flag: .*; AWS would refuse it; fix it and"):
        deployments.deploy()


def test_rollback_to_a_release_that_fails_too_pauses(deployed: ShopDeployments) -> None:
    """Its functions answered then, and do not answer now."""
    functions = deployed.aws.functions
    deployed.change_till()

    def refuse(_name: str, function: str) -> None:
        functions.broken[function] = BROKEN

    functions.on_call = refuse

    with pytest.raises(DeploymentError) as caught:
        deployed.deploy()

    assert (
        f"and was not rolled back: r1 was restored, and fails its test too: Ledger, Stock, Till: failed: {BROKEN}"
        in str(caught.value)
    )
    assert deployed.history[1:] == [("deploy", "rolled back", "failed"), ("rollback to r1", "deployed", "failed")]


def test_rollback_left_by_the_user_goes_on_and_pauses(deployed: ShopDeployments) -> None:
    deployed.add_hooks()
    deployed.answer(error=BROKEN)
    stacks = deployed.aws.stacks

    def interrupt_later(_name: str, _function: str) -> None:
        interrupt_changes(stacks, "shop-live")

    deployed.aws.functions.on_call = interrupt_later

    with pytest.raises(DetachedError, match=r"shop-live: detached: .* run inv rollback --env live --to r1$"):
        deployed.deploy()

    assert (deployed.root / "paused").exists()
    assert deployed.history[1:] == [("deploy", "deployed", "failed"), ("rollback to r1", "deploying", "pending")]


def test_rollback_whose_stack_fails_is_reported(deployed: ShopDeployments) -> None:
    deployed.answer(error=BROKEN)
    stacks = deployed.aws.stacks

    def fail_later(_name: str, _function: str) -> None:
        stacks.failing["shop-live"] = "name is taken"

    deployed.aws.functions.on_call = fail_later

    with pytest.raises(DeploymentError, match=r"and was not rolled back: shop-live: Queue .*: name is taken") as caught:
        deployed.deploy()

    assert deployed.history[1:] == [("deploy", "deployed", "failed"), ("rollback to r1", "failed", "pending")]
    assert "fix the cause, then run inv rollback --env live --to r1; " in str(caught.value)


@pytest.fixture
def unreadable(deployments: ShopDeployments) -> ShopDeployments:
    """Return a deployment that will fail its test, with messages that one of both releases cannot read."""
    deployments.add_hooks({"Order": ORDER})
    deployments.deploy()
    deployments.answer(error=BROKEN)
    write_json(deployments, "contracts.json", {"Order": NEW_ORDER})
    deployments.take_calls()
    return deployments


def test_rollback_of_a_message_is_stopped_by_a_guard_and_pauses(unreadable: ShopDeployments) -> None:
    """The message was not queued when it was deployed, but is since then."""

    def queue(_name: str, _function: str) -> None:
        write_json(unreadable, "breaking.json", [STOP])

    unreadable.aws.functions.on_call = queue

    with pytest.raises(DeploymentError) as caught:
        unreadable.deploy()

    assert caught.value.exit_code == 6
    assert "and was not rolled back: live: Order cannot be read by both releases" in str(caught.value)
    assert (unreadable.root / "paused").exists()
    assert executed(unreadable) == ["shop-live"]
    assert unreadable.aws.stacks.sets == {}


def test_rollback_of_a_message_that_no_guard_stops_restores(unreadable: ShopDeployments) -> None:
    with pytest.raises(RolledBackError):
        unreadable.deploy()

    assert (unreadable.root / "guarded.jsonl").read_text() == '[]\n[]\n["Order"]\n["Order"]\n'
    assert executed(unreadable) == ["shop-live", "shop-live"]
    assert not (unreadable.root / "paused").exists()


def test_rollback_interrupted_while_it_is_planned_pauses(deployed: ShopDeployments) -> None:
    deployed.add_hooks()
    break_both(deployed)
    stacks = deployed.aws.stacks

    def interrupt(name: str, argument: str) -> None:
        if (name, argument) == ("create_change_set", "shop-live-base"):
            raise KeyboardInterrupt

    def interrupt_later(_name: str, _function: str) -> None:
        stacks.on_call = interrupt

    deployed.aws.functions.on_call = interrupt_later

    with pytest.raises(DetachedError) as caught:
        deployed.deploy()

    advice = "it may be rolled back in part; finish it: inv rollback --env live"
    assert str(caught.value) == f"live: interrupted; {FAILED}; {advice}"
    assert (deployed.root / "paused").exists()
    assert executed(deployed) == ["shop-live-base", "shop-live"]
    assert stacks.sets == {}
    assert deployed.history[1:] == [("deploy", "deployed", "failed")]
