"""Pack statements into as few policies as IAM's limits allow, and say whom a role trusts."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from automation.deploying.bootstrapping.grants import Statement
from automation.system.errors import ConfigurationError

# Source: IAM user guide, "IAM and AWS STS quotas": characters without white space, and policies per role.
MAX_CHARACTERS = 6_144
MAX_POLICIES = 10
_VERSION = "2012-10-17"
PROVIDER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
# The longest text that an intrinsic of our template can become: the ARN of a bucket, whose name has 63 characters.
_LONGEST = "arn:aws-us-gov:s3:::" + "b" * 63 + "/*"


def pack(statements: Iterable[Statement]) -> tuple[dict[str, Any], ...]:
    """Return policy documents that together allow the statements, each within the limit of a managed policy.

    Raises:
        ConfigurationError: they need more policies than a role may have.
    """
    packed: list[list[dict[str, Any]]] = []
    for statement in chain.from_iterable(map(_fitting, statements)):
        document = statement.document()
        policy = next((policy for policy in packed if _fits([*policy, document])), None)
        if policy is None:
            packed.append([document])
        else:
            policy.append(document)

    if len(packed) > MAX_POLICIES:
        message = f"the deploy role needs {len(packed)} policies, and IAM allows {MAX_POLICIES} per role"
        raise ConfigurationError(f"{message}; give fewer resources a name of their own, or split the project into two")
    return tuple(_policy(statements) for statements in packed)


def size(document: Any) -> int:
    """Return the characters of a policy document as IAM counts them, once its intrinsics are resolved."""
    return len(json.dumps(_longest(document), separators=(",", ":")))


def trust(provider_arn: str, repository: str, environment: str) -> dict[str, Any]:
    """Return the trust policy of a role: only workflows of GitHub that run for exactly this environment.

    Args:
        repository: as `owner/name`.
        environment: the name of the environment at GitHub.
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{PROVIDER}:aud": AUDIENCE, f"{PROVIDER}:sub": subject(repository, environment)}
        },
    }
    return _policy([statement])


def subject(repository: str, environment: str) -> str:
    """Return the subject of the tokens that a job of GitHub gets which names an environment.

    Source: docs.github.com, "OpenID Connect reference", filtering for a specific environment.
    """
    return f"repo:{repository}:environment:{environment}"


def _fitting(statement: Statement) -> list[Statement]:
    """Return statements that allow the same, of which each fits into a policy."""
    if _fits([statement.document()]):
        return [statement]
    first, second = _halves(statement)
    return [*_fitting(first), *_fitting(second)]


def _fits(statements: Sequence[Any]) -> bool:
    return size(_policy(statements)) <= MAX_CHARACTERS


def _halves(statement: Statement) -> tuple[Statement, Statement]:
    """Split a statement by its actions, or by its resources when it has more of them.

    Raises:
        ConfigurationError: it has one action and one resource.
    """
    actions, resources = statement.actions, statement.resources
    if len(actions) == 1 and len(resources) == 1:
        raise ConfigurationError(f"a grant is longer than {MAX_CHARACTERS} characters: {statement.document()}")
    if len(actions) > len(resources):
        middle = len(actions) // 2
        return replace(statement, actions=actions[:middle]), replace(statement, actions=actions[middle:])
    middle = len(resources) // 2
    return replace(statement, resources=resources[:middle]), replace(statement, resources=resources[middle:])


def _policy(statements: Sequence[Any]) -> dict[str, Any]:
    return {"Version": _VERSION, "Statement": list(statements)}


def _longest(value: Any) -> Any:
    match value:
        case {"Fn::GetAtt": _} | {"Fn::Sub": _} | {"Ref": _}:
            return _LONGEST
        case {**entries}:
            return {key: _longest(inner) for key, inner in entries.items()}
        case list():
            return [_longest(inner) for inner in value]
    return value
