"""What earlier stacks have left is found in the record and with CloudFormation, each resource once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from automation.deploying.adoption import model, search
from automation.deploying.adoption.model import RetainedResource
from automation.deploying.adoption.search import Searcher
from automation.deploying.changes.model import Expanded
from automation.system.holdings import QUEUE, TABLE, Holding
from automation.system.stacks import StackDescription, StackResource, StackState
from tests.automation.deploying.adoption.retained_examples import (
    DEAD,
    ITEMS,
    LOGS,
    NOTHING,
    SALES,
    definition,
    retained,
    table_definition,
)

NAME, FIRST, SECOND = "shop-live", "arn:stack/shop-live/1", "arn:stack/shop-live/2"
QUEUE_PROPERTIES = {"VisibilityTimeout": {"Ref": "Seconds"}, "QueueName": {"Fn::Sub": "${AWS::StackName}-dead"}}
TEMPLATE = {
    "Parameters": {"Seconds": {"Type": "Number", "Default": 5}},
    "Resources": {
        "Sales": table_definition(),
        "Dead": definition(QUEUE, QUEUE_PROPERTIES),
        "Cache": {"Type": TABLE, "DeletionPolicy": "Delete"},
    },
}
SALES_ENTRY = StackResource("Sales", "shop-live-Sales-1", TABLE)
CACHE_ENTRY = StackResource("Cache", "shop-live-Cache-1", TABLE)
DEAD_ENTRY = StackResource("Dead", "https://sqs/1/shop-live-dead", QUEUE)


@dataclass
class FakeCloud:
    """Deleted stacks with what they have left, and stacks that have taken something over."""

    left: dict[str, tuple[StackResource, ...]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    status: str = ""
    described: list[str] = field(default_factory=list)

    def describe(self, stack: str) -> StackDescription:
        self.described.append(stack)
        if stack == NAME:
            return StackDescription(StackState(NAME, self.status, FIRST if self.status else ""))
        status = self.status if stack == FIRST and self.status else "DELETE_COMPLETE"
        return StackDescription(StackState(NAME, status, stack), {"Seconds": "9"})

    def deleted_stacks(self, name: str) -> tuple[str, ...]:
        return tuple(self.left) if name == NAME and not self.status else ()

    def retained(self, stack_id: str) -> tuple[StackResource, ...]:
        return self.left[stack_id]

    def owner(self, physical_id: str) -> str:
        return self.owners.get(physical_id, "")


@dataclass
class FakeRecord:
    documents: list[dict[str, Any]] = field(default_factory=list)

    def retained(self, stack: str) -> tuple[Mapping[str, Any], ...]:
        return tuple(self.documents) if stack == NAME else ()


@dataclass
class FakeHoldings:
    gone: set[str] = field(default_factory=set)

    def look(self, resource_type: str, physical_id: str) -> Holding | None:
        assert resource_type in model.IDENTIFIERS
        if physical_id in self.gone:
            return None
        return ITEMS if resource_type == TABLE else NOTHING


def find(cloud: FakeCloud, *documents: dict[str, Any], gone: tuple[str, ...] = ()) -> tuple[RetainedResource, ...]:
    searcher = Searcher(
        stacks=cloud,
        table=FakeRecord(list(documents)),
        data=FakeHoldings(set(gone)),
        read_template=lambda _stack: TEMPLATE,
        pseudo=lambda name: {"AWS::StackName": name},
        exports={},
    )
    return searcher.find([NAME, "shop-other"])


def test_find_in_the_record() -> None:
    cloud = FakeCloud()

    assert find(cloud, model.as_document(SALES)) == (SALES,)
    assert cloud.described == [NAME, "shop-other"]


def test_find_with_cloudformation_resolves_the_old_template() -> None:
    sales, dead = find(FakeCloud({FIRST: (SALES_ENTRY, DEAD_ENTRY)}))

    assert sales == replace(SALES, holding=ITEMS)
    assert dead.definition["Properties"] == {"VisibilityTimeout": "9", "QueueName": "shop-live-dead"}
    assert (dead.stack_name, dead.holding) == (NAME, NOTHING)


def test_find_each_resource_once_as_it_was_written_down() -> None:
    written = replace(SALES, definition={"Type": TABLE})

    assert find(FakeCloud({FIRST: (SALES_ENTRY,), SECOND: (SALES_ENTRY,)}), model.as_document(written)) == (written,)


def test_find_in_every_deleted_stack_of_the_name() -> None:
    older = StackResource("Sales", "shop-live-Sales-0", TABLE)

    leftovers = find(FakeCloud({SECOND: (SALES_ENTRY,), FIRST: (older,)}))

    assert [resource.physical_id for resource in leftovers] == ["shop-live-Sales-1", "shop-live-Sales-0"]


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED"])
def test_find_in_a_failed_creation_what_its_deletion_will_leave(status: str) -> None:
    cloud = FakeCloud({FIRST: (SALES_ENTRY, CACHE_ENTRY)}, status=status)

    assert [resource.physical_id for resource in find(cloud)] == ["shop-live-Sales-1"]


def test_find_what_a_deletion_has_left_although_its_template_did_not_retain_it() -> None:
    """A person can ask CloudFormation to skip a resource."""
    assert [resource.logical_id for resource in find(FakeCloud({FIRST: (CACHE_ENTRY,)}))] == ["Cache"]


def test_find_nothing_in_a_stack_that_exists() -> None:
    assert find(FakeCloud({FIRST: (SALES_ENTRY,)}, status="UPDATE_COMPLETE")) == ()


def test_find_leaves_out_what_is_gone() -> None:
    assert find(FakeCloud(), model.as_document(SALES), gone=(SALES.physical_id,)) == ()


def test_find_leaves_out_what_a_stack_has_again() -> None:
    cloud = FakeCloud(owners={SALES.physical_id: "shop-live"})

    assert find(cloud, model.as_document(SALES), model.as_document(DEAD)) == (DEAD,)


def test_find_keeps_a_type_that_it_cannot_look_at() -> None:
    database = retained("Db", "db-1", definition("AWS::RDS::DBInstance"), holding=None)

    assert find(FakeCloud(owners={"db-1": "shop-live"}), model.as_document(database)) == (database,)


def test_find_leaves_out_what_the_template_does_not_have() -> None:
    assert find(FakeCloud({FIRST: (StackResource("Other", "x", TABLE),)})) == ()


def test_defined_knows_layers_by_their_logical_id() -> None:
    """SAM adds the hash of the content to the logical id of a layer."""
    logical_id = "Code0123456789"
    layer = {"Type": "AWS::Lambda::LayerVersion", "DeletionPolicy": "Retain"}
    entry = StackResource(logical_id, "arn:layer:1", "AWS::Lambda::LayerVersion")

    [resource] = search.defined([entry], Expanded({"Resources": {logical_id: layer}}), NAME)

    assert (resource.logical_id, resource.definition) == (logical_id, layer)


def test_is_retained_by_either_policy() -> None:
    policies = ["Retain", "RetainExceptOnCreate", "Delete", "Snapshot"]
    resources = [replace(LOGS, definition={"Type": TABLE, "DeletionPolicy": policy}) for policy in policies]

    assert [search.is_retained(resource) for resource in resources] == [True, True, False, False]
    assert not search.is_retained(replace(LOGS, definition={}))
