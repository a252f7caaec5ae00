"""The rules of AWS in the real emulator: it refuses and replaces what CloudFormation refuses and replaces."""

import json

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.emulated_stacks import (
    HANDLE,
    NEVER,
    QUEUE,
    RETAIN,
    Clients,
    Stack,
    body,
    table,
    with_unused_attribute,
)

pytestmark = pytest.mark.enable_socket


def test_deleted_stack_is_known_by_its_id_with_what_it_retained(stack: Stack) -> None:
    kept = stack.create(Ledger=table("pk", **RETAIN), Sales=table("pk")).physical_id()
    described = stack.cloudformation.describe_stacks(StackName=stack.name)["Stacks"][0]

    deleted = stack.delete()
    stack.create(Ledger=table("pk"))

    listed = stack.cloudformation.list_stack_resources(StackName=described["StackId"])["StackResourceSummaries"]
    resources = {entry["LogicalResourceId"]: (entry["ResourceStatus"], entry["PhysicalResourceId"]) for entry in listed}
    assert deleted["StackId"] == described["StackId"]
    assert deleted["DeletionTime"] >= described["CreationTime"].replace(microsecond=0)
    assert (resources["Ledger"], resources["Sales"][0]) == (("DELETE_SKIPPED", kept), "DELETE_COMPLETE")
    assert stack.physical_id() != kept


def test_stack_is_found_by_the_physical_id_of_a_resource(stack: Stack) -> None:
    name = stack.create(Ledger=table("pk", **RETAIN)).physical_id()

    [owner] = stack.owners(name)
    stack.delete()

    assert owner["StackName"] == stack.name
    assert [entry["ResourceStatus"] for entry in stack.owners(name)] == ["DELETE_SKIPPED"]
    with pytest.raises(ClientError, match="Stack for nobody does not exist"):
        stack.owners("nobody")


def test_table_with_other_keys_is_replaced_and_the_old_one_retained(stack: Stack) -> None:
    old = stack.create(Ledger=table("pk", **RETAIN)).put()

    status = stack.update(Ledger=table("pk", "sk", **RETAIN))

    assert status == "UPDATE_COMPLETE"
    assert stack.physical_id() != old
    assert (stack.count(stack.physical_id()), stack.count(old)) == (0, 1)


def test_table_with_other_keys_without_retain_loses_its_items(stack: Stack) -> None:
    old = stack.create(Ledger=table("pk")).put()

    stack.update(Ledger=table("pk", "sk"))

    assert old not in stack.tables()
    assert stack.count(stack.physical_id()) == 0


def test_table_with_another_attribute_type_is_replaced(stack: Stack) -> None:
    old = stack.create(Ledger=table("pk", **RETAIN)).put()

    stack.update(Ledger=table("pk", kind="N", **RETAIN))

    assert (stack.count(stack.physical_id()), stack.count(old)) == (0, 1)


def test_failed_update_keeps_the_replaced_table(stack: Stack) -> None:
    old = stack.create(Ledger=table("pk")).put()

    status = stack.update(Ledger=table("pk", "sk"), Wrong=with_unused_attribute() | {"DependsOn": "Ledger"})

    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.physical_id() == old
    assert stack.count(old) == 1


def test_table_under_another_logical_id_is_new_and_empty(stack: Stack) -> None:
    """The way back must not overwrite the table that the first one left."""
    old = stack.create(Ledger=table("pk", **RETAIN)).put()

    stack.update(Journal=table("pk", **RETAIN))
    stack.update(Ledger=table("pk", **RETAIN))

    assert len(stack.tables()) == 3
    assert stack.count(old) == 1
    assert stack.physical_id() != old


@pytest.mark.parametrize(
    ("before", "after"),
    [((), ("a", "b")), (("a", "b"), ()), (("a",), ("b",))],
    ids=["two created", "two deleted", "swapped"],
)
def test_two_index_changes_are_refused_and_rolled_back(
    stack: Stack, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    stack.create(Ledger=table("pk", indexes=before))

    status = stack.update(Ledger=table("pk", indexes=after))

    assert status == "UPDATE_ROLLBACK_COMPLETE"
    assert "Cannot perform more than one GSI creation or deletion in a single update" in stack.reasons()
    described = stack.dynamodb.describe_table(TableName=stack.physical_id())["Table"]
    names = [entry["IndexName"] for entry in described.get("GlobalSecondaryIndexes", [])]
    assert names == [f"by-{name}" for name in before]


def test_one_index_change_keeps_the_table(stack: Stack) -> None:
    old = stack.create(Ledger=table("pk", indexes=("a",))).put()

    assert stack.update(Ledger=table("pk", indexes=("a", "b"))) == "UPDATE_COMPLETE"
    assert stack.update(Ledger=table("pk", indexes=("b",))) == "UPDATE_COMPLETE"
    assert (stack.physical_id(), stack.count(old)) == (old, 1)


def test_attribute_that_no_key_uses_is_refused(stack: Stack) -> None:
    stack.create(Ledger=table("pk"))

    assert stack.update(Ledger=with_unused_attribute()) == "UPDATE_ROLLBACK_COMPLETE"
    assert any("AttributeDefinitions are not used" in reason for reason in stack.reasons())


def test_new_table_with_an_unused_attribute_or_a_taken_name_is_refused(stack: Stack) -> None:
    stack.create(Ledger=table("pk"))
    named = table("pk")
    named["Properties"]["TableName"] = stack.physical_id()

    assert stack.update(Ledger=table("pk"), Wrong=with_unused_attribute()) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.update(Ledger=table("pk"), Named=named) == "UPDATE_ROLLBACK_COMPLETE"
    assert f"{stack.physical_id()} already exists" in stack.reasons()


def test_protected_table_is_not_deleted(stack: Stack) -> None:
    protected = table("pk")
    protected["Properties"]["DeletionProtectionEnabled"] = True
    old = stack.create(Ledger=protected, Other=table("pk")).put()

    status = stack.update(Other=table("pk"))

    assert status == "UPDATE_COMPLETE"
    assert stack.count(old) == 1
    assert stack.reasons() == [
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first."
    ]


def test_bucket_with_objects_is_not_deleted(stack: Stack) -> None:
    bucket = {"Type": "AWS::S3::Bucket"}
    stack.create(Lake=bucket, Empty=bucket, Other=table("pk"))
    full, empty = stack.physical_id("Lake"), stack.physical_id("Empty")
    stack.s3.put_object(Bucket=full, Key="bars", Body=b"1")

    stack.update(Other=table("pk"))

    buckets = {entry["Name"] for entry in stack.s3.list_buckets()["Buckets"]}
    assert (full in buckets, empty in buckets) == (True, False)
    assert "The bucket you tried to delete is not empty" in stack.reasons()


def test_busy_stack_refuses_change_sets_and_deletion(stack: Stack, clients: Clients) -> None:
    """A wait condition keeps an update running until it is signalled."""
    idle = Stack(clients).create(Ledger=table("pk"))
    idle.change_set("early", Ledger=table("pk", indexes=("a",)))
    stack.create(Ledger=table("pk"))
    stack.change_set("early", Ledger=table("pk", indexes=("a",)))
    waiting = {"Ledger": table("pk"), "Handle": HANDLE, "Never": NEVER}
    stack.cloudformation.update_stack(StackName=stack.name, TemplateBody=body(waiting))
    assert stack.status() == "UPDATE_IN_PROGRESS"

    with pytest.raises(ClientError, match=r"Stack:arn:.* is in UPDATE_IN_PROGRESS state and can not be updated"):
        stack.change_set("late", Ledger=table("pk", indexes=("a",)))
    with pytest.raises(ClientError, match=r"\(ValidationError\) .* is in UPDATE_IN_PROGRESS state"):
        stack.cloudformation.create_change_set(StackName=stack.name, ChangeSetName="kind", TemplateBody=body(waiting))
    with pytest.raises(ClientError, match="is in UPDATE_IN_PROGRESS state"):
        stack.cloudformation.execute_change_set(StackName=stack.name, ChangeSetName="early")
    with pytest.raises(ClientError, match="cannot be deleted while in status UPDATE_IN_PROGRESS"):
        stack.cloudformation.delete_stack(StackName=stack.name)

    stack.cloudformation.signal_resource(
        StackName=stack.name, LogicalResourceId="Never", UniqueId="1", Status="SUCCESS"
    )
    assert stack.settle() == "UPDATE_COMPLETE"


def test_stack_whose_creation_rolled_back_takes_no_change_set(stack: Stack) -> None:
    stack.create(Ledger=with_unused_attribute())
    assert stack.status() == "ROLLBACK_COMPLETE"

    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        stack.change_set("update", Ledger=table("pk"))
    with pytest.raises(ClientError, match=r"already exists and cannot be created again with the changeSet \[again\]"):
        stack.change_set("again", "CREATE", Ledger=table("pk"))


def test_new_stack_is_created_by_a_change_set_and_deleted(stack: Stack) -> None:
    stack.change_set("create", "CREATE", Ledger=table("pk"))
    stack.change_set("again", "CREATE", Ledger=table("pk"))
    stack.cloudformation.execute_change_set(StackName=stack.name, ChangeSetName="create")
    assert stack.settle() == "CREATE_COMPLETE"

    stack.cloudformation.delete_stack(StackName=stack.name)
    with pytest.raises(ClientError, match="does not exist"):
        stack.change_set("update", Ledger=table("pk"))
    stack.create(Ledger=table("pk"))
    assert stack.settle() == "CREATE_COMPLETE"


def test_export_in_use_is_neither_changed_nor_removed(stack: Stack, clients: Clients) -> None:
    name = f"{stack.name}-Table"
    export = {"Table": {"Value": {"Ref": "Ledger"}, "Export": {"Name": name}}}
    stack.create(Ledger=table("pk"))
    assert stack.update(Ledger=table("pk"), outputs=export) == "UPDATE_COMPLETE"
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Fn::ImportValue": name}}}
    importer = Stack(clients).create(Inbox=queue)

    assert stack.update(Ledger=table("pk", "sk"), outputs=export) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.update(Ledger=table("pk")) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.update(Ledger=table("pk"), Other=table("pk"), outputs=export) == "UPDATE_COMPLETE"
    assert f"Export {name} cannot be updated as it is in use by {importer.name}" in stack.reasons()
    assert f"Export {name} cannot be deleted as it is in use by {importer.name}" in stack.reasons()

    stack.cloudformation.delete_stack(StackName=importer.name)
    assert stack.update(Ledger=table("pk")) == "UPDATE_COMPLETE"


def test_export_that_nobody_imports_disappears(stack: Stack) -> None:
    name = f"{stack.name}-Table"
    stack.create(Ledger=table("pk"))
    stack.update(Ledger=table("pk"), outputs={"Table": {"Value": {"Ref": "Ledger"}, "Export": {"Name": name}}})

    assert stack.update(Ledger=table("pk")) == "UPDATE_COMPLETE"
    assert name not in {export["Name"] for export in stack.cloudformation.list_exports()["Exports"]}


def test_resource_with_a_false_condition_is_in_no_change_set(stack: Stack) -> None:
    conditions = {"Never": {"Fn::Equals": ["a", "b"]}, "Always": {"Fn::Equals": ["a", "a"]}}
    resources = {
        "Absent": {"Type": QUEUE, "Condition": "Never"},
        "Present": {"Type": QUEUE, "Condition": "Always"},
        "Plain": {"Type": QUEUE},
    }
    template = json.dumps({"Resources": resources, "Conditions": conditions})
    name = {"StackName": stack.name, "ChangeSetName": "create"}
    stack.cloudformation.create_change_set(**name, ChangeSetType="CREATE", TemplateBody=template)

    changes = stack.cloudformation.describe_change_set(**name)["Changes"]

    assert {change["ResourceChange"]["LogicalResourceId"] for change in changes} == {"Present", "Plain"}
