"""Our own rules about grants: what a function may reach without need. The scanners on the market see none of it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from automation.deploying.changes import resolution
from automation.deploying.verdict import grants as grant_texts
from automation.deploying.verdict import permissions
from automation.deploying.verdict.grants import Grant
from automation.deploying.verdict.property_texts import as_list, text_of, value_of
from automation.deploying.verdict.strict_grants import is_too_wide
from automation.scanning import function_access, queue_rules
from automation.scanning.function_access import FunctionAccess
from automation.scanning.model import Weakness
from automation.scanning.scanned_stacks import ScannedStack

_ELSEWHERE = "it cannot name the resources of this template"
# What well-known policies reach; SAM attaches most of them by itself. Source: AWS managed policy reference.
_REACHES = {
    "AdministratorAccess": "it may do everything in the account",
    "AWSLambdaBasicExecutionRole": "it may write every log group of the account",
    "AWSLambdaSQSQueueExecutionRole": "it may take messages from every queue of the account",
    "AWSLambdaDynamoDBExecutionRole": "it may read every stream of every table of the account",
    "AWSLambdaKinesisExecutionRole": "it may read every stream of the account",
    "AWSLambdaMSKExecutionRole": "it may describe every cluster and change network interfaces of the account",
    "AWSLambdaVPCAccessExecutionRole": "it may change every network interface of the account",
    "AWSXRayDaemonWriteAccess": "it may write every trace of the account",
    "AWSXrayWriteOnlyAccess": "it may write every trace of the account",
    "AWSLambdaRole": "it may invoke every function of the account",
}
_CHANGES_LOGS = (
    *("logs:PutLogEvents", "logs:CreateLogStream", "logs:CreateLogGroup", "logs:DeleteLogGroup"),
    *("logs:DeleteLogStream", "logs:PutRetentionPolicy", "logs:DeleteRetentionPolicy"),
)
# Services whose resources a function must name to use them; a key or a VPC is used without a name.
_NAMED_SERVICES = frozenset(
    {"dynamodb", "s3", "sqs", "sns", "secretsmanager", "ssm", "events", "kinesis", "states", "lambda", "firehose"}
)
_REFERENCE = re.compile(r"\$\{([^}!:.]+)[^}]*\}")
_NAME_KEYS = ("Name", "TableName", "QueueName", "TopicName", "BucketName", "FunctionName")
_PSEUDO = "AWS"  # of ${AWS::Region} and the like
_WILDCARD = re.compile(r"[*?]")
# What comes before the name in an ARN. The name of an SSM parameter begins with a slash.
_KINDS = ("parameter", "table/", "event-bus/", "stream/", "deliverystream/")


def weaknesses(stack: ScannedStack) -> Iterator[Weakness]:
    """Yield what the roles of a stack grant too much, and what its functions may do without need."""
    yield from _managed_policies(stack.resources)
    yield from _wildcards(stack.resources)
    functions = function_access.of_resources(stack.resources)
    yield from _roles(functions)
    yield from queue_rules.of_others(stack, {function.role for function in functions})
    for function in functions:
        named = [grant for grant in function.grants if not grant.is_deny and not is_too_wide(grant)]
        yield from queue_rules.of_function(function, named)
        yield from _foreign_log_groups(function, named)
        yield from _unused_grants(function, named, stack.resources)


def _roles(functions: Iterable[FunctionAccess]) -> Iterator[Weakness]:
    """Yield the functions whose grants nobody can check, and the roles that give a function the grants of another."""
    users: dict[str, list[str]] = defaultdict(list)
    for function in functions:
        users[function.role].append(function.logical_id)

    for logical_id in users.pop("", ()):
        sentence = "has a role from outside the template, so nothing is known of what it may do"
        yield Weakness("unknown-role", logical_id, sentence, "define its role in the template")
    for role, names in users.items():
        if len(names) > 1:
            sentence = f"is the role of {', '.join(names)}, so each may do what another one needs"
            yield Weakness("shared-role", role, sentence, "give each function a role of its own")


def _managed_policies(resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Weakness]:
    for logical_id, resource in resources.items():
        if resource["Type"] not in function_access.IDENTITIES:
            continue
        for arn in as_list(value_of(resource, "ManagedPolicyArns")):
            if resolution.references(arn) & set(resources):
                continue  # a policy of the template, whose grants the other rules read
            name = text_of(arn).rpartition("/")[2]
            sentence = f"has the managed policy {name}: {_REACHES.get(name, _ELSEWHERE)}"
            fix = (
                "give the function a Role that grants what it needs; SAM adds such policies to the roles that it makes"
            )
            yield Weakness("managed-policy", logical_id, sentence, fix)


def _wildcards(resources: Mapping[str, Mapping[str, Any]]) -> Iterator[Weakness]:
    for logical_id, resource in resources.items():
        if not resource["Type"].startswith("AWS::IAM::"):
            continue
        stated = permissions.access_of(resource).grants
        wide = [grant for grant in stated if not grant.principal and is_too_wide(grant)]
        for sentence in grant_texts.describe(wide):
            fix = "name actions and resources, or add a condition that holds only when its key is present"
            yield Weakness("wildcard-grant", logical_id, sentence, fix)


def _foreign_log_groups(function: FunctionAccess, grants: Iterable[Grant]) -> Iterator[Weakness]:
    for group, actions in function_access.actions_by_resource(grants, _CHANGES_LOGS).items():
        if not _is_own_log_group(group, function):
            sentence = f"{function.logical_id} may {', '.join(actions)} on {group}, which is not only its own log group"
            yield Weakness("foreign-log-group", function.role, sentence, "name the function's own log group")


def _is_own_log_group(resource: str, function: FunctionAccess) -> bool:
    if resource.startswith("${"):
        return resource[2:].partition(".")[0] in function.log_groups
    name = resource.partition(":log-group:")[2].partition(":*")[0].partition(":log-stream:")[0]
    # Lambda names the group of an unnamed function /aws/lambda/<stack>-<logical id>-<random>.
    return name in function.log_names or name.endswith(f"-{function.logical_id}-*")


def _unused_grants(
    function: FunctionAccess, grants: Iterable[Grant], resources: Mapping[str, Mapping[str, Any]]
) -> Iterator[Weakness]:
    mentioned = [resources[name] for name in function.mentioned if name in resources]
    texts = {_without_colons(text) for text in chain(function.values, *map(_names_of, mentioned))}
    taken = function_access.actions_by_resource(grants, queue_rules.TAKES)  # drained-queue reports these
    actions: dict[str, list[str]] = defaultdict(list)
    for grant in grants:
        is_named_service = grant.action.partition(":")[0] in _NAMED_SERVICES and grant.resource not in taken
        if is_named_service and not _is_mentioned(grant.resource, function, texts):
            actions[grant.resource].append(grant.action)
    for resource, unused in actions.items():
        sentence = (
            f"{function.logical_id} may {', '.join(unused)} on {resource},"
            " which neither its environment nor its events name"
        )
        yield Weakness("unused-grant", function.role, sentence, "remove the grant, or pass the name by environment")


def _is_mentioned(resource: str, function: FunctionAccess, texts: Iterable[str]) -> bool:
    """Return whether a function's definition names a resource; True when the template cannot say it."""
    references = set(_REFERENCE.findall(resource)) - {_PSEUDO}
    if references:
        is_unknown = any(name.startswith("import ") for name in references)
        return is_unknown or bool(references & function.mentioned)
    name = _name_in(_without_colons(resource))
    # An ARN or a URL ends in the name; a bucket's name comes before the key's, a table's before the index's.
    suffix = r"(-\w{6})?" if ":secret:" in resource else ""  # six characters, which AWS adds to the ARN of a secret
    ending = re.compile(rf"(^|[/:]|parameter){re.escape(name)}{suffix}$")
    return not name or any(ending.search(text) or name.startswith(f"{text}/") for text in texts)


def _without_colons(text: str) -> str:
    """Return a text whose pseudo parameters have no colons, which separate the parts of an ARN."""
    return text.replace("${AWS::", "${AWS.")


def _name_in(arn: str) -> str:
    """Return the name in an ARN up to its wildcard, without its kind: `/shop/mail` of `…:secret:/shop/mail-*`."""
    name = _WILDCARD.split(arn.rpartition(":")[2])[0].rstrip("-/")
    kind = next((kind for kind in _KINDS if name.startswith(kind)), "")
    return name.removeprefix(kind)


def _names_of(resource: Mapping[str, Any]) -> list[str]:
    return [text_of(value) for key in _NAME_KEYS if (value := value_of(resource, key)) is not None]
