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
class QueueLine:
    """One queue with the approximate numbers of its messages, and how many of those meant for it are dead letters.

    Attributes:
        dead_letters: None for a queue that gives nothing up.
    """

    name: str
    waiting: int
    in_flight: int
    delayed: int
    dead_letters: int | None


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues of an environment: those that functions read, and those of dead letters."""

    inboxes: tuple[Queue, ...]
    dead: tuple[LetterQueue, ...]

    @property
    def dead_messages(self) -> int:
        """Return how many dead letters there are."""
        return sum(queue.letters.total for queue in self.dead)

    @property
    def lines(self) -> tuple[QueueLine, ...]:
        """Return a line per inbox, then one per dead-letter queue that belongs to none of them."""
        total: dict[str, int] = {}
        for dead in self.dead:
            total |= {source.arn: dead.letters.total for source in dead.letters.sources}
        known = {queue.arn for queue in self.inboxes}
        strays = [dead.letters for dead in self.dead if not known & {source.arn for source in dead.letters.sources}]
        return (
            *(_line(queue, total.get(queue.arn)) for queue in self.inboxes),
            *(_line(letters.queue, letters.total) for letters in strays),
        )


def _line(queue: Queue, dead_letters: int | None) -> QueueLine:
    def count(suffix: str) -> int:
        return int(queue.attributes.get(f"ApproximateNumberOfMessages{suffix}", 0))

    return QueueLine(queue.name, count(""), count("NotVisible"), count("Delayed"), dead_letters)


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
