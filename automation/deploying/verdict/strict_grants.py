"""Grants without the conditions that hold nobody back, and what remains too wide or open to others."""

import re
from dataclasses import replace

from automation.deploying.verdict import grants
from automation.deploying.verdict.grants import Grant

type Condition = tuple[str, str, frozenset[str]]

_REFERENCE = re.compile(r"\$\{[^}]*\}")
_ACCOUNT_ID = re.compile(r"\b\d{12}\b")
_CANONICAL_USER = re.compile(r"[0-9a-f]{64}")
_SERVICES = (".amazonaws.com", ".amazonaws.com.cn")
_SENSITIVE_SERVICES = ("iam:", "sts:", "organizations:")
_WILDCARDS = frozenset("*?")
_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})
# Of the keys that AWS fills in for every service, only these say what is reached. The others say who calls, or when.
_OF_RESOURCES = ("aws:resourcetag/", "aws:requesttag/", "aws:tagkeys")
# A name that is a wildcard, such as `table/*` or `log-group:*:log-stream:a`. In an ARN of these services the API's id
# or the bucket's name comes first.
_ANY_NAME = re.compile(r"[\w-]+[/:]\*([/:].*)?")
_NAMED_FIRST = frozenset({"s3", "execute-api"})


def is_too_wide(grant: Grant) -> bool:
    """Return whether a grant goes beyond least privilege: wildcards, accounts, or the permissions themselves."""
    if grant.is_deny:
        return False
    if grant.principal:
        return not grant.principal.endswith(_SERVICES)
    action = grant.action.lower()
    is_any_action = bool(_WILDCARDS & set(action)) or ":" not in action or action.startswith(grants.ALL_BUT)
    is_any_resource = _is_any(grant.resource) and not any(map(_says_what_is_reached, grant.conditions))
    return is_any_action or is_any_resource or action.startswith(_SENSITIVE_SERVICES)


def is_public(grant: Grant) -> bool:
    """Return whether everybody gets a grant: any principal, and no condition that says who calls."""
    return replace(grant, conditions=frozenset(filter(_holds_back, grant.conditions))).is_public


def is_for_any_caller(grant: Grant) -> bool:
    """Return whether a service gets a grant without a condition that says for whom it may call.

    Anybody can have a service of AWS call: with a rule, a bucket or an alarm of an account of their own.
    """
    is_trust = grant.action.lower().startswith("sts:")
    return not is_trust and grant.principal.endswith(_SERVICES) and is_public(replace(grant, principal=grants.ANYONE))


def is_for_other_account(grant: Grant, account: str) -> bool:
    """Return whether the principal of a grant belongs to an account that the template does not run in."""
    if grant.is_deny or grant.principal.startswith(grants.ALL_BUT):
        return False
    accounts = set(_ACCOUNT_ID.findall(grant.principal)) - {account}
    return bool(accounts) or _CANONICAL_USER.fullmatch(grant.principal) is not None


def _says_what_is_reached(condition: Condition) -> bool:
    key = condition[1].lower()
    return _holds_back(condition) and (not key.startswith("aws:") or key.startswith(_OF_RESOURCES))


def _holds_back(condition: Condition) -> bool:
    """Return whether a condition holds for some values of its key only, and never when the key is missing."""
    operator, key, values = condition
    is_loose = operator.endswith("IfExists") or "Not" in operator or operator.startswith("ForAllValues")
    is_key_of_accounts = key.lower().endswith(("account", "orgid"))
    return not is_loose and operator != "Null" and not any(_is_anything(text, is_key_of_accounts) for text in values)


def _is_anything(value: str, is_account: bool) -> bool:
    """Return whether a value of a condition is a pattern that others can match too, such as an ARN of any account."""
    if not value.strip("*?") or value in _EVERYWHERE:
        return True
    if not value.startswith("arn:"):
        return is_account and "*" in value
    *_, account, name = _parts(value)
    return "*" in account or (account == "" and name == "*")


def _is_any(resource: str) -> bool:
    """Return whether a resource is `*`, or the like in another spelling, such as `arn:aws:dynamodb:*`."""
    if not resource.strip("*?") or resource.startswith(grants.ALL_BUT):
        return bool(resource)
    if not resource.startswith("arn:"):
        return False
    _, _, service, *_, name = _parts(resource)
    return not name.strip("*?/") or (service not in _NAMED_FIRST and _ANY_NAME.fullmatch(name) is not None)


def _parts(arn: str) -> list[str]:
    """Return the six parts of an ARN. A wildcard that ends it early stands for the parts that are missing."""
    parts = _REFERENCE.sub("-", arn).split(":", 5)
    return parts + ["*"] * (6 - len(parts))
