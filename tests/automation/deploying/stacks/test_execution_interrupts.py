"""Ctrl-C and SIGTERM while a change runs: wait, cancel and roll back, or detach."""

import signal
from dataclasses import replace

import pytest

from automation.deploying.stacks import execution
from automation.deploying.stacks.execution import CancelledError, DetachedError
from automation.system.errors import DeploymentError
from tests.automation.deploying.changing_stacks import (
    CHANGE_SET,
    SLOW_UPDATE,
    STACK_ID,
    UPDATE,
    FakeCloud,
    Person,
    of_stack,
    operator,
    running,
)

QUESTION = "shop is changing. Type w to wait, c to cancel and roll back, d to detach:"
DETACHED = (
    "shop: detached: CloudFormation goes on with this change; to attach again and finish it, run inv deploy --env live"
)


def interrupt() -> None:
    raise KeyboardInterrupt


def terminate() -> None:
    signal.raise_signal(signal.SIGTERM)


def test_interrupt_without_terminal_detaches() -> None:
    with pytest.raises(DetachedError) as caught:
        execution.execute(CHANGE_SET, FakeCloud(UPDATE, at_look={1: interrupt}), operator())

    assert (str(caught.value), caught.value.exit_code) == (DETACHED, 130)


def test_sigterm_detaches_even_on_a_terminal() -> None:
    person = Person(["w"])
    asking = replace(operator(), ask=person.reply)

    with pytest.raises(DetachedError):
        execution.execute(CHANGE_SET, FakeCloud(UPDATE, at_look={1: terminate}), asking)

    assert person.questions == []


def test_interrupt_wait_goes_on_without_starting_again() -> None:
    person, cloud = Person(["w"]), FakeCloud(UPDATE, at_look={1: interrupt})

    executed = execution.execute(CHANGE_SET, cloud, replace(operator(), ask=person.reply))

    assert (executed.state.status, person.questions) == ("UPDATE_COMPLETE", [QUESTION])
    assert cloud.calls == ["execute arn:set"]


def test_interrupt_detach_detaches() -> None:
    with pytest.raises(DetachedError, match="detached"):
        execution.execute(CHANGE_SET, FakeCloud(UPDATE, at_look={1: interrupt}), operator("d"))


def test_second_interrupt_detaches() -> None:
    cloud = FakeCloud(UPDATE, at_look={1: interrupt, 2: interrupt})

    with pytest.raises(DetachedError):
        execution.execute(CHANGE_SET, cloud, operator("w"))


def test_interrupt_of_the_question_detaches() -> None:
    cloud = FakeCloud(UPDATE, at_look={1: interrupt})

    with pytest.raises(DetachedError):
        execution.execute(CHANGE_SET, cloud, operator(KeyboardInterrupt))

    assert cloud.calls == ["execute arn:set"]


def test_cancel_update_rolls_back() -> None:
    cloud = FakeCloud(SLOW_UPDATE, at_look={2: interrupt})

    with pytest.raises(CancelledError) as caught:
        execution.execute(CHANGE_SET, cloud, operator("c"))

    assert str(caught.value) == "shop: cancelled: the update was rolled back, and everything is as before"
    assert caught.value.exit_code == 8
    assert cloud.calls == ["execute arn:set", f"cancel {STACK_ID}"]


def test_cancel_creation_deletes_the_new_stack() -> None:
    script = [[of_stack("CREATE_IN_PROGRESS")], [], [of_stack("CREATE_COMPLETE")]]
    cloud = FakeCloud(script, past=[], at_look={2: interrupt})

    with pytest.raises(CancelledError, match="cancelled: the new stack was deleted, and everything is as before"):
        execution.execute(CHANGE_SET, cloud, operator("c"))

    assert cloud.calls == ["execute arn:set", f"delete {STACK_ID}"]


def test_cancel_in_the_clean_up_is_too_late(capsys: pytest.CaptureFixture[str]) -> None:
    script = [[of_stack("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")], [], [of_stack("UPDATE_COMPLETE")]]
    cloud = FakeCloud(script, at_look={2: interrupt})

    executed = execution.execute(CHANGE_SET, cloud, operator("c"))

    assert executed.state.status == "UPDATE_COMPLETE"
    assert cloud.calls == ["execute arn:set"]
    warning = "shop is UPDATE_COMPLETE_CLEANUP_IN_PROGRESS: too late to cancel; waiting until it is finished"
    assert capsys.readouterr().err.splitlines()[1] == f"warning: {warning}"


def test_cancel_refused_goes_on_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    cloud = FakeCloud(SLOW_UPDATE)

    def refuse_and_interrupt() -> None:
        cloud.refusal = DeploymentError("AWS refused the request", where="shop")
        raise KeyboardInterrupt

    cloud.at_look[2] = refuse_and_interrupt

    assert execution.execute(CHANGE_SET, cloud, operator("c")).state.status == "UPDATE_COMPLETE"
    warning = "warning: shop: AWS refused the request; not cancelled; waiting until the change is finished"
    assert capsys.readouterr().err.splitlines()[1] == warning


def test_cancel_that_came_too_late_is_a_success() -> None:
    cloud = FakeCloud(SLOW_UPDATE, at_look={2: interrupt}, after_cancel=UPDATE[1:])

    assert execution.execute(CHANGE_SET, cloud, operator("c")).state.status == "UPDATE_COMPLETE"


def test_cancel_with_a_failing_rollback_is_an_error() -> None:
    failed = [[of_stack("UPDATE_ROLLBACK_IN_PROGRESS")], [of_stack("UPDATE_ROLLBACK_FAILED", "queue is busy")]]
    cloud = FakeCloud(SLOW_UPDATE, at_look={2: interrupt}, after_cancel=failed)

    with pytest.raises(DeploymentError, match="UPDATE_ROLLBACK_FAILED; fix the cause, finish the rollback") as caught:
        execution.execute(CHANGE_SET, cloud, operator("c"))

    assert not isinstance(caught.value, CancelledError)


def test_attach_can_be_cancelled() -> None:
    cloud = running([[], [], *UPDATE[1:]], at_look={2: interrupt})

    with pytest.raises(CancelledError):
        execution.attach("shop", cloud, operator("c"))

    assert cloud.calls == [f"cancel {STACK_ID}"]


def test_attach_interrupt_without_terminal_detaches() -> None:
    with pytest.raises(DetachedError):
        execution.attach("shop", running([[], [], *UPDATE[1:]], at_look={2: interrupt}), operator())
