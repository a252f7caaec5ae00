"""What the page shows of the queues: how many messages each has, and what the dead letters say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from automation.operating import dead_letters, letter_texts, stack_contents, taken_messages
from automation.operating.dead_letters import DeadLetters, Queue
from automation.operating.stack_contents import StackContents
from automation.system.cloudformation import CloudFormation
from automation.system.message_queues import MessageQueues
from automation.system.queue_messages import QueueMessage
from desk.page.live import Connection

SHOWN = 10


class SqsQueues(dead_letters.Queues, taken_messages.Queues, Protocol):
    """The calls to SQS; message_queues.MessageQueues is the real one."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter."""

    message: QueueMessage

    @property
    def body(self) -> str:
        """Return the body, indented if it is JSON."""
        return letter_texts.pretty(self.message.body)


@dataclass(frozen=True, slots=True)
class LetterQueue:
    """A dead-letter queue with its oldest messages; one that somebody else looks at now is not among them."""

    letters: DeadLetters
    shown: tuple[Letter, ...]


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues of an environment: those that functions read, and those of dead letters."""

    inboxes: tuple[Queue, ...]
    dead: tuple[LetterQueue, ...]

    @property
    def dead_messages(self) -> int:
        """Return how many dead letters there are."""
        return sum(queue.letters.total for queue in self.dead)


def count(queue: Queue, name: str) -> int:
    """Return an approximate number of messages of a queue: `NotVisible`, `Delayed`, or those that wait: empty."""
    return int(queue.attributes.get(f"ApproximateNumberOfMessages{name}", 0))


@dataclass(slots=True)
class QueueReader:
    """Reads the queues. It looks at dead letters only when their number has changed: each look counts as a receive."""

    looked: dict[str, tuple[int, tuple[Letter, ...]]] = field(default_factory=dict)

    def read(self, connection: Connection) -> Queues:
        """Ask CloudFormation and SQS.

        Raises:
            DeploymentError: AWS refused a request or does not answer.
        """
        environment = connection.environment
        contents = stack_contents.read(environment.stacks, CloudFormation(environment.target))
        return self.gather(contents, MessageQueues(environment.target), environment.name)

    def gather(self, contents: Sequence[StackContents], sqs: SqsQueues, environment: str) -> Queues:
        """Ask SQS about the queues of stacks.

        Raises:
            DeploymentError: SQS refused a request or does not answer.
        """
        known = dead_letters.find(contents, sqs, environment=environment)
        dead = tuple(LetterQueue(letters, self._look(letters, sqs)) for letters in known.dead_letters)
        names = {letters.name for letters in known.dead_letters}
        return Queues(tuple(queue for name, queue in known.queues.items() if name not in names), dead)

    def _look(self, letters: DeadLetters, sqs: SqsQueues) -> tuple[Letter, ...]:
        url, total = letters.queue.url, letters.total
        known = self.looked.get(url)
        if known is None or known[0] != total:
            messages = taken_messages.look(url, sqs, limit=SHOWN) if total else ()
            known = (total, tuple(map(Letter, messages)))
            self.looked[url] = known
        return known[1]
