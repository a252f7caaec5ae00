"""Whether the functions will find what they need: secrets, senders, subscribers. What is missing warns, never stops."""

from collections.abc import Collection, Iterable, Mapping
from email.utils import getaddresses
from typing import Any

from automation.deploying.asked_parameters import is_example
from automation.deploying.remarks import Level, Remark
from automation.deploying.stacks import stack_states
from automation.project import templates
from automation.project.environments import StackSettings
from automation.project.sam_configuration import SAMCONFIG
from automation.project.settings import Secret
from automation.system import aws_commands
from automation.system.accounts import DeployedStack, SecretState, Subscribers
from automation.system.targets import Target

TOPIC = "AWS::SNS::Topic"
ALARMS = frozenset({"AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"})
_SUBSCRIPTION = "AWS::SNS::Subscription"


def example_remarks(stacks: Iterable[StackSettings], *, asked: Collection[str] = ()) -> tuple[Remark, ...]:
    """Return a warning for each template parameter whose value is an example of a mail address.

    Args:
        asked: the parameters that a person is asked for; of these only values in samconfig.toml count.
    """
    remarks: list[Remark] = []
    for settings in stacks:
        for name, value in settings.values().items():
            is_asked = name in asked and name not in settings.parameters
            if is_example(value) and not is_asked:
                section = f"{SAMCONFIG}: [{settings.config_env}.deploy.parameters]"
                fix = f'add "{name}=you@your-company.com", with a real address, to parameter_overrides of {section}'
                remarks.append(Remark(Level.WARN, settings.stack_name, f"{name} is an example: {value}", fix))
    return tuple(remarks)


def senders(stacks: Iterable[StackSettings], parameters: Iterable[str]) -> Mapping[str, str]:
    """Return the address of each parameter that names a sender, except examples and empty ones, by parameter."""
    values: dict[str, str] = {}
    for settings in stacks:
        values |= settings.values()
    wanted = {name: values.get(name, "") for name in parameters}
    return {name: address for name, address in wanted.items() if address and not is_example(address)}


def sender_remark(parameter: str, address: str, *, is_verified: bool, target: Target) -> Remark:
    """Return whether SES may send from an address."""
    if is_verified:
        return Remark(Level.OK, parameter, f"SES may send from {address}")
    verify = aws_commands.line(target, "sesv2", "create-email-identity", "--email-identity", address)
    fix = f"open the link in the mail that this sends: {verify}"
    return Remark(Level.WARN, parameter, f"SES has not verified {address}, so no mail is sent", fix)


def recipients(stacks: Iterable[StackSettings], parameters: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses in the parameters that name recipients, except examples."""
    values: dict[str, str] = {}
    for settings in stacks:
        values |= settings.values()
    addresses = [address for _, address in getaddresses([values.get(name, "") for name in parameters])]
    return tuple(dict.fromkeys(address for address in addresses if address and not is_example(address)))


def recipient_remark(address: str, *, is_verified: bool, target: Target) -> Remark:
    """Return whether SES sends to an address although it is in its sandbox."""
    if is_verified:
        return Remark(Level.OK, address, "SES may send to it")
    verify = aws_commands.line(target, "sesv2", "create-email-identity", "--email-identity", address)
    words = ("--production-access-enabled", "--mail-type", "TRANSACTIONAL", "--website-url", "https://your-company.com")
    leave = aws_commands.line(target, "sesv2", "put-account-details", *words)
    fix = f"open the link in the mail that this sends: {verify}; or ask AWS to take SES out of its sandbox: {leave}"
    return Remark(Level.WARN, address, "gets no mail: SES is in its sandbox, and has not verified the address", fix)


def secret_remark(secret: Secret, environment: str, state: SecretState, target: Target) -> Remark:
    """Return whether a secret exists; its value is not read."""
    name = secret.name_in(environment)
    match state:
        case SecretState.PRESENT:
            return Remark(Level.OK, name, "the secret exists")
        case SecretState.DELETED:
            fix = aws_commands.line(target, "secretsmanager", "restore-secret", "--secret-id", name)
            return Remark(Level.WARN, name, "the secret is deleted, but can be restored", fix)
    return Remark(Level.WARN, name, "the secret does not exist", f"inv secrets.set --env {environment} {name}")


def topics(settings: StackSettings) -> tuple[str, ...]:
    """Return the topics of a template, by logical id."""
    resources = settings.stack.template.resources.items()
    return tuple(logical_id for logical_id, resource in resources if resource["Type"] == TOPIC)


def new_topic_remark(settings: StackSettings, topic: str, environment: str) -> Remark:
    """Return whether a topic that is not deployed yet will have a subscriber."""
    where = f"{settings.stack_name}: {topic}"
    if _has_subscription(settings, topic):
        return Remark(Level.OK, where, "the template has a subscriber for the topic")
    fix = f"deploy, then run inv doctor --env {environment}: it prints the command that subscribes"
    return Remark(Level.WARN, where, "the topic will have no subscriber", fix)


def topic_remark(where: str, topic_arn: str, subscribers: Subscribers, target: Target) -> Remark:
    """Return whether somebody receives what is sent to a topic."""
    if subscribers.confirmed:
        return Remark(Level.OK, where, f"the topic has {subscribers.confirmed} subscriber(s)")
    if subscribers.pending:
        what = f"nobody receives its messages: {subscribers.pending} subscription(s) are pending confirmation"
        fix = 'open the mail "AWS Notification - Subscription Confirmation", also in the folder for spam, and its link'
        return Remark(Level.WARN, where, what, fix)
    words = ("--protocol", "email", "--notification-endpoint", "you@your-company.com")
    fix = f"with your own address: {aws_commands.line(target, 'sns', 'subscribe', '--topic-arn', topic_arn, *words)}"
    return Remark(Level.WARN, where, "the topic has no subscriber, so nobody receives its messages", fix)


def drift_remark(stack: DeployedStack, target: Target) -> Remark:
    """Return the result of the last drift detection."""
    name = stack.state.name
    if stack.drift != "DRIFTED":
        return Remark(Level.OK, name, "no drift is known")
    finding = stack_states.drift(name, target)
    return Remark(Level.WARN, name, finding.what, finding.fix)


def _has_subscription(settings: StackSettings, topic: str) -> bool:
    template, values = settings.stack.template, settings.values()
    properties = template.resources[topic].get("Properties") or {}
    subscriptions = [
        resource
        for resource in template.resources.values()
        if resource["Type"] == _SUBSCRIPTION and _is_created(resource, template, values)
    ]
    return bool(properties.get("Subscription")) or any(
        topic in templates.references(resource.get("Properties") or {}) for resource in subscriptions
    )


def _is_created(resource: Mapping[str, Any], template: templates.Template, values: Mapping[str, str]) -> bool:
    """Return whether the condition of a resource holds; true when that is only known at deploy time."""
    condition = resource.get("Condition")
    return condition is None or templates.resolve({"Fn::If": [condition, True, False]}, template, values) is not False
