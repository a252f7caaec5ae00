"""Our own rules about drained queues: messages that go to somebody other than the one function that works on them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from automation.deploying.verdict import grants as grant_texts
from automation.deploying.verdict import permissions
from automation.deploying.verdict.grants import Grant
from automation.deploying.verdict.property_texts import text_of, value_of
from automation.deploying.verdict.strict_grants import is_too_wide
from automation.scanning import function_access
from automation.scanning.function_access import FunctionAccess, actions_by_resource
from automation.scanning.model import Weakness
from automation.scanning.scanned_stacks import ScannedStack

RULE = "drained-queue"
# A function may do the first ones with the queue of its event source, and nobody needs the others.
TAKES = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:StartMessageMoveTask")
_LOSES = ("sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:AddPermission")
_QUEUE = "AWS::SQS::Queue"
# What takes messages by itself: the properties that name the queue, and who gets the messages.
_CONSUMERS = {
    function_access.SOURCE: ("EventSourceArn", "FunctionName"),
    "AWS::Pipes::Pipe": ("Source", "Target"),
}
_ARN_FROM_NAME = re.compile(r"^arn:[^$]*:\$\{(\w+)\.QueueName\}$")
_ARN_OF_REFERENCE = re.compile(r"^\$\{([\w/]+)\.Arn\}$")
_NAME = re.compile(r"^\$\{([\w/]+)(\.Arn)?\}$")
_FIX = "remove the grant: messages would be lost"

type Consumers = Mapping[str, list[tuple[ScannedStack, str, str]]]


def of_function(function: FunctionAccess, grants: Iterable[Grant]) -> Iterator[Weakness]:
    """Yield the queues that a function may take messages from although they are not its event source."""
    sources = set(map(_queue_arn, function.sources))
    for queue, actions in actions_by_resource(grants, TAKES).items():
        if _queue_arn(queue) not in sources:
            sentence = f"{function.logical_id} may {', '.join(actions)} on {queue}, which is not its event source"
            yield Weakness(RULE, function.role, sentence, _FIX)
    for queue, actions in actions_by_resource(grants, _LOSES).items():
        sentence = f"{function.logical_id} may {', '.join(actions)} on {queue}, which no function needs"
        yield Weakness(RULE, function.role, sentence, _FIX)


def of_others(stack: ScannedStack, roles: Iterable[str]) -> Iterator[Weakness]:
    """Yield who else may take messages: identities without a function, and those that a queue's own policy names.

    Args:
        roles: those of the functions.
    """
    for logical_id, resource in stack.resources.items():
        if resource["Type"] in function_access.IDENTITIES and logical_id not in roles:
            granted = function_access.identity_grants(logical_id, stack.resources)
            stated = [grant for grant in granted if not is_too_wide(grant)]
        else:
            stated = [grant for grant in permissions.access_of(resource).grants if grant.principal]
        taking = [grant for grant in stated if _takes_messages(grant)]
        for sentence in grant_texts.describe(taking):
            yield Weakness(RULE, logical_id, f"{sentence}, without being its event source", _FIX)


def _takes_messages(grant: Grant) -> bool:
    return not grant.is_deny and bool(actions_by_resource([grant], (*TAKES, *_LOSES)))


def shared(stacks: Sequence[ScannedStack]) -> Iterator[tuple[ScannedStack, Weakness]]:
    """Yield the consumers of a queue that has several of them, and those of dead-letter queues."""
    names = dict(chain.from_iterable(map(_queue_names, stacks)))
    dead_letters = set(chain.from_iterable(_dead_letter_queues(stack, names) for stack in stacks))
    for queue, consumers in _consumers(stacks, names).items():
        targets = list(dict.fromkeys(target for _, _, target in consumers))
        for stack, logical_id, target in consumers:
            if len(targets) > 1:
                sentence = f"{' and '.join(targets)} share the messages of {queue}, so each gets only some of them"
                yield stack, Weakness(RULE, logical_id, sentence, "give each of them a queue of its own")
            if queue in dead_letters:
                sentence = f"{target} takes the messages of the dead-letter queue {queue}, so that nobody sees them"
                yield stack, Weakness(RULE, logical_id, sentence, "send them back to their queue by hand")


def _consumers(stacks: Sequence[ScannedStack], names: Mapping[str, str]) -> Consumers:
    """Return, by queue, the resources that take its messages, and for whom."""
    consumers: dict[str, list[tuple[ScannedStack, str, str]]] = defaultdict(list)
    for stack in stacks:
        for logical_id, resource in stack.resources.items():
            if resource["Type"] in _CONSUMERS:
                source, target = (text_of(value_of(resource, name)) for name in _CONSUMERS[resource["Type"]])
                consumers[_queue(stack, source, names)].append((stack, logical_id, _NAME.sub(r"\1", target)))
    return consumers


def _queue_names(stack: ScannedStack) -> Iterator[tuple[str, str]]:
    """Yield each queue as `stack/id`, with its name where the template says it."""
    for logical_id, resource in stack.resources.items():
        if resource["Type"] == _QUEUE:
            key, name = f"{stack.name}/{logical_id}", value_of(resource, "QueueName")
            yield key, name if isinstance(name, str) else key


def _dead_letter_queues(stack: ScannedStack, names: Mapping[str, str]) -> Iterator[str]:
    for resource in stack.resources.values():
        arn = value_of(resource, "RedrivePolicy.deadLetterTargetArn")
        if arn is not None:
            yield _queue(stack, text_of(arn), names)


def _queue(stack: ScannedStack, arn: str, names: Mapping[str, str]) -> str:
    """Return one name for a queue, however a stack writes its ARN."""
    match = _ARN_OF_REFERENCE.match(_queue_arn(arn))
    if match is None:
        return arn.rpartition(":")[2] if arn.startswith("arn:") else arn
    key = match[1] if "/" in match[1] else f"{stack.name}/{match[1]}"
    return names.get(key, key)


def _queue_arn(text: str) -> str:
    """Return the ARN of a queue of the template in one spelling: SAM's policy templates make it from the name."""
    return _ARN_FROM_NAME.sub(r"${\1.Arn}", text)
