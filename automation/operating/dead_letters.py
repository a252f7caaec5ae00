"""Find the dead-letter queues of deployed stacks, and where their messages come from.

A queue says itself where it gives its messages up. For rules, schedules, subscriptions, event sources and functions,
the deployed template says it.
"""

import difflib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Protocol

from automation.operating.stack_contents import StackContents
from automation.system.errors import UsageError

_QUEUE = "AWS::SQS::Queue"
_EVENT_SOURCE = "AWS::Lambda::EventSourceMapping"
# The targets of rules and schedules, functions, subscriptions, event sources and asynchronous invocations.
_CONFIGURATIONS = {
    "DeadLetterConfig": {"Arn", "TargetArn"},
    "RedrivePolicy": {"deadLetterTargetArn"},
    "OnFailure": {"Destination"},
}


class Queues(Protocol):
    """The calls to SQS; message_queues.MessageQueues is the real one."""

    def url(self, arn: str) -> str:
        """Return the URL of a queue; empty when there is no such queue."""
        ...

    def attributes(self, url: str) -> Mapping[str, str]:
        """Return the attributes of a queue; none when there is no such queue."""
        ...


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue.

    Attributes:
        name: its logical id, with its stack when several have one of that id; its name at SQS when it is of none.
        attributes: what SQS says about it.
        consumer: the physical name of the function whose event source it is; empty for none.
    """

    name: str
    arn: str
    url: str
    attributes: Mapping[str, str]
    consumer: str = ""

    @property
    def is_fifo(self) -> bool:
        return self.arn.endswith(".fifo")

    @property
    def gives_up_to(self) -> str:
        """The ARN of its dead-letter queue; empty for none."""
        policy = json.loads(self.attributes.get("RedrivePolicy") or "{}")
        return str(policy.get("deadLetterTargetArn", ""))


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """A dead-letter queue.

    Attributes:
        sources: the queues that its messages were meant for.
        others: the logical ids of what sends to it and delivers to no queue, such as a function.
    """

    queue: Queue
    sources: tuple[Queue, ...]
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.queue.name

    @property
    def waiting(self) -> int:
        """The approximate number of messages that can be received."""
        return int(self.queue.attributes.get("ApproximateNumberOfMessages", 0))

    @property
    def in_flight(self) -> int:
        """The approximate number of messages that somebody has received and not deleted."""
        return int(self.queue.attributes.get("ApproximateNumberOfMessagesNotVisible", 0))

    @property
    def total(self) -> int:
        return self.waiting + self.in_flight


@dataclass(frozen=True, slots=True)
class QueueMap:
    """The queues of an environment.

    Attributes:
        queues: all of them, by name; also those of other stacks that take or give dead letters.
        dead_letters: sorted by name.
        environment: its name, for the commands in messages.
    """

    queues: Mapping[str, Queue]
    dead_letters: tuple[DeadLetters, ...]
    environment: str

    def select(self, name: str, *, command: str) -> DeadLetters:
        """Return the dead-letter queue of a name.

        Raises:
            UsageError: there is none; the message lists those that exist.
        """
        by_name = {entry.name: entry for entry in self.dead_letters}
        if name in by_name:
            return by_name[name]
        if not by_name:
            raise UsageError(f"{self.environment} has no dead-letter queue", where=command)
        giving_up = [entry.name for entry in self.dead_letters if name in {queue.name for queue in entry.sources}]
        what = f"{self.environment} has no dead-letter queue {name!r}" if name else "name a dead-letter queue"
        raise UsageError(_choice(what, name, by_name, near=giving_up), where=command)

    def queue(self, name: str, *, command: str) -> Queue:
        """Return the queue of a name.

        Raises:
            UsageError: there is none; the message lists those that exist.
        """
        if name not in self.queues:
            what = f"{self.environment} has no queue {name!r}"
            raise UsageError(_choice(what, name, self.queues), where=command)
        return self.queues[name]


@dataclass(frozen=True, slots=True)
class _Link:
    """What sends to a dead-letter queue, and the queue that it delivers to otherwise; empty when it is not a queue."""

    dead_letters: str
    sender: str
    target: str


def find(stacks: Sequence[StackContents], queues: Queues, *, environment: str) -> QueueMap:
    """Return the queues of stacks. Those of other stacks count when these stacks send their dead letters there.

    Raises:
        DeploymentError: SQS did not answer.
    """
    own = _own_queues(stacks, queues)
    known = {queue.arn: queue for queue in own.values()}
    links = [_Link(queue.gives_up_to, queue.name, queue.arn) for queue in known.values()]
    for stack in stacks:
        links += _deliveries(stack, own)

    links = [link for link in links if link.dead_letters]
    for arn in sorted({link.dead_letters for link in links} | {link.target for link in links}):
        if arn and arn not in known and (url := queues.url(arn)):
            known[arn] = Queue(arn.rpartition(":")[2], arn, url, queues.attributes(url))
    for arn, function in _consumers(stacks, own):
        known[arn] = replace(known[arn], consumer=function)

    targets = {link.dead_letters for link in links} & known.keys()
    listed = (_dead_letters(arn, [link for link in links if link.dead_letters == arn], known) for arn in targets)
    by_name = sorted(known.values(), key=lambda queue: queue.name)
    return QueueMap(
        {queue.name: queue for queue in by_name}, tuple(sorted(listed, key=lambda entry: entry.name)), environment
    )


def _choice(what: str, name: str, known: Iterable[str], *, near: Sequence[str] = ()) -> str:
    """Say what can be named instead."""
    names = list(known)
    similar = [*near, *difflib.get_close_matches(name, names, n=1)]
    hint = f"did you mean {similar[0]}? " if similar else ""
    return f"{what}; {hint}there are: {', '.join(names) or 'none'}"


def _dead_letters(arn: str, links: Sequence[_Link], known: Mapping[str, Queue]) -> DeadLetters:
    sources = dict.fromkeys(link.target for link in links if link.target in known)
    others = sorted({link.sender for link in links if link.target not in known})
    return DeadLetters(known[arn], tuple(known[target] for target in sources), tuple(others))


def _own_queues(stacks: Sequence[StackContents], queues: Queues) -> dict[tuple[str, str], Queue]:
    """Return the queues that exist, by stack and logical id."""
    uses = Counter(chain.from_iterable(stack.of_type(_QUEUE) for stack in stacks))
    own: dict[tuple[str, str], Queue] = {}
    for stack in stacks:
        for logical_id, url in stack.of_type(_QUEUE).items():
            name = logical_id if uses[logical_id] == 1 else f"{stack.name}/{logical_id}"
            if attributes := queues.attributes(url):
                own[stack.name, logical_id] = Queue(name, attributes["QueueArn"], url, attributes)
    return own


def _deliveries(stack: StackContents, own: Mapping[tuple[str, str], Queue]) -> Iterator[_Link]:
    """Yield what a template says about dead letters; queues say it themselves."""
    for logical_id, properties in stack.properties.items():
        if stack.types.get(logical_id) == _QUEUE:
            continue
        for dead_letters, target in _configured(properties):
            yield _Link(_arn(dead_letters, stack, own), logical_id, _arn(target, stack, own))


def _configured(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield, wherever a value configures dead letters, where they go, and where the deliveries go."""
    if isinstance(value, Mapping):
        for key, names in _CONFIGURATIONS.items():
            configuration = value.get(key)
            if isinstance(configuration, Mapping):
                for name in names & configuration.keys():
                    yield configuration[name], value.get("Arn") or value.get("Endpoint")
        for inner in value.values():
            yield from _configured(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _configured(inner)


def _arn(value: Any, stack: StackContents, own: Mapping[tuple[str, str], Queue]) -> str:
    """Return the ARN of the queue that a value of a template stands for; empty when it is not a queue."""
    if isinstance(value, str):
        by_url = {queue.url: queue.arn for queue in own.values()}
        return by_url.get(value, value if ":sqs:" in value else "")
    queue = own.get((stack.name, stack.referred(value)))
    return queue.arn if queue else ""


def _consumers(stacks: Sequence[StackContents], own: Mapping[tuple[str, str], Queue]) -> Iterator[tuple[str, str]]:
    """Yield the ARN of each queue that is an event source, and the physical name of its function."""
    known = {queue.arn for queue in own.values()}
    for stack in stacks:
        for logical_id in stack.of_type(_EVENT_SOURCE):
            properties = stack.properties.get(logical_id, {})
            arn, function = _arn(properties.get("EventSourceArn"), stack, own), properties.get("FunctionName")
            name = function if isinstance(function, str) else stack.physical_ids.get(stack.referred(function), "")
            if arn in known and name:
                # arn:aws:lambda:<region>:<account>:function:<name>[:<alias>]
                yield arn, name.split(":")[6] if name.startswith("arn:") else name
