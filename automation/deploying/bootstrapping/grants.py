"""The statements of a deploy role: each action limited to the resources of the environment, where IAM allows that.

What a resource of the stacks is called begins with the name of its stack, unless its template gives it a name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from automation.deploying.bootstrapping.contents import PASS_ROLE, Contents, service_of
from automation.deploying.changes import schemas
from automation.project import temporary

_SERVICE_LINKED = "iam:CreateServiceLinkedRole"
# IAM can limit it, but without a name in the request the call asks for every alarm.
_ON_EVERYTHING = frozenset({"cloudwatch:DescribeAlarms"})
# Names of these services have at most 64 characters: CloudFormation then cuts the stack's name to 24.
# Source: names that CloudFormation has generated; its user guide does not say how it cuts.
_SHORT_NAMES = frozenset({"events", "iam", "lambda", "scheduler"})
_CUT = 24
_LOGS_OF_FUNCTIONS = "/aws/lambda/"
# The end of the ARNs by IAM's name of the service, where a resource is named; `{name}` is the name or its beginning.
_NAMED: Mapping[str, tuple[str, ...]] = {
    "cloudformation": ("stack/{name}/*",),
    "cloudwatch": ("alarm:{name}",),
    "dynamodb": ("table/{name}", "table/{name}/*"),
    "events": ("event-bus/{name}", "rule/{name}", "rule/{name}/*"),
    "firehose": ("deliverystream/{name}",),
    "iam": ("role/{name}", "policy/{name}", "user/{name}", "group/{name}", "instance-profile/{name}"),
    "kinesis": ("stream/{name}",),
    "lambda": ("function:{name}", "function:{name}:*", "layer:{name}", "layer:{name}:*", "event-source-mapping:*"),
    "logs": ("log-group:{name}", "log-group:{name}:*", f"log-group:{_LOGS_OF_FUNCTIONS}{{name}}"),
    "s3": ("{name}", "{name}/*"),
    "scheduler": ("schedule-group/{name}", "schedule/{name}/*", "schedule/default/{name}"),
    "secretsmanager": ("secret:{name}-*",),
    "sns": ("{name}",),
    "sqs": ("{name}",),
    "ssm": ("parameter/{name}",),
    "states": ("stateMachine:{name}", "execution:{name}:*"),
}
# Of these services only the names of one type belong into an ARN that begins so.
_TYPES = {
    "event-bus": "AWS::Events::EventBus",
    "function": "AWS::Lambda::Function",
    "group": "AWS::IAM::Group",
    "instance-profile": "AWS::IAM::InstanceProfile",
    "layer": "AWS::Lambda::LayerVersion",
    "policy": "AWS::IAM::ManagedPolicy",
    "role": "AWS::IAM::Role",
    "user": "AWS::IAM::User",
}
_WITHOUT_REGION, _WITHOUT_ACCOUNT = frozenset({"iam", "s3"}), frozenset({"s3"})

type Condition = Mapping[str, Mapping[str, Any]]
NO_CONDITION: Condition = MappingProxyType({})
# CloudFormation acts with the rights of who calls it. With this condition they are of no use outside of it.
# Source: IAM user guide, "AWS global condition context keys", aws:CalledVia.
VIA_CLOUDFORMATION: Condition = MappingProxyType(
    {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What is allowed on which resources.

    Attributes:
        actions: sorted.
        resources: ARNs with wildcards, or intrinsics.
    """

    actions: tuple[str, ...]
    resources: tuple[Any, ...]
    condition: Condition = NO_CONDITION

    def document(self) -> dict[str, Any]:
        """Return it as IAM takes it."""
        condition = {"Condition": {key: dict(value) for key, value in self.condition.items()}} if self.condition else {}
        resources = list(self.resources)
        return {"Effect": "Allow", "Action": list(self.actions), "Resource": resources, **condition}


def of_handlers(contents: Contents) -> tuple[Statement, ...]:
    """Return what CloudFormation needs to create, change and delete the resources of the stacks.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    actions: set[str] = set()
    for resource_type in contents.types:
        actions.update(filter(is_action, schemas.handler_permissions(resource_type)))
    return (*limited(actions - {PASS_ROLE, _SERVICE_LINKED}, contents, VIA_CLOUDFORMATION), *_roles(actions, contents))


def is_action(action: str) -> bool:
    """Return whether IAM has an action: some schemas name operations, such as `s3:DeleteBucketCors`.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    service, _, name = action.partition(":")
    known = schemas.iam_services().get(service)
    return known is not None and name.lower() in known["Actions"]


def unknown_types(contents: Contents) -> tuple[str, ...]:
    """Return the types whose schemas do not say what CloudFormation needs."""
    return tuple(name for name in contents.types if not schemas.handler_permissions(name))


def reaches(stack: str, other: str) -> bool:
    """Return whether grants on the resources of a stack also cover those of another stack in the same account."""
    return other.startswith(f"{stack}-") or (len(stack) > _CUT and other.startswith(stack[:_CUT]))


def limited(actions: Iterable[str], contents: Contents, condition: Condition = NO_CONDITION) -> tuple[Statement, ...]:
    """Return statements that allow actions on what the environment has, one statement per service.

    Args:
        actions: such as `sqs:GetQueueUrl`; see is_action.

    Raises:
        ToolError: cfn-lint is not installed.
    """
    services: dict[str, list[str]] = {}
    everywhere: list[str] = []
    for action in sorted(set(actions)):
        if _is_limitable(action):
            services.setdefault(action.partition(":")[0], []).append(action)
        else:
            everywhere.append(action)

    statements = [
        Statement(tuple(names), resources(service, names, contents), condition) for service, names in services.items()
    ]
    return (*statements, Statement(tuple(everywhere), ("*",), condition)) if everywhere else tuple(statements)


def resources(service: str, actions: Sequence[str], contents: Contents) -> tuple[str, ...]:
    """Return the ARNs of what the environment has of a service.

    Of kinds of resources whose names we do not know, they are all of the account in the region.
    """
    ends: set[str] = set()
    unnamed: list[str] = []
    for action in actions:
        starts = tuple(_starts(service, action))
        own = [end for end in _NAMED.get(service, ()) if end.startswith(starts)]
        ends.update(own)
        unnamed += [] if own else [action]

    arns = list(_of_kinds(service, unnamed, contents))
    for end in ends:
        names = (*_prefixes(service, contents.stack_names), *_given_names(service, end, contents))
        arns += [arn(contents, service, end.replace("{name}", name)) for name in names]
    return _without_subsumed(arns)


def of_stack(name: str, contents: Contents) -> Iterator[str]:
    """Yield the ARNs, with wildcards, of what a stack has in the account and region of other contents.

    Args:
        name: of the stack.
    """
    for service, ends in _NAMED.items():
        for end in ends:
            if "{name}" in end:
                starts = _prefixes(service, (name,))
                yield from (arn(contents, service, end.replace("{name}", start)) for start in starts)


def arn(contents: Contents, service: str, end: str) -> str:
    """Return an ARN in the account and the region of the environment, where the service has them."""
    region = "" if service in _WITHOUT_REGION else contents.region
    account = "" if service in _WITHOUT_ACCOUNT else contents.account
    return f"arn:{contents.partition}:{service}:{region}:{account}:{end}"


def _roles(actions: Iterable[str], contents: Contents) -> Iterator[Statement]:
    """Yield what hands roles to services: only the roles of the stacks, and only to services that they trust."""
    present = set(actions)
    if PASS_ROLE in present and contents.passed_to:
        roles = resources("iam", [PASS_ROLE], contents)
        condition = {"StringEquals": {"iam:PassedToService": list(contents.passed_to)}}
        yield Statement((PASS_ROLE,), (*roles, *contents.role_arns), condition)
    if _SERVICE_LINKED in present:
        linked = arn(contents, "iam", "role/aws-service-role/*")
        yield Statement((_SERVICE_LINKED,), (linked,), VIA_CLOUDFORMATION)


def _is_limitable(action: str) -> bool:
    service, _, name = action.partition(":")
    entry = schemas.iam_services()[service]["Actions"][name.lower()]
    return action not in _ON_EVERYTHING and bool(entry.get("Resources"))


def _prefixes(service: str, stack_names: Sequence[str]) -> Iterator[str]:
    for name in stack_names:
        if service == "cloudformation":
            yield name
        # What a pattern stands for may be as long as temporary.LONGEST.
        if service in _SHORT_NAMES and len(name.replace("*", "x" * temporary.LONGEST)) > _CUT:
            yield f"{name[:_CUT].partition('*')[0]}*"
        else:
            yield f"{name.lower() if service == 's3' else name}-*"


def _given_names(service: str, end: str, contents: Contents) -> Iterator[str]:
    """Yield the names of the templates that belong into ARNs with this end."""
    # Lambda names the log group of a function after it, unless the template has one.
    start = "function" if _LOGS_OF_FUNCTIONS in end else end.partition(":")[0].partition("/")[0]
    only = _TYPES.get(start)
    for resource_type, names in contents.names.items():
        if resource_type == only or (only is None and service_of(resource_type) == service):
            # The path of a parameter begins with a slash, which its ARN has already.
            yield from (name.removeprefix("/") if service == "ssm" else name for name in names)


def _starts(service: str, action: str) -> Iterator[str]:
    """Yield how ARNs of the kinds of resources begin, behind the account, that an action can be limited to."""
    return (text.split(":", 5)[5].removesuffix(".*") for text in _formats(service, action))


def _of_kinds(service: str, actions: Iterable[str], contents: Contents) -> Iterator[str]:
    for action in actions:
        yield from (_filled(text, contents) for text in _formats(service, action))


def _formats(service: str, action: str) -> Iterator[str]:
    """Yield the ARNs, with variables, of the kinds of resources that an action can be limited to."""
    known = schemas.iam_services()[service]
    for kind in known["Actions"][action.partition(":")[2].lower()].get("Resources", ()):
        yield from known["Resources"][str(kind).lower()]["ARNFormats"]


def _filled(text: str, contents: Contents) -> str:
    values = {"Partition": contents.partition, "Region": contents.region, "Account": contents.account}
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value)
    return text.replace(".*", "*")


def _without_subsumed(arns: Iterable[str]) -> tuple[str, ...]:
    """Return ARNs without those that another one includes, sorted."""
    distinct = sorted(set(arns))
    return tuple(
        entry for entry in distinct if not any(other != entry and fnmatchcase(entry, other) for other in distinct)
    )
