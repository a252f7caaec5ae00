"""Our own rules about single resources: public access, access of others, and logs that are kept for ever."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from automation.deploying.verdict import grants, permissions, public_access, strict_grants
from automation.deploying.verdict.grants import Grant
from automation.deploying.verdict.property_texts import is_on, value_of
from automation.scanning import function_access
from automation.scanning.model import Weakness
from automation.scanning.scanned_stacks import ACCOUNT, ScannedStack

_BUCKET = "AWS::S3::Bucket"
_ACCESS_POINT = "AWS::S3::AccessPoint"  # it has the same settings as its bucket
_QUEUE_ENCRYPTION = "SqsManagedSseEnabled"


def _is_for_other_account(grant: Grant) -> bool:
    return strict_grants.is_for_other_account(grant, ACCOUNT)


# Rule, which grants it is about, and what to do.
_GRANT_RULES: tuple[tuple[str, Callable[[Grant], bool], str], ...] = (
    ("public-access", strict_grants.is_public, "name the principals, or add a condition that says who calls"),
    ("any-caller", strict_grants.is_for_any_caller, "add a condition on aws:SourceArn or aws:SourceAccount"),
    ("other-account", _is_for_other_account, "name principals of ${AWS::AccountId} only"),
)


def weaknesses(stack: ScannedStack) -> Iterator[Weakness]:
    """Yield what is wrong with single resources of a stack."""
    for logical_id, resource in stack.resources.items():
        yield from _granted_to_others(logical_id, resource)
        yield from _settings(logical_id, resource)
    yield from _log_groups(stack)


def _granted_to_others(logical_id: str, resource: Mapping[str, Any]) -> Iterator[Weakness]:
    stated = permissions.access_of(resource).grants
    for rule, is_found, fix in _GRANT_RULES:
        for sentence in grants.describe(filter(is_found, stated)):
            yield Weakness(rule, logical_id, sentence, fix)


def _settings(logical_id: str, resource: Mapping[str, Any]) -> Iterator[Weakness]:
    kind = _BUCKET if resource["Type"] == _ACCESS_POINT else resource["Type"]
    for sentence in public_access.openings(kind, resource):
        yield Weakness("public-access", logical_id, sentence, f"keep {logical_id} private")
    if kind == _BUCKET and value_of(resource, "WebsiteConfiguration"):
        sentence = "WebsiteConfiguration serves the bucket as a website, without TLS"
        yield Weakness("public-access", logical_id, sentence, "remove it")
    encryption = value_of(resource, _QUEUE_ENCRYPTION)
    if encryption is not None and not is_on(encryption) and not value_of(resource, "KmsMasterKeyId"):
        sentence = f"{_QUEUE_ENCRYPTION} is off, so messages are stored as plain text"
        yield Weakness("unencrypted-queue", logical_id, sentence, f"remove {_QUEUE_ENCRYPTION}; it is on by default")


def _log_groups(stack: ScannedStack) -> Iterator[Weakness]:
    for logical_id, resource in stack.resources.items():
        if resource["Type"] == function_access.LOG_GROUP and not value_of(resource, "RetentionInDays"):
            sentence = "keeps its logs for ever, because it has no RetentionInDays"
            yield Weakness("log-retention", logical_id, sentence, "add RetentionInDays")

    owners: dict[str, str] = {}
    for function in function_access.of_resources(stack.resources):
        if not function.log_groups:
            sentence = "has no log group in the template, so Lambda creates one that is kept for ever"
            fix = "add an AWS::Logs::LogGroup with RetentionInDays, and name it in the function's LoggingConfig"
            yield Weakness("no-log-group", function.logical_id, sentence, fix)
        for group in sorted(function.log_groups & owners.keys()):
            sentence = f"writes to {group}, which is the log group of {owners[group]}"
            yield Weakness("foreign-log-group", function.logical_id, sentence, "name a log group of its own")
        owners |= dict.fromkeys(function.log_groups - owners.keys(), function.logical_id)
