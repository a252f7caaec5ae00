"""Rules about messages: each one reaches its consumers, and no event rule waits for one that is never sent.

They report nothing when pyproject.toml names no registry.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from automation.project import function_names
from automation.project.model import Function, Project
from automation.proof import built_trees, wiring
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.proof.registry import Route
from automation.proof.wiring import Endpoint, EventRule
from automation.system.errors import ConfigurationError

_REGISTRY = "pyproject.toml: [tool.alchemiser] messages"


@dataclass(frozen=True, slots=True)
class _Consumer:
    """A function and the endpoints at which a message reaches it: itself and the queues it reads."""

    where: str
    function: Function
    queues: frozenset[Endpoint]

    @property
    def endpoints(self) -> frozenset[Endpoint]:
        return self.queues | {Endpoint(self.function.stack, self.function.logical_id)}


@dataclass(frozen=True, slots=True)
class _Gap:
    """A message that does not reach one of its consumers.

    Attributes:
        strangers: event rules to that consumer that name a message which is never sent: probably this one, misspelt.
    """

    where: str
    reason: str
    fix: str
    message: str
    severity: Severity = Severity.ERROR
    strangers: frozenset[tuple[str, str]] = field(default_factory=frozenset)


def check_routes(subject: Subject) -> Iterator[Fault]:
    try:
        routes = subject.routes
    except ConfigurationError as cause:
        yield Fault(cause.where, cause.message, "correct the name, or what it imports")
        return

    messages_by_gap: dict[tuple[str, str, str, Severity], list[str]] = {}
    for gap in _gaps(routes, subject.project):
        strangers = "".join(f"; {rule} waits for {detail_type}" for rule, detail_type in sorted(gap.strangers))
        key = (gap.where, gap.reason + strangers, gap.fix, gap.severity)
        messages_by_gap.setdefault(key, []).append(gap.message)
    for (where, reason, fix, severity), messages in messages_by_gap.items():
        yield Fault(where, f"{built_trees.abbreviate(messages, 9)}: {reason}", fix, severity)


def check_rules(subject: Subject) -> Iterator[Fault]:
    try:
        routes = subject.routes
    except ConfigurationError:  # check_routes reports it
        return

    sources, known = {route.source for route in routes}, _known_messages(routes)
    explained = set(chain.from_iterable(gap.strangers for gap in _gaps(routes, subject.project)))
    for rule in wiring.rules_of(subject.project):
        for source, detail_type in rule.named():
            is_stranger = source in sources and (source, detail_type) not in known
            if is_stranger and (rule.name, detail_type) not in explained:
                what = f"waits for {detail_type} of {source}, which the registry does not list"
                yield Fault(rule.where, what, "correct the detail-type, or remove the rule")


def _gaps(routes: Iterable[Route], project: Project) -> Iterator[_Gap]:
    rules, consumers = wiring.rules_of(project), _consumers(project)
    known = _known_messages(routes)
    for route in routes:
        if not route.consumers:
            yield _Gap(_REGISTRY, "it has no consumer", "name a consumer, or remove the message", route.message)

        for name in route.consumers:
            candidates = [consumer for consumer in consumers if name in function_names.names_of(consumer.function)]
            if not candidates:
                reason = f"its consumer {name} is not a function of the templates"
                yield _Gap(_REGISTRY, reason, "correct the name, or add the function", route.message)
            elif not any(_arrives(route, consumer, rules) for consumer in candidates):
                yield _explain(route, candidates[0], rules, known)


def _known_messages(routes: Iterable[Route]) -> set[tuple[str, str]]:
    return {(route.source, route.message) for route in routes}


def _consumers(project: Project) -> tuple[_Consumer, ...]:
    consumers: list[_Consumer] = []
    for stack in project.stacks:
        for function in stack.functions:
            queues = wiring.queues_of(function, stack)
            consumers.append(_Consumer(built_trees.where(stack, function), function, queues))
    return tuple(consumers)


def _arrives(route: Route, consumer: _Consumer, rules: Iterable[EventRule]) -> bool:
    if route.queued:
        return bool(consumer.queues)
    return any(rule.matches(route.source, route.message) and rule.targets & consumer.endpoints for rule in rules)


def _explain(route: Route, consumer: _Consumer, rules: Iterable[EventRule], known: set[tuple[str, str]]) -> _Gap:
    matching = [rule for rule in rules if rule.matches(route.source, route.message)]
    targets = set(chain.from_iterable(rule.targets for rule in matching))
    if not consumer.queues and (route.queued or matching):
        return _without_queue(route, consumer, targets)

    function, source = consumer.function.logical_id, route.source
    inbox = built_trees.abbreviate(sorted(queue.name for queue in consumer.queues)) or function
    reason = f"no rule delivers it from {source} to {inbox} of {function}"
    fix = f"add it as detail-type to a rule with source {source} whose target is {inbox}"
    # An endpoint outside its template may be the right one: then this is a guess.
    is_certain = all(endpoint.is_known for endpoint in [*consumer.queues, *targets])
    severity = Severity.ERROR if is_certain else Severity.WARNING
    strangers = frozenset(_strangers(route, consumer, rules, known))
    return _Gap(consumer.where, reason, fix, route.message, severity, strangers)


def _without_queue(route: Route, consumer: _Consumer, targets: Iterable[Endpoint]) -> _Gap:
    reason = f"it is sent to {consumer.function.logical_id}, which reads no queue"
    names = sorted(endpoint.name for endpoint in targets if endpoint.is_known)
    fix = f"give the function an event of Type: SQS whose Queue is {' or '.join(names) or 'its inbox'}"
    return _Gap(consumer.where, reason, fix, route.message)


def _strangers(
    route: Route, consumer: _Consumer, rules: Iterable[EventRule], known: set[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Yield the rules to a consumer that share the message's source or name, but name no known message."""
    for rule in rules:
        if rule.targets & consumer.endpoints:
            for source, detail_type in rule.named():
                is_similar = source == route.source or detail_type == route.message
                if is_similar and (source, detail_type) not in known:
                    yield rule.name, detail_type


RULES: tuple[Rule, ...] = (
    Rule(
        "message-unrouted",
        "Every message reaches each of its consumers",
        "The bus accepts the message, no rule matches, and it is lost without an error; the consumer never runs.",
        check_routes,
    ),
    Rule(
        "rule-unknown-message",
        "No rule waits for a message that is never sent",
        "The rule never fires; its detail-type is usually an old name.",
        check_rules,
    ),
)
