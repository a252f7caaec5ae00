"""A look gives everything back; a change takes exactly what was asked for."""

import pytest

from automation.operating import taken_messages
from automation.system.errors import DeploymentError
from automation.system.queue_messages import QueueMessage
from tests.automation.fake_queues import FakeQueue, FakeQueues, message, url_of

URL = url_of("dead")


@pytest.fixture
def queues() -> FakeQueues:
    queues = FakeQueues()
    queues.add("dead", message("b", minute=2), message("a", minute=1), message("c", minute=3))
    return queues


def dead(queues: FakeQueues) -> FakeQueue:
    return queues.queues[URL]


def ids(messages: tuple[QueueMessage, ...]) -> list[str]:
    return [entry.id for entry in messages]


def test_look_returns_the_oldest_first_and_gives_back(queues: FakeQueues) -> None:
    assert ids(taken_messages.look(URL, queues)) == ["a", "b", "c"]
    assert (dead(queues).hidden, len(dead(queues).messages)) == ({}, 3)


def test_look_with_a_limit_returns_that_many(queues: FakeQueues) -> None:
    assert ids(taken_messages.look(URL, queues, limit=2)) == ["a", "b"]
    assert queues.made("receive") == [URL]
    assert dead(queues).hidden == {}


def test_look_at_the_limit_receives_no_more(queues: FakeQueues) -> None:
    taken_messages.look(URL, queues, limit=3)

    assert queues.made("receive") == [URL]


def test_look_reads_more_than_one_batch() -> None:
    queues = FakeQueues()
    queues.add("dead", *(message(f"m{number:02}", minute=number) for number in range(25)))

    assert len(taken_messages.look(URL, queues)) == 25
    assert dead(queues).hidden == {}


def test_look_at_an_empty_queue_returns_nothing() -> None:
    queues = FakeQueues()
    queues.add("dead")

    assert taken_messages.look(URL, queues) == ()


def test_look_ends_when_hidden_messages_come_again(queues: FakeQueues) -> None:
    """A look that takes longer than messages are hidden must end, and give back the newest receipts."""

    class Forgetful(FakeQueues):
        def receive(self, url: str, *, hidden_s: int) -> tuple[QueueMessage, ...]:
            self.queues[url].hidden.clear()
            return super().receive(url, hidden_s=hidden_s)

    forgetful = Forgetful(queues.queues)

    assert ids(taken_messages.look(URL, forgetful)) == ["a", "b", "c"]
    assert dead(forgetful).hidden == {}


def test_look_that_fails_gives_back() -> None:
    queues = FakeQueues(failing={"receive": 2})
    queues.add("dead", *(message(f"m{number}") for number in range(12)))

    with pytest.raises(DeploymentError, match="receive was refused"):
        taken_messages.look(URL, queues)
    assert dead(queues).hidden == {}


def test_take_handles_those_asked_for_and_gives_back_the_others(queues: FakeQueues) -> None:
    handled = taken_messages.take(URL, {"a", "c"}, queues, handle=lambda entry: queues.delete(URL, entry))

    assert ids(handled) == ["a", "c"]
    assert ([entry.id for entry in dead(queues).messages], dead(queues).hidden) == (["b"], {})


def test_take_stops_when_all_are_handled(queues: FakeQueues) -> None:
    taken_messages.take(URL, {"a"}, queues, handle=lambda entry: queues.delete(URL, entry))

    assert queues.made("receive") == [URL]


def test_take_of_a_message_that_is_gone_returns_the_others(queues: FakeQueues) -> None:
    handled = taken_messages.take(URL, {"a", "x"}, queues, handle=lambda entry: queues.delete(URL, entry))

    assert ids(handled) == ["a"]
    assert dead(queues).hidden == {}


def test_take_handles_a_message_that_is_delivered_again_once(queues: FakeQueues) -> None:
    handled: list[str] = []

    def forget_deletion(entry: QueueMessage) -> None:
        handled.append(entry.id)
        dead(queues).hidden.pop(entry.id)

    class Doubling(FakeQueues):
        def give_back(self, url: str, entry: QueueMessage) -> None:
            self.queues[url].hidden.pop(entry.id, None)

    taken_messages.take(URL, {"a", "x"}, Doubling(queues.queues), handle=forget_deletion)

    assert handled == ["a"]


def test_take_that_fails_gives_back_what_was_not_handled(queues: FakeQueues) -> None:
    queues.failing = {"delete": 2}

    with pytest.raises(DeploymentError, match="delete was refused"):
        taken_messages.take(URL, {"a", "b", "c"}, queues, handle=lambda entry: queues.delete(URL, entry))
    assert ([entry.id for entry in dead(queues).messages], dead(queues).hidden) == (["a", "c"], {})
