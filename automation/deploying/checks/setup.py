"""What a person has to set up in an account: parameters, secrets, verified addresses, confirmed subscribers."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from itertools import chain
from types import MappingProxyType

from automation.deploying import asked_parameters
from automation.deploying.checks import readiness
from automation.deploying.checks.parameter_remarks import parameter_remarks
from automation.deploying.checks.visits import Account, Intent, Visit, ask_each, unanswered
from automation.deploying.remarks import Level, Remark
from automation.deploying.scope import Scope
from automation.project.environments import StackSettings
from automation.project.settings import Secret
from automation.system.accounts import CallError, DeployedStack, Identity

type Topic = Callable[[Visit], list[Remark]]


def secret_remarks(visit: Visit) -> list[Remark]:
    """Check that the secrets of pyproject.toml exist; nothing reads their values."""
    environment, target = visit.scope.environment.name, visit.scope.target
    if visit.scope.environment.is_temporary:
        what = "a temporary environment has none; a function that needs one says so and does nothing"
        return [Remark(Level.INFO, "secrets", what)] if visit.scope.project.settings.secrets else []

    def name_of(secret: Secret) -> str:
        return secret.name_in(environment)

    def ask(secret: Secret) -> Remark:
        return readiness.secret_remark(secret, environment, visit.account.secret(name_of(secret)), target)

    return ask_each(visit.scope.project.settings.secrets, ask, about=name_of)


def sender_remarks(visit: Visit) -> list[Remark]:
    """Check that SES may send from the senders of pyproject.toml."""
    if not visit.scope.environment.needs_people:
        return []
    senders = readiness.senders(visit.scope.stacks, visit.scope.project.settings.senders)

    def ask(parameter: str) -> Remark:
        address = senders[parameter]
        is_verified = visit.account.is_verified(address) or visit.account.is_verified(address.rpartition("@")[2])
        return readiness.sender_remark(parameter, address, is_verified=is_verified, target=visit.scope.target)

    return ask_each(sorted(senders), ask, about=str)


def recipient_remarks(visit: Visit) -> list[Remark]:
    """Check that mail reaches the recipients of pyproject.toml, although SES may be in its sandbox."""
    settings = visit.scope.project.settings
    addresses = readiness.recipients(visit.scope.stacks, settings.recipients)
    if not (visit.scope.environment.needs_people and addresses):
        return []
    try:
        if not visit.account.is_mail_restricted():
            return [Remark(Level.OK, "SES", "sends mail to every address")]
    except CallError as cause:
        return [unanswered("SES", cause)]

    def ask(address: str) -> Remark:
        is_verified = visit.account.is_verified(address) or visit.account.is_verified(address.rpartition("@")[2])
        return readiness.recipient_remark(address, is_verified=is_verified, target=visit.scope.target)

    return ask_each(addresses, ask, about=str)


def topic_remarks(visit: Visit) -> list[Remark]:
    """Check that somebody receives what is sent to the topics of the templates."""
    if not visit.scope.environment.needs_people:
        return []
    remarks: list[Remark] = []
    for settings, stack in zip(visit.scope.stacks, visit.deployed, strict=True):
        remarks += _topic_remarks(visit, settings, stack)
    return [*remarks, *_alarm_topic_remarks(visit)]


def _topic_remarks(visit: Visit, settings: StackSettings, stack: DeployedStack) -> list[Remark]:
    arns = {entry.logical_id: entry.physical_id for entry in stack.resources if entry.type == readiness.TOPIC}

    def where(topic: str) -> str:
        return f"{settings.stack_name}: {topic}"

    def ask(topic: str) -> Remark:
        arn = arns.get(topic)
        if arn is None:
            return readiness.new_topic_remark(settings, topic, visit.scope.environment.name)
        return readiness.topic_remark(where(topic), arn, visit.account.subscribers(arn), visit.scope.target)

    return ask_each(readiness.topics(settings), ask, about=where)


def _alarm_topic_remarks(visit: Visit) -> list[Remark]:
    """Check the topics that alarms of the stacks notify, and that no stack has."""
    resources = list(chain.from_iterable(stack.resources for stack in visit.deployed))
    alarms = sorted(entry.physical_id for entry in resources if entry.type in readiness.ALARMS)
    own = {entry.physical_id for entry in resources if entry.type == readiness.TOPIC}

    def ask(arn: str) -> Remark:
        return readiness.topic_remark(arn, arn, visit.account.subscribers(arn), visit.scope.target)

    try:
        topics = visit.account.alarm_topics(alarms) if alarms else ()
    except CallError as cause:
        return [unanswered("alarms", cause)]
    return ask_each([arn for arn in topics if arn not in own], ask, about=str)


TOPICS: tuple[Topic, ...] = (
    parameter_remarks,
    secret_remarks,
    sender_remarks,
    recipient_remarks,
    topic_remarks,
)


def visit(
    scope: Scope, account: Account, intent: Intent, identity: Identity, deployed: Iterable[DeployedStack]
) -> Visit:
    """Return a visit whose scope has the values of parameters that no file has.

    Args:
        deployed: the stacks of the scope as they are now, in its order.
    """
    stacks = tuple(deployed)
    parameters = {stack.state.name: stack.parameters for stack in stacks}
    filled = asked_parameters.fill(scope, parameters, intent.chosen, intent.released)
    return Visit(filled, account, intent, identity, stacks)


def look(
    scope: Scope,
    account: Account,
    deployed: Iterable[DeployedStack],
    *,
    now: datetime,
    released: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Remark, ...]:
    """Return the remarks on everything that a person has to set up; an error of AWS is a remark too.

    Args:
        deployed: the stacks of the scope as they are now, in its order.
        released: the values that the parameters of `ask` had in the last release.
    """
    intent = Intent(now, released=released)
    here = visit(scope, account, intent, Identity(scope.environment.account, ""), deployed)
    return tuple(chain.from_iterable(topic(here) for topic in TOPICS))
