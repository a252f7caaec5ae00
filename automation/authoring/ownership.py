"""Find the resources of a template that belong to one function, and those that several functions share. Pure.

A function's role, inbox, log group, rules, schedules and alarms are separate resources. What belongs to whom follows
from their references: a role to the functions that use it, a queue to the functions that read it, a dead-letter queue
to those of its queue, and everything else to those of what it refers to. Data, such as tables and buckets, belong to
no function.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from automation.authoring import yaml_trees
from automation.authoring.yaml_trees import Node

FUNCTIONS = frozenset({"AWS::Serverless::Function", "AWS::Lambda::Function"})
RULE, SCHEDULE, ROLE, QUEUE = "AWS::Events::Rule", "AWS::Scheduler::Schedule", "AWS::IAM::Role", "AWS::SQS::Queue"
MAPPING, QUEUE_POLICY = "AWS::Lambda::EventSourceMapping", "AWS::SQS::QueuePolicy"
# Resources that exist for the sake of functions; they hold no data that outlives their function.
PLUMBING = frozenset(
    {
        *(RULE, SCHEDULE, ROLE, QUEUE, MAPPING, QUEUE_POLICY),
        *("AWS::CloudWatch::Alarm", "AWS::Logs::LogGroup", "AWS::IAM::Policy", "AWS::IAM::RolePolicy"),
        *("AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Alias", "AWS::Lambda::Version"),
        *("AWS::Logs::MetricFilter", "AWS::SNS::Subscription"),
    }
)
# A function refers to these as its own; what it mentions elsewhere, such as in its environment, it only uses.
_OWN_PROPERTIES = ("Role", "Events", "LoggingConfig", "DeadLetterQueue", "DeadLetterConfig", "EventInvokeConfig")

_PARTS: Mapping[str, tuple[str, ...]] = {QUEUE: ("RedrivePolicy",), MAPPING: ("EventSourceArn",)}
# The property that says for whom a resource is there, when it mentions other functions' resources too.
_SUBJECTS: Mapping[str, str] = {RULE: "Targets", SCHEDULE: "Target", QUEUE_POLICY: "Queues", MAPPING: "FunctionName"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a template.

    Attributes:
        key: the node of its logical id.
        body: the node of its definition.
        refers_to: the functions and plumbing that it mentions.
    """

    logical_id: str
    type: str
    key: Node
    body: Node
    refers_to: frozenset[str] = frozenset()


def resources_of(root: Node) -> Mapping[str, Resource]:
    """Return the resources of a template in their order."""
    section = root.get("Resources")
    bare = [Resource(*described, key, body) for key, body, described in _described(section)] if section else []
    names = frozenset(resource.logical_id for resource in bare if resource.type in FUNCTIONS | PLUMBING)
    return {
        resource.logical_id: Resource(
            resource.logical_id,
            resource.type,
            resource.key,
            resource.body,
            yaml_trees.references(resource.body, names) - {resource.logical_id},
        )
        for resource in bare
    }


def _described(section: Node) -> Iterator[tuple[Node, Node, tuple[str, str]]]:
    for key, body in section.entries:
        kind = body.get("Type")
        if key.scalar and kind and kind.scalar:
            yield key, body, (key.scalar, kind.scalar)


def owners(resources: Mapping[str, Resource]) -> Mapping[str, frozenset[str]]:
    """Return the functions to which each function and each plumbing resource belongs."""
    owned: dict[str, set[str]] = {
        name: {name} if resource.type in FUNCTIONS else set()
        for name, resource in resources.items()
        if resource.type in FUNCTIONS | PLUMBING
    }
    links = _links(resources, frozenset(owned))
    changes = True
    while changes:
        changes = False
        for belonging, owner in links:
            missing = owned[owner] - owned[belonging]
            owned[belonging] |= missing
            changes = changes or bool(missing)
    return {name: frozenset(functions) for name, functions in owned.items()}


def _links(resources: Mapping[str, Resource], names: frozenset[str]) -> list[tuple[str, str]]:
    """Return the pairs of a resource and a resource whose owners are also its own."""
    links: list[tuple[str, str]] = []
    for name in names:
        links += [(part, name) for part in _parts(resources[name], names)]

    used = {part for part, _ in links}
    for name in names - used:
        if resources[name].type not in FUNCTIONS:
            links += [(name, subject) for subject in _subjects(resources[name], names)]
    return links


def _parts(resource: Resource, names: frozenset[str]) -> frozenset[str]:
    """Return what a function, a queue or an event source mapping calls its own."""
    keys = _OWN_PROPERTIES if resource.type in FUNCTIONS else _PARTS.get(resource.type, ())
    parts: frozenset[str] = frozenset()
    for key in keys:
        node = resource.body.get("Properties", key)
        parts |= yaml_trees.references(node, names) if node else frozenset()
    return parts - {resource.logical_id}


def _subjects(resource: Resource, names: frozenset[str]) -> frozenset[str]:
    """Return the resources for which one is there."""
    key = _SUBJECTS.get(resource.type)
    node = resource.body.get("Properties", key) if key else None
    return yaml_trees.references(node, names) if node else resource.refers_to
