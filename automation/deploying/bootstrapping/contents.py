"""What the stacks of an environment contain, as far as it decides what a deploy role may do."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from automation.deploying import planning
from automation.deploying.changes import expansion, resolution, schemas
from automation.deploying.changes.expansion import SamTemplate
from automation.deploying.changes.model import Expanded
from automation.deploying.checks import physical_names
from automation.deploying.planning import Surroundings
from automation.deploying.scope import Scope
from automation.deploying.verdict.property_texts import as_list
from automation.project import templates
from automation.project.model import Stack

PASS_ROLE = "iam:PassRole"  # noqa: S105 - an action, not a password
_ROLE = "AWS::IAM::Role"
_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:role/[\w+=,.@/-]+")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
# The property with the name that a template gives a resource, besides those of physical_names.
_NAMES = {
    **{kind.type: kind.property for kind in physical_names.KINDS.values()},
    "AWS::CloudWatch::CompositeAlarm": "AlarmName",
    "AWS::Events::Rule": "Name",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::User": "UserName",
    "AWS::Kinesis::Stream": "Name",
    "AWS::KinesisFirehose::DeliveryStream": "DeliveryStreamName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::Scheduler::Schedule": "Name",
    "AWS::Scheduler::ScheduleGroup": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
# IAM's name of a service, where it is not that of the type in lower case.
_SERVICES = {"kinesisfirehose": "firehose", "stepfunctions": "states"}


@dataclass(frozen=True, slots=True)
class Contents:
    """What the stacks of an environment contain.

    Attributes:
        partition: such as `aws`.
        stack_names: in the account, in the order of deployment.
        types: the types of all resources after SAM's transform, those of nested templates included; sorted.
        names: the names that templates give their resources, by type. An unknown part is `*`.
        role_arns: roles that belong to no stack, and that resources name.
        passed_to: the services that get a role of the stacks, such as `lambda.amazonaws.com`.
        transforms: the names of the transforms that CloudFormation expands.
    """

    partition: str
    region: str
    account: str
    stack_names: tuple[str, ...]
    types: tuple[str, ...]
    names: Mapping[str, tuple[str, ...]]
    role_arns: tuple[str, ...]
    passed_to: tuple[str, ...]
    transforms: tuple[str, ...]


def read(scope: Scope, surroundings: Surroundings) -> Contents:
    """Expand the templates of a scope, and return what they contain; it makes no call to AWS.

    Raises:
        ConfigurationError: SAM refuses a template, or one cannot be parsed.
        ToolError: SAM CLI or cfn-lint is missing.
    """
    stacks = [(stack, _stack_name(stack, scope)) for stack in scope.project.stacks]
    sources = [_source(stack, name, scope, surroundings) for stack, name in stacks]
    expanded = expansion.expand(sources, root=scope.root, region=surroundings.target.region)
    resources: list[Mapping[str, Any]] = []
    names: dict[str, tuple[str, ...]] = {}
    for (_, name), source, template in zip(stacks, sources, expanded, strict=True):
        resolved = resolution.resolve(Expanded(template, source.parameters)).resources.values()
        resources += resolved
        for resource_type, own in names_of(resolved, name).items():
            names[resource_type] = tuple(sorted({*names.get(resource_type, ()), *own}))

    role_arns = sorted(set(chain.from_iterable(map(_role_arns, resources))))
    # Whatever their conditions say: a parameter may switch on tomorrow what it switches off today.
    types = sorted(set(chain.from_iterable(map(_types, expanded))))
    return Contents(
        partition=planning.pseudo_parameters("", surroundings)["AWS::Partition"],
        region=surroundings.target.region,
        account=surroundings.account,
        stack_names=scope.stack_names,
        types=tuple(types),
        names=names,
        role_arns=tuple(role_arns),
        passed_to=passed_to(types, resources, has_other_roles=bool(role_arns)),
        transforms=tuple(sorted(set(chain.from_iterable(map(_transforms, sources))))),
    )


def names_of(resources: Iterable[Mapping[str, Any]], stack_name: str) -> dict[str, tuple[str, ...]]:
    """Return the names in resolved resources, by type, sorted; a part that is not known is `*`.

    A name that does not begin with a known part is left out: the role must not get what other stacks have.
    """
    names: dict[str, set[str]] = {}
    for resource in resources:
        name = _pattern((resource.get("Properties") or {}).get(_NAMES.get(resource["Type"], "")), stack_name)
        if name and not name.startswith("*"):
            names.setdefault(resource["Type"], set()).add(name)
    return {resource_type: tuple(sorted(values)) for resource_type, values in names.items()}


def service_of(resource_type: str) -> str:
    """Return IAM's name of the service of a resource type, such as `sqs`."""
    service = resource_type.split("::")[1].lower()
    return _SERVICES.get(service, service)


def passed_to(
    types: Iterable[str], resources: Iterable[Mapping[str, Any]], *, has_other_roles: bool
) -> tuple[str, ...]:
    """Return the services that get a role: those that the roles trust.

    Args:
        has_other_roles: whether a resource names a role that no template has. Whom it trusts is not known, so every
            service counts whose resources take a role.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    services: set[str] = set()
    for resource in resources:
        if resource["Type"] == _ROLE:
            services.update(_trusted(resource.get("Properties") or {}))
    if has_other_roles:
        takers = [name for name in types if PASS_ROLE in schemas.handler_permissions(name)]
        services.update(f"{service_of(name)}.amazonaws.com" for name in takers if service_of(name) != "iam")
    return tuple(sorted(services))


def _stack_name(stack: Stack, scope: Scope) -> str:
    """Return the name of a stack in the account; that of a nested one begins with the name of the outermost one."""
    settings = {entry.stack.name: entry for entry in scope.stacks}
    if stack.name in settings:
        return settings[stack.name].stack_name
    parent = next(entry for entry in scope.project.stacks if entry.name == stack.parent)
    return f"{_stack_name(parent, scope).removesuffix('-*')}-*"


def _source(stack: Stack, stack_name: str, scope: Scope, surroundings: Surroundings) -> SamTemplate:
    path = stack.template.path
    document = templates.document(scope.root / path, name=path)
    settings = next((entry for entry in scope.stacks if entry.stack.name == stack.name), None)
    values = settings.values() if settings else stack.template.defaults()
    return SamTemplate(path, document, {**planning.pseudo_parameters(stack_name, surroundings), **values})


def _types(template: Mapping[str, Any]) -> Iterator[str]:
    for resource in (template.get("Resources") or {}).values():
        if isinstance(resource, Mapping) and "Type" in resource:
            yield str(resource["Type"])


def _transforms(source: SamTemplate) -> Iterator[str]:
    return (transform for transform in as_list(source.template.get("Transform")) if isinstance(transform, str))


def _pattern(name: Any, stack_name: str) -> str:
    """Return a name; in a text with references, the name of a resource begins with that of its stack."""
    match name:
        case str():
            return name
        case {"Fn::Sub": str() as text}:
            own = f"{stack_name.removesuffix('-*')}-*"
            return _VARIABLE.sub(lambda match: "*" if {":", "."} & set(match[0]) else own, text)
    return ""


def _role_arns(resource: Mapping[str, Any]) -> Iterator[str]:
    if resource["Type"] != _ROLE:
        yield from _ROLE_ARN.findall(str(resource.get("Properties") or {}))


def _trusted(role: Mapping[str, Any]) -> Iterator[str]:
    for statement in as_list((role.get("AssumeRolePolicyDocument") or {}).get("Statement")):
        principal = statement.get("Principal") if isinstance(statement, Mapping) else None
        services = as_list(principal.get("Service")) if isinstance(principal, Mapping) else []
        yield from (service for service in services if isinstance(service, str))
