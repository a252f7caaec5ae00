"""Generated names on the real emulator: each creation has its own, and a name that exists is refused."""

import pytest

from tests.sandbox.emulated_stacks import LOG_GROUP, QUEUE, RETAIN, Clients, Stack, table

pytestmark = pytest.mark.enable_socket


def test_new_stack_leaves_the_retained_queue_and_logs_alone(stack: Stack) -> None:
    kept = {"Inbox": {"Type": QUEUE, **RETAIN}, "Logs": {"Type": LOG_GROUP, **RETAIN}}
    stack.create(**kept)
    old = {name: stack.physical_id(name) for name in kept}
    stack.sqs.send_message(QueueUrl=old["Inbox"], MessageBody="kept")
    stack.cloudformation.delete_stack(StackName=stack.name)
    deleted = stack.cloudformation.get_waiter("stack_delete_complete")
    deleted.wait(StackName=stack.name, WaiterConfig={"Delay": 0.05})

    stack.create(**kept)
    new = {name: stack.physical_id(name) for name in kept}

    assert {name for name in kept if old[name] == new[name]} == set()
    assert (stack.messages(old["Inbox"]), stack.messages(new["Inbox"])) == (1, 0)


def test_update_keeps_generated_names(stack: Stack) -> None:
    stack.create(Inbox={"Type": QUEUE}, Logs={"Type": LOG_GROUP})
    old = stack.physical_id("Inbox"), stack.physical_id("Logs")

    status = stack.update(
        Inbox={"Type": QUEUE, "Properties": {"VisibilityTimeout": 60}},
        Logs={"Type": LOG_GROUP, "Properties": {"RetentionInDays": 90}},
    )

    assert status == "UPDATE_COMPLETE"
    assert (stack.physical_id("Inbox"), stack.physical_id("Logs")) == old
    assert f"{stack.name}-Logs-" in old[1]


@pytest.mark.parametrize(("kind", "key"), [("AWS::SQS::Queue", "QueueName"), ("AWS::Logs::LogGroup", "LogGroupName")])
def test_name_that_exists_is_refused(stack: Stack, clients: Clients, kind: str, key: str) -> None:
    named = {"Type": kind, "Properties": {key: f"{stack.name}-named"}}
    stack.create(First=named)

    assert Stack(clients).create(Second=named).status() == "ROLLBACK_COMPLETE"
    assert stack.update(First=named, Other=table("pk")) == "UPDATE_COMPLETE"
