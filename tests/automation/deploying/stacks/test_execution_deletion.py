"""A stack is deleted and followed to its end: success, failure, an interrupt, and nothing to delete."""

from collections.abc import Sequence

import pytest

from automation.deploying.stacks import execution
from automation.deploying.stacks.execution import DetachedError, Operator
from automation.system.errors import DeploymentError
from automation.system.stacks import StackState
from tests.automation.deploying.changing_stacks import AWS, STACK_ID, FakeCloud, of_queue, of_stack

COMMAND = "inv destroy --env live"


class Deletable(FakeCloud):
    """A stack whose deletion plays its own script."""

    def delete_stack(self, stack_id: str, *, retain: Sequence[str] = ()) -> None:
        self.calls.append(" but ".join([f"delete {stack_id}", *retain]))
        self.is_running = True


def operator() -> Operator:
    return Operator("live", AWS, sleep=lambda _: None, command=COMMAND)


def test_delete_names_the_stack_by_its_id_and_waits() -> None:
    cloud = Deletable([[of_stack("DELETE_IN_PROGRESS")], [], [of_stack("DELETE_COMPLETE")]])

    execution.delete("shop", cloud, operator())

    assert (cloud.calls, cloud.looks) == ([f"delete {STACK_ID}"], 4)


def test_delete_missing_stack_does_nothing() -> None:
    cloud = Deletable(past=[])

    execution.delete("shop", cloud, operator())

    assert cloud.calls == []


def test_delete_stack_that_is_gone_at_once_is_deleted() -> None:
    class Gone(Deletable):
        def stack_state(self, name: str) -> StackState:
            state = super().stack_state(name)
            return StackState("shop") if self.is_running else state

    execution.delete("shop", Gone([[]]), operator())


def test_delete_failure_names_reason_state_and_next_step() -> None:
    failed = [of_queue("DELETE_FAILED", "is in use"), of_stack("DELETE_FAILED", "failed: [Queue]")]
    cloud = Deletable([[of_stack("DELETE_IN_PROGRESS")], failed])

    with pytest.raises(DeploymentError) as caught:
        execution.delete("shop", cloud, operator())

    what = "shop: Queue (AWS::SQS::Queue): is in use; the stack is DELETE_FAILED"
    assert str(caught.value) == f"{what}; fix the cause, then run {COMMAND}"


def test_delete_leaves_out_a_retained_resource_that_could_not_be_deleted() -> None:
    """CloudFormation tries to delete a protected table of a failed creation although its template retains it."""
    failed = [of_queue("DELETE_FAILED", "is protected"), of_stack("DELETE_FAILED", "failed: [Queue]")]
    cloud = Deletable([failed, [], [of_stack("DELETE_IN_PROGRESS"), of_stack("DELETE_COMPLETE")]])

    execution.delete("shop", cloud, operator(), retain=("Queue", "Table"))

    assert cloud.calls == [f"delete {STACK_ID}", f"delete {STACK_ID} but Queue"]


def test_delete_after_a_failed_deletion_leaves_it_out_at_once() -> None:
    past = [of_queue("DELETE_FAILED", "is protected"), of_stack("DELETE_FAILED", "failed: [Queue]")]
    cloud = Deletable([[of_stack("DELETE_IN_PROGRESS")], [of_stack("DELETE_COMPLETE")]], past=past)

    execution.delete("shop", cloud, operator(), retain=("Queue", "Table"))

    assert cloud.calls == [f"delete {STACK_ID} but Queue"]


def test_delete_that_fails_without_what_is_retained_is_not_tried_again() -> None:
    past = [of_queue("DELETE_FAILED", "is protected"), of_stack("DELETE_FAILED", "failed: [Queue]")]
    cloud = Deletable([[of_stack("DELETE_IN_PROGRESS")], [of_stack("DELETE_FAILED", "failed: [Role]")]], past=past)

    with pytest.raises(DeploymentError, match="the stack is DELETE_FAILED"):
        execution.delete("shop", cloud, operator(), retain=("Queue",))

    assert cloud.calls == [f"delete {STACK_ID} but Queue"]


def test_delete_ignores_an_earlier_failure() -> None:
    cloud = Deletable(
        [[of_stack("DELETE_IN_PROGRESS")], [of_stack("DELETE_COMPLETE")]], past=[of_stack("DELETE_FAILED", "long ago")]
    )

    execution.delete("shop", cloud, operator())

    assert cloud.calls == [f"delete {STACK_ID}"]


def test_delete_interrupted_without_terminal_detaches() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    cloud = Deletable([[of_stack("DELETE_IN_PROGRESS")]], at_look={2: interrupt})

    with pytest.raises(DetachedError, match=f"to attach again and finish it, run {COMMAND}$"):
        execution.delete("shop", cloud, operator())
