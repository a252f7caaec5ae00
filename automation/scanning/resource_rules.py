"""Our own rules about single resources: public access, and logs that are kept for ever."""

from collections.abc import Iterator, Mapping
from typing import Any

from automation.deploying.verdict import grants, permissions, public_access
from automation.deploying.verdict.property_texts import value_of
from automation.scanning import function_access
from automation.scanning.model import Weakness
from automation.scanning.scanned_stacks import ScannedStack


def weaknesses(stack: ScannedStack) -> Iterator[Weakness]:
    """Yield what is wrong with single resources of a stack."""
    for logical_id, resource in stack.resources.items():
        yield from _public_access(logical_id, resource)
        if resource["Type"] == function_access.LOG_GROUP and not value_of(resource, "RetentionInDays"):
            sentence = "keeps its logs for ever, because it has no RetentionInDays"
            yield Weakness("log-retention", logical_id, sentence, "add RetentionInDays")
    for function in function_access.of_resources(stack.resources):
        if not function.log_groups:
            sentence = "has no log group in the template, so Lambda creates one that is kept for ever"
            fix = "add an AWS::Logs::LogGroup with RetentionInDays, and name it in the function's LoggingConfig"
            yield Weakness("no-log-group", function.logical_id, sentence, fix)


def _public_access(logical_id: str, resource: Mapping[str, Any]) -> Iterator[Weakness]:
    public = [grant for grant in permissions.access_of(resource).grants if grant.is_public]
    for sentence in grants.describe(public):
        fix = "name the principals, or add a condition that says who calls"
        yield Weakness("public-access", logical_id, sentence, fix)
    for sentence in public_access.openings(resource["Type"], resource):
        yield Weakness("public-access", logical_id, sentence, f"keep {logical_id} private")
