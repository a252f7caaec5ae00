"""Messages that come again: which ones, when, and under which deduplication id."""

from collections.abc import Mapping
from datetime import date
from types import SimpleNamespace
from typing import Any

from tests.chaos.disturbing import Disturbance, Event
from tests.chaos.drawing import ResendDraw, Trial

DAY = date(2022, 3, 16)
QUEUES = {
    "inbox": SimpleNamespace(url="https://sqs/inbox", is_dead_letter=False),
    "trades.fifo": SimpleNamespace(url="https://sqs/trades.fifo", is_dead_letter=False),
    "dlq": SimpleNamespace(url="https://sqs/dlq", is_dead_letter=True),
}


def message(name: str, *, group: str | None = None) -> dict[str, Any]:
    """Return a message as the emulator lists it."""
    body = f'{{"detail": {{"message_id": "{name}"}}}}'
    deduplication = None if group is None else f"{name}-id"
    return {"MessageId": name, "Body": body, "MessageGroupId": group, "MessageDeduplicationId": deduplication}


class FakeStage:
    """Queues whose messages a test sets, and what was sent to them."""

    def __init__(self) -> None:
        self.deployment = SimpleNamespace(queues=QUEUES)
        self.waiting: Mapping[str, tuple[Mapping[str, Any], ...]] = {}
        self.sent: list[dict[str, Any]] = []

    def messages(self) -> Mapping[str, tuple[Mapping[str, Any], ...]]:
        return self.waiting

    def client(self, _: str) -> Any:
        return SimpleNamespace(send_message=self._send)

    def _send(self, **request: Any) -> dict[str, str]:
        self.sent.append(request)
        return {"MessageId": f"copy-{len(self.sent)}"}


def disturbed(stage: FakeStage, *resends: ResendDraw) -> Disturbance:
    return Disturbance(stage, Trial(1, DAY, resends=resends))  # type: ignore[arg-type] # the fake


def test_look_sends_the_nth_new_message_again_at_once() -> None:
    stage = FakeStage()
    disturbance = disturbed(stage, ResendDraw(2, is_late=False))

    stage.waiting = {"inbox": (message("a"), message("b")), "dlq": (message("dead"),)}
    disturbance._look()
    disturbance._look()

    assert stage.sent == [{"QueueUrl": "https://sqs/inbox", "MessageBody": message("b")["Body"]}]
    assert disturbance.resent == ["inbox: b"]


def test_look_keeps_a_late_one_for_the_end_of_the_day() -> None:
    stage = FakeStage()
    disturbance = disturbed(stage, ResendDraw(1, is_late=True))

    stage.waiting = {"inbox": (message("a"),)}
    disturbance._look()

    assert stage.sent == []
    assert [message["MessageId"] for _, message in disturbance._late] == ["a"]


def test_look_does_not_count_the_copies() -> None:
    stage = FakeStage()
    disturbance = disturbed(stage, ResendDraw(1, is_late=False), ResendDraw(2, is_late=False))

    stage.waiting = {"inbox": (message("a"),)}
    disturbance._look()
    stage.waiting = {"inbox": (message("copy-1"), message("b"))}
    disturbance._look()

    assert disturbance.resent == ["inbox: a", "inbox: b"]


def test_trade_comes_again_in_its_group_with_a_new_deduplication_id() -> None:
    stage = FakeStage()
    disturbance = disturbed(stage, ResendDraw(1, is_late=False), ResendDraw(2, is_late=False))

    stage.waiting = {"trades.fifo": (message("a", group="g"), message("b", group="g"))}
    disturbance._look()

    assert [(row["MessageGroupId"], row["MessageDeduplicationId"]) for row in stage.sent] == [
        ("g", "a-id#2"),
        ("g", "b-id#3"),
    ]


def test_event_is_due_from_its_message_on() -> None:
    event = Event("it happened", 3, lambda: None)

    assert [event.is_due(messages) for messages in (2, 3, 4)] == [False, True, True]
    assert not Event("never", None, lambda: None).is_due(100)
