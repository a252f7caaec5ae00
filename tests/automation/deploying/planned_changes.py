"""Changes for the tests of the verdict, through the real comparison of two small templates."""

from collections.abc import Mapping
from typing import Any

from automation.deploying.changes import comparison
from automation.deploying.changes.model import Assessment, Expanded, ResourceChange
from automation.deploying.verdict import dangers
from automation.deploying.verdict.aspects import Facts

TABLE = "AWS::DynamoDB::Table"
QUEUE = "AWS::SQS::Queue"
BUCKET = "AWS::S3::Bucket"
ALARM = "AWS::CloudWatch::Alarm"
ROLE = "AWS::IAM::Role"
FUNCTION = "AWS::Lambda::Function"
SCHEDULE = "AWS::Scheduler::Schedule"
TOPIC = "AWS::SNS::Topic"

type Resources = Mapping[str, Mapping[str, Any]]


def resource(kind: str, properties: Mapping[str, Any] | None = None, **attributes: str) -> dict[str, Any]:
    return {"Type": kind, "Properties": dict(properties or {}), **attributes}


def compare(before: Resources, after: Resources, *, stack: str = "main") -> tuple[ResourceChange, ...]:
    sides = (Expanded({"Resources": resources}) for resources in (before, after))
    return comparison.compare(stack, *sides)


def assess(before: Resources, after: Resources, facts: Facts | None = None) -> Assessment:
    return dangers.assess(compare(before, after), facts)


def update(kind: str, before: Mapping[str, Any], after: Mapping[str, Any], facts: Facts | None = None) -> Assessment:
    """Assess the update of one resource, `X`."""
    return assess({"X": resource(kind, before)}, {"X": resource(kind, after)}, facts)


def names(assessment: Assessment) -> list[str]:
    return [danger.name for danger in assessment.dangers]


def lines(assessment: Assessment) -> list[tuple[str, bool]]:
    """Return the text of each line, and whether it needs attention."""
    return [(change.what, change.needs_attention) for change in assessment.changes]
