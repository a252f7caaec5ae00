"""A function or schedule that takes another role."""

from typing import Any

import pytest

from automation.deploying.changes.model import Rank
from tests.automation.deploying.planned_changes import FUNCTION, ROLE, SCHEDULE, assess, names, resource


def role(action: str, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, "Resource": "r"}
    return resource(ROLE, {"Policies": [{"PolicyDocument": {"Statement": [statement]}}], **more})


def function(name: str) -> dict[str, Any]:
    return resource(FUNCTION, {"Role": {"Fn::GetAtt": [name, "Arn"]}})


def test_another_role_with_the_same_grants_needs_attention() -> None:
    assessment = assess({"F": function("A"), "A": role("a:b")}, {"F": function("B"), "B": role("a:b")})

    assert names(assessment) == []
    line = next(change for change in assessment.changes if change.resource == "F")
    assert line.what == "Role: ${A.Arn} -> ${B.Arn}: grants nothing new"
    assert (line.rank, line.needs_attention) == (Rank.PERMISSIONS, True)


def test_another_role_with_more_grants_is_widened() -> None:
    wider = role("a:c", ManagedPolicyArns=["arn:aws:iam::aws:policy/service-role/AWSLambdaX"])

    [danger] = assess({"F": function("A"), "A": role("a:b")}, {"F": function("B"), "B": wider}).dangers

    assert danger.name == "widen:F"
    assert danger.what == (
        "Role: ${A.Arn} -> ${B.Arn}: may a:c on r; attaches arn:aws:iam::aws:policy/service-role/AWSLambdaX"
    )
    assert danger.fix == "keep the role of F, and change the grants of that role"


def test_another_role_that_is_not_in_the_plan_is_widened() -> None:
    roles = {"A": role("a:b"), "B": role("a:b")}

    [danger] = assess({"F": function("A"), **roles}, {"F": function("B"), **roles}).dangers

    assert danger.what == "Role: ${A.Arn} -> ${B.Arn}: another role, whose grants are not part of this plan"


def test_another_role_of_a_schedule_is_compared_too() -> None:
    before, after = ({"S": resource(SCHEDULE, {"Target": {"RoleArn": name}})} for name in ("arn:a", "arn:b"))

    assert names(assess(before, after)) == ["widen:S"]
    assert len(assess(before, after).changes) == 1


@pytest.mark.parametrize("name", ["Role", "RoleArn", "ExecutionRoleArn", "TaskRoleArn"])
def test_every_property_that_names_a_role_counts(name: str) -> None:
    sides = ({"X": resource("AWS::X::Y", {name: arn})} for arn in ("arn:a", "arn:b"))

    assert names(assess(next(sides), next(sides))) == ["widen:X"]


def test_another_role_of_which_only_one_is_in_the_plan_is_widened() -> None:
    kept = {"A": role("a:b")}

    [danger] = assess({"F": function("A"), **kept}, {"F": function("B"), **kept, "B": role("a:b")}).dangers

    assert danger.what.endswith(": another role, whose grants are not part of this plan")


def test_first_role_and_same_role_are_not_widened() -> None:
    assert names(assess({"F": resource(FUNCTION)}, {"F": function("A")})) == []
    assert names(assess({"F": function("A")}, {"F": resource(FUNCTION, {"Role": {"Fn::GetAtt": "A.Arn"}})})) == []
