"""Rules about messages: each reaches its consumers, and no rule waits for one that nobody sends.

They are silent where pyproject.toml names no registry.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from automation.project.model import Function, Project
from automation.proof import places, wiring
from automation.proof.model import Fault, Rule, Severity, Subject
from automation.proof.registry import Route
from automation.proof.wiring import End, EventRule
from automation.system.errors import ConfigurationError

_REGISTRY = "pyproject.toml: [tool.alchemiser] messages"


@dataclass(frozen=True, slots=True)
class _Consumer:
    """A function and the ends at which a message reaches it: itself and the queues it reads."""

    where: str
    function: Function
    queues: frozenset[End]

    @property
    def ends(self) -> frozenset[End]:
        return self.queues | {End(self.function.stack, self.function.logical_id)}

    @property
    def names(self) -> frozenset[str]:
        handler = str(self.function.handler).split(".")[:-1]
        folder = PurePosixPath(str(self.function.code_uri or "")).name
        return frozenset({self.function.logical_id, folder, *handler} - {""})


@dataclass(frozen=True, slots=True)
class _Gap:
    """A message that does not reach one of its consumers.

    Attributes:
        strangers: rules to that consumer that name a message which nobody sends: most likely this one, misspelt.
    """

    where: str
    reason: str
    mend: str
    message: str
    severity: Severity = Severity.ERROR
    strangers: frozenset[tuple[str, str]] = field(default_factory=frozenset)


def check_routes(subject: Subject) -> Iterator[Fault]:
    try:
        routes = subject.routes
    except ConfigurationError as cause:
        yield Fault(cause.where, cause.message, "correct the name, or what it imports")
        return
    together: dict[tuple[str, str, str, Severity], list[str]] = {}
    for gap in _gaps(routes, subject.project):
        told = gap.reason + "".join(f"; {rule} waits for {kind}" for rule, kind in sorted(gap.strangers))
        together.setdefault((gap.where, told, gap.mend, gap.severity), []).append(gap.message)
    for (where, reason, mend, severity), messages in together.items():
        yield Fault(where, f"{places.some(messages, 9)}: {reason}", mend, severity)


def check_rules(subject: Subject) -> Iterator[Fault]:
    try:
        routes = subject.routes
    except ConfigurationError:
        return
    sources, known = {route.source for route in routes}, {(route.source, route.message) for route in routes}
    explained = {stranger for gap in _gaps(routes, subject.project) for stranger in gap.strangers}
    for rule in wiring.rules_of(subject.project):
        for source, kind in rule.named():
            if source in sources and (source, kind) not in known and (rule.name, kind) not in explained:
                what = f"waits for {kind} of {source}, which the registry does not have"
                yield Fault(rule.where, what, "correct the detail-type, or take the rule out")


def _gaps(routes: Iterable[Route], project: Project) -> Iterator[_Gap]:
    rules, consumers = wiring.rules_of(project), _consumers(project)
    known = {(route.source, route.message) for route in routes}
    for route in routes:
        if not route.consumers:
            yield _Gap(_REGISTRY, "is sent and nobody consumes it", "name a consumer, or take it out", route.message)
        for name in route.consumers:
            found = [one for one in consumers if name in one.names]
            if not found:
                reason = f"goes to {name}, and no function of the templates is called that"
                yield _Gap(_REGISTRY, reason, "correct the name, or add the function", route.message)
            elif not any(_arrives(route, one, rules) for one in found):
                yield _explain(route, found[0], rules, known)


def _consumers(project: Project) -> tuple[_Consumer, ...]:
    return tuple(
        _Consumer(f"{stack.template.path}: {function.logical_id}", function, wiring.queues_of(function, stack))
        for stack in project.stacks
        for function in stack.functions
    )


def _arrives(route: Route, consumer: _Consumer, rules: Iterable[EventRule]) -> bool:
    if route.queued:
        return bool(consumer.queues)
    return any(rule.matches(route.source, route.message) and rule.targets & consumer.ends for rule in rules)


def _explain(route: Route, consumer: _Consumer, rules: Iterable[EventRule], known: set[tuple[str, str]]) -> _Gap:
    matching = [rule for rule in rules if rule.matches(route.source, route.message)]
    if not consumer.queues and (route.queued or matching):
        reason = f"is sent to {consumer.function.logical_id}, which reads no queue"
        targets = sorted({end.name for rule in matching for end in rule.targets if end.is_known})
        mend = f"give it an event of Type: SQS whose Queue is {' or '.join(targets) or 'its inbox'}"
        return _Gap(consumer.where, reason, mend, route.message)
    inbox = places.some(sorted(end.name for end in consumer.queues)) or consumer.function.logical_id
    reason = f"no rule brings it from {route.source} to {inbox} of {consumer.function.logical_id}"
    mend = f"name it as detail-type in a rule with source {route.source} whose target is {inbox}"
    ends = [*consumer.queues, *(end for rule in matching for end in rule.targets)]
    strangers = {
        (rule.name, kind)
        for rule in rules
        if rule.targets & consumer.ends
        for source, kind in rule.named()
        if (source == route.source or kind == route.message) and (source, kind) not in known
    }
    severity = Severity.ERROR if all(end.is_known for end in ends) else Severity.WARNING
    return _Gap(consumer.where, reason, mend, route.message, severity, frozenset(strangers))


RULES: tuple[Rule, ...] = (
    Rule(
        "message-unrouted",
        "Every message reaches each of its consumers",
        "The bus takes the message, no rule matches, and it is gone without a word; the consumer waits for ever.",
        check_routes,
    ),
    Rule(
        "rule-unknown-message",
        "No rule waits for a message that nobody sends",
        "The rule never fires; most often its detail-type is an old name.",
        check_rules,
    ),
)
