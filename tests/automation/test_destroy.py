"""`inv destroy`: what it shows and asks, what it deletes, and what it leaves; a refusal changes nothing."""

from dataclasses import replace

import pytest

from automation import destroy
from automation.deploying.adoption import model
from automation.deploying.stacks.execution import DetachedError
from automation.system.errors import CheckFailedError, DeploymentError, UsageError
from automation.system.holdings import QUEUE, TABLE, Holding
from tests.automation.deployable_shop import ShopDeployments
from tests.automation.deploying.adoption.retained_examples import DEAD
from tests.automation.fake_stacks import interrupt_changes
from tests.automation.test_deploy_adoption import APP_ID, BASE_ID, add_switch, sales

DELETED = ["unprotect shop-live", "delete shop-live", "unprotect shop-live-base", "delete shop-live-base"]


@pytest.fixture
def deployed(deployments: ShopDeployments) -> ShopDeployments:
    deployments.deploy()
    deployments.take_calls()
    deployments.aws.table.calls.clear()
    return deployments


def is_as_before(deployments: ShopDeployments) -> bool:
    """Return whether nothing was destroyed or written, and no lock is left."""
    aws = deployments.aws
    is_written = {"write_retained", "delete", "replace"} & set(aws.table.calls)
    return not (aws.stacks.calls or aws.data.calls or is_written or aws.table.lock)


def test_destroy_deletes_the_stacks_in_reverse_and_keeps_the_data(
    deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    table = sales(deployed)
    capsys.readouterr()

    deployed.destroy()

    out = capsys.readouterr().out
    assert deployed.take_calls() == DELETED
    assert (deployed.aws.stacks.stacks, deployed.aws.data.calls) == ({}, [])
    assert [entry["physical_id"] for entry in deployed.aws.table.retained(BASE_ID)] == [table]
    assert deployed.aws.table.lock is None
    for line in (
        "shop-live: deleted, 0 resources left in the account",
        "shop-live-base: deleted, 1 resource left in the account",
        "live is destroyed",
        "1 resource(s) stay in the account; inv deploy --env live adopts them",
    ):
        assert line in out.splitlines()


def test_destroy_shows_what_goes_and_what_stays_first(
    deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    table = sales(deployed)

    deployed.destroy(dry_run=True, yes=False)

    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f"base Sales table {table}, 3 items stays" in rows
    assert "shop-live (CREATE_COMPLETE) is deleted, with 2 functions, 2 layer versions" in rows
    assert "1 release: kept (to delete them too: --delete-data releases)" in rows
    assert is_as_before(deployed)


def test_destroy_then_deploy_adopts_the_data_though_cloudformation_has_forgotten(deployed: ShopDeployments) -> None:
    """After 90 days only the record in the table of releases is left."""
    table = sales(deployed)
    deployed.destroy()
    deployed.aws.stacks.deleted.clear()
    deployed.aws.data.strangers[TABLE, table] = Holding("3 items", is_empty=False)

    deployed.deploy()

    assert sales(deployed) == table


def test_destroy_named_data_are_deleted_after_their_stack(
    deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    table = sales(deployed)

    deployed.destroy("Sales")

    assert deployed.aws.data.calls == [f"release {table}", f"delete {table}"]
    assert deployed.aws.table.retained(BASE_ID) == ()
    assert f"Sales: deleted {table}, 3 items" in capsys.readouterr().out
    deployed.deploy()
    assert sales(deployed) != table


def test_destroy_again_has_nothing_to_do(deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.destroy("Sales")
    deployed.take_calls()
    deployed.aws.data.calls.clear()
    deployed.aws.table.calls.clear()
    capsys.readouterr()

    deployed.destroy("Sales")

    assert capsys.readouterr().out.splitlines()[-1] == "nothing to destroy in live"
    assert is_as_before(deployed)


def test_destroy_of_an_empty_account_creates_no_table(
    deployments: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployments.destroy()

    assert capsys.readouterr().out == "nothing to destroy in live\n"
    assert not deployments.aws.table.exists()


def test_destroy_left_data_can_be_named_later(deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    table = sales(deployed)
    deployed.destroy()
    capsys.readouterr()

    deployed.destroy("Sales", data_only=True)

    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert f"(left over) Sales table {table}, 3 items deleted with its data" in rows
    assert deployed.aws.data.calls == [f"release {table}", f"delete {table}"]
    assert rows[-1] == "what was named is deleted from live"


def test_destroy_nothing_says_how_to_delete_what_is_left_over(
    deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.destroy()
    capsys.readouterr()

    deployed.destroy()

    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "nothing to destroy in live; delete what is left over: add --delete-data NAME"


def test_destroy_deleted_queue_blocks_its_name(deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]) -> None:
    queue = replace(DEAD, stack_name=APP_ID)
    deployed.aws.table.write_retained(APP_ID, [model.as_document(queue)])
    deployed.aws.data.strangers[QUEUE, queue.physical_id] = Holding("1 message", is_empty=False)

    deployed.destroy("Dead", data_only=True)

    advice = "wait a minute before inv deploy --env live: SQS blocks the name of a deleted queue for so long"
    assert f"warning: {advice}\n" in capsys.readouterr().err


def test_destroy_data_only_leaves_the_stacks_alone(deployed: ShopDeployments) -> None:
    with pytest.raises(UsageError, match="there are no data here; the names are: none"):
        deployed.destroy("app/Nothing", data_only=True)
    deployed.destroy("Sales", data_only=True)

    assert is_as_before(deployed)


def test_destroy_all_deletes_every_retained_resource(deployed: ShopDeployments) -> None:
    table = sales(deployed)

    deployed.destroy("all", confirm="live and all data")

    assert deployed.aws.data.calls == [f"release {table}", f"delete {table}"]
    assert deployed.aws.table.exists()


def test_destroy_releases_deletes_their_table_at_the_end(
    deployed: ShopDeployments, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.destroy("releases")

    assert deployed.aws.table.calls[-2:] == ["unlock", "delete"]
    assert not deployed.aws.table.exists()
    assert "releases: deleted shop-live-releases" in capsys.readouterr().out.splitlines()


def test_destroy_detached_is_finished_by_the_same_command(deployed: ShopDeployments) -> None:
    table = sales(deployed)
    stacks = deployed.aws.stacks
    stacks.looks = 3

    def interrupt(name: str, _argument: str) -> None:
        if name == "stack_state" and stacks.stacks[APP_ID].status == "DELETE_IN_PROGRESS":
            stacks.on_call = lambda _name, _argument: None
            raise KeyboardInterrupt

    stacks.on_call = interrupt
    command = "inv destroy --env live --delete-data Sales --yes --confirm live"
    with pytest.raises(DetachedError, match=f"to attach again and finish it, run {command}$"):
        deployed.destroy("Sales")
    stacks.looks = 0
    between = [stacks.stack_state(name).status for name in (APP_ID, BASE_ID)]

    deployed.destroy("Sales")

    assert between == ["DELETE_IN_PROGRESS", "CREATE_COMPLETE"]
    assert (stacks.stacks, deployed.aws.data.deleted) == ({}, {table})


def test_destroy_interrupted_between_two_stacks_is_finished(deployed: ShopDeployments) -> None:
    def interrupt(name: str, argument: str) -> None:
        if (name, argument) == ("protect", BASE_ID):
            deployed.aws.stacks.on_call = lambda _name, _argument: None
            raise KeyboardInterrupt

    deployed.aws.stacks.on_call = interrupt
    with pytest.raises(DetachedError) as caught:
        deployed.destroy()
    rest = "the rest is still there; go on: inv destroy --env live --yes --confirm live"
    assert str(caught.value) == f"destroy --env live: interrupted; {rest}"
    left = list(deployed.aws.stacks.stacks)

    deployed.destroy()

    assert (left, deployed.aws.stacks.stacks, deployed.aws.table.lock) == ([BASE_ID], {}, None)


def test_destroy_interrupted_while_data_are_deleted_is_finished(deployed: ShopDeployments) -> None:
    table = sales(deployed)

    def interrupt(name: str, _physical_id: str) -> None:
        if name == "delete":
            deployed.aws.data.on_call = lambda _name, _physical_id: None
            raise KeyboardInterrupt

    deployed.aws.data.on_call = interrupt
    with pytest.raises(DetachedError):
        deployed.destroy("Sales")

    deployed.destroy("Sales")

    assert deployed.aws.data.deleted == {table}


def test_destroy_failed_deletion_says_what_to_do(deployed: ShopDeployments) -> None:
    deployed.aws.stacks.failing = {BASE_ID: "role is in use"}

    with pytest.raises(DeploymentError) as caught:
        deployed.destroy()

    state = "the stack is DELETE_FAILED; fix the cause, then run inv destroy --env live --yes --confirm live"
    assert str(caught.value) == f"shop-live-base: Queue (AWS::SQS::Queue): role is in use; {state}"
    deployed.aws.stacks.failing = {}
    deployed.destroy()
    assert deployed.aws.stacks.stacks == {}


def test_destroy_bucket_that_is_not_retained_must_be_named(deployments: ShopDeployments) -> None:
    bucket = "  Lake:\n    Type: AWS::S3::Bucket\n    Properties: {}\n  Ledger:\n"
    deployments.edit("app.yaml", "  Ledger:\n", bucket)
    deployments.deploy()
    lake = deployments.aws.stacks.stacks[APP_ID].physical_ids["Lake"]
    deployments.aws.data.contents[lake] = Holding("2 objects", is_empty=False)
    deployments.take_calls()

    with pytest.raises(CheckFailedError) as caught:
        deployments.destroy()

    [finding] = caught.value.findings
    assert finding.where == "app: Lake"
    assert finding.what == f"{lake}, 2 objects: the template does not retain it, and it is not empty"
    assert "inv destroy --env live --yes --confirm live --delete-data Lake" in finding.fix
    assert deployments.take_calls() == []
    deployments.destroy("Lake")
    assert deployments.aws.data.calls == [f"release {lake}"]


def test_destroy_failed_creation_and_waiting_change_set(deployments: ShopDeployments) -> None:
    deployments.aws.stacks.failing = {APP_ID: "name is taken"}
    with pytest.raises(DeploymentError):
        deployments.deploy()
    deployments.aws.stacks.failing = {}

    deployments.destroy()

    assert deployments.aws.stacks.stacks == {}


def test_destroy_keeps_what_earlier_stacks_left_in_the_record(deployed: ShopDeployments) -> None:
    first = sales(deployed)
    deployed.destroy()
    deployed.deploy(adopt=("Sales=new",))
    second = sales(deployed)

    deployed.destroy()

    assert [entry["physical_id"] for entry in deployed.aws.table.retained(BASE_ID)] == [second, first]


def test_destroy_parameter_keeps_its_value(deployments: ShopDeployments) -> None:
    add_switch(deployments)
    deployments.deploy()
    deployments.aws.data.values["/shop/on"] = "on"

    deployments.destroy()
    deployments.deploy()

    assert deployments.aws.data.values["/shop/on"] == "on"


def test_destroy_running_change_is_followed_first(deployed: ShopDeployments) -> None:
    deployed.change_till()
    interrupt_changes(deployed.aws.stacks, APP_ID)
    with pytest.raises(DetachedError):
        deployed.deploy()
    deployed.aws.stacks.looks = 0
    deployed.take_calls()

    deployed.destroy()

    assert deployed.take_calls() == DELETED


def test_options_are_empty_by_default() -> None:
    assert destroy.Options() == destroy.Options((), data_only=False, yes=False, confirm="", dry_run=False)
