"""A stack that plays its events, a few for each look at it; a test says what else happens at which look."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from automation.deploying.stacks.change_sets import ChangeSet
from automation.deploying.stacks.execution import Operator
from automation.system.stacks import STACK_TYPE, StackEvent, StackState
from automation.system.targets import Target

STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/shop/1"
AWS = Target("eu-west-1")
CHANGES = {"Changes": [{"Type": "Resource"}] * 2}
CHANGE_SET = ChangeSet(
    "arn:set", STACK_ID, "shop", is_new_stack=False, status="CREATE_COMPLETE", is_empty=False, described=CHANGES
)


def of_stack(status: str, reason: str = "") -> StackEvent:
    return StackEvent(f"stack {status}", STACK_ID, "shop", STACK_ID, STACK_TYPE, status, reason)


def of_queue(status: str, reason: str = "", name: str = "Queue") -> StackEvent:
    return StackEvent(f"{name} {status}", STACK_ID, name, "q-1", "AWS::SQS::Queue", status, reason)


EARLIER = StackEvent("earlier", STACK_ID, "shop", STACK_ID, STACK_TYPE, "CREATE_COMPLETE")
UPDATE = [
    [of_stack("UPDATE_IN_PROGRESS"), of_queue("UPDATE_IN_PROGRESS")],
    [of_queue("UPDATE_COMPLETE"), of_stack("UPDATE_COMPLETE")],
]
SLOW_UPDATE = [UPDATE[0], [], UPDATE[1]]
ROLLBACK = [
    [of_stack("UPDATE_IN_PROGRESS"), of_queue("UPDATE_IN_PROGRESS")],
    [of_queue("UPDATE_FAILED", "name is taken"), of_stack("UPDATE_ROLLBACK_IN_PROGRESS", "failed: [Queue]")],
    [of_stack("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")],
    [of_stack("UPDATE_ROLLBACK_COMPLETE")],
]
CANCELLED = [[of_stack("UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")], [of_stack("UPDATE_ROLLBACK_COMPLETE")]]
DELETED = [[of_stack("DELETE_IN_PROGRESS")], [of_stack("DELETE_COMPLETE")]]


@dataclass
class FakeCloud:
    """A stack that plays `script`: at each look the next group of events happens, once a change has begun.

    Attributes:
        at_look: what else happens at which look, from 1.
        after_cancel: the script that follows a cancellation.
    """

    script: Sequence[Sequence[StackEvent]] = ()
    past: list[StackEvent] = field(default_factory=lambda: [EARLIER])
    at_look: dict[int, Callable[[], None]] = field(default_factory=dict)
    after_cancel: Sequence[Sequence[StackEvent]] = field(default_factory=lambda: CANCELLED)
    is_running: bool = False
    looks: int = 0
    calls: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    refusal: Exception | None = None

    def __post_init__(self) -> None:
        self.coming = [list(events) for events in self.script]

    def stack_state(self, name: str) -> StackState:
        self.looks += 1
        self.at_look.get(self.looks, lambda: None)()
        if self.is_running and self.coming:
            self.past += self.coming.pop(0)
        statuses = [event.status for event in self.past if event.is_of_stack]
        return StackState("shop", statuses[-1] if statuses else "", STACK_ID)

    def execute_change_set(self, change_set: str, *, token: str) -> None:
        self.refuse()
        self.calls.append(f"execute {change_set}")
        self.tokens.append(token)
        self.is_running = True

    def events(self, stack: str) -> Iterator[StackEvent]:
        """Yield the events, the oldest of a page once more at the start of the next."""
        newest_first = list(reversed(self.past))
        yield from newest_first[:2]
        yield from newest_first[1:]

    def cancel_update(self, stack: str) -> None:
        self.refuse()
        self.calls.append(f"cancel {stack}")
        self.coming = [list(events) for events in self.after_cancel]

    def delete_stack(self, stack_id: str, *, retain: Sequence[str] = ()) -> None:
        self.calls.append(" but ".join([f"delete {stack_id}", *retain]))
        self.coming = [list(events) for events in DELETED]

    def refuse(self) -> None:
        if self.refusal:
            raise self.refusal


@dataclass
class Person:
    """Somebody at the terminal; an answer may be an interrupt."""

    answers: list[str | type[BaseException]]
    questions: list[str] = field(default_factory=list)

    def reply(self, question: str) -> str:
        self.questions.append(question)
        answer = self.answers.pop(0)
        if isinstance(answer, str):
            return answer
        raise answer


def operator(*answers: str | type[BaseException], slept: list[float] | None = None) -> Operator:
    waits = slept if slept is not None else []
    ask = Person(list(answers)).reply if answers else None
    return Operator("live", AWS, ask=ask, sleep=waits.append)


def running(script: Sequence[Sequence[StackEvent]], **options: object) -> FakeCloud:
    """Return a stack in which a change has begun before we look."""
    past = [of_queue("CREATE_FAILED", "long ago", "Old"), EARLIER, of_stack("UPDATE_IN_PROGRESS")]
    return replace(FakeCloud(script, past=past, is_running=True), **options)  # type: ignore[arg-type]
