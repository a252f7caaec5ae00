"""Inboxes and dead letters; the desk looks at messages only when their number has changed."""

from collections.abc import Sequence

from automation.operating import stack_contents
from automation.operating.dead_letters import DeadLetters, Queue
from automation.operating.stack_contents import StackContents
from desk.page.queues import LetterQueue, QueueLine, QueueReader, Queues
from tests.automation.dead_letter_shop import APP, ORDER, REFUND
from tests.automation.fake_queues import FakeQueues, message, url_of
from tests.automation.operating.fake_contents import FakeContents


def shop() -> tuple[Sequence[StackContents], FakeQueues]:
    """Return deployed stacks with an inbox whose dead-letter queue has two messages."""
    cloud, queues = FakeContents(), FakeQueues()
    cloud.add("shop-live", APP)
    queues.add("in", gives_up_to="dead")
    queues.add("dead", ORDER, REFUND)
    return stack_contents.read({"app": "shop-live"}, cloud), queues


def receives(queues: FakeQueues) -> int:
    return sum(name == "receive" for name, _ in queues.calls)


def test_gather_separates_inboxes_from_dead_letters() -> None:
    contents, queues = shop()

    read = QueueReader().gather(contents, queues, "live")

    assert [queue.name for queue in read.inboxes] == ["In"]
    assert [(dead.letters.name, dead.letters.total) for dead in read.dead] == [("Dead", 2)]
    assert read.dead_messages == 2
    assert [letter.message.id for letter in read.dead[0].shown] == ["m-1", "m-2"]
    assert read.dead[0].shown[0].body == '{\n  "order": 1\n}'
    assert read.lines == (QueueLine("In", 0, 0, 0, 2),)


def test_gather_gives_the_messages_back() -> None:
    contents, queues = shop()

    QueueReader().gather(contents, queues, "live")

    assert queues.queues[url_of("dead")].hidden == {}


def test_gather_looks_again_only_when_the_number_has_changed() -> None:
    """Each look counts as a receive of each message."""
    contents, queues = shop()
    reader = QueueReader()
    reader.gather(contents, queues, "live")
    looks = receives(queues)

    reader.gather(contents, queues, "live")
    assert receives(queues) == looks

    queues.queues[url_of("dead")].messages.append(message("m-3", minute=3))
    read = reader.gather(contents, queues, "live")
    assert receives(queues) > looks
    assert [letter.message.id for letter in read.dead[0].shown] == ["m-1", "m-2", "m-3"]


def test_gather_never_receives_from_an_empty_queue() -> None:
    contents, queues = shop()
    queues.queues[url_of("dead")].messages.clear()

    read = QueueReader().gather(contents, queues, "live")

    assert (read.dead_messages, read.dead[0].shown, receives(queues)) == (0, (), 0)


def test_gather_shows_the_first_ten_of_many() -> None:
    contents, queues = shop()
    queues.queues[url_of("dead")].messages += [message(f"m-{number}", minute=number) for number in range(3, 30)]

    read = QueueReader().gather(contents, queues, "live")

    assert len(read.dead[0].shown) == 10
    assert read.dead_messages == 29


def test_lines_name_a_dead_letter_queue_that_belongs_to_no_inbox() -> None:
    prefix = "ApproximateNumberOfMessages"
    dead = DeadLetters(Queue("Dead", "arn:dead", "url", {f"{prefix}NotVisible": "2"}), (), ("Rule",))
    inbox = Queue("In", "arn:in", "url", {prefix: "5", f"{prefix}Delayed": "1"})

    assert Queues((inbox,), (LetterQueue(dead, ()),)).lines == (
        QueueLine("In", 5, 0, 1, None),
        QueueLine("Dead", 0, 2, 0, 2),
    )
