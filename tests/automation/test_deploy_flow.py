"""`inv deploy` while stacks change: failures, interrupts, provisional stacks, and what runs already."""

import pytest

from automation.deploying.stacks.execution import CancelledError, DetachedError
from automation.system.errors import CheckFailedError
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.deploying.changing_stacks import Person
from tests.automation.fake_stacks import interrupt_changes

BASE_ID, APP_ID = "shop-live-base", "shop-live"
NEW_TABLE = """
  Returns:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
"""
NEW_EXPORT = """
  Returns:
    Value: !Ref Returns
    Export: {Name: !Sub "${AWS::StackName}-returns"}
"""


def add_export(deployments: ShopDeployments) -> None:
    """Let the first stack export something new, which the till imports."""
    deployments.edit("base.yaml", "  Stock:\n", f"{NEW_TABLE.strip(chr(10))}\n  Stock:\n")
    (deployments.root / "base.yaml").write_text((deployments.root / "base.yaml").read_text() + NEW_EXPORT.lstrip("\n"))
    added = 'RETURNS: !ImportValue {"Fn::Sub": "${BaseStack}-returns"}, COLOUR:'
    deployments.edit("app.yaml", "COLOUR:", added)


@pytest.fixture
def deployed(deployments: ShopDeployments) -> ShopDeployments:
    deployments.deploy()
    deployments.take_calls()
    return deployments


def test_deploy_interrupted_detaches_and_says_how_to_attach(deployed: ShopDeployments) -> None:
    deployed.change_till()
    interrupt_changes(deployed.aws.stacks, APP_ID)

    with pytest.raises(DetachedError, match="to attach again and finish it, run inv deploy --env live") as caught:
        deployed.deploy()

    assert caught.value.exit_code == 130
    assert deployed.history[1] == ("deploy", "deploying", "pending")
    assert deployed.aws.table.lock is None


def test_deploy_after_detaching_finishes_the_same_release(
    deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.change_till()
    interrupt_changes(deployed.aws.stacks, APP_ID)
    with pytest.raises(DetachedError):
        deployed.deploy()
    deployed.take_calls()
    capsys.readouterr()

    release = deployed.deploy()

    assert release == deployed.releases[1]
    assert deployed.history[1:] == [("deploy", "deployed", "passed")]
    assert "execute shop-live" not in deployed.take_calls()
    output, errors = capsys.readouterr()
    assert "shop-live is UPDATE_IN_PROGRESS: attached to a change that was started before" in errors
    assert output == "nothing has changed in live: r2 runs\n3 functions answered\nr2 runs in live: smoke test passed\n"


def test_deploy_after_detaching_from_the_first_stack_does_the_second(deployed: ShopDeployments) -> None:
    deployed.change_both()
    interrupt_changes(deployed.aws.stacks, BASE_ID)
    with pytest.raises(DetachedError):
        deployed.deploy()
    assert [known.stack.name for known in deployed.aws.stacks.sets.values()] == [BASE_ID]
    deployed.take_calls()

    deployed.deploy()

    assert deployed.history[1:] == [("deploy", "deployed", "passed")]
    assert [call for call in deployed.take_calls() if "execute" in call] == ["execute shop-live"]
    assert deployed.stamp(APP_ID)[0] == "r2"
    assert [stack.content_of for stack in deployed.releases[1].stacks] == [2, 2]


def test_deploy_other_content_after_detaching_is_another_release(deployed: ShopDeployments) -> None:
    deployed.change_till()
    interrupt_changes(deployed.aws.stacks, APP_ID)
    with pytest.raises(DetachedError):
        deployed.deploy()
    deployed.change_till("# changed again\n")

    deployed.deploy()

    assert deployed.history[1:] == [("deploy", "deploying", "pending"), ("deploy", "deployed", "passed")]


def test_deploy_attached_change_detaches_again_without_terminal(deployed: ShopDeployments) -> None:
    """Somebody else follows a change that was left running, and leaves it too."""
    deployed.change_till()
    interrupt_changes(deployed.aws.stacks, APP_ID)
    with pytest.raises(DetachedError):
        deployed.deploy()
    interrupt_changes(deployed.aws.stacks, APP_ID)

    with pytest.raises(DetachedError, match="shop-live: detached"):
        deployed.deploy()


def test_deploy_cancelled_by_the_user_is_as_before(deployed: ShopDeployments, person: Person) -> None:
    deployed.change_till()
    before = deployed.till_code
    interrupt_changes(deployed.aws.stacks, APP_ID)
    person.answers = ["c"]

    with pytest.raises(CancelledError, match="cancelled: the update was rolled back, and everything is as before"):
        deployed.deploy()

    assert deployed.history[1] == ("deploy", "failed", "pending")
    assert deployed.till_code == before


def test_deploy_attached_change_can_be_cancelled_too(deployed: ShopDeployments, person: Person) -> None:
    deployed.change_till()
    interrupt_changes(deployed.aws.stacks, APP_ID)
    person.answers = ["d"]
    with pytest.raises(DetachedError):
        deployed.deploy()
    interrupt_changes(deployed.aws.stacks, APP_ID)
    person.answers = ["c"]

    with pytest.raises(CancelledError):
        deployed.deploy()

    assert "cancel shop-live" in deployed.take_calls()


def test_deploy_new_export_makes_the_importing_stack_provisional(
    deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    add_export(deployed)
    capsys.readouterr()

    deployed.deploy()

    assert deployed.take_calls() == [
        "create shop-live-base",
        "execute shop-live-base",
        "create shop-live",
        "execute shop-live",
    ]
    output = capsys.readouterr().out
    assert "app shop-live: changes (provisional: waits for the exports shop-live-base-returns)" in output
    assert "Environment.Variables.RETURNS:" in output
    table = deployed.aws.stacks.stacks[BASE_ID].physical_ids["Returns"]
    variables = deployed.aws.stacks.stacks[APP_ID].content.imports()
    assert "shop-live-base-returns" in variables
    assert deployed.aws.stacks.exports()["shop-live-base-returns"] == table


def test_deploy_provisional_stack_that_holds_more_stops(deployed: ShopDeployments) -> None:
    """Somebody changes a function by a deployment of their own while the first stack changes."""
    add_export(deployed)
    stacks = deployed.aws.stacks

    def edit(name: str, _argument: str) -> None:
        if name == "execute_change_set":
            stacks.edit(APP_ID, lambda text: text.replace("shop.ledger.handler.main", "shop.ledger.handler.other"))

    stacks.on_call = edit

    with pytest.raises(CheckFailedError, match="holds what the plan did not show; this stack was not") as caught:
        deployed.deploy()

    assert [finding.where for finding in caught.value.findings] == ["shop-live: Ledger"]
    assert deployed.take_calls()[-2:] == ["create shop-live", "discard shop-live"]
    assert deployed.history[1] == ("deploy", "failed", "pending")


def test_deploy_provisional_stack_keeps_what_was_allowed(deployed: ShopDeployments) -> None:
    """Its change set has the danger that was allowed, and no other."""
    add_export(deployed)
    deployed.sell("on")

    deployed.deploy(allow=("watched:Selling",))

    assert deployed.releases[1].allowed == ("watched:Selling",)
    assert deployed.aws.stacks.describe(APP_ID).parameters["Selling"] == "on"


def test_deploy_adopts_what_runs_already(deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    """The table of releases is lost, or somebody deployed exactly this without this program."""
    deployed.aws.table.rows.clear()
    deployed.aws.functions.requests.clear()
    capsys.readouterr()

    release = deployed.deploy()

    assert release == deployed.releases[0]
    assert deployed.history == [("deploy", "deployed", "passed")]
    assert deployed.aws.stacks.sets == {}
    assert not any("execute" in call for call in deployed.take_calls())
    assert capsys.readouterr().out.startswith("nothing has changed in live: r1 runs\n")
    assert len(deployed.aws.functions.requests) == 3


def test_deploy_adopted_release_is_up_to_date(deployed: ShopDeployments) -> None:
    deployed.aws.table.rows.clear()
    deployed.deploy()
    deployed.take_calls()

    deployed.deploy()

    assert (len(deployed.releases), deployed.take_calls()) == (1, [])


def test_deploy_change_without_effect_is_recorded_without_a_change(deployed: ShopDeployments) -> None:
    """The template's text differs, what it means does not: only the digest is another one."""
    deployed.edit("app.yaml", "Type: String, Default: green", "Type: String, Default: green, Description: paint")

    deployed.deploy()

    assert not any("execute" in call for call in deployed.take_calls())
    assert deployed.history[1] == ("deploy", "deployed", "passed")
    assert [stack.content_of for stack in deployed.releases[1].stacks] == [2, 2]


def test_deploy_export_of_another_name_is_executed(
    deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    """No resource and no output has another value, but the stack does change."""
    text = (deployed.root / "base.yaml").read_text().rstrip()
    more = '  Sold:\n    Value: fixed\n    Export: {Name: "shop-sold"}\n'
    (deployed.root / "base.yaml").write_text(f"{text}\n{more}")
    deployed.deploy()
    deployed.edit("base.yaml", "shop-sold", "shop-sales")

    deployed.deploy()

    exports = deployed.aws.stacks.exports()
    assert ("shop-sold" in exports, exports["shop-sales"]) == (False, "fixed")
    assert "shop-sold" in capsys.readouterr().out
    assert [deployed.stamp(name)[0] for name in (BASE_ID, APP_ID)] == ["r3", "r1"]
