"""A change is followed to its end: success, failure, rollback, a lost connection, and one that somebody else began."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from automation.deploying.stacks import execution, stack_states
from automation.deploying.stacks.execution import Executed, Operator
from automation.system import console
from automation.system.errors import DeploymentError
from automation.system.stacks import NoSuchStackError, StackEvent, StackState, StaleChangeSetError
from automation.system.targets import Target
from tests.automation.deploying.changing_stacks import (
    CHANGE_SET,
    EARLIER,
    ROLLBACK,
    SLOW_UPDATE,
    STACK_ID,
    UPDATE,
    FakeCloud,
    of_queue,
    of_stack,
    operator,
    running,
)


@dataclass
class LaggingCloud(FakeCloud):
    """A stack whose last events are listed one look after its state."""

    def events(self, stack: str) -> Iterator[StackEvent]:
        return iter(list(super().events(stack))[3 if self.looks == 2 else 0 :])


def lose_connection() -> None:
    raise DeploymentError("AWS in eu-west-1 does not answer")


def test_execute_successful_update_returns_the_resources() -> None:
    cloud, slept = FakeCloud(UPDATE), list[float]()

    executed = execution.execute(CHANGE_SET, cloud, operator(slept=slept))

    state = StackState("shop", "UPDATE_COMPLETE", STACK_ID)
    assert executed == Executed(state, is_new_stack=False, resources=("Queue",))
    assert (cloud.calls, slept) == (["execute arn:set"], [stack_states.POLL_S])


def test_execute_new_stack_is_created() -> None:
    change_set = replace(CHANGE_SET, is_new_stack=True)
    cloud = FakeCloud([[of_stack("CREATE_IN_PROGRESS")], [of_stack("CREATE_COMPLETE")]], past=[])

    executed = execution.execute(change_set, cloud, operator())

    assert (executed.state.status, executed.is_new_stack) == ("CREATE_COMPLETE", True)


def test_execute_sends_a_new_token_each_time() -> None:
    clouds = [FakeCloud(UPDATE), FakeCloud(UPDATE)]

    for cloud in clouds:
        execution.execute(CHANGE_SET, cloud, operator())

    first, second = (cloud.tokens[0] for cloud in clouds)
    assert first.startswith("release-")
    assert first != second


def test_execute_polls_faster_on_loopback() -> None:
    slept: list[float] = []
    local = Operator("here", Target("eu-west-1", "http://127.0.0.1:4566"), sleep=slept.append)

    execution.execute(CHANGE_SET, FakeCloud(UPDATE), local)

    assert slept == [stack_states.LOOPBACK_POLL_S]


def test_execute_old_state_of_a_lagging_answer_is_not_the_end() -> None:
    """DescribeStacks may still say CREATE_COMPLETE, the state before, although the change has begun."""
    cloud = FakeCloud([[], *UPDATE])

    executed = execution.execute(CHANGE_SET, cloud, operator())

    assert executed.state.status == "UPDATE_COMPLETE"
    assert cloud.looks == 3


def test_execute_settled_state_waits_for_its_own_events() -> None:
    cloud = LaggingCloud(UPDATE)

    executed = execution.execute(CHANGE_SET, cloud, operator())

    assert (executed.state.status, executed.resources) == ("UPDATE_COMPLETE", ("Queue",))
    assert cloud.looks == 3


def test_execute_failed_update_names_reason_state_and_next_step() -> None:
    with pytest.raises(DeploymentError) as caught:
        execution.execute(CHANGE_SET, FakeCloud(ROLLBACK), operator())

    reason = "shop: Queue (AWS::SQS::Queue): name is taken"
    state = "the stack is UPDATE_ROLLBACK_COMPLETE, as it was before"
    assert str(caught.value) == f"{reason}; {state}; fix the cause, then run inv deploy --env live"


def test_execute_failed_creation_is_deployed_again() -> None:
    script = [[of_stack("CREATE_IN_PROGRESS")], [of_stack("ROLLBACK_IN_PROGRESS", "User Initiated")]]
    cloud = FakeCloud([*script, [of_stack("ROLLBACK_COMPLETE", "done")]], past=[])

    with pytest.raises(DeploymentError) as caught:
        execution.execute(CHANGE_SET, cloud, operator())

    fix = "fix the cause, then run inv deploy --env live"
    assert str(caught.value) == f"shop: User Initiated; the stack is ROLLBACK_COMPLETE; {fix}"


def test_execute_unexplained_failure_says_so() -> None:
    script = [[of_stack("UPDATE_IN_PROGRESS", "started")], [of_stack("UPDATE_ROLLBACK_COMPLETE")]]

    with pytest.raises(DeploymentError, match="shop: CloudFormation gives no reason; the stack is UPDATE_ROLLBACK"):
        execution.execute(CHANGE_SET, FakeCloud(script), operator())


@pytest.mark.parametrize("error", [StaleChangeSetError, NoSuchStackError])
def test_execute_stale_change_set_changes_nothing(error: type[DeploymentError]) -> None:
    cloud = FakeCloud(UPDATE, refusal=error("the change set is OBSOLETE"))

    with pytest.raises(DeploymentError) as caught:
        execution.execute(CHANGE_SET, cloud, operator())

    what = "shop: the change set is OBSOLETE; nothing was changed in this stack"
    assert str(caught.value) == f"{what}; run inv diff --env live, then deploy again"
    assert cloud.looks == 0


def test_execute_ignores_failures_before_the_change() -> None:
    cloud = FakeCloud(ROLLBACK[:1], past=[of_queue("CREATE_FAILED", "long ago", "Old"), EARLIER])
    cloud.coming += [[of_stack("UPDATE_ROLLBACK_COMPLETE", "now")]]

    with pytest.raises(DeploymentError, match="shop: now; the stack is"):
        execution.execute(CHANGE_SET, cloud, operator())


def test_execute_without_terminal_prints_a_line_per_event(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A resource that begins to change has no line: how it ended has one."""
    monkeypatch.setattr(console, "is_terminal", lambda: False)

    with pytest.raises(DeploymentError):
        execution.execute(CHANGE_SET, FakeCloud(ROLLBACK), operator())

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "shop: shop (AWS::CloudFormation::Stack) UPDATE_IN_PROGRESS",
        "shop: Queue (AWS::SQS::Queue) UPDATE_FAILED: name is taken",
        "shop: shop (AWS::CloudFormation::Stack) UPDATE_ROLLBACK_IN_PROGRESS: failed: [Queue]",
        "shop: shop (AWS::CloudFormation::Stack) UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "shop: shop (AWS::CloudFormation::Stack) UPDATE_ROLLBACK_COMPLETE",
    ]


def test_execute_on_a_terminal_prints_no_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "is_terminal", lambda: True)

    execution.execute(CHANGE_SET, FakeCloud(UPDATE), operator())

    assert "(AWS::" not in "".join(capsys.readouterr())


def test_execute_calls_on_look_while_it_waits() -> None:
    looks: list[int] = []
    renewing = replace(operator(), on_look=lambda: looks.append(1))

    execution.execute(CHANGE_SET, FakeCloud([*ROLLBACK[:1], *UPDATE[1:]]), renewing)

    assert looks == [1]


def test_execute_short_loss_of_connection_is_survived() -> None:
    failures = dict.fromkeys([*range(2, 2 + execution.MAX_FAILED_LOOKS - 1), 12], lose_connection)
    cloud = FakeCloud(SLOW_UPDATE, at_look=failures)

    assert execution.execute(CHANGE_SET, cloud, operator()).state.status == "UPDATE_COMPLETE"


def test_execute_long_loss_of_connection_says_how_to_attach() -> None:
    cloud, slept = FakeCloud(UPDATE, at_look=dict.fromkeys(range(1, 99), lose_connection)), list[float]()

    with pytest.raises(DeploymentError) as caught:
        execution.execute(CHANGE_SET, cloud, operator(slept=slept))

    goes_on = "CloudFormation goes on with this change; to attach again, run inv deploy --env live"
    assert str(caught.value) == f"shop: AWS in eu-west-1 does not answer; {goes_on}"
    assert (cloud.looks, len(slept)) == (10, 9)


def test_attach_settled_stack_returns_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    cloud = FakeCloud()

    state = execution.attach("shop", cloud, operator())

    assert (state.status, cloud.looks, capsys.readouterr().err) == ("CREATE_COMPLETE", 1, "")


def test_attach_follows_a_change_to_its_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "is_terminal", lambda: False)
    cloud = running([[of_queue("UPDATE_IN_PROGRESS")], *UPDATE[1:]])

    state = execution.attach("shop", cloud, operator())

    assert state.status == "UPDATE_COMPLETE"
    assert capsys.readouterr().err.splitlines() == [
        "warning: shop is UPDATE_IN_PROGRESS: attached to a change that was started before",
        "shop: shop (AWS::CloudFormation::Stack) UPDATE_IN_PROGRESS",
        "shop: Queue (AWS::SQS::Queue) UPDATE_COMPLETE",
        "shop: shop (AWS::CloudFormation::Stack) UPDATE_COMPLETE",
    ]


@pytest.mark.parametrize("kind", ["CREATE", "DELETE", "IMPORT", "UPDATE"])
def test_attach_begins_with_the_first_event_of_the_change(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(console, "is_terminal", lambda: False)
    past = [of_queue("CREATE_FAILED", "long ago", "Old"), EARLIER, of_stack(f"{kind}_IN_PROGRESS")]
    cloud = FakeCloud([[], [of_stack(f"{kind}_COMPLETE")]], past=past, is_running=True)

    execution.attach("shop", cloud, operator())

    lines = [f"shop: shop (AWS::CloudFormation::Stack) {kind}_{state}" for state in ("IN_PROGRESS", "COMPLETE")]
    assert capsys.readouterr().err.splitlines()[1:] == lines


def test_attach_failed_change_returns_its_state() -> None:
    state = execution.attach("shop", running(ROLLBACK[1:]), operator())

    assert state.status == "UPDATE_ROLLBACK_COMPLETE"


def test_attach_deleted_stack_ends() -> None:
    cloud = FakeCloud([[], [of_stack("DELETE_COMPLETE")]], past=[of_stack("DELETE_IN_PROGRESS")], is_running=True)

    assert execution.attach("shop", cloud, operator()).status == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("events", "total", "text"),
    [
        ([], 0, "0 resources"),
        ([], 2, "0/2 resources"),
        ([of_stack("UPDATE_IN_PROGRESS")], 2, "0/2 resources"),
        ([of_queue("CREATE_IN_PROGRESS")], 2, "0/2 resources, now Queue"),
        ([of_queue("CREATE_IN_PROGRESS"), of_queue("CREATE_COMPLETE")], 2, "1/2 resources"),
        ([of_queue("CREATE_COMPLETE", name=name) for name in "ABC"], 2, "3/3 resources"),
        ([of_queue("CREATE_COMPLETE", name="A"), of_queue("CREATE_IN_PROGRESS", name="B")], 0, "1 resources, now B"),
        ([of_queue("CREATE_IN_PROGRESS", name=name) for name in "ABC"], 9, "0/9 resources, now A, B, C"),
        ([of_queue("CREATE_IN_PROGRESS", name=name) for name in "ABCDE"], 9, "0/9 resources, now A, B, C and 2 more"),
    ],
)
def test_progress_text_counts_and_names_resources(events: list[StackEvent], total: int, text: str) -> None:
    assert execution.progress_text(events, total) == text
