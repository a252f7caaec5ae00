"""Queues between their senders and a function: visibility, receives, dead letters, FIFO order and deduplication."""

from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol

import pytest


class Received(NamedTuple):
    """A message that a function has got: its body, and how often it was received."""

    body: str
    receives: int


class QueueSide(Protocol):
    """A queue, its dead-letter queue after three receives, and what its function does. Batches have one message."""

    def send(self, body: str, *, group: str = "", deduplication: str = "") -> None:
        """Send a message; the group and the id only to a FIFO queue."""
        ...

    def receive(self) -> list[Received]:
        """Return what the function gets now, each in an invocation of its own; empty when nothing is visible."""
        ...

    def finish(self, body: str) -> None:
        """End the function's work on a message well: it is deleted."""
        ...

    def fail(self, body: str) -> None:
        """End the function's work on a message badly: it is not deleted."""
        ...

    def pass_visibility(self) -> None:
        """Let the time pass after which a message that was not deleted can be received again."""
        ...

    def dead(self) -> list[str]:
        """Return the bodies of the dead letters."""
        ...


def drain(queue: QueueSide) -> list[str]:
    """Let the function handle every message, and return their bodies in the order in which it got them."""
    bodies: list[str] = []
    while received := queue.receive():
        for message in received:
            bodies.append(message.body)
            queue.finish(message.body)
    return bodies


class QueueContract(ABC):
    """A subclass says on which side it runs."""

    @pytest.fixture
    @abstractmethod
    def queue(self) -> QueueSide:
        """Return an empty standard queue."""

    @pytest.fixture
    @abstractmethod
    def fifo(self) -> QueueSide:
        """Return an empty FIFO queue."""

    def test_deleted_message_does_not_come_back(self, queue: QueueSide) -> None:
        queue.send("a")

        assert queue.receive() == [Received("a", 1)]
        queue.finish("a")
        queue.pass_visibility()

        assert queue.receive() == []

    def test_message_in_work_is_hidden(self, queue: QueueSide) -> None:
        queue.send("a")
        queue.receive()

        assert queue.receive() == []

    def test_failed_message_comes_back_when_its_visibility_has_passed(self, queue: QueueSide) -> None:
        queue.send("a")
        queue.receive()
        queue.fail("a")

        assert queue.receive() == []
        queue.pass_visibility()
        assert queue.receive() == [Received("a", 2)]

    def test_message_that_failed_three_times_is_a_dead_letter(self, queue: QueueSide) -> None:
        queue.send("a")
        receives = []
        for _ in range(3):
            receives += queue.receive()
            queue.fail("a")
            queue.pass_visibility()

        assert receives == [Received("a", 1), Received("a", 2), Received("a", 3)]
        assert queue.receive() == []
        assert queue.dead() == ["a"]

    def test_standard_queue_keeps_equal_bodies_apart(self, queue: QueueSide) -> None:
        queue.send("a")
        queue.send("a")

        assert queue.receive() == [Received("a", 1), Received("a", 1)]

    def test_fifo_drops_a_known_deduplication_id(self, fifo: QueueSide) -> None:
        fifo.send("a", group="g", deduplication="1")
        fifo.send("b", group="g", deduplication="1")

        assert fifo.receive() == [Received("a", 1)]
        fifo.finish("a")
        assert fifo.receive() == []

    def test_fifo_drops_the_id_of_a_deleted_message_too(self, fifo: QueueSide) -> None:
        fifo.send("a", group="g", deduplication="1")
        fifo.receive()
        fifo.finish("a")
        fifo.send("a", group="g", deduplication="1")

        assert fifo.receive() == []

    def test_fifo_takes_a_new_deduplication_id(self, fifo: QueueSide) -> None:
        fifo.send("a", group="g", deduplication="1")
        fifo.receive()
        fifo.finish("a")
        fifo.send("a", group="g", deduplication="1#2")

        assert fifo.receive() == [Received("a", 1)]

    def test_fifo_holds_a_group_back_until_its_first_message_is_deleted(self, fifo: QueueSide) -> None:
        fifo.send("a", group="g", deduplication="1")
        fifo.send("b", group="g", deduplication="2")

        assert fifo.receive() == [Received("a", 1)]
        assert fifo.receive() == []
        fifo.finish("a")
        assert fifo.receive() == [Received("b", 1)]

    def test_fifo_delivers_groups_beside_each_other(self, fifo: QueueSide) -> None:
        fifo.send("a", group="g", deduplication="1")
        fifo.send("b", group="h", deduplication="2")

        assert fifo.receive() == [Received("a", 1), Received("b", 1)]

    def test_fifo_delivers_a_failed_message_again_before_the_next(self, fifo: QueueSide) -> None:
        fifo.send("a", group="g", deduplication="1")
        fifo.send("b", group="g", deduplication="2")
        fifo.receive()
        fifo.fail("a")
        fifo.pass_visibility()

        assert fifo.receive() == [Received("a", 2)]

    def test_fifo_goes_on_after_a_dead_letter(self, fifo: QueueSide) -> None:
        fifo.send("a", group="g", deduplication="1")
        fifo.send("b", group="g", deduplication="2")
        for _ in range(3):
            fifo.receive()
            fifo.fail("a")
            fifo.pass_visibility()

        assert fifo.receive() == [Received("b", 1)]
        assert fifo.dead() == ["a"]
