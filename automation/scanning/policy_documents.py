"""The policy documents of a stack as plain JSON, as parliament reads them: intrinsics become names and ARNs."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from automation.deploying.changes import resolution
from automation.deploying.verdict import permissions
from automation.deploying.verdict.property_texts import as_list, text_of
from automation.scanning.scanned_stacks import ACCOUNT, ScannedStack

# The ARN after `arn:aws:`, by type; the region and the account are placeholders of the right shape.
_ARNS = {
    "AWS::DynamoDB::Table": "dynamodb:us-east-1:{account}:table/{name}",
    "AWS::Events::EventBus": "events:us-east-1:{account}:event-bus/{name}",
    "AWS::Events::Rule": "events:us-east-1:{account}:rule/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::KMS::Key": "kms:us-east-1:{account}:key/{name}",
    "AWS::Kinesis::Stream": "kinesis:us-east-1:{account}:stream/{name}",
    "AWS::Lambda::Function": "lambda:us-east-1:{account}:function:{name}",
    "AWS::Logs::LogGroup": "logs:us-east-1:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:us-east-1:{account}:{name}",
    "AWS::SQS::Queue": "sqs:us-east-1:{account}:{name}",
    "AWS::SecretsManager::Secret": "secretsmanager:us-east-1:{account}:secret:{name}-abcdef",
    "AWS::StepFunctions::StateMachine": "states:us-east-1:{account}:stateMachine:{name}",
}
_REF_IS_ARN = frozenset({"AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"})
# Of the right shape for a condition; a statement that grants something on it cannot be checked.
_UNKNOWN = "unknown:us-east-1:{account}:{name}"
_TRUST = "Properties.AssumeRolePolicyDocument"
_REFERENCE = re.compile(r"\$\{([^}!]+)\}")


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """One policy document of one resource, without intrinsics."""

    resource: str
    document: Mapping[str, Any]


def of_stack(stack: ScannedStack, types: Mapping[str, str]) -> Iterator[PolicyDocument]:
    """Yield the policies of a stack, those of buckets and queues included, without the trust policies of roles.

    A statement that names a resource whose ARN only AWS knows is left out, because it could not be checked.

    Args:
        types: of all resources that a policy may mention, by logical id or `stack/id`; see types_of.
    """
    for logical_id, resource in stack.resources.items():
        for path, document in permissions.policy_documents(resource.get("Properties"), "Properties"):
            statements = [] if path == _TRUST else list(_statements(document, types))
            if statements:
                yield PolicyDocument(logical_id, {**_plain(document, types), "Statement": statements})


def types_of(stack: ScannedStack, stacks: Sequence[ScannedStack]) -> dict[str, str]:
    """Return the types of the resources that a stack can mention: its own, and exported ones as `stack/id`."""
    types = {name: str(resource["Type"]) for name, resource in stack.resources.items()}
    for exporter in stacks:
        types |= {f"{exporter.name}/{name}": str(resource["Type"]) for name, resource in exporter.resources.items()}
    return types


def _statements(document: Mapping[str, Any], types: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    for statement in as_list(document.get("Statement")):
        if not isinstance(statement, Mapping) or resolution.is_intrinsic(statement):
            continue
        plain = _plain(statement, types)
        resources = [*as_list(plain.get("Resource")), *as_list(plain.get("NotResource"))]
        if all(_is_known(str(text)) for text in resources):
            yield plain


def _is_known(resource: str) -> bool:
    return resource == "*" or (resource.startswith("arn:") and not resource.startswith("arn:aws:unknown:"))


def _plain(value: Any, types: Mapping[str, str]) -> Any:
    if resolution.is_intrinsic(value) or isinstance(value, str):
        return _REFERENCE.sub(lambda match: _name_or_arn(match[1], types), text_of(value))
    if isinstance(value, Mapping):
        return {key: _plain(inner, types) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, types) for inner in value]
    return value


def _name_or_arn(reference: str, types: Mapping[str, str]) -> str:
    """Return what a reference stands for: an ARN, or a name that is its own text."""
    logical_id, _, attribute = reference.partition(".")
    name, resource_type = logical_id.rpartition("/")[2], types.get(logical_id, "")
    is_arn = attribute.endswith("Arn") or (not attribute and resource_type in _REF_IS_ARN)
    if is_arn:
        return f"arn:aws:{_ARNS.get(resource_type, _UNKNOWN).format(account=ACCOUNT, name=name)}"
    return re.sub(r"\W", "-", reference)
