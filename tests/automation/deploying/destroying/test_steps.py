"""Each step of a deletion: what is written down, released and deleted, in which order, and when the lock is renewed."""

from dataclasses import replace

import pytest

from automation.deploying.adoption import model
from automation.deploying.destroying import inventory, removal, steps
from automation.deploying.destroying.inventory import Inventory, StackContents
from automation.deploying.releases import records as releases
from automation.deploying.sessions import Session
from automation.deploying.stacks.execution import Operator
from automation.project.model import Project
from automation.system.holdings import BUCKET, TABLE, Holding
from automation.system.stacks import StackState
from tests.automation.deploying.adoption.retained_examples import DEAD, SALES, retained
from tests.automation.deploying.fake_accounts import scope_of
from tests.automation.deploying.planned_stacks import session_of
from tests.automation.deploying.pruning.prunable_shop import NUMBERS, PrunableShop
from tests.automation.fake_aws import FakeAws
from tests.automation.fake_stacks import FakeStack
from tests.automation.fake_templates import Content

BASE, APP = "shop-live-base", "shop-live"
LAKE = retained("Lake", "lake-1", {"Type": BUCKET}, holding=Holding("1 object", is_empty=False))
RETAIN = {"DeletionPolicy": "Retain"}
TEMPLATE = {
    "Resources": {
        "Sales": {"Type": TABLE, "Properties": {}, **RETAIN},
        "Lake": {"Type": BUCKET, "Properties": {}},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
        "Reader": {"Type": "AWS::IAM::Role", "Properties": {}, **RETAIN},
    }
}
IDS = {"Sales": "shop-live-Sales-1", "Lake": "lake-1", "Role": "role-1", "Reader": "role-2"}


@pytest.fixture
def aws() -> FakeAws:
    """Return an account with one stack that holds a retained table, a bucket and a role."""
    aws = FakeAws()
    content = Content(TEMPLATE, {"AWS::StackName": APP})
    stack = FakeStack(APP, "arn:app", "UPDATE_COMPLETE", "2026-01-01T00:00:00+00:00", content, physical_ids=dict(IDS))
    aws.stacks.stacks[APP] = replace(stack, is_protected=True)
    return aws


@pytest.fixture
def session(shop: Project, aws: FakeAws) -> Session:
    return session_of(shop, aws)


def destroy(session: Session, *names: str, renewed: list[str] | None = None) -> None:
    renewals = renewed if renewed is not None else []
    planned = removal.plan(inventory.gather(session), names, command="inv destroy --env live")
    operator = Operator("live", session.scope.target, on_look=lambda: renewals.append("renewed"), command="inv destroy")
    steps.destroy_stacks(planned, session, operator)


def test_gather_tells_data_from_the_rest(session: Session) -> None:
    [stack] = inventory.gather(session).stacks

    assert (stack.name, stack.state.name, stack.is_protected) == ("app", APP, True)
    assert [resource.logical_id for resource in stack.data] == ["Sales", "Lake", "Reader"]
    assert [resource.logical_id for resource in stack.retained] == ["Sales", "Reader"]
    assert stack.others == {"role": 1}
    assert [resource.holding for resource in stack.data][2] is None


def test_gather_knows_releases_templates_and_names(session: Session, aws: FakeAws) -> None:
    without = inventory.gather(session)
    aws.table.create(tags={})
    aws.table.add({})
    present = inventory.gather(session)

    assert (without.releases, present.releases) == (None, 1)
    assert present.ids == {"base": ("Code", "Stock"), "app": ("Code", "Wheels", "Till", "Ledger")}
    assert present.names == {BASE: "base", APP: "app"}


def test_gather_leaves_out_what_somebody_has_deleted(session: Session, aws: FakeAws) -> None:
    aws.data.deleted.add("lake-1")

    assert [resource.logical_id for resource in inventory.gather(session).data] == ["Sales", "Reader"]


def test_gather_waiting_stack_is_empty(session: Session, aws: FakeAws) -> None:
    aws.stacks.stacks[APP].status = "REVIEW_IN_PROGRESS"
    asked: list[str] = []
    aws.stacks.on_call = lambda name, _argument: asked.append(name)

    [stack] = inventory.gather(session).stacks

    assert (stack.data, stack.others, stack.state.status) == ((), {}, "REVIEW_IN_PROGRESS")
    assert "template" not in asked


def test_gather_data_come_before_what_is_left(session: Session, aws: FakeAws) -> None:
    aws.table.left[BASE] = "[]"
    aws.table.write_retained(BASE, [model.as_document(replace(DEAD, stack_name=BASE))])
    aws.data.strangers[DEAD.type, DEAD.physical_id] = Holding("", is_empty=True)

    assert [resource.logical_id for resource in inventory.gather(session).data] == ["Sales", "Lake", "Reader", "Dead"]


def test_destroy_writes_down_before_it_deletes(session: Session, aws: FakeAws) -> None:
    seen: list[tuple[str, int]] = []
    aws.stacks.on_call = lambda name, _argument: seen.append((name, len(aws.table.retained(APP))))

    destroy(session)

    assert ("delete_stack", 2) in seen
    assert [entry["physical_id"] for entry in aws.table.retained(APP)] == ["shop-live-Sales-1", "role-2"]


def test_destroy_named_bucket_of_the_stack_is_emptied_first(session: Session, aws: FakeAws) -> None:
    order: list[str] = []
    aws.data.on_call = lambda name, physical_id: order.append(f"{name} {physical_id}") if name != "look" else None
    aws.stacks.on_call = lambda name, _argument: order.append(name) if name in {"protect", "delete_stack"} else None

    destroy(session, "Lake")

    assert order == ["release lake-1", "protect", "delete_stack"]


def test_destroy_named_retained_table_is_not_touched_before_its_stack(session: Session, aws: FakeAws) -> None:
    order: list[str] = []
    aws.data.on_call = lambda name, physical_id: order.append(f"{name} {physical_id}") if name != "look" else None
    aws.stacks.on_call = lambda name, _argument: order.append(name) if name == "delete_stack" else None
    renewed: list[str] = []

    destroy(session, "Sales", renewed=renewed)

    assert order == ["delete_stack", "release shop-live-Sales-1", "delete shop-live-Sales-1"]
    assert [entry["logical_id"] for entry in aws.table.retained(APP)] == ["Reader"]
    assert renewed


def test_destroy_unprotected_stack_is_just_deleted(session: Session, aws: FakeAws) -> None:
    aws.stacks.stacks[APP].is_protected = False

    destroy(session)

    assert aws.stacks.calls == ["delete shop-live"]


def test_destroy_stack_without_data_writes_nothing(session: Session, aws: FakeAws) -> None:
    stack = aws.stacks.stacks[APP]
    stack.content = Content({"Resources": {"Role": {"Type": "AWS::IAM::Role"}}})
    stack.physical_ids = {"Role": "role-1"}

    destroy(session)

    assert aws.table.calls == []


def test_delete_data_renews_after_each(session: Session, aws: FakeAws) -> None:
    renewed: list[int] = []

    steps.delete_data([SALES, LAKE], session.connections, lambda: renewed.append(len(aws.data.deleted)))

    assert renewed == [1, 2]
    assert aws.table.calls == []


def test_delete_artifacts_marks_releases_and_keeps_what_others_use(shop: Project) -> None:
    prunable = PrunableShop()
    session = prunable.session(scope_of(shop, "live"))
    prunable.aws.stacks.stacks.clear()
    strange = prunable.put("of somebody else", ".txt")
    renewed: list[int] = []

    steps.delete_artifacts(session, prunable.leftovers(), lambda: renewed.append(len(prunable.pruned())))

    assert prunable.pruned() == list(reversed(NUMBERS))
    assert {key.rpartition("/")[2] for key in prunable.stored()} == {f"{strange}.txt"}
    assert renewed[: len(NUMBERS)] == list(NUMBERS)
    assert len(releases.read(prunable.aws.table, limit=99)) == len(NUMBERS)


def test_contents_of_nothing() -> None:
    empty = StackContents("app", StackState(APP))

    assert (empty.total, empty.retained, Inventory().data) == (0, (), ())
