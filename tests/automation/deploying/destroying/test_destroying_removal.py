"""What goes with an environment, by what was named: one planted fault per refusal."""

from dataclasses import replace

import pytest

from automation.deploying.adoption.model import RetainedResource
from automation.deploying.destroying import removal, text
from automation.deploying.destroying.inventory import Inventory, StackContents
from automation.deploying.destroying.removal import Removal
from automation.system.errors import CheckFailedError, Finding, UsageError
from automation.system.holdings import BUCKET, TABLE, Holding
from automation.system.stacks import StackState
from tests.automation.deploying.adoption.retained_examples import (
    DEAD,
    EMPTY,
    ITEMS,
    LAKE,
    OLD_SALES,
    SALES,
    SWITCH,
    definition,
    retained,
)

COMMAND = "inv destroy --env live"
NOT_RETAINED = retained("Cache", "shop-cache", {"Type": TABLE, "DeletionPolicy": "Delete"}, holding=ITEMS)
DATABASE = retained("Db", "db-1", definition("AWS::RDS::DBInstance"), holding=None)


def contents(*data: RetainedResource, name: str = "app", stack_name: str = "shop-live") -> StackContents:
    state = StackState(stack_name, "CREATE_COMPLETE", f"arn:{stack_name}")
    return StackContents(name, state, is_protected=True, data=data, others={"function": 2, "queue policy": 1})


def inventory(*data: RetainedResource, left: tuple[RetainedResource, ...] = (), releases: int | None = 3) -> Inventory:
    stacks = (contents(*data),) if data else ()
    ids = {"base": ("Stock",), "app": ("Sales", "Till")}
    return Inventory(stacks, left, releases, ids, {"shop-live-base": "base", "shop-live": "app"})


def plan(present: Inventory, *names: str) -> Removal:
    return removal.plan(present, names, command=COMMAND)


def ids(resources: tuple[RetainedResource, ...]) -> list[str]:
    return [resource.physical_id for resource in resources]


def test_contents_count_everything_and_know_what_stays() -> None:
    stack = contents(SALES, NOT_RETAINED)

    assert (stack.total, stack.retained) == (5, (SALES,))


def test_plan_without_names_keeps_what_is_retained() -> None:
    planned = plan(inventory(SALES, NOT_RETAINED, left=(LAKE,)))

    assert (planned.data, planned.is_all, planned.releases, planned.artifacts) == ((), False, False, False)
    assert ids(planned.staying) == [SALES.physical_id, LAKE.physical_id]
    assert not planned.is_empty


def test_plan_named_resource_goes() -> None:
    planned = plan(inventory(SALES, DEAD, left=(LAKE,)), "Sales", "Lake")

    assert ids(planned.data) == [SALES.physical_id, LAKE.physical_id]
    assert ids(planned.staying) == [DEAD.physical_id]
    assert (planned.is_named(SALES), planned.is_named(DEAD)) == (True, False)


@pytest.mark.parametrize("name", ["Dead", "app/Dead", DEAD.physical_id, "shop-Dead-1"])
def test_plan_resource_has_several_names(name: str) -> None:
    assert ids(plan(inventory(SALES, DEAD), name).data) == [DEAD.physical_id]


def test_plan_name_twice_is_one_resource() -> None:
    assert ids(plan(inventory(SALES), "Sales", "app/Sales").data) == [SALES.physical_id]


def test_plan_all_is_every_resource_that_can_be_deleted() -> None:
    planned = plan(inventory(SALES, NOT_RETAINED, DATABASE, left=(LAKE,)), "all")

    assert ids(planned.data) == [SALES.physical_id, NOT_RETAINED.physical_id, LAKE.physical_id]
    assert (planned.is_all, planned.releases, planned.artifacts) == (True, False, False)
    assert ids(planned.staying) == ["db-1"]


@pytest.mark.parametrize(("names", "flags"), [(("releases",), (True, False)), (("artifacts",), (False, True))])
def test_plan_releases_and_artifacts_go_when_named(names: tuple[str, ...], flags: tuple[bool, bool]) -> None:
    planned = plan(inventory(), *names)

    assert (planned.releases, planned.artifacts) == flags
    assert not planned.is_empty
    assert plan(inventory(releases=None), *names).is_empty


def test_plan_of_an_empty_environment_is_empty() -> None:
    assert plan(inventory(releases=3)).is_empty
    assert plan(inventory(left=(SALES,))).is_empty
    assert not plan(inventory(left=(SALES,)), "Sales").is_empty


@pytest.mark.parametrize("name", ["Sales", "app/Sales", "Stock", "base/Stock"])
def test_plan_name_of_the_templates_is_deleted_already(name: str) -> None:
    assert plan(inventory(DEAD), name).data == ()


@pytest.mark.parametrize("name", ["Nothing", "base/Sales", "other/Sales"])
def test_plan_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        plan(inventory(DEAD, LAKE), name)

    message = f"{name} does not name any data of this environment; the names are: Dead, Lake"
    assert str(caught.value) == f"--delete-data: {message}"


def test_plan_unknown_name_without_data_says_so() -> None:
    with pytest.raises(UsageError, match="Nothing: there are no data here; the names are: none"):
        plan(inventory(), "Nothing")


@pytest.mark.parametrize("name", ["shop-live-Sales-1", "shop-live-base-stock-0a1b", "https://sqs/1/shop-live-Till-2"])
def test_plan_generated_name_of_what_is_deleted_already_is_no_error(name: str) -> None:
    """The same command finishes an interrupted deletion, which may have deleted what it names."""
    assert plan(inventory(LAKE), name).data == ()


@pytest.mark.parametrize("name", ["shop-live-Sales", "shop-live-base-Sales-1", "shop-Sales-1"])
def test_plan_name_that_no_stack_would_generate_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="does not name any data of this environment"):
        plan(inventory(LAKE), name)


def test_plan_name_of_two_stacks_is_ambiguous() -> None:
    twin = replace(SALES, stack_name="shop-live-base", physical_id="base-sales")

    with pytest.raises(UsageError, match="2 resources are called Sales; write one of: app/Sales, base/Sales"):
        plan(inventory(SALES, left=(twin,)), "Sales")
    assert ids(plan(inventory(SALES, left=(twin,)), "base/Sales").data) == ["base-sales"]


def test_plan_name_of_two_generations_is_ambiguous() -> None:
    options = "shop-live-Sales-1, shop-live-Sales-0"
    with pytest.raises(UsageError, match=f"2 resources are called app/Sales; write one of: {options}"):
        plan(inventory(SALES, left=(OLD_SALES,)), "app/Sales")
    assert ids(plan(inventory(SALES, left=(OLD_SALES,)), "shop-live-Sales-0").data) == ["shop-live-Sales-0"]


def test_plan_type_that_cannot_be_deleted_is_a_finding() -> None:
    with pytest.raises(CheckFailedError) as caught:
        plan(inventory(DATABASE), "Db")

    fix = "leave it out, and delete db-1 in AWS by hand"
    what = "inv destroy cannot delete its type, AWS::RDS::DBInstance"
    assert caught.value.findings == (Finding("Db", what, fix),)
    assert str(caught.value) == f"{COMMAND}: 1 finding(s) stop this; nothing was changed"


FULL_BUCKET = retained("Cache", "shop-cache", {"Type": BUCKET}, holding=Holding("1 object", is_empty=False))
PROTECTED = replace(NOT_RETAINED, holding=replace(EMPTY, is_protected=True))


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (FULL_BUCKET, "shop-cache, 1 object: the template does not retain it, and it is not empty"),
        (PROTECTED, "shop-cache, 0 items: the template does not retain it, and it is protected from deletion"),
    ],
)
def test_plan_resource_that_cloudformation_cannot_delete_must_be_named(resource: RetainedResource, reason: str) -> None:
    with pytest.raises(CheckFailedError) as caught:
        plan(inventory(resource))

    fix = f"delete its data too: {COMMAND} --delete-data Cache; or set DeletionPolicy: Retain and deploy first"
    assert caught.value.findings == (Finding("app: Cache", reason, fix),)
    assert ids(plan(inventory(resource), "Cache").data) == ["shop-cache"]


@pytest.mark.parametrize(
    "resource",
    [
        NOT_RETAINED,
        replace(FULL_BUCKET, holding=Holding("", is_empty=True)),
        replace(SALES, holding=replace(ITEMS, is_protected=True)),
        replace(LAKE, holding=Holding("1 object", is_empty=False)),
    ],
    ids=["filled table", "empty bucket", "protected but retained", "filled but retained"],
)
def test_plan_resource_that_cloudformation_can_delete_needs_no_name(resource: RetainedResource) -> None:
    assert plan(inventory(resource)).data == ()


def rows(planned: Removal, capsys: pytest.CaptureFixture[str]) -> list[str]:
    text.show(planned)
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_show_says_what_becomes_of_each(capsys: pytest.CaptureFixture[str]) -> None:
    empty = replace(NOT_RETAINED, logical_id="Temporary", physical_id="shop-temporary", holding=EMPTY)
    planned = plan(inventory(SALES, DEAD, NOT_RETAINED, empty, left=(LAKE, SWITCH)), "Dead", "Lake")

    assert rows(planned, capsys) == [
        "stack resource what content afterwards",
        "app Sales table shop-live-Sales-1, 3 items stays",
        "app Dead queue shop-Dead-1 deleted",
        "app Cache table shop-cache, 3 items deleted with its data",
        "app Temporary table shop-temporary, 0 items deleted",
        "(left over) Lake bucket shop-lake deleted",
        "(left over) Switch parameter /shop/on stays",
        "shop-live (CREATE_COMPLETE) is deleted, with 2 functions, 1 queue policy",
        "3 releases: kept (to delete them too: --delete-data releases)",
        "the artifacts of these releases: kept (to delete them too: --delete-data artifacts)",
    ]


def test_show_unknown_content_counts_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    gone = replace(DATABASE, definition={"Type": DATABASE.type})

    assert "app Db db instance db-1 deleted with its data" in rows(plan(inventory(gone)), capsys)


def test_show_releases_and_artifacts_that_go(capsys: pytest.CaptureFixture[str]) -> None:
    planned = plan(inventory(releases=1), "releases", "artifacts")

    assert rows(planned, capsys) == ["1 release: deleted", "the artifacts of these releases: deleted"]
    assert rows(plan(inventory(releases=None)), capsys) == []


def test_show_stacks_in_the_order_of_their_deletion(capsys: pytest.CaptureFixture[str]) -> None:
    stacks = (contents(name="base", stack_name="shop-live-base"), replace(contents(), others={}))

    assert rows(plan(Inventory(stacks)), capsys) == [
        "shop-live (CREATE_COMPLETE) is deleted",
        "shop-live-base (CREATE_COMPLETE) is deleted, with 2 functions, 1 queue policy",
    ]
