"""`inv deploy` after its stacks were deleted: what they have left is adopted, whatever interrupts it."""

import json

import pytest

from automation import diff
from automation.deploying.changes.model import Action
from automation.deploying.stacks.execution import DetachedError
from automation.system.errors import CheckFailedError, DeploymentError, UsageError
from automation.system.holdings import PARAMETER, TABLE, Holding
from tests.automation.deployable_shop import ShopDeployments, is_untouched
from tests.automation.deploying.changing_stacks import Person
from tests.automation.fake_stacks import FakeStack, interrupt_changes

BASE_ID, APP_ID = "shop-live-base", "shop-live"
SWITCH = """
  Switch:
    Type: AWS::SSM::Parameter
    DeletionPolicy: Retain
    Properties: {Name: /shop/on, Type: String, Value: "off"}
  Ledger:
"""


@pytest.fixture
def left(deployments: ShopDeployments) -> ShopDeployments:
    """Deploy, and delete the stacks as somebody without `inv destroy` would."""
    deployments.deploy()
    delete_stacks(deployments)
    return deployments


def delete_stacks(deployments: ShopDeployments) -> None:
    stacks = deployments.aws.stacks
    for name in (APP_ID, BASE_ID):
        stacks.protect(name, on=False)
        stack_id = stacks.stacks[name].id
        stacks.delete_stack(stack_id)
        assert stacks.stack_state(stack_id).status == "DELETE_COMPLETE"
    deployments.take_calls()


def sales(deployments: ShopDeployments) -> str:
    """Return the physical id of the table of the base stack, which exists or was deleted last."""
    stacks = deployments.aws.stacks
    stack = stacks.stacks.get(BASE_ID) or next(entry for entry in reversed(stacks.deleted) if entry.name == BASE_ID)
    return stack.physical_ids["Sales"]


def reset_values(deployments: ShopDeployments) -> None:
    """Write the template's value over the parameter with each change of its stack."""
    finish = deployments.aws.stacks.finish

    def reset(stack: FakeStack) -> None:
        finish(stack)
        if stack.name == APP_ID:
            deployments.aws.data.values["/shop/on"] = "off"

    deployments.aws.stacks.finish = reset  # type: ignore[method-assign] # what CloudFormation does to this parameter


def add_switch(deployments: ShopDeployments) -> None:
    """Give the second stack a parameter with a fixed name, which it retains."""
    deployments.edit("app.yaml", "  Ledger:\n", SWITCH.lstrip("\n"))


def test_deploy_adopts_the_table_of_the_deleted_stack(
    left: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    table = sales(left)
    capsys.readouterr()

    left.deploy()

    out = capsys.readouterr().out
    assert sales(left) == table
    assert left.take_calls() == [
        *("create shop-live-base", "execute shop-live-base", "create shop-live-base", "execute shop-live-base"),
        *("create shop-live", "execute shop-live", "protect shop-live-base", "protect shop-live"),
    ]
    assert f"adopt {table}, 3 items" in out
    assert "adopts 1 resource(s) first" in out
    assert "shop-live-base: adopted 1 resource(s)" in out
    assert left.history[-1] == ("deploy", "deployed", "passed")


def test_diff_shows_the_adoption_and_changes_nothing(left: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    left.aws.table.calls.clear()
    capsys.readouterr()

    options = diff.Options(json=True)
    code = diff.diff(left.root, "live", variables=left.variables, options=options, connect=left.aws.connect)

    changes = json.loads(capsys.readouterr().out)["changes"]
    adopted = [(change["resource"], change["type"]) for change in changes if change["action"] == Action.IMPORT]
    assert (code, adopted) == (7, [("Sales", TABLE)])
    assert is_untouched(left)


def test_deploy_of_an_adopting_stack_that_is_cancelled_leaves_all_as_it_was(
    left: ShopDeployments, person: Person
) -> None:
    left.aws.table.calls.clear()
    person.answers = ["no"]

    with pytest.raises(UsageError, match="cancelled"):
        left.deploy(yes=False)

    assert is_untouched(left)


def test_deploy_new_leaves_the_old_table(left: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    table = sales(left)
    capsys.readouterr()

    left.deploy(adopt=("Sales=new",))

    left_over = f"note: {BASE_ID}: left over and not adopted: Sales; look: inv destroy --env live --data-only --dry-run"
    assert left_over in capsys.readouterr().out
    assert sales(left) != table


def test_deploy_two_left_tables_need_a_decision(left: ShopDeployments) -> None:
    first = sales(left)
    left.deploy(adopt=("Sales=new",))
    second = sales(left)
    delete_stacks(left)
    left.aws.table.calls.clear()

    with pytest.raises(CheckFailedError) as caught:
        left.deploy()

    assert caught.value.message == "1 resource(s) need a decision; nothing was changed"
    [finding] = caught.value.findings
    assert f"inv deploy --env live --yes --adopt Sales={second}" in finding.fix
    assert is_untouched(left)
    left.deploy(adopt=(f"Sales={first}",))
    assert sales(left) == first


def test_deploy_finding_keeps_the_decisions_that_were_made(left: ShopDeployments) -> None:
    left.deploy(adopt=("Sales=new",))
    delete_stacks(left)
    add_switch(left)
    left.aws.data.strangers[PARAMETER, "/shop/on"] = Holding("a value", is_empty=False)

    with pytest.raises(CheckFailedError) as caught:
        left.deploy(adopt=("Sales=new",))

    [finding] = caught.value.findings
    assert finding.where == "Switch"
    assert ": inv deploy --env live --yes --adopt Sales=new --adopt Switch=/shop/on;" in finding.fix


def test_deploy_adopts_a_stranger_that_was_named(deployments: ShopDeployments) -> None:
    add_switch(deployments)
    deployments.aws.data.strangers[PARAMETER, "/shop/on"] = Holding("a value", is_empty=False)
    deployments.aws.data.values["/shop/on"] = "on"

    deployments.deploy(adopt=("Switch=/shop/on",))

    assert deployments.aws.stacks.stacks[APP_ID].physical_ids["Switch"] == "/shop/on"
    assert deployments.aws.data.values["/shop/on"] == "on"


@pytest.mark.parametrize("adopt", ["Till2=new", "Code2=x"])
def test_deploy_decision_about_nothing_is_refused(left: ShopDeployments, adopt: str) -> None:
    left.aws.table.calls.clear()

    with pytest.raises(UsageError, match=r"is not a resource of a stack that would be created in live; .*: .*Sales"):
        left.deploy(adopt=(adopt,))

    assert is_untouched(left)


def test_deploy_decision_about_a_stack_that_exists_is_refused(deployments: ShopDeployments) -> None:
    deployments.deploy()
    deployments.change_till()

    with pytest.raises(UsageError, match="Sales is not a resource of a stack that would be created in live"):
        deployments.deploy(adopt=("Sales=new",))


@pytest.mark.parametrize("stack", [BASE_ID, APP_ID])
def test_deploy_interrupted_in_the_middle_is_finished_by_the_next(left: ShopDeployments, stack: str) -> None:
    table = sales(left)
    interrupt_changes(left.aws.stacks, stack)
    with pytest.raises(DetachedError, match="run inv deploy --env live"):
        left.deploy()
    left.aws.stacks.looks = 0
    count = len(left.history)

    left.deploy()

    assert sales(left) == table
    assert (len(left.history), left.history[-1]) == (count, ("deploy", "deployed", "passed"))
    assert [left.aws.stacks.describe(name).is_protected for name in (BASE_ID, APP_ID)] == [True, True]


def test_deploy_failed_between_import_and_update_is_finished_by_the_next(left: ShopDeployments) -> None:
    """The stack has only the adopted table then: no release runs, and what refers to the table is not a danger."""
    table = sales(left)
    updates: list[str] = []

    def fail(name: str, argument: str) -> None:
        updates.append(name) if name == "create_change_set" else None
        if updates.count("create_change_set") == 2:
            updates.clear()
            raise DeploymentError("throttled")

    left.aws.stacks.on_call = fail
    with pytest.raises(DeploymentError, match="throttled"):
        left.deploy()
    left.aws.stacks.on_call = lambda _name, _argument: None
    status = left.aws.stacks.stack_state(BASE_ID).status

    left.deploy()

    assert (status, sales(left)) == ("IMPORT_COMPLETE", table)
    assert [entry[1] for entry in left.history[-2:]] == ["failed", "deployed"]


def test_deploy_keeps_the_value_of_an_adopted_parameter(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudFormation resets it here, as it does when it updates a tag."""
    add_switch(deployments)
    deployments.deploy()
    delete_stacks(deployments)
    deployments.aws.data.values["/shop/on"] = "on"
    reset_values(deployments)
    deployments.deploy()

    assert deployments.aws.data.values["/shop/on"] == "on"
    assert "shop-live: /shop/on keeps its value on" in capsys.readouterr().out
    assert "on" not in [document.get("value") for document in deployments.aws.table.retained(APP_ID)]


def test_deploy_interrupted_adoption_only_says_what_a_parameter_was(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person may have set it again since, so it is not restored."""
    add_switch(deployments)
    deployments.deploy()
    delete_stacks(deployments)
    deployments.aws.data.values["/shop/on"] = "on"
    reset_values(deployments)
    interrupt_changes(deployments.aws.stacks, APP_ID)
    with pytest.raises(DetachedError):
        deployments.deploy()
    deployments.aws.stacks.looks = 0
    capsys.readouterr()

    deployments.deploy()
    first = capsys.readouterr().err
    deployments.change_till()
    deployments.deploy()

    text = " ".join(first.split())
    assert "/shop/on was on before its stack was deleted; if it must be that again: AWS_ACCESS_KEY_ID=test " in text
    assert " aws ssm put-parameter --overwrite --name /shop/on --value on --region eu-west-1 " in text
    assert deployments.aws.data.values["/shop/on"] == "off"
    assert "/shop/on was" not in capsys.readouterr().err


def test_deploy_refused_import_says_why(left: ShopDeployments) -> None:
    """Between the plan and the import somebody else has taken the table."""
    table = sales(left)
    other = left.aws.stacks.deleted[0]

    def take(name: str, _argument: str) -> None:
        if name == "create_change_set":
            other.name, other.physical_ids = "thief", {"Sales": table}
            left.aws.stacks.stacks["thief"] = other

    left.aws.stacks.on_call = take

    with pytest.raises(DeploymentError, match=f"{table} already exists in stack thief"):
        left.deploy()


def test_deploy_replaces_an_empty_failed_creation(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.aws.stacks.failing = {APP_ID: "name is taken"}
    with pytest.raises(DeploymentError, match="ROLLBACK_COMPLETE; fix the cause, then run inv deploy --env live"):
        deployments.deploy()
    deployments.aws.stacks.failing = {}
    deployments.take_calls()

    deployments.deploy()

    out = capsys.readouterr().out
    assert "its failed creation is deleted first" in out
    assert "shop-live: its failed creation is deleted" in out
    calls = deployments.take_calls()
    assert calls[calls.index("delete shop-live") :] == [
        *("delete shop-live", "create shop-live", "execute shop-live"),
        *("protect shop-live-base", "protect shop-live"),
    ]


def test_saved_plan_adopts_exactly_what_it_says(left: ShopDeployments) -> None:
    table = sales(left)
    plan = left.save_plan(adopt=(f"Sales={table}",))

    left.deploy(plan=plan)

    assert sales(left) == table


def test_saved_plan_is_stale_when_its_table_is_gone(left: ShopDeployments) -> None:
    plan = left.save_plan()
    left.aws.data.deleted.add(sales(left))
    left.aws.table.calls.clear()

    with pytest.raises(CheckFailedError, match="need a decision"):
        left.deploy(plan=plan)

    assert is_untouched(left)


def test_saved_plan_is_stale_when_more_could_be_adopted(left: ShopDeployments) -> None:
    left.aws.data.deleted.add(sales(left))
    plan = left.save_plan()
    left.aws.data.deleted.clear()

    with pytest.raises(CheckFailedError, match="the plan is stale") as caught:
        left.deploy(plan=plan)

    assert "adopt: Sales was missing" in caught.value.findings[0].what


def test_sandbox_stacks_are_not_protected(deployments: ShopDeployments) -> None:
    deployments.deploy("here")

    assert not any(call.startswith("protect") for call in deployments.take_calls())


def test_rollback_to_a_release_of_deleted_stacks_creates_them_in_order(left: ShopDeployments) -> None:
    table = sales(left)

    left.rollback("r1")

    assert sales(left) == table
    assert left.history[-1] == ("rollback to r1", "deployed", "passed")
    assert [call for call in left.take_calls() if call.startswith("execute")] == [
        *["execute shop-live-base"] * 2,
        "execute shop-live",
    ]
